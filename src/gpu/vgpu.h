// vGPU guests. A virtual GPU says so in its PCI configuration space: a vendor-specific capability that begins with "VF"
// and holds, among others, the version of the host's driver. All of it comes from a virtual device, so every step stays
// inside the bytes that were read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

inline constexpr std::size_t kPciConfigSize = 256;

struct Vgpu {
  std::string host_driver_version, host_driver_branch;  // empty if the device has no such record
};

/// Nothing if this is not a virtual GPU. `config` has at least kPciConfigSize bytes, of which the first so many count.
std::optional<Vgpu> find_vgpu(std::string_view config);

/// Whether this is what a driver calls a virtual GPU: "GRID T4-4C", "NVIDIA A10-24Q", by the type at its end.
bool is_vgpu_name(std::string_view name);

}  // namespace nodescout
