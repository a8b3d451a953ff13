#include "keep/doubt.h"

#include <algorithm>

#include "base/text.h"
#include "nodescout/labels.h"
#include "rule/program.h"
#include "template/template.h"

namespace nodescout {
namespace {

/// Rules that depend on a rule in doubt are in doubt, too; rule.matched depends on all of them.
bool is_in_doubt(const Rule& rule, const std::set<std::string, std::less<>>& stale) {
  const auto any = [&](const Matcher& matcher) {
    return std::any_of(matcher.begin(), matcher.end(), [&](const Term& term) {
      const std::string feature = lower_ascii(term.feature);
      return feature == "rule.matched" || stale.contains(feature);
    });
  };
  return any(rule.match_features) || std::any_of(rule.match_any.begin(), rule.match_any.end(), any);
}

}  // namespace

void Doubt::add_all(Kept why) {
  if (!all_) all_ = why;
}

void Doubt::add_stale(const std::vector<const RuleSet*>& rules, const std::set<std::string, std::less<>>& stale) {
  if (all_ || stale.empty()) return;
  for (const RuleSet* set : rules)
    for (std::size_t i = 0; i < set->rules().size(); ++i)
      if (is_in_doubt(set->rules()[i], stale)) add(set->rules()[i], set->program().compiled[i]);
}

std::optional<Kept> Doubt::about(const std::string& key) const {
  if (all_) return all_;
  const bool may_be_made = keys_.contains(key) || std::any_of(heads_.begin(), heads_.end(),
                                                              [&](const auto& head) { return key.starts_with(head); });
  return may_be_made ? std::optional(Kept::facts_stale) : std::nullopt;
}

void Doubt::add(const Rule& rule, const CompiledRule& compiled) {
  if (compiled.labels_template) {
    const Result<Template>& parsed = compiled.labels_template->parsed();
    const TemplateKeys made = parsed ? parsed->makes() : TemplateKeys{{}, {}, {}, false};
    if (!made.complete) add_all(Kept::facts_stale);
    for (const std::string& key : made.keys) add_key(key);
    for (const std::string& head : made.heads) add_head(head);
  }
  for (const PlacedMap* map : {&rule.labels, &rule.annotations, &rule.extended_resources})
    for (const auto& [key, value] : *map) add_key(key);
  for (const Taint& taint : rule.taints) keys_.insert(taint.name());
}

// A key without a namespace gets the prefix, unless the configuration says otherwise. Both are considered here.

void Doubt::add_key(const std::string& key) {
  keys_.insert(key);
  if (key.find('/') == std::string::npos) keys_.insert(std::string(kFeaturePrefix) + "/" + key);
}

void Doubt::add_head(const std::string& head) {
  heads_.push_back(head);
  if (head.find('/') == std::string::npos) heads_.push_back(std::string(kFeaturePrefix) + "/" + head);
}

}  // namespace nodescout
