// The compiled form of a RuleSet. Feature keys are interned: evaluating looks every key up once, however many rules use
// it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nodescout/rules.h"
#include "rule/expansion.h"
#include "rule/expression.h"

namespace nodescout {

/// The sets of one feature key on one machine; nullptr where a kind is absent.
struct FeatureView {
  const FlagSet* flags = nullptr;
  const Attributes* attributes = nullptr;
  const Instances* instances = nullptr;
  bool exists() const { return flags || attributes || instances; }
};

struct CompiledTerm {
  std::size_t key = 0;  // index into Program::keys
  std::string_view feature;
  bool has_expressions = false;
  std::vector<std::pair<std::string_view, CompiledExpression>> expressions;
  std::optional<CompiledExpression> name;
  bool can_fail = false;  // some value could make an expression an error, so no instance may be skipped
};

struct CompiledRule {
  std::vector<std::vector<CompiledTerm>> match_any;
  std::vector<CompiledTerm> match_features;
  std::optional<Expansion> labels_template, vars_template;
  bool wants_elements() const { return labels_template || vars_template; }
};

/// What one rule made of one machine.
struct RuleResult {
  Verdict verdict = Verdict::no;
  std::string why;          // of an error
  Attributes labels, vars;  // from templates; the rule's own static ones are added when results are folded

  friend bool operator==(const RuleResult&, const RuleResult&) = default;
};

struct RuleSet::Program {
  std::vector<Rule> rules;
  std::vector<CompiledRule> compiled;
  std::vector<std::string> keys;
  std::optional<std::size_t> matched_key;  // of "rule.matched", if some rule uses it
};

/// Every key of the program on this machine, in the order of Program::keys.
std::vector<FeatureView> view_of(const RuleSet::Program& program, const Features& features);

Verdict evaluate_term(const CompiledTerm& term, const FeatureView& view, std::vector<MatchedElement>* elements,
                      std::string& why);
RuleResult evaluate_rule(const CompiledRule& rule, const std::vector<FeatureView>& views);

/// Adds one rule's result to the outcome, and to rule.matched unless it failed.
void fold(Outcome& outcome, const Rule& rule, std::size_t index, const RuleResult& result);

}  // namespace nodescout
