// Why a rule matched, or did not: each term with what was wanted and what was found, none of them skipped.
#pragma once

#include <string>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/rules.h"
#include "rule/program.h"

namespace nodescout {

struct ExpressionTrace {
  std::string element;  // empty for matchName
  std::string wanted;   // "In [10de]", "Exists"
  std::string found;    // "\"10de\"", "absent", "2 of 6 instances", "no name"
  Verdict verdict = Verdict::no;
  Mark mark;
};

struct TermTrace {
  const Term* term = nullptr;
  Verdict verdict = Verdict::no;
  std::string found;  // "absent", "6 instances", "57 flags, 1 attribute"
  std::string why;    // of an error
  std::vector<ExpressionTrace> expressions;
  std::vector<std::size_t> instances;  // that match, by index
  /// Where no instance matches: the one that comes closest, and how it fails.
  std::string closest;
};

struct MatcherTrace {
  std::vector<TermTrace> terms;
  Verdict verdict = Verdict::yes;  // as NFD evaluates: terms after the first that fails are ignored
};

struct RuleTrace {
  const Rule* rule = nullptr;
  RuleResult result;
  std::vector<MatcherTrace> match_any;
  MatcherTrace match_features;
  /// The term that decided against the rule, for a person to look at; nullptr if it matched.
  const TermTrace* first_failed() const;
};

/// One trace per rule, in order; rule.matched grows as in an evaluation.
std::vector<RuleTrace> explain(const RuleSet& rules, const Features& features);

}  // namespace nodescout
