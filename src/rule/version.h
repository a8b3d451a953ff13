#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nodescout {

/// Major, minor and patch of a loosely written semantic version: "v1", "6.8.0-45-generic", "05.010". Pre-release and
/// build parts are checked for their form and then forgotten, as NFD does. Empty if it is no version ("5.14.0_el9",
/// "1.2.3.4").
using Version = std::array<std::uint64_t, 3>;
std::optional<Version> parse_version(std::string_view text);

}  // namespace nodescout
