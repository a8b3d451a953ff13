// What sysfs shows of a GPU that is handed to a virtual machine: the memory that its regions map.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nodescout {

/// Bytes of the 64-bit regions among the first six, rounded up to a power of two; 0 if there are none. `resource` is
/// the sysfs file: a line "START END FLAGS" in hexadecimal for each region.
std::uint64_t addressable_memory(std::string_view resource);

}  // namespace nodescout
