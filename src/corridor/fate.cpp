#include "corridor/fate.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace nodescout {
namespace {

class Fates {
 public:
  Fates(const Walk& walk, const LabelPolicy& policy, const LayerOutcome& layer, std::size_t rule)
      : walk_(walk), policy_(policy), layer_(layer), rule_(rule), final_(entries_of(walk.built.desired)) {}

  struct Part {
    EntryKind kind;
    const MadeMap& made;  // by the whole layer
    bool is_on;
  };

  void add(const Part& part, const PlacedMap& written) {
    for (const auto& [name, placed] : written) add(part, name, placed.text);
  }

  void add(const Part& part, const std::string& name, const std::string& value) {
    const auto made = part.made.find(name);
    if (made == part.made.end()) return;  // the rule failed
    const EntryKey entry{part.kind, node_key(name, layer_.layer, policy_)};
    const auto in_full = entry.key == name ? part.made.end() : part.made.find(entry.key);
    if (made->second.rule != rule_) return replaced(entry, value, maker(made->second.rule));
    if (!part.is_on)
      return rejected(entry, value,
                      std::string(name_of(part.kind)) + " " + quote(entry.key) + ": " +
                          std::string(name_of(part.kind)) + "s are switched off in the configuration",
                      "remove restrictions.disable... from it");
    if (reject(entry, name, value)) return;
    if (in_full != part.made.end()) return replaced(entry, value, maker(in_full->second.rule));
    settle(entry, value, final_.at(entry));
  }

  void add(const Taint& taint) {
    const EntryKey entry{EntryKind::taint, taint.name()};
    if (reject(entry, taint.text(), taint.value)) return;
    const std::string& value = final_.at(entry);
    if (value == taint.value)
      settle(entry, value, value);
    else
      replaced(entry, taint.value, maker_of(walk_.layers, walk_.built.from.at(entry)));
  }

  std::vector<Fate> take() {
    std::sort(fates_.begin(), fates_.end(),
              [](const Fate& a, const Fate& b) { return std::tie(a.kind, a.key) < std::tie(b.kind, b.key); });
    return std::move(fates_);
  }

 private:
  std::string maker(std::size_t rule) const { return place_of((*layer_.rules)[rule]); }
  bool is_ours(const Provenance& from) const { return from.layer == layer_.layer && from.rule == rule_; }

  /// It was taken; another layer may have come after it.
  void settle(const EntryKey& entry, const std::string& as_made, const std::string& value) {
    const Provenance& from = walk_.built.from.at(entry);
    if (!is_ours(from)) return replaced(entry, as_made, maker_of(walk_.layers, from));
    fates_.push_back({entry.kind, entry.key, value, Fate::End::counts, "", ""});
  }
  bool reject(const EntryKey& entry, const std::string& name, const std::string& value) {
    const auto& all = walk_.built.rejected;
    const auto at = std::find_if(all.begin(), all.end(), [&](const Rejection& rejection) {
      return rejection.kind == entry.kind && rejection.key == name && is_ours(rejection.from);
    });
    if (at != all.end()) rejected(entry, value, at->problem.what, at->problem.todo);
    return at != all.end();
  }
  void rejected(const EntryKey& entry, const std::string& value, const std::string& why, const std::string& todo) {
    fates_.push_back({entry.kind, entry.key, value, Fate::End::rejected, why, todo});
  }
  void replaced(const EntryKey& entry, const std::string& value, const std::string& by) {
    fates_.push_back({entry.kind, entry.key, value, Fate::End::replaced, by, ""});
  }

  const Walk& walk_;
  const LabelPolicy& policy_;
  const LayerOutcome& layer_;
  const std::size_t rule_;
  const std::map<EntryKey, std::string> final_;
  std::vector<Fate> fates_;
};

}  // namespace

std::vector<Fate> fates_of(const Walk& walk, const LabelPolicy& policy, const LayerOutcome& layer, std::size_t rule,
                           const Attributes& from_template) {
  const Rule& source = (*layer.rules)[rule];
  const Outcome& outcome = *layer.outcome;
  Fates fates(walk, policy, layer, rule);
  const Fates::Part labels{EntryKind::label, outcome.labels, policy.labels};
  for (const auto& [name, value] : from_template)
    if (!source.labels.contains(name)) fates.add(labels, name, value);
  fates.add(labels, source.labels);
  fates.add({EntryKind::annotation, outcome.annotations, policy.annotations}, source.annotations);
  fates.add({EntryKind::extended_resource, outcome.extended_resources, policy.extended_resources},
            source.extended_resources);
  for (const Taint& taint : source.taints) fates.add(taint);
  return fates.take();
}

}  // namespace nodescout
