#include "agent/gpu_watch.h"

#include <algorithm>

namespace nodescout {

bool gfd_claims_labels(const std::vector<NodeFeatureObject>& objects) {
  return std::any_of(objects.begin(), objects.end(), [](const NodeFeatureObject& object) {
    if (!object.name.starts_with("nvidia-features-for-")) return false;
    return std::any_of(object.labels.begin(), object.labels.end(),
                       [](const auto& label) { return label.first.starts_with("nvidia.com/"); });
  });
}

}  // namespace nodescout
