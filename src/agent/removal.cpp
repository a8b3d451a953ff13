#include "agent/removal.h"

#include <algorithm>

namespace nodescout {

void Removal::whole_pass(SteadyTime now) {
  if (passes_++ == 0) since_ = now;
}

bool Removal::is_proved(SteadyTime now) const {
  return passes_ >= Memory::kProofs && now - since_ >= Memory::kProofTime;
}

std::function<bool(const Change&)> Removal::gate(const Desired& desired, bool cluster_complete,
                                                 AgentCorridor::Doubt doubt, SteadyTime now) {
  // What is on the Node is a small part of what a rule with changing names can make over the years.
  constexpr std::size_t kMost = 10'000;
  Keys wanted;
  for (const auto& [key, value] : desired.labels) wanted.emplace(Change::Kind::label, key);
  for (const auto& [key, value] : desired.annotations) wanted.emplace(Change::Kind::annotation, key);
  for (const auto& [key, value] : desired.extended_resources) wanted.emplace(Change::Kind::extended_resource, key);
  for (const Taint& taint : desired.taints) wanted.emplace(Change::Kind::taint, taint.name());
  if (!std::includes(made_->begin(), made_->end(), wanted.begin(), wanted.end())) {
    if (made_->size() < kMost) wanted.insert(made_->begin(), made_->end());
    made_ = std::make_shared<const Keys>(std::move(wanted));
  }
  return [made = made_, cluster_complete, doubt = std::move(doubt), proved = is_proved(now)](const Change& change) {
    if (!cluster_complete) return false;
    if (made->contains({change.kind, change.key})) return true;
    return proved && !doubt.covers(change.key);
  };
}

}  // namespace nodescout
