// The labels of AMD's node labeller (ROCm/k8s-device-plugin, cmd/k8s-node-labeller), as a pure function of what the
// machine reports about its GPUs. Keys and values are AMD's; what is only available from the driver by ioctl (firmware
// versions) is left out, and its family comes from the table of PCI ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

struct AmdLabelInput {
  struct Gpu {
    std::string family;                               // "AI"; empty if unknown
    std::string device_id;                            // "74a1"
    std::string product;                              // "AMD Instinct MI300X"; empty if the board has no name
    std::string compute_partition, memory_partition;  // "CPX", "NPS4"; empty where it cannot be partitioned
    bool has_compute_partitions = false, has_memory_partitions = false;  // it offers several
  };
  /// What KFD, the kernel's compute driver, shows: one for each GPU, or one for each of its partitions.
  struct Device {
    std::optional<std::int64_t> vram;  // bytes
    std::int64_t simds = 0, simds_per_cu = 0;
  };
  std::vector<Gpu> gpus;  // by address
  std::vector<Device> devices;
  std::optional<std::string> driver_version, driver_src_version;  // of the module: empty where it has none
};

/// Whole keys ("amd.com/gpu.vram"); every value is a legal label value. Nothing without a GPU.
Attributes amd_labels(const AmdLabelInput& input);

}  // namespace nodescout
