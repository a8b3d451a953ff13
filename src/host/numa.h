#pragma once

#include <optional>
#include <string_view>

namespace nodescout {

/// A NUMA node as the kernel prints it. Nothing for -1, which is none, and for what is not a number of one.
std::optional<int> parse_numa_node(std::string_view text);

}  // namespace nodescout
