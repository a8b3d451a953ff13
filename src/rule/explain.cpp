#include "rule/explain.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

std::string counted(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

std::string state_of(const FeatureView& view) {
  if (!view.exists()) return "absent";
  std::string text;
  const auto add = [&](std::string part) { text += (text.empty() ? "" : ", ") + part; };
  if (view.flags) add(counted(view.flags->size(), "flag"));
  if (view.attributes) add(counted(view.attributes->size(), "attribute"));
  if (view.instances) add(counted(view.instances->size(), "instance"));
  return text;
}

std::string wanted_text(const Expression& expression) {
  std::string text(expression.op == Operator::any       ? "anything"
                   : expression.op == Operator::unknown ? expression.spelling
                                                        : std::string(name_of(expression.op)));
  if (!expression.values.empty()) text += " [" + join(expression.values, ", ") + "]";
  if (!expression.type.empty()) text += " as " + expression.type;
  return text;
}

/// What identifies an instance for a person.
std::string name_of_instance(const Attributes& instance, std::size_t index) {
  for (const char* name : {"address", "name"})
    if (const auto at = instance.find(name); at != instance.end()) return at->second;
  return "#" + std::to_string(index);
}

class Tracer {
 public:
  Tracer(const Term& term, const CompiledTerm& compiled, const FeatureView& view)
      : term_(term), compiled_(compiled), view_(view) {}

  TermTrace trace() {
    TermTrace out;
    out.term = &term_;
    out.found = state_of(view_);
    out.verdict = evaluate_term(compiled_, view_, nullptr, out.why);
    if (compiled_.has_expressions)
      for (std::size_t i = 0; i < compiled_.expressions.size(); ++i)
        out.expressions.push_back(one((*term_.expressions)[i], compiled_.expressions[i].second));
    if (compiled_.name) out.expressions.push_back(names());
    if (view_.instances && compiled_.has_expressions) instances(out);
    return out;
  }

 private:
  ExpressionTrace one(const NamedExpression& named, const CompiledExpression& expression) const {
    ExpressionTrace out{named.name, wanted_text(named.expression), "", Verdict::no, named.mark};
    std::string why;
    const auto consider = [&](Verdict verdict) {
      if (verdict == Verdict::yes || (verdict == Verdict::error && out.verdict == Verdict::no)) out.verdict = verdict;
    };
    const auto say = [&](const std::string& text) { out.found += (out.found.empty() ? "" : ", ") + text; };
    if (!view_.exists()) say("no such feature");
    if (view_.flags) {
      const bool exists = view_.flags->contains(named.name);
      consider(expression.evaluate(exists, nullptr, why));
      if (exists || !view_.attributes) say(exists ? "present" : "absent");
    }
    if (view_.attributes) {
      const auto at = view_.attributes->find(named.name);
      const bool exists = at != view_.attributes->end();
      consider(expression.evaluate(exists, exists ? &at->second : nullptr, why));
      if (exists || !view_.flags || !view_.flags->contains(named.name)) say(exists ? quote(at->second) : "absent");
    }
    if (view_.instances) {
      std::size_t matching = 0;
      std::vector<std::string> values;
      for (const Attributes& instance : *view_.instances) {
        const auto at = instance.find(named.name);
        const bool exists = at != instance.end();
        const Verdict verdict = expression.evaluate(exists, exists ? &at->second : nullptr, why);
        consider(verdict);
        if (verdict == Verdict::yes)
          ++matching;
        else if (exists && std::find(values.begin(), values.end(), at->second) == values.end())
          values.push_back(at->second);
      }
      std::string text = std::to_string(matching) + " of " + counted(view_.instances->size(), "instance");
      constexpr std::size_t kMost = 6;
      if (matching == 0 && !values.empty()) {
        const bool more = values.size() > kMost;
        if (more) values.resize(kMost);
        text += "; there are " + join(values, ", ") + (more ? ", ..." : "");
      }
      say(text);
    }
    if (out.verdict == Verdict::error) say(why);
    return out;
  }

  ExpressionTrace names() const {
    ExpressionTrace out{"", wanted_text(*term_.name), "", Verdict::no, term_.name->mark};
    std::vector<MatchedElement> elements;
    std::string why;
    CompiledTerm only_name;
    only_name.name = *compiled_.name;
    out.verdict = evaluate_term(only_name, view_, &elements, why);
    if (out.verdict == Verdict::error) {
      out.found = why;
    } else if (elements.empty()) {
      out.found = view_.exists() ? "no name" : "no such feature";
    } else {
      out.found = counted(elements.size(), view_.instances ? "instance" : "name");
      constexpr std::size_t kMost = 6;
      for (std::size_t i = 0; i < std::min(elements.size(), kMost); ++i)
        if (const auto name = elements[i].find("Name"); name && !view_.instances)
          out.found += (i == 0 ? ": " : ", ") + std::string(*name);
      if (elements.size() > kMost) out.found += ", ...";
    }
    return out;
  }

  void instances(TermTrace& out) const {
    std::size_t most = 0;
    for (std::size_t i = 0; i < view_.instances->size(); ++i) {
      const Attributes& instance = (*view_.instances)[i];
      std::size_t held = 0;
      std::vector<std::string> missed;
      for (const auto& [name, expression] : compiled_.expressions) {
        const auto at = instance.find(name);
        std::string why;
        const Verdict verdict =
            expression.evaluate(at != instance.end(), at != instance.end() ? &at->second : nullptr, why);
        if (verdict == Verdict::yes)
          ++held;
        else
          missed.push_back(std::string(name) + " is " + (at == instance.end() ? "absent" : quote(at->second)) +
                           (why.empty() ? "" : " (" + why + ")"));
      }
      if (missed.empty()) {
        out.instances.push_back(i);
      } else if (held > most || (out.closest.empty() && compiled_.expressions.size() > 1 && held > 0)) {
        most = held;
        out.closest = name_of_instance(instance, i) + ": " + join(missed, ", ");
      }
    }
    if (!out.instances.empty()) out.closest.clear();
  }

  const Term& term_;
  const CompiledTerm& compiled_;
  const FeatureView& view_;
};

MatcherTrace trace_matcher(const Matcher& matcher, const std::vector<CompiledTerm>& compiled,
                           const std::vector<FeatureView>& views) {
  MatcherTrace out;
  for (std::size_t i = 0; i < matcher.size(); ++i) {
    out.terms.push_back(Tracer(matcher[i], compiled[i], views[compiled[i].key]).trace());
    if (out.verdict == Verdict::yes) out.verdict = out.terms.back().verdict;
  }
  return out;
}

const TermTrace* first_failed_in(const MatcherTrace& matcher) {
  for (const TermTrace& term : matcher.terms)
    if (term.verdict != Verdict::yes) return &term;
  return nullptr;
}

}  // namespace

