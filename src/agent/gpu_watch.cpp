#include "agent/gpu_watch.h"

#include <algorithm>
#include <array>

namespace nodescout {
namespace {

constexpr std::array kPaths = {
    // The kernel driver, and the device files that user space makes after it.
    "/proc/driver/nvidia/version",
    "/dev/nvidiactl",
    // A MIG device comes with a capability file, and goes with it.
    "/dev/nvidia-caps",
    // The GPU Operator's driver container, and what it says about it.
    "/run/nvidia/driver",
    "/run/nvidia/validations",
    "/run/nvidia/validations/driver-ready",
};

std::string value_of(const Attributes& labels, std::string_view key) {
  const auto at = labels.find(key);
  return at == labels.end() ? "" : at->second;
}

}  // namespace

std::string nvml_pause_reason(const Attributes& node_labels) {
  for (const char* key : {"nvidia.com/gpu.deploy.gpu-feature-discovery", "nvidia.com/gpu.deploy.client"})
    if (const std::string value = value_of(node_labels, key); value.find("paused-for-") != std::string::npos)
      return std::string(key) + " is " + value;
  constexpr const char* kMigState = "nvidia.com/mig.config.state";
  if (const std::string state = value_of(node_labels, kMigState); state == "pending" || state == "rebooting")
    return std::string(kMigState) + " is " + state;
  return "";
}

std::vector<std::string> gpu_watched_paths() { return {kPaths.begin(), kPaths.end()}; }

bool concerns_gpus(std::string_view host_path) {
  return host_path.starts_with("/dev/nvidia") || host_path.starts_with("/run/nvidia") ||
         host_path.starts_with("/proc/driver/nvidia");
}

bool gfd_claims_labels(const std::vector<NodeFeatureObject>& objects) {
  return std::any_of(objects.begin(), objects.end(), [](const NodeFeatureObject& object) {
    if (!object.name.starts_with("nvidia-features-for-")) return false;
    return std::any_of(object.labels.begin(), object.labels.end(),
                       [](const auto& label) { return label.first.starts_with("nvidia.com/"); });
  });
}

void GpuWatch::see_node(const Attributes& labels) {
  pause_reason_ = nvml_pause_reason(labels);
  operator_managed_ = labels.contains("nvidia.com/gpu.deploy.driver");
}

void GpuWatch::prepare(GpuOptions& options, SteadyTime now) const {
  options.nvml_paused = pause_reason_;
  options.operator_managed = operator_managed_;
  options.driver_absence_is_proof =
      options.keep_labels && absent_since_ && now - *absent_since_ >= *options.keep_labels;
}

void GpuWatch::see_features(const Features& seen, SteadyTime now) {
  const std::string* state = find_attribute(seen, "gpu.driver", "state");
  if (!state) return;  // the probe did not run
  if (*state != "absent")
    absent_since_.reset();
  else if (!absent_since_)
    absent_since_ = now;
}

}  // namespace nodescout
