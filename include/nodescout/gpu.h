// How an administrator configures GPUs: the options of NVIDIA's gpu-feature-discovery (GFD) and of its
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
  vfio,  // sandbox nodes: what sysfs shows of the GPUs that are handed to virtual machines
  none,  // only what the bus shows: another agent on the node queries the driver
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
  bool with_timestamp = true;     // gfd.timestamp, where the moment has one
  bool deprecated_labels = true;  // cuda.driver.*, cuda.runtime.*
  enum class Clique : std::uint8_t { automatic, on, off } clique = Clique::automatic;
  bool vfio_memory_in_bytes = false;   // as GFD; else MiB, as everywhere
  bool system_memory_as_gpus = false;  // where CPU and GPU share memory and the driver reports no size
  std::map<std::string, std::int64_t, std::less<>> expected;  // vendor -> GPUs that should be there

  enum class Labeller : std::uint8_t { automatic, on, off };
  /// Vendor -> whether the labels of its own labeller are made; automatic where there is none.
  std::map<std::string, Labeller, std::less<>> labellers;
  bool labels_for(std::string_view vendor) const {
    const auto chosen = labellers.find(vendor);
    return chosen == labellers.end() || chosen->second != Labeller::off;
  }
  /// Even where the vendor's own labeller does.
  bool insists_on(std::string_view vendor) const {
    const auto chosen = labellers.find(vendor);
    return chosen != labellers.end() && chosen->second == Labeller::on;
  }
  /// Label keys that are left to the vendor's own labeller where it labels the Node, a group for each vendor.
  std::vector<std::vector<std::string>> shared_labels() const;
  /// As PlanOptions::stamps.
  static std::vector<std::string> stamps() { return {"nvidia.com/gfd.timestamp"}; }

  std::string driver_root;                                // as this process sees it; empty: search
  std::optional<std::chrono::milliseconds> nvml_timeout;  // empty: by the number of GPUs
  std::optional<std::chrono::milliseconds>
      keep_labels;  // after the driver went; empty: until the GPUs are gone as well

  /// What GFD's labels depend on could not be read or understood: they stay as they are.
  bool labels_in_doubt = false;
  /// Of GFD's file and environment. The probe reports them where there is a GPU that they could matter to.
  std::vector<Problem> problems;
};

}  // namespace nodescout
