// Rules without the places where they stood: what printing and parsing must keep.
#pragma once

#include <string>
#include <vector>

#include "nodescout/rules.h"
#include "rule/pack.h"

namespace nodescout::test {

/// Rules without their marks, as bytes.
inline std::string bare(std::vector<RuleDocument> documents) {
  std::vector<Rule> rules;
  for (RuleDocument& document : documents) {
    for (Rule& rule : document.rules) {
      rule.mark = rule.labels_template_mark = rule.vars_template_mark = {};
      const auto expression = [](Expression& e) {
        e.mark = e.op_mark = {};
        e.value_marks.assign(e.values.size(), {});
        if (e.op != Operator::unknown) e.spelling.clear();
      };
      const auto terms = [&](Matcher& matcher) {
        for (Term& term : matcher) {
          term.mark = term.feature_mark = {};
          if (term.name) expression(*term.name);
          if (term.expressions)
            for (NamedExpression& named : *term.expressions) named.mark = {}, expression(named.expression);
        }
      };
      terms(rule.match_features);
      for (Matcher& matcher : rule.match_any) terms(matcher);
      for (PlacedMap* map : {&rule.labels, &rule.annotations, &rule.vars, &rule.extended_resources})
        for (auto& [key, placed] : *map) placed.key_mark = placed.mark = {};
      for (Taint& taint : rule.taints) taint.mark = {};
      rules.push_back(std::move(rule));
    }
  }
  return pack(rules);
}

}  // namespace nodescout::test
