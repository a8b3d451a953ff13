// Rules as YAML that parses to the same rules (places apart): whether reading loses anything is seen by reading twice.
#pragma once

#include "document/yaml.h"
#include "nodescout/rules.h"

namespace nodescout::test {

inline Value texts(const std::vector<std::string>& list) {
  Value out = Value::list();
  for (const std::string& text : list) out.items.push_back(Value::string(text));
  return out;
}

inline Value texts(const PlacedMap& map) {
  Value out = Value::map();
  for (const auto& [key, placed] : map) out.add(key, Value::string(placed.text));
  return out;
}

inline Value to_value(const Expression& expression) {
  Value out = Value::map();
  out.add("op", Value::string(expression.op == Operator::unknown ? expression.spelling
                                                                 : std::string(name_of(expression.op))));
  if (!expression.values.empty()) out.add("value", texts(expression.values));
  if (!expression.type.empty()) out.add("type", Value::string(expression.type));
  return out;
}

inline Value to_value(const Matcher& matcher) {
  Value out = Value::list();
  for (const Term& term : matcher) {
    Value entry = Value::map();
    entry.add("feature", Value::string(term.feature));
    if (term.expressions) {
      Value expressions = Value::map();
      for (const NamedExpression& named : *term.expressions) expressions.add(named.name, to_value(named.expression));
      entry.add("matchExpressions", std::move(expressions));
    }
    if (term.name) entry.add("matchName", to_value(*term.name));
    out.items.push_back(std::move(entry));
  }
  return out;
}

inline Value to_value(const Rule& rule) {
  Value out = Value::map();
  const auto map = [&](const char* name, const PlacedMap& entries) {
    if (!entries.empty()) out.add(name, texts(entries));
  };
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.add(name, Value::string(value));
  };
  out.add("name", Value::string(rule.name));
  map("labels", rule.labels);
  text("labelsTemplate", rule.labels_template);
  map("annotations", rule.annotations);
  map("vars", rule.vars);
  text("varsTemplate", rule.vars_template);
  map("extendedResources", rule.extended_resources);
  if (!rule.taints.empty()) {
    Value taints = Value::list();
    for (const Taint& taint : rule.taints) {
      Value entry = Value::map();
      entry.add("key", Value::string(taint.key));
      if (!taint.value.empty()) entry.add("value", Value::string(taint.value));
      entry.add("effect", Value::string(taint.effect));
      taints.items.push_back(std::move(entry));
    }
    out.add("taints", std::move(taints));
  }
  if (!rule.match_features.empty()) out.add("matchFeatures", to_value(rule.match_features));
  if (!rule.match_any.empty()) {
    Value any = Value::list();
    for (const Matcher& matcher : rule.match_any) {
      Value entry = Value::map();
      entry.add("matchFeatures", to_value(matcher));
      any.items.push_back(std::move(entry));
    }
    out.add("matchAny", std::move(any));
  }
  return out;
}

inline Value to_value(const RuleDocument& document) {
  Value rules = Value::list();
  for (const Rule& rule : document.rules) rules.items.push_back(to_value(rule));
  if (document.kind == RuleDocument::Kind::list) return rules;
  const bool is_group = document.kind == RuleDocument::Kind::group;
  Value metadata = Value::map();
  metadata.add("name", Value::string(document.name));
  if (!document.name_space.empty()) metadata.add("namespace", Value::string(document.name_space));
  Value spec = Value::map();
  spec.add(is_group ? "featureGroupRules" : "rules", std::move(rules));
  Value out = Value::map();
  out.add("apiVersion", Value::string("nfd.k8s-sigs.io/v1alpha1"));
  out.add("kind", Value::string(is_group ? "NodeFeatureGroup" : "NodeFeatureRule"));
  out.add("metadata", std::move(metadata));
  out.add("spec", std::move(spec));
  return out;
}

inline std::string print_rules(const std::vector<RuleDocument>& documents) {
  std::string out;
  for (const RuleDocument& document : documents) {
    out += "---\n";
    out += to_yaml(to_value(document));
  }
  return out;
}

}  // namespace nodescout::test
