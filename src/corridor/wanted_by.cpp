#include "corridor/wanted_by.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "rule/program.h"
#include "rule/reference.h"

namespace nodescout {
namespace {

bool asks_for_limited(const Matcher& terms, const Wanted& wanted) {
  return std::any_of(terms.begin(), terms.end(),
                     [&](const Term& term) { return wanted.is_limited(lower_ascii(term.feature)); });
}

void add_terms(const Matcher& terms, bool shows_elements, Wanted& wanted) {
  for (const Term& term : terms) {
    const std::string feature = lower_ascii(term.feature);
    if (!wanted.is_limited(feature)) continue;
    wanted.add(feature);
    if (term.name || shows_elements) wanted.add_all_of(feature);
    if (!term.expressions) continue;
    for (const NamedExpression& named : *term.expressions) wanted.add(feature, named.name);
  }
}

/// False if the template may use any element of what its rule matched.
bool add_mentions(const std::optional<Expansion>& expansion, Wanted& wanted) {
  if (!expansion || !expansion->parsed()) return true;  // a template that does not parse never runs
  const TemplateMentions mentions = (*expansion->parsed()).mentions();
  for (const TemplateMention& mention : mentions.list)
    if (!mention.field.empty()) wanted.add(lower_ascii(mention.domain + "." + mention.feature), mention.field);
  return mentions.complete;
}

}  // namespace

Wanted wanted_by(const RuleLayers& rules, const std::vector<std::string_view>& on_demand) {
  Wanted wanted;
  for (const std::string_view feature : on_demand) wanted.leave_out(feature);
  for (const auto& [layer, set] : rules.layers) {
    const RuleSet::Program& program = set.program();
    for (std::size_t i = 0; i < program.rules.size(); ++i) {
      const Rule& rule = program.rules[i];
      for (const PlacedMap* values : {&rule.labels, &rule.annotations, &rule.extended_resources})
        for (const auto& [key, value] : *values)
          if (const auto reference = parse_reference(value.text)) wanted.add(reference->feature, reference->element);
      const auto asks = [&](const Matcher& terms) { return asks_for_limited(terms, wanted); };
      if (!asks(rule.match_features) && std::none_of(rule.match_any.begin(), rule.match_any.end(), asks)) continue;
      const CompiledRule& compiled = program.compiled[i];
      const bool labels_name_all = add_mentions(compiled.labels_template, wanted);
      const bool names_all = add_mentions(compiled.vars_template, wanted) && labels_name_all;
      add_terms(rule.match_features, !names_all, wanted);
      for (const Matcher& terms : rule.match_any) add_terms(terms, !names_all, wanted);
    }
  }
  return wanted;
}

bool refers_beyond(const Wanted& wanted, const std::vector<LayerOutcome>& layers) {
  const auto beyond = [&](const MadeMap& made) {
    return std::any_of(made.begin(), made.end(), [&](const auto& entry) {
      const auto reference = parse_reference(entry.second.value);
      return reference && !wanted.has(reference->feature, reference->element);
    });
  };
  return std::any_of(layers.begin(), layers.end(), [&](const LayerOutcome& layer) {
    const Outcome& outcome = *layer.outcome;
    return beyond(outcome.labels) || beyond(outcome.annotations) || beyond(outcome.extended_resources);
  });
}

}  // namespace nodescout
