#include "corridor/view.h"

#include <algorithm>

namespace nodescout {
namespace {

bool gfd_claims_labels(std::span<const NodeFeatureObject> objects) {
  return std::any_of(objects.begin(), objects.end(), is_of_gfd);
}

}  // namespace

bool is_of_gfd(const NodeFeatureObject& object) {
  return object.name.starts_with("nvidia-features-for-") &&
         std::any_of(object.labels.begin(), object.labels.end(),
                     [](const auto& label) { return label.first.starts_with("nvidia.com/"); });
}

Sight::Sight(const View& view) : own_(&view.own), all_(&view.own) {
  if (view.objects.empty()) return;
  if (view.yields_to_gfd && view.own.attributes.contains("gpu.gfd") && gfd_claims_labels(view.objects)) {
    without_gfd_ = std::make_unique<Features>(view.own);
    without_gfd_->attributes.erase("gpu.gfd");
    without_gfd_->attributes.erase("gpu.vgpu");
    own_ = without_gfd_.get();
  }
  merged_ = std::make_unique<Features>(*own_);
  for (const NodeFeatureObject& object : view.objects) merge(*merged_, object.features);
  all_ = merged_.get();
}

}  // namespace nodescout
