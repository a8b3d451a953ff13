#include "schedule/chain.h"

#include <algorithm>

#include "base/text.h"
#include "nodescout/probes.h"
#include "template/template.h"

namespace nodescout::schedule {
namespace {

constexpr std::string_view kBuiltinRules = "rules/builtin.yaml";

/// As the agent's Lease names a shipped rule, without its line.
std::string short_place_of(const Rule& rule) { return rule.origin + " (rule " + quote(rule.name) + ")"; }

std::string full_key(std::string_view name) {
  return name.find('/') != std::string_view::npos ? std::string(name)
                                                  : std::string(kFeaturePrefix) + "/" + std::string(name);
}

std::string text_of(const Expression& expression) {
  std::string out(name_of(expression.op));
  if (!expression.values.empty() && expression.values.size() <= 4) out += " [" + join(expression.values, ", ") + "]";
  return out;
}

/// "gpu.driver: state Exists"
std::string text_of(const Term& term) {
  std::vector<std::string> parts;
  if (term.name) parts.push_back("name " + text_of(*term.name));
  if (term.expressions)
    for (const NamedExpression& each : *term.expressions) parts.push_back(each.name + " " + text_of(each.expression));
  return term.feature + (parts.empty() ? "" : ": " + join(parts, ", "));
}

std::string text_of(const Matcher& terms) {
  std::vector<std::string> texts;
  for (const Term& term : terms) texts.push_back(text_of(term));
  return join(texts, " and ");
}

/// The probes that see the features of a rule, and where they read them.
std::vector<std::string> facts_of(const Rule& rule) {
  std::vector<std::string> facts;
  const auto add = [&](const Matcher& terms) {
    for (const Term& term : terms)
      for (const Probe* probe : all_probes())
        for (const FeatureSpec& spec : probe->produces) {
          if (spec.key != lower_ascii(term.feature)) continue;
          std::string source(spec.anchor);
          for (const ElementSpec& element : spec.elements)
            if (source.empty()) source = element.source;
          std::string fact = std::string(probe->name) + (source.empty() ? "" : " (" + source + ")");
          if (std::find(facts.begin(), facts.end(), fact) == facts.end()) facts.push_back(std::move(fact));
        }
  };
  for (const Matcher& any : rule.match_any) add(any);
  add(rule.match_features);
  return facts;
}

}  // namespace

LabelChains::LabelChains(std::vector<Rule> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    for (const auto& [name, value] : rules_[i].labels) makers_.push_back({full_key(name), false, {}, i, value.text});
    if (rules_[i].labels_template.empty()) continue;
    const auto parsed = Template::parse(rules_[i].labels_template);
    if (!parsed) continue;
    const TemplateKeys made = parsed->makes();
    for (const std::string& key : made.keys) makers_.push_back({full_key(key), false, {}, i, ""});
    for (const std::string& head : made.heads)
      if (!head.empty()) makers_.push_back({full_key(head), true, made.tails, i, ""});
  }
}

bool LabelChains::ends_as(const Maker& maker, std::string_view key) {
  return maker.tails.empty() || std::any_of(maker.tails.begin(), maker.tails.end(),
                                            [&](const std::string& tail) { return key.ends_with(tail); });
}

std::vector<const LabelChains::Maker*> LabelChains::makers_for(std::string_view key) const {
  // The longest beginning knows best: "nvidia.com/" alone says little.
  std::size_t longest = 0;
  for (const Maker& maker : makers_)
    if (maker.is_beginning && key.starts_with(maker.key)) longest = std::max(longest, maker.key.size());
  std::vector<const Maker*> out;
  for (const Maker& maker : makers_) {
    const bool fits = maker.is_beginning
                          ? key.starts_with(maker.key) && maker.key.size() == longest && ends_as(maker, key)
                          : key == maker.key;
    if (fits) out.push_back(&maker);
  }
  return out;
}

std::vector<std::string> LabelChains::of(std::string_view key) const {
  std::vector<std::string> lines;
  for (const Maker* maker : makers_for(key)) {
    const Rule& rule = rules_[maker->rule];
    std::string terms = text_of(rule.match_features);
    for (const Matcher& any : rule.match_any) terms += (terms.empty() ? "" : " or ") + text_of(any);
    std::string line = std::string(key) + " <- rule " + quote(rule.name);
    if (!terms.empty()) line += " <- " + terms;
    std::vector<std::string> facts = facts_of(rule);
    for (std::string& fact : facts) fact.insert(0, "probe ");
    if (!facts.empty()) line += " <- " + join(facts, " and ");
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string LabelChains::probe_of(const EntryKey& entry, std::string_view maker) const {
  for (const Rule& rule : rules_)
    if (!rule.name.empty() && (maker == place_of(rule) || maker == short_place_of(rule)))
      return join(facts_of(rule), " and ");
  // The Lease names the built-in labels as a whole, and some files without their rule.
  std::vector<std::string> facts;
  for (const Maker* each : entry.kind == EntryKind::label ? makers_for(entry.key) : std::vector<const Maker*>{}) {
    const Rule& rule = rules_[each->rule];
    const bool is_builtin = rule.origin == name_of(Layer::builtin) || rule.origin == kBuiltinRules;
    if (maker != rule.origin && !(maker == name_of(Layer::builtin) && is_builtin)) continue;
    for (std::string& fact : facts_of(rule))
      if (std::find(facts.begin(), facts.end(), fact) == facts.end()) facts.push_back(std::move(fact));
  }
  return join(facts, " and ");
}

}  // namespace nodescout::schedule
