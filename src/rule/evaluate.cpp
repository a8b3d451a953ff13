// Matching as NFD does it, with one decision: NFD visits the expressions of a set in random order and stops at the
// first that does not match, so a set with both a clean non-match and an error ends either way. Here a clean non-match
// wins, which is always one of NFD's outcomes and never depends on order.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "rule/program.h"

namespace nodescout {
namespace {

constexpr std::string_view kMatched = "rule.matched";

bool by_name(const MatchedElement& a, const MatchedElement& b) { return a.find("Name") < b.find("Name"); }

/// Expressions against flags and attributes together: either side is enough, except for DoesNotExist, which both must
/// confirm.
Verdict match_names_and_values(const CompiledTerm& term, const FeatureView& view, std::vector<MatchedElement>* elements,
                               std::string& why) {
  if (!view.flags && !view.attributes) return Verdict::no;
  const std::size_t before = elements ? elements->size() : 0;
  bool failed = false;
  for (const auto& [name, expression] : term.expressions) {
    const bool needs_both = expression.op() == Operator::does_not_exist;
    bool matched = false;
    bool refused = false;
    bool broken = false;
    if (view.flags) {
      const Verdict verdict = expression.evaluate(view.flags->find(name) != view.flags->end(), nullptr, why);
      if (verdict == Verdict::yes && elements) elements->push_back(MatchedElement::flag(name));
      matched |= verdict == Verdict::yes;
      broken |= verdict == Verdict::error;
      refused |= verdict == Verdict::no && needs_both;
    }
    if (view.attributes) {
      const auto at = view.attributes->find(name);
      const bool exists = at != view.attributes->end();
      const Verdict verdict = expression.evaluate(exists, exists ? &at->second : nullptr, why);
      if (verdict == Verdict::yes && elements)
        elements->push_back(
            MatchedElement::attribute(name, exists ? std::string_view(at->second) : std::string_view()));
      matched |= verdict == Verdict::yes;
      broken |= verdict == Verdict::error;
      refused |= verdict == Verdict::no && needs_both;
    }
    if (refused || (!matched && !broken)) {
      if (elements) elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(before), elements->end());
      return Verdict::no;
    }
    failed |= broken;
  }
  if (failed) return Verdict::error;
  if (elements) std::stable_sort(elements->begin() + static_cast<std::ptrdiff_t>(before), elements->end(), by_name);
  return Verdict::yes;
}

Verdict match_instance(const CompiledTerm& term, const Attributes& instance, std::string& why) {
  bool failed = false;
  for (const auto& [name, expression] : term.expressions) {
    const auto at = instance.find(name);
    const bool exists = at != instance.end();
    const Verdict verdict = expression.evaluate(exists, exists ? &at->second : nullptr, why);
    if (verdict == Verdict::no) return Verdict::no;
    failed |= verdict == Verdict::error;
  }
  return failed ? Verdict::error : Verdict::yes;
}

Verdict match_expressions(const CompiledTerm& term, const FeatureView& view, std::vector<MatchedElement>* elements,
                          std::string& why) {
  const Verdict names = match_names_and_values(term, view, elements, why);
  if (names == Verdict::error) return names;
  bool matched = names == Verdict::yes;
  if (view.instances) {
    for (const Attributes& instance : *view.instances) {
      const Verdict verdict = match_instance(term, instance, why);
      if (verdict == Verdict::error) return verdict;
      if (verdict == Verdict::no) continue;
      matched = true;
      if (elements)
        elements->push_back(MatchedElement::instance(instance));
      else if (!term.can_fail)
        break;
    }
  }
  return matched ? Verdict::yes : Verdict::no;
}

/// One expression against every element's name, as if the name were a value.
Verdict match_name(const CompiledExpression& expression, const FeatureView& view, std::vector<MatchedElement>* elements,
                   std::string& why) {
  bool matched = false;
  const std::size_t before = elements ? elements->size() : 0;
  const auto consider = [&](const std::string& name) { return expression.evaluate(true, &name, why); };
  if (view.flags) {
    for (const std::string& name : *view.flags) {
      const Verdict verdict = consider(name);
      if (verdict == Verdict::error) return verdict;
      if (verdict == Verdict::no) continue;
      matched = true;
      if (elements) elements->push_back(MatchedElement::flag(name));
    }
  }
  if (view.attributes) {
    for (const auto& [name, value] : *view.attributes) {
      const Verdict verdict = consider(name);
      if (verdict == Verdict::error) return verdict;
      if (verdict == Verdict::no) continue;
      matched = true;
      if (elements) elements->push_back(MatchedElement::attribute(name, value));
    }
  }
  if (elements) std::stable_sort(elements->begin() + static_cast<std::ptrdiff_t>(before), elements->end(), by_name);
  if (view.instances) {
    for (const Attributes& instance : *view.instances) {
      for (const auto& [name, value] : instance) {
        const Verdict verdict = consider(name);
        if (verdict == Verdict::error) return verdict;
        if (verdict == Verdict::no) continue;
        matched = true;
        if (elements) elements->push_back(MatchedElement::instance(instance));
        break;
      }
    }
  }
  return matched ? Verdict::yes : Verdict::no;
}

/// All terms, in order; the first that does not match ends it.
Verdict match_all(const std::vector<CompiledTerm>& terms, const std::vector<FeatureView>& views, MatchedTerms* matched,
                  std::string& why) {
  for (const CompiledTerm& term : terms) {
    std::vector<MatchedElement>* elements = nullptr;
    if (matched) elements = &matched->emplace_back(MatchedTerm{term.feature, {}}).elements;
    if (const Verdict verdict = evaluate_term(term, views[term.key], elements, why); verdict != Verdict::yes)
      return verdict;
  }
  return Verdict::yes;
}

bool expand(const CompiledRule& rule, const MatchedTerms& matched, RuleResult& result) {
  const auto run = [&](const std::optional<Expansion>& expansion, Attributes& into) {
    if (!expansion) return true;
    auto expanded = expansion->run(matched);
    if (!expanded) {
      result = {Verdict::error, expanded.error().text(), {}, {}};
      return false;
    }
    for (auto& [key, value] : *expanded) into.insert_or_assign(key, std::move(value));
    return true;
  };
  return run(rule.labels_template, result.labels) && run(rule.vars_template, result.vars);
}

bool can_fail(const CompiledExpression& expression) {
  return !expression.defect().empty() || (expression.op() >= Operator::gt && expression.op() <= Operator::ge_le);
}

/// How often a rule expands its templates, at most: once for each matcher.
std::size_t expansions_of(const Rule& rule) {
  const std::size_t templates = (rule.labels_template.empty() ? 0u : 1u) + (rule.vars_template.empty() ? 0u : 1u);
  return templates * (rule.match_any.size() + 1);
}

/// One run of a template may take a million steps, all templates of a set together twenty millions: in a set with more
/// than twenty expansions, of which a real one takes hundreds of steps, each gets an equal share.
TemplateLimits limits_for(std::size_t expansions) {
  constexpr std::size_t kAll = 20'000'000;
  constexpr std::size_t kLeast = 1000;
  TemplateLimits limits;
  limits.steps = std::clamp(kAll / std::max<std::size_t>(expansions, 1), kLeast, limits.steps);
  return limits;
}

class Compiler {
 public:
  explicit Compiler(RuleSet::Program& program) : program_(program) {}

