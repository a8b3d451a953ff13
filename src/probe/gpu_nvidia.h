// Between the two halves of NVIDIA's part of the GPU probe: asking the driver, and taking what it says.
#pragma once

#include "host/nvml.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {

inline bool is_nvidia(const Gpu& gpu) { return gpu.vendor == &kNvidia; }

inline void put(Attributes& into, const char* name, const std::string& value) {
  if (!value.empty()) into.insert_or_assign(name, value);
}
inline void put(Attributes& into, const char* name, const Number& value) {
  if (value) into.insert_or_assign(name, std::to_string(*value));
}

/// What to do about a code of NVML.
const char* nvml_todo(int code);

/// What the driver says of each GPU and of what joins them: into the GPUs of the bus, to which those are added that are
/// on none, and into the sets gpu.mig and gpu.fabric. The report's GPUs are brought into the order of the bus.
void take_report(NvmlReport& report, Bus& bus, Observation& seen);

}  // namespace nodescout::gpu
