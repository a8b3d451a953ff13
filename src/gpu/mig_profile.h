// Names of MIG profiles: "1g.5gb" is one slice with 5 GB, "1c.3g.20gb" one compute slice inside three slices.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/nvml.h"

namespace nodescout {

/// From the indices of the two profiles, the device's memory in MiB and its GPU's in bytes. As in labels and resource
/// names: a "+" of NVML's spelling is a ".". Empty for an index that no driver has yet, or without a memory size.
std::string mig_profile_name(std::int64_t gpu_profile, std::int64_t compute_profile, std::int64_t device_mib,
                             std::int64_t gpu_bytes);

/// The profile at the end of "NVIDIA A100-SXM4-40GB MIG 1g.5gb", in the same spelling; empty if there is none. For
/// processes that may not ask for the indices.
std::string mig_profile_of_name(std::string_view device_name);

/// By either way.
std::string mig_profile(const NvmlGpu& gpu, const NvmlMig& device);

}  // namespace nodescout