  void run() {
    std::size_t expansions = 0;
    for (const Rule& rule : program_.rules) expansions += expansions_of(rule);
    limits_ = limits_for(expansions);
    for (const Rule& rule : program_.rules) program_.compiled.push_back(compile(rule));
    program_.keys.resize(keys_.size());
    for (const auto& [key, index] : keys_) program_.keys[index] = key;
    if (const auto at = keys_.find(kMatched); at != keys_.end()) program_.matched_key = at->second;
  }

 private:
  CompiledRule compile(const Rule& rule) {
    CompiledRule compiled;
    for (const Matcher& matcher : rule.match_any) {
      auto& terms = compiled.match_any.emplace_back();
      for (const Term& term : matcher) terms.push_back(compile(term));
    }
    for (const Term& term : rule.match_features) compiled.match_features.push_back(compile(term));
    if (!rule.labels_template.empty())
      compiled.labels_template.emplace(rule.labels_template, "labelsTemplate", limits_);
    if (!rule.vars_template.empty()) compiled.vars_template.emplace(rule.vars_template, "varsTemplate", limits_);
    return compiled;
  }

  CompiledTerm compile(const Term& term) {
    CompiledTerm compiled;
    compiled.key = keys_.try_emplace(lower_ascii(term.feature), keys_.size()).first->second;
    compiled.feature = term.feature;
    if (term.expressions) {
      compiled.has_expressions = true;
      for (const NamedExpression& named : *term.expressions) {
        compiled.expressions.emplace_back(named.name, CompiledExpression(named.expression, &patterns_));
        compiled.can_fail |= can_fail(compiled.expressions.back().second);
      }
    }
    if (term.name) compiled.name.emplace(*term.name, &patterns_);
    return compiled;
  }

  RuleSet::Program& program_;
  TemplateLimits limits_;
  PatternBudget patterns_;
  std::map<std::string, std::size_t, std::less<>> keys_;
};

}  // namespace

