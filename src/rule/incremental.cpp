// What is kept between two evaluations: each rule's result, and a copy of the sets that any rule uses. A rule runs
// again if one of its sets differs, or if it uses rule.matched and an earlier rule's result differs.
#include <algorithm>
#include <optional>

#include "rule/program.h"

namespace nodescout {
namespace {

struct Sets {
  std::optional<FlagSet> flags;
  std::optional<Attributes> attributes;
  std::optional<Instances> instances;

  static Sets of(const FeatureView& view) {
    Sets sets;
    if (view.flags) sets.flags = *view.flags;
    if (view.attributes) sets.attributes = *view.attributes;
    if (view.instances) sets.instances = *view.instances;
    return sets;
  }
  bool equal(const FeatureView& view) const {
    const auto same = [](const auto& kept, const auto* now) { return kept ? now && *kept == *now : !now; };
    return same(flags, view.flags) && same(attributes, view.attributes) && same(instances, view.instances);
  }
};

std::vector<std::size_t> inputs_of(const CompiledRule& rule) {
  std::vector<std::size_t> keys;
  const auto add = [&](const std::vector<CompiledTerm>& terms) {
    for (const CompiledTerm& term : terms) keys.push_back(term.key);
  };
  for (const auto& terms : rule.match_any) add(terms);
  add(rule.match_features);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace

struct RuleCache::State {
  explicit State(const RuleSet& set) : rules(set) {
    const RuleSet::Program& program = rules.program();
    for (const CompiledRule& rule : program.compiled) inputs.push_back(inputs_of(rule));
    seen.resize(program.keys.size());
    results.resize(program.compiled.size());
  }

  const RuleSet rules;
  std::vector<std::vector<std::size_t>> inputs;  // of each rule
  std::vector<Sets> seen;                        // of each key
  std::vector<RuleResult> results;
  Outcome outcome;
  std::size_t evaluated = 0;
  bool started = false;
};

RuleCache::RuleCache() = default;
RuleCache::RuleCache(RuleCache&&) noexcept = default;
RuleCache& RuleCache::operator=(RuleCache&&) noexcept = default;
RuleCache::~RuleCache() = default;

std::size_t RuleCache::last_evaluated() const { return state_ ? state_->evaluated : 0; }

const Outcome& RuleCache::evaluate(const RuleSet& rules, const Features& features) {
  if (!state_ || !state_->rules.is_same_as(rules)) state_ = std::make_unique<State>(rules);
  State& state = *state_;
  const RuleSet::Program& program = state.rules.program();
  std::vector<FeatureView> views = view_of(program, features);
  std::vector<bool> changed(views.size());
  bool any_changed = !state.started;
  for (std::size_t i = 0; i < views.size(); ++i) {
    changed[i] = !state.started || !state.seen[i].equal(views[i]);
    if (changed[i]) state.seen[i] = Sets::of(views[i]);
    any_changed |= changed[i];
  }
  state.evaluated = 0;
  if (!any_changed) return state.outcome;

  Outcome outcome;
  if (const auto at = features.attributes.find("rule.matched"); at != features.attributes.end())
    outcome.matched = at->second;
  bool matched_changed = !state.started;
  for (std::size_t i = 0; i < program.compiled.size(); ++i) {
    const bool stale =
        !state.started || std::any_of(state.inputs[i].begin(), state.inputs[i].end(), [&](std::size_t key) {
          return changed[key] || (key == program.matched_key && matched_changed);
        });
    if (stale) {
      RuleResult result = evaluate_rule(program.compiled[i], views);
      ++state.evaluated;
      if (!(result == state.results[i])) {
        state.results[i] = std::move(result);
        matched_changed = true;
      }
    }
    fold(outcome, program.rules[i], i, state.results[i]);
    if (program.matched_key && state.results[i].verdict != Verdict::error)
      views[*program.matched_key].attributes = &outcome.matched;
  }
  state.started = true;
  state.outcome = std::move(outcome);
  return state.outcome;
}

}  // namespace nodescout
