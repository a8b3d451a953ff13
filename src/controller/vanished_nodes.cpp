#include "controller/vanished_nodes.h"

namespace nodescout {

void VanishedNodes::lead(bool leads) {
  leads_ = leads;
  queue_.clear();
}

void VanishedNodes::add(const std::string& node, SteadyTime now) {
  if (leads_ && after_) queue_.add(node, now + *after_);
}

std::optional<std::string> VanishedNodes::take(SteadyTime now) {
  if (taken_ >= kInARound) return std::nullopt;
  auto node = queue_.take(now);
  if (node) ++taken_;
  return node;
}

}  // namespace nodescout
