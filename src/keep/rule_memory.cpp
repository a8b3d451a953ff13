#include "keep/rule_memory.h"

#include <algorithm>

namespace nodescout {
namespace {

std::string identity_of(const LayerOutcome& layer, std::size_t rule) {
  const Rule& which = (*layer.rules)[rule];
  return std::string(name_of(layer.layer)) + "\n" + which.origin + "\n" + which.name;
}

void add_missing(Attributes& into, const Attributes& from) {
  for (const auto& [key, value] : from)
    if (!into.contains(key)) into.insert_or_assign(key, value);
}

/// A label that only a NodeFeature object asks for yields to one that a rule made last, as it yields to one that a rule
/// makes.
bool is_free(const Built& built, const std::string& key) {
  if (!built.desired.labels.contains(key)) return true;
  const auto from = built.from.find({EntryKind::label, key});
  return from != built.from.end() && from->second.layer == Layer::objects;
}

}  // namespace

void RuleMemory::settle(const std::vector<LayerOutcome>& layers, Built& built) {
  std::map<std::string, Desired, std::less<>> next;
  any_failing_ = false;
  for (const LayerOutcome& layer : layers) {
    if (!layer.rules) continue;
    const auto remember = [&](EntryKind kind, Attributes Desired::*part) {
      for (const auto& [key, value] : built.desired.*part)
        if (const Provenance& from = built.from.at({kind, key}); from.layer == layer.layer)
          (next[identity_of(layer, from.rule)].*part).insert_or_assign(key, value);
    };
    remember(EntryKind::label, &Desired::labels);
    remember(EntryKind::annotation, &Desired::annotations);
    remember(EntryKind::extended_resource, &Desired::extended_resources);
    for (const MadeTaint& made : layer.outcome->taints)
      if (std::find(built.desired.taints.begin(), built.desired.taints.end(), made.taint) != built.desired.taints.end())
        next[identity_of(layer, made.rule)].taints.push_back(made.taint);
  }
  for (const LayerOutcome& layer : layers) {
    if (!layer.rules) continue;
    for (const std::size_t rule : layer.outcome->failing) {
      any_failing_ = true;
      const std::string identity = identity_of(layer, rule);
      const auto before = made_.find(identity);
      if (before == made_.end()) continue;
      for (const auto& [key, value] : before->second.labels)
        if (is_free(built, key)) built.desired.labels.insert_or_assign(key, value);
      add_missing(built.desired.annotations, before->second.annotations);
      add_missing(built.desired.extended_resources, before->second.extended_resources);
      for (const Taint& taint : before->second.taints) {
        const auto is_same = [&](const Taint& other) { return other.key == taint.key && other.effect == taint.effect; };
        if (std::none_of(built.desired.taints.begin(), built.desired.taints.end(), is_same))
          built.desired.taints.push_back(taint);
      }
      next.insert_or_assign(identity, before->second);
    }
  }
  made_ = std::move(next);
}

}  // namespace nodescout
