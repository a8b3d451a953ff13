#include "controller/membership.h"

namespace nodescout {

void Membership::restart(std::size_t things) {
  nodes_.clear();
  counts_.assign(things, 0);
}

bool Membership::put(const std::string& node, const Of& of) {
  if (of.size() != counts_.size()) return false;  // of other things
  const auto [at, is_new] = nodes_.try_emplace(node);
  if (!is_new && at->second == of) return false;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (!is_new && at->second[i]) --counts_[i];
    if (of[i]) ++counts_[i];
  }
  at->second = of;
  return true;
}

bool Membership::remove(const std::string& node) {
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return false;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (at->second[i]) --counts_[i];
  nodes_.erase(at);
  return true;
}

std::vector<std::string> Membership::members(std::size_t thing) const {
  std::vector<std::string> names;
  for (const auto& [node, of] : nodes_)
    if (of[thing]) names.push_back(node);
  return names;
}

}  // namespace nodescout
