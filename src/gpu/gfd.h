// The labels of NVIDIA's gpu-feature-discovery, as a pure function of what the driver reports, so that every case of it
// can be tested without any GPU. Keys and values are GFD's wherever GFD is deterministic and legal; docs/gpu.md lists
// where they are not, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/nvml.h"
#include "nodescout/features.h"
#include "nodescout/gpu.h"
#include "nodescout/result.h"

namespace nodescout {

struct GfdInput {
  struct Gpu {
    NvmlGpu reported;
    std::string pci_class;  // "0x030200"; empty if unknown
  };

  GpuDiscovery backend = GpuDiscovery::nvml;  // never automatic
  std::string driver_version;
  Number cuda_version;
  std::optional<std::int64_t> timestamp;    // gfd.timestamp; empty: none
  std::vector<Gpu> gpus;                    // in any order
  std::optional<std::string> machine_type;  // content of the file; empty if there is none
  bool hides_machine_type = false;          // there is one that could not be read
  Number system_memory;                     // bytes; where options.system_memory_as_gpus
};

/// The display card of a DGX Station is not a GPU for jobs.
bool is_gfd_display(const NvmlGpu& gpu);

struct GfdLabels {
  Attributes labels;  // without "nvidia.com/"; every value is a legal label value
  std::vector<Problem> problems;
  /// Some of them are missing or unsure, because the driver failed on something.
  bool is_partial = false;
};

GfdLabels gfd_labels(GfdInput input, const GpuOptions& options);

/// What is known before there is a driver: gpu.machine.
GfdLabels gfd_machine(const GfdInput& input, const GpuOptions& options);

/// "hopper" for 9.0; "undefined" for what GFD does not know.
std::string gpu_family(std::int64_t major, std::int64_t minor);

/// A GPU that takes part in an NVLink fabric: registration completed, without error, with a cluster.
bool is_fabric_attached(const NvmlGpu& gpu);

/// "<cluster>.<clique>" if all attached GPUs agree on both; else empty.
std::string common_clique(const std::vector<const NvmlGpu*>& gpus);

/// Order of bus ids: "ffff:..." before "10000:...".
bool is_earlier_address(std::string_view a, std::string_view b);

}  // namespace nodescout