const TermTrace* RuleTrace::first_failed() const {
  if (result.verdict == Verdict::yes) return nullptr;
  const bool any =
      match_any.empty() || std::any_of(match_any.begin(), match_any.end(),
                                       [](const MatcherTrace& matcher) { return matcher.verdict == Verdict::yes; });
  if (any) return first_failed_in(match_features);
  return first_failed_in(match_any.front());
}

std::vector<RuleTrace> explain(const RuleSet& rules, const Features& features) {
  const RuleSet::Program& program = rules.program();
  std::vector<FeatureView> views = view_of(program, features);
  Outcome outcome;
  if (const auto at = features.attributes.find("rule.matched"); at != features.attributes.end())
    outcome.matched = at->second;
  std::vector<RuleTrace> traces;
  for (std::size_t i = 0; i < program.rules.size(); ++i) {
    const Rule& rule = program.rules[i];
    const CompiledRule& compiled = program.compiled[i];
    RuleTrace trace;
    trace.rule = &rule;
    for (std::size_t j = 0; j < rule.match_any.size(); ++j)
      trace.match_any.push_back(trace_matcher(rule.match_any[j], compiled.match_any[j], views));
    trace.match_features = trace_matcher(rule.match_features, compiled.match_features, views);
    trace.result = evaluate_rule(compiled, views);
    fold(outcome, rule, i, trace.result);
    if (program.matched_key && trace.result.verdict != Verdict::error)
      views[*program.matched_key].attributes = &outcome.matched;
    traces.push_back(std::move(trace));
  }
  return traces;
}

}  // namespace nodescout
