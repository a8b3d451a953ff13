#include "probe/gpu_operator.h"

namespace nodescout::gpu {
namespace {

std::string value_of(const Attributes& labels, std::string_view key) {
  const auto at = labels.find(key);
  return at == labels.end() ? "" : at->second;
}

bool exists(const Host& host, std::string_view path) {
  const auto found = host.files().exists(path);
  return found && *found;
}

}  // namespace

std::string pause_reason(const Host& host, const Moment& moment) {
  for (const std::string_view key : {kRunsGfd, kRunsClients})
    if (const std::string value = value_of(moment.node_labels, key); value.find("paused-for-") != std::string::npos)
      return std::string(key) + " is " + value;
  if (const std::string state = value_of(moment.node_labels, kMigState); state == "pending" || state == "rebooting")
    return std::string(kMigState) + " is " + state;
  // Where the Node cannot be seen, the Operator's files show that it is at work here.
  const bool is_operators = moment.is_node_hidden || moment.node_labels.contains(kInstallsDriver);
  if (is_operators && exists(host, "/run/nvidia/validations") && !exists(host, "/run/nvidia/validations/driver-ready"))
    return "the GPU Operator has not validated the driver yet";
  return "";
}

bool has_nvidia_gpu(const Root& files) {
  const std::string bus = "/sys/bus/pci/devices/";
  const auto functions = files.list(bus);
  if (!functions) return false;
  for (const std::string& function : *functions) {
    const auto vendor = files.read(bus + function + "/vendor");
    if (!vendor || !vendor->starts_with("0x10de")) continue;
    const auto pci_class = files.read(bus + function + "/class");
    if (pci_class && pci_class->starts_with("0x03")) return true;
  }
  return false;
}

}  // namespace nodescout::gpu
