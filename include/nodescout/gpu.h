// What an administrator may say about GPUs: the options of NVIDIA's gpu-feature-discovery (GFD) and of its
// configuration file, and nodescout's own. docs/gpu.md has a line for each.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

enum class MigStrategy : std::uint8_t { none, single, mixed };
/// "none", "single", "mixed"
const char* name_of(MigStrategy strategy);

/// "nvidia", "amd", ...: the vendors that the probe has a row for.
std::vector<std::string_view> gpu_vendor_names();

enum class GpuDiscovery : std::uint8_t {
  automatic,
  nvml,
  tegra,
  vfio,  // sandbox nodes: what sysfs says about the GPUs that are handed to virtual machines
  none,  // what the bus shows alone: another agent on the node asks the driver
};

/// One way of sharing GPUs: GFD's sharing.timeSlicing or sharing.mps.
struct GpuSharing {
  struct Resource {
    std::string name;  // "nvidia.com/gpu"
    std::int64_t replicas = 1;
  };
  bool renames = false;  // the device plugin advertises nvidia.com/gpu.shared, so the product needs no suffix
  std::vector<Resource> resources;
};

struct GpuOptions {
  MigStrategy mig_strategy = MigStrategy::none;
  GpuDiscovery discovery = GpuDiscovery::automatic;
  std::string machine_type_file = "/sys/class/dmi/id/product_name";  // empty: "unknown"
  std::optional<GpuSharing> time_slicing;
  std::optional<GpuSharing> mps;
  bool with_timestamp = true;     // gfd.timestamp, where the agent has set one
  bool deprecated_labels = true;  // cuda.driver.*, cuda.runtime.*
  enum class Clique : std::uint8_t { automatic, on, off } clique = Clique::automatic;
  bool vfio_memory_in_bytes = false;   // as GFD; else MiB, as everywhere
  bool system_memory_as_gpus = false;  // where CPU and GPU share one memory and the driver tells no size
  std::map<std::string, std::int64_t, std::less<>> expected;  // vendor -> GPUs that should be there

  std::string driver_root;  // as this process sees it; empty: search
  std::chrono::milliseconds nvml_timeout{10'000};
  std::optional<std::chrono::milliseconds>
      keep_labels;  // after the driver went; empty: until the GPUs are gone as well

  // What the agent knows at the moment of a probe.
  std::optional<std::int64_t> timestamp;  // when it started or read its configuration again, in seconds since 1970
  std::string nvml_paused;                // why the library must not be opened now; empty: it may be
  bool operator_managed = false;          // the GPU Operator installs the driver here, and says when it is ready
  bool driver_absence_is_proof = false;   // keep_labels is over

  /// What GFD's labels depend on could not be read or understood: they stay as they are.
  bool labels_in_doubt = false;
  /// Of GFD's file and environment. The probe reports them where there is a GPU that they could matter to.
  std::vector<Problem> problems;
};

}  // namespace nodescout