Verdict evaluate_term(const CompiledTerm& term, const FeatureView& view, std::vector<MatchedElement>* elements,
                      std::string& why) {
  if (!view.exists()) return Verdict::no;
  if (term.has_expressions)
    if (const Verdict verdict = match_expressions(term, view, elements, why); verdict != Verdict::yes) return verdict;
  if (term.name) return match_name(*term.name, view, elements, why);
  return Verdict::yes;
}

RuleResult evaluate_rule(const CompiledRule& rule, const std::vector<FeatureView>& views) {
  RuleResult result;
  bool any = rule.match_any.empty();
  for (const std::vector<CompiledTerm>& terms : rule.match_any) {
    MatchedTerms matched;
    const Verdict verdict = match_all(terms, views, rule.wants_elements() ? &matched : nullptr, result.why);
    if (verdict == Verdict::error) return {verdict, std::move(result.why), {}, {}};
    if (verdict == Verdict::no) continue;
    any = true;
    if (!rule.wants_elements()) break;
    if (!expand(rule, matched, result)) return result;
  }
  if (!any) return {};
  if (!rule.match_features.empty()) {
    MatchedTerms matched;
    const Verdict verdict =
        match_all(rule.match_features, views, rule.wants_elements() ? &matched : nullptr, result.why);
    if (verdict == Verdict::error) return {verdict, std::move(result.why), {}, {}};
    if (verdict == Verdict::no) return {};
    if (rule.wants_elements() && !expand(rule, matched, result)) return result;
  }
  result.verdict = Verdict::yes;
  result.why.clear();
  return result;
}

void fold(Outcome& outcome, const Rule& rule, std::size_t index, const RuleResult& result) {
  if (result.verdict == Verdict::error) {
    outcome.failing.push_back(index);
    outcome.problems.push_back({"rule-failed", place_of(rule), result.why,
                                "this rule had no effect; `nodescout rules explain` shows each of its terms"});
    return;
  }
  if (result.verdict == Verdict::no) return;
  outcome.matching.push_back(index);
  const auto put = [&](MadeMap& into, const PlacedMap& from) {
    for (const auto& [key, placed] : from) into.insert_or_assign(key, Made{placed.text, index});
  };
  for (const auto& [key, value] : result.labels) outcome.labels.insert_or_assign(key, Made{value, index});
  put(outcome.labels, rule.labels);
  put(outcome.annotations, rule.annotations);
  put(outcome.extended_resources, rule.extended_resources);
  for (const Taint& taint : rule.taints) outcome.taints.push_back({taint, index});
  // Labels first, then vars: a var beats a label of the same rule.
  for (const auto& [key, value] : result.labels) outcome.matched.insert_or_assign(key, value);
  for (const auto& [key, placed] : rule.labels) outcome.matched.insert_or_assign(key, placed.text);
  for (const auto& [key, value] : result.vars) outcome.matched.insert_or_assign(key, value);
  for (const auto& [key, placed] : rule.vars) outcome.matched.insert_or_assign(key, placed.text);
}

std::vector<FeatureView> view_of(const RuleSet::Program& program, const Features& features) {
  std::vector<FeatureView> views(program.keys.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::string& key = program.keys[i];
    if (const auto at = features.flags.find(key); at != features.flags.end()) views[i].flags = &at->second;
    if (const auto at = features.attributes.find(key); at != features.attributes.end())
      views[i].attributes = &at->second;
    if (const auto at = features.instances.find(key); at != features.instances.end()) views[i].instances = &at->second;
  }
  return views;
}

RuleSet::RuleSet() : program_(std::make_shared<Program>()) {}

RuleSet::RuleSet(std::vector<Rule> rules) {
  auto program = std::make_shared<Program>();
  program->rules = std::move(rules);
  Compiler(*program).run();
  program_ = std::move(program);
}

const std::vector<Rule>& RuleSet::rules() const { return program_->rules; }

std::vector<std::string> RuleSet::inputs() const {
  std::vector<std::string> inputs = program_->keys;
  std::erase(inputs, kMatched);
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

Outcome RuleSet::evaluate(const Features& features) const {
  std::vector<FeatureView> views = view_of(*program_, features);
  Outcome outcome;
  if (const auto at = features.attributes.find(kMatched); at != features.attributes.end()) outcome.matched = at->second;
  for (std::size_t i = 0; i < program_->compiled.size(); ++i) {
    const RuleResult result = evaluate_rule(program_->compiled[i], views);
    fold(outcome, program_->rules[i], i, result);
    // After the first rule that ran without an error rule.matched exists, even if it is empty.
    if (program_->matched_key && result.verdict != Verdict::error)
      views[*program_->matched_key].attributes = &outcome.matched;
  }
  return outcome;
}

}  // namespace nodescout
