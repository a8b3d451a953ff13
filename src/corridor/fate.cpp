#include "corridor/fate.h"

#include <algorithm>
#include <tuple>

namespace nodescout {
namespace {

class Fates {
 public:
  Fates(const Walk& walk, const LabelPolicy& policy, const LayerOutcome& layer, std::size_t rule)
      : walk_(walk), policy_(policy), layer_(layer), rule_(rule) {}

  void add_labels(const PlacedMap& written, const Attributes& from_template) {
    const Part part{EntryKind::label, layer_.outcome->labels, walk_.built.desired.labels, walk_.built.labels,
                    policy_.labels};
    for (const auto& [name, value] : from_template)
      if (!written.contains(name)) add(part, name, value);
    add_all(part, written);
  }
  void add_annotations(const PlacedMap& written) {
    add_all({EntryKind::annotation, layer_.outcome->annotations, walk_.built.desired.annotations,
             walk_.built.annotations, policy_.annotations},
            written);
  }
  void add_resources(const PlacedMap& written) {
    add_all({EntryKind::extended_resource, layer_.outcome->extended_resources, walk_.built.desired.extended_resources,
             walk_.built.extended_resources, policy_.extended_resources},
            written);
  }
  void add(const Taint& taint) {
    if (reject(EntryKind::taint, taint.text(), taint.name(), taint.value)) return;
    const auto from = walk_.built.taints.find(taint.name());
    if (from == walk_.built.taints.end()) return;
    const auto& taints = walk_.built.desired.taints;
    const auto final_one =
        std::find_if(taints.begin(), taints.end(), [&](const Taint& other) { return other.name() == taint.name(); });
    if (is_ours(from->second) && final_one->value == taint.value)
      counts(EntryKind::taint, taint.name(), taint.value);
    else
      replaced(EntryKind::taint, taint.name(), taint.value, maker_of(walk_.layers, from->second));
  }

  std::vector<Fate> take() {
    std::sort(fates_.begin(), fates_.end(),
              [](const Fate& a, const Fate& b) { return std::tie(a.kind, a.key) < std::tie(b.kind, b.key); });
    return std::move(fates_);
  }

 private:
  struct Part {
    EntryKind kind;
    const MadeMap& made;
    const Attributes& desired;
    const std::map<std::string, Provenance, std::less<>>& from;
    bool is_on;
  };

  void add_all(const Part& part, const PlacedMap& written) {
    for (const auto& [name, placed] : written) add(part, name, placed.text);
  }

  void add(const Part& part, const std::string& name, const std::string& value) {
    const auto made = part.made.find(name);
    if (made == part.made.end()) return;  // the rule failed
    const std::string key = node_key(name, layer_.layer, policy_);
    if (made->second.rule != rule_)
      return replaced(part.kind, key, value, place_of((*layer_.rules)[made->second.rule]));
    if (!part.is_on)
      return fates_.push_back({part.kind, key, value, Fate::End::rejected,
                               std::string(name_of(part.kind)) + "s are switched off in the configuration", ""});
    if (reject(part.kind, name, key, value)) return;
    const auto from = part.from.find(key);
    const bool is_in_full = key == name || !part.made.contains(key);  // else the full spelling counts
    if (from != part.from.end() && is_ours(from->second) && is_in_full)
      counts(part.kind, key, part.desired.find(key)->second);
    else
      replaced(part.kind, key, value,
               from == part.from.end() ? place_of((*layer_.rules)[part.made.find(key)->second.rule])
                                       : maker_of(walk_.layers, from->second));
  }

  bool is_ours(const Provenance& from) const { return from.layer == layer_.layer && from.rule == rule_; }

  bool reject(EntryKind kind, const std::string& name, const std::string& key, const std::string& value) {
    const auto& rejected = walk_.built.rejected;
    const auto at = std::find_if(rejected.begin(), rejected.end(), [&](const Rejection& rejection) {
      return rejection.kind == kind && rejection.key == name && is_ours(rejection.from);
    });
    if (at == rejected.end()) return false;
    fates_.push_back({kind, key, value, Fate::End::rejected, at->problem.what, at->problem.todo});
    return true;
  }
  void counts(EntryKind kind, const std::string& key, const std::string& value) {
    fates_.push_back({kind, key, value, Fate::End::counts, "", ""});
  }
  void replaced(EntryKind kind, const std::string& key, const std::string& value, const std::string& by) {
    fates_.push_back({kind, key, value, Fate::End::replaced, by, ""});
  }

  const Walk& walk_;
  const LabelPolicy& policy_;
  const LayerOutcome& layer_;
  const std::size_t rule_;
  std::vector<Fate> fates_;
};

}  // namespace

std::vector<Fate> fates_of(const Walk& walk, const LabelPolicy& policy, const LayerOutcome& layer, std::size_t rule,
                           const Attributes& from_template) {
  const Rule& source = (*layer.rules)[rule];
  Fates fates(walk, policy, layer, rule);
  fates.add_labels(source.labels, from_template);
  fates.add_annotations(source.annotations);
  fates.add_resources(source.extended_resources);
  for (const Taint& taint : source.taints) fates.add(taint);
  return fates.take();
}

}  // namespace nodescout
