#include "agent/gpu_watch.h"

#include <algorithm>
#include <array>

namespace nodescout {
namespace {

constexpr std::array kPaths = {
    // User space makes it once the kernel driver is loaded, of which a kernel event tells.
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

std::vector<std::string> gpu_watched_paths(const Root& files) {
  const std::string bus = "/sys/bus/pci/devices/";
  const auto functions = files.list(bus);
  if (!functions) return {};
  for (const std::string& function : *functions) {
    const auto vendor = files.read(bus + function + "/vendor");
    if (!vendor || !vendor->starts_with("0x10de")) continue;
    const auto pci_class = files.read(bus + function + "/class");
    if (pci_class && pci_class->starts_with("0x03")) return {kPaths.begin(), kPaths.end()};
  }
  return {};
}

bool is_among_gpu_files(std::string_view host_path) {
  return host_path == "/dev" || host_path == "/run" || host_path.starts_with("/dev/") || host_path.starts_with("/run/");
}

bool concerns_gpus(std::string_view host_path) {
  return host_path.starts_with("/dev/nvidia") || host_path.starts_with("/run/nvidia") ||
         host_path.starts_with("/proc/driver/nvidia");
}

void GpuWatch::see_node(const Attributes& labels) {
  pause_reason_ = nvml_pause_reason(labels);
  operator_managed_ = labels.contains("nvidia.com/gpu.deploy.driver");
}

void GpuWatch::prepare(GpuOptions& options, SteadyTime now) const {
  options.nvml_paused = pause_reason_;
  options.operator_managed = assumes_operator_ || operator_managed_;
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
