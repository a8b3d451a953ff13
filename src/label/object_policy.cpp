#include "label/object_policy.h"

#include <algorithm>

namespace nodescout {

std::vector<std::string> default_denied_keys() {
  return {"nvidia.com/mig.config",           "nvidia.com/gpu.deploy.*", "nvidia.com/gpu.workload.config",
          "nvidia.com/device-plugin.config", "nvidia.com/vgpu.config",  "nvidia.com/cc.mode",
          "nvidia.com/gpu-driver-upgrade-*"};
}

void ObjectPolicy::follow_nfd() {
  if (!namespaces) namespaces = {"*"};
  may_override = true;
  denied_keys.clear();
  own_always_counts = false;
}

bool ObjectPolicy::lists(std::string_view space) const {
  if (!namespaces) return selector.has_value();
  return std::any_of(namespaces->begin(), namespaces->end(),
                     [&](const std::string& listed) { return listed == "*" || listed == space; });
}

bool ObjectPolicy::denies(std::string_view key) const {
  return std::any_of(denied_keys.begin(), denied_keys.end(), [&](std::string_view denied) {
    return denied.ends_with('*') ? key.starts_with(denied.substr(0, denied.size() - 1)) : key == denied;
  });
}

}  // namespace nodescout
