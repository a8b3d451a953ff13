// What sysfs tells of a GPU that is handed to a virtual machine: the memory that its regions map, and a name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nodescout {

/// Bytes of the 64-bit regions among the first six, rounded up to a power of two; 0 if there are none. `resource` is
/// the sysfs file: a line "START END FLAGS" in hexadecimal for each region.
std::uint64_t addressable_memory(std::string_view resource);

/// Name of a device in the text of a pci.ids file ("GA100 [A100 SXM4 40GB]"); empty if it has none.
std::string pci_ids_name(std::string_view pci_ids, std::string_view vendor, std::string_view device);

}  // namespace nodescout
