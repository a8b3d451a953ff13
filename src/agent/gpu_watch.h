// What the agent knows about GPUs beside what the probe sees: who else is at work on them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/gpu.h"
#include "nodescout/host.h"
#include "system/clock.h"

namespace nodescout {

/// Why NVIDIA's library must not be opened now, by the labels of the own Node: the GPU Operator unloads the driver, or
/// its MIG manager needs every client gone. Empty if it may be.
std::string nvml_pause_reason(const Attributes& node_labels);

/// Files whose appearance means that a driver came, went or changed its MIG devices, named as on the host. Nothing
/// where there is no NVIDIA GPU: directories like /dev change for other reasons as well.
std::vector<std::string> gpu_watched_paths(const Root& files);
/// Whether a change of this file, named as on the host, is a reason to look at the GPUs.
bool concerns_gpus(std::string_view host_path);
/// Whether it stands where only GPUs are looked for: then it is no configuration.
bool is_among_gpu_files(std::string_view host_path);

class GpuWatch {
 public:
  /// Nobody will tell this agent what is on the Node: where the Operator's files are, they count.
  void assume_operator() { assumes_operator_ = true; }
  /// The own Node's labels, as they were read last.
  void see_node(const Attributes& labels);
  /// Before a probe: what it should know.
  void prepare(GpuOptions& options, SteadyTime now) const;
  /// After it: whether the driver is there.
  void see_features(const Features& seen, SteadyTime now);

 private:
  std::string pause_reason_;
  bool assumes_operator_ = false;
  bool operator_managed_ = false;
  std::optional<SteadyTime> absent_since_;
};

}  // namespace nodescout
