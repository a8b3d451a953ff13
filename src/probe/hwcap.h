// CPU flags of the other architectures: names for the bits of AT_HWCAP and AT_HWCAP2.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/host.h"

namespace nodescout {

/// Empty for amd64 and for architectures without a table.
FlagSet hwcap_flags(std::string_view architecture, const HardwareWords& words);

/// Every name of every architecture with where it comes from ("arm64 HWCAP bit 3").
std::vector<std::pair<std::string, std::string>> hwcap_flag_sources();

}  // namespace nodescout
