#include "rule/check.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/value.h"
#include "rule/expression.h"
#include "rule/reference.h"
#include "rule/source_map.h"
#include "rule/template_check.h"

namespace nodescout {
namespace {

bool takes_values(Operator op) {
  return op == Operator::in || op == Operator::not_in || op == Operator::in_regexp ||
         (op >= Operator::gt && op <= Operator::ge_le);
}

/// Never true of a flag, which has no value.
bool needs_value(Operator op) { return takes_values(op) || op == Operator::is_true || op == Operator::is_false; }

std::vector<std::string_view> names_of(const KnownElements& elements) {
  std::vector<std::string_view> names;
  for (const auto& [name, values] : elements.values) names.push_back(name);
  return names;
}

class Checker {
 public:
  Checker(std::string_view text, const Schema& schema) : source_(text), schema_(schema) {}

  void document(const RuleDocument& document) {
    origin_ = document.origin;
    if (document.kind != RuleDocument::Kind::rules)
      backreferences_.clear();  // a group, and the worker, have a memory of their own
    for (const Rule& rule : document.rules) {
      this->rule(rule, document.kind == RuleDocument::Kind::group);
      for (const auto& [key, label] : rule.labels) backreferences_.insert(key);
      for (const auto& [key, var] : rule.vars) backreferences_.insert(key);
      made_by_template_ |= !rule.labels_template.empty() || !rule.vars_template.empty();
    }
    if (document.kind != RuleDocument::Kind::rules) {
      backreferences_.clear();
      made_by_template_ = false;
    }
  }

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void mistake(Mark mark, std::string code, std::string what, std::string todo) {
    findings_.push_back({Severity::mistake, {std::move(code), place(origin_, mark), std::move(what), std::move(todo)}});
  }

  /// Guessing is slow: a file with thousands of mistakes is told what they are, but for most of them not what was
  /// meant.
  std::string_view guess(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (!may_guess()) return "";
    for (const std::string_view candidate : candidates) compared_ += word.size() * candidate.size() + 1;
    return may_guess() ? closest(word, candidates) : "";
  }
  bool may_guess() const { return compared_ < 20'000'000; }

  std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                           std::string otherwise) {
    const std::string_view guess = this->guess(word, candidates);
    return guess.empty() ? otherwise : "did you mean " + quote(guess) + "?";
  }

  // ---- matching -----------------------------------------------------------------------------------------------------

  void term(const Term& term) {
    const std::string key = lower_ascii(term.feature);
    if (key == "rule.matched") return backreference(term);
    const auto known = schema_.find(key);
    if (known == schema_.end()) {
      if (term.feature.empty()) return;  // the reader has said so
      std::vector<std::string_view> keys;
      for (const auto& [name, feature] : schema_) keys.push_back(name);
      mistake(term.feature_mark, "unknown-feature", "unknown feature " + quote(term.feature),
              did_you_mean(term.feature, keys,
                           "no probe makes it; right only if a NodeFeature object of another agent does"));
      if (term.expressions)
        for (const NamedExpression& named : *term.expressions) expression(named.expression);
      if (term.name) expression(*term.name);
      return;
    }
    if (term.expressions)
      for (const NamedExpression& named : *term.expressions) {
        expression(named.expression);
        element(known->second, term, named);
      }
    if (term.name) {
      expression(*term.name);
      if (term.name->op == Operator::does_not_exist)
        mistake(term.name->op_mark, "dead-term",
                "matchName with DoesNotExist never matches: it asks of each name whether it is there",
                "write matchExpressions: {NAME: {op: DoesNotExist}}");
    }
  }

  /// What is wrong with the expression itself, at the operator and at the values: either may be the one that was
  /// mistyped.
  void expression(const Expression& expression) {
    if (expression.op == Operator::unknown) return;  // the reader has said so
    const CompiledExpression compiled(expression, &patterns_);
    if (!compiled.defect().empty()) {
      Mark at = expression.op_mark;
      for (std::size_t i = 0; i < expression.values.size() && i < expression.value_marks.size(); ++i) {
        if (!takes_values(expression.op)) break;
        Expression alone;
        alone.op = expression.op == Operator::gt_lt || expression.op == Operator::ge_le ? Operator::gt : expression.op;
        alone.type = expression.type;
        alone.values = {expression.values[i]};
        if (!CompiledExpression(alone, &patterns_).defect().empty()) at = expression.value_marks[i];
      }
      // A type that is no type is the defect of every value.
      const bool bad_type = !expression.type.empty() && expression.type != "version";
      if (bad_type) return;
      mistake(at, "bad-expression", compiled.defect(), "");
      if (at == expression.op_mark && !expression.value_marks.empty() && expression.value_marks[0] != at)
        mistake(expression.value_marks[0], "bad-expression",
                "these values do not go with operator " + std::string(name_of(expression.op)), "");
    }
    if (expression.type == "version" && !(expression.op >= Operator::gt && expression.op <= Operator::ge_le))
      mistake(expression.op_mark, "unused-type",
              "operator " + std::string(name_of(expression.op)) + " does not look at the type",
              "compare versions with Gt, Ge, Lt, Le, GtLt or GeLe");
  }

  void element(const KnownFeature& feature, const Term& term, const NamedExpression& named) {
    const bool only_flags = feature.flags && !feature.attributes && !feature.instances;
    if (only_flags && needs_value(named.expression.op))
      mistake(named.expression.op_mark, "dead-term",
              quote(term.feature) + " has names without values: operator " + std::string(name_of(named.expression.op)) +
                  " never matches",
              "use Exists or DoesNotExist");
    std::vector<std::string_view> names;
    std::vector<const std::string*> patterns;
    for (const auto* elements : {&feature.flags, &feature.attributes, &feature.instances}) {
      if (!*elements) continue;
      const auto at = (*elements)->values.find(named.name);
      if (at != (*elements)->values.end())
        patterns.push_back(&at->second);
      else if ((*elements)->any_name)
        return strange_name(term, named);
      for (const std::string_view name : names_of(**elements)) names.push_back(name);
    }
    if (patterns.empty()) {
      mistake(named.mark, "unknown-element", quote(term.feature) + " has no element " + quote(named.name),
              did_you_mean(named.name, names, "see `nodescout features`"));
      return;
    }
    if (patterns.size() == 1 && !patterns[0]->empty()) possible_values(*patterns[0], named);
  }

  /// Open sets take any name, but some are certainly a slip.
  void strange_name(const Term& term, const NamedExpression& named) {
    if (lower_ascii(term.feature) == "kernel.config" && named.name.starts_with("CONFIG_"))
      mistake(named.mark, "unknown-element", "options stand in kernel.config without CONFIG_",
              "write " + quote(named.name.substr(7)));
  }

  void possible_values(const std::string& pattern, const NamedExpression& named) {
    const Expression& expression = named.expression;
    const auto compiled = Pattern::compile("^(?:" + pattern + ")$");
    if (!compiled) return;
    const auto impossible = [&](Mark mark, const std::string& value) {
      if (compiled->found_in(value)) return;
      const std::string lower = lower_ascii(value);
      std::string todo = "its values look like " + pattern;
      if (compiled->found_in(lower))
        todo = "write " + quote(lower);
      else if (lower.starts_with("0x") && compiled->found_in(lower.substr(2)))
        todo = "write " + quote(lower.substr(2));
      else if (named.name == "class" && lower.size() > 4 && compiled->found_in(lower.substr(0, 4)))
        todo = "write " + quote(lower.substr(0, 4)) + ": the programming interface is cut off";
      mistake(mark, "impossible-value", quote(named.name) + " is never " + quote(value), std::move(todo));
    };
    if (expression.op == Operator::in || expression.op == Operator::not_in) {
      for (std::size_t i = 0; i < expression.values.size(); ++i)
        impossible(i < expression.value_marks.size() ? expression.value_marks[i] : expression.mark,
                   expression.values[i]);
    } else if (expression.op == Operator::is_true || expression.op == Operator::is_false) {
      impossible(expression.op_mark, expression.op == Operator::is_true ? "true" : "false");
    }
  }

  void backreference(const Term& term) {
    if (term.expressions)
      for (const NamedExpression& named : *term.expressions) {
        expression(named.expression);
        if (backreferences_.contains(named.name) || made_by_template_) continue;
        std::vector<std::string_view> names;
        if (may_guess()) names.assign(backreferences_.begin(), backreferences_.end());
        mistake(named.mark, "unknown-backreference",
                "no earlier rule of this file makes a label or var " + quote(named.name),
                did_you_mean(named.name, names, "rule.matched holds labels and vars of earlier rules, spelt as there"));
      }
    if (term.name) expression(*term.name);
  }

  // ---- output -------------------------------------------------------------------------------------------------------

  void key(Mark mark, const std::string& name, std::string_view kind, bool is_label) {
    const std::string full = name.find('/') == std::string::npos ? std::string(kFeaturePrefix) + "/" + name : name;
    if (const std::string defect = qualified_name_defect(full); !defect.empty())
      return mistake(mark, "bad-" + replace_all(kind, " ", "-"), std::string(kind) + " " + quote(name) + ": " + defect,
                     "");
    const std::string_view name_space = namespace_of(full);
    const bool allowed = !is_within(name_space, "kubernetes.io") || is_within(name_space, kFeaturePrefix) ||
                         (is_label && is_within(name_space, "profile.node.kubernetes.io"));
    if (!allowed)
      mistake(mark, "bad-" + replace_all(kind, " ", "-"),
              std::string(kind) + " " + quote(name) + ": namespace " + quote(name_space) + " is not allowed",
              "use " + std::string(kFeaturePrefix) + " or a domain of your own");
  }

  void reference(const Rule& rule, const Placed& placed) {
    if (rule.dialect == Dialect::worker)
      return mistake(placed.mark, "bad-label",
                     quote(placed.text) + " is no reference in the worker's dialect, but a value that is refused",
                     "use a NodeFeatureRule");
    const auto parsed = parse_reference(placed.text);
    if (!parsed)
      return mistake(placed.mark, "bad-reference", quote(placed.text) + " is no reference",
                     "write @domain.feature.element");
    const auto [set, element] = *parsed;
    if (set == "rule.matched") return;
    const auto known = schema_.find(set);
    if (known == schema_.end()) {
      std::vector<std::string_view> keys;
      for (const auto& [name, feature] : schema_)
        if (feature.attributes) keys.push_back(name);
      return mistake(placed.mark, "bad-reference", "unknown feature " + quote(set), did_you_mean(set, keys, ""));
    }
    if (!known->second.attributes)
      return mistake(placed.mark, "bad-reference", quote(set) + " has no attributes: a reference never finds a value",
                     "use a template");
    const KnownElements& elements = *known->second.attributes;
    if (!elements.any_name && !elements.values.contains(element))
      mistake(placed.mark, "bad-reference", quote(set) + " has no element " + quote(element),
              did_you_mean(element, names_of(elements), ""));
  }

  void outputs(const Rule& rule) {
    for (const auto& [name, placed] : rule.labels) {
      key(placed.key_mark, name, "label", true);
      if (placed.text.starts_with('@'))
        reference(rule, placed);
      else if (const std::string defect = label_value_defect(placed.text); !defect.empty())
        mistake(placed.mark, "bad-label", "label " + quote(name) + ": " + defect, "");
    }
    for (const auto& [name, placed] : rule.annotations) {
      key(placed.key_mark, name, "annotation", false);
      if (placed.text.size() > 1024)
        mistake(placed.mark, "bad-annotation", "annotation " + quote(name) + " is longer than 1024 bytes", "");
    }
    for (const auto& [name, placed] : rule.extended_resources) {
      key(placed.key_mark, name, "extended resource", false);
      if (placed.text.starts_with('@'))
        reference(rule, placed);
      else if (const std::string defect = quantity_defect(placed.text); !defect.empty())
        mistake(placed.mark, "bad-extended-resource", "extended resource " + quote(name) + ": " + defect, "");
    }
    for (const Taint& taint : rule.taints) {
      if (taint.key.empty()) continue;  // the reader has said so
      if (taint.key.find('/') == std::string::npos)
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": a key without a prefix is not allowed",
                "write " + quote("feature.node.kubernetes.io/" + taint.key));
      else
        key(taint.mark, taint.key, "taint", false);
      if (const std::string defect = taint_effect_defect(taint.effect); !defect.empty() && !taint.effect.empty())
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": " + defect, "");
      if (const std::string defect = label_value_defect(taint.value); !defect.empty())
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": " + defect, "");
    }
  }

  // ---- whole rules --------------------------------------------------------------------------------------------------

  /// Under what conditions a rule matches, as a text that two rules share if they always match together; empty if it
  /// always matches.
  static std::string conditions_of(const Rule& rule) {
    std::string out;
    const auto add = [&](const Expression& expression) {
      out += quote(name_of(expression.op)) + quote(expression.spelling) + quote(expression.type) + "[";
      for (const std::string& value : expression.values) out += quote(value);
      out += "]";
    };
    const auto add_matcher = [&](const Matcher& matcher) {
      for (const Term& term : matcher) {
        out += quote(lower_ascii(term.feature));
        if (term.name) out += "name", add(*term.name);
        if (!term.expressions) continue;
        out += "{";
        for (const NamedExpression& named : *term.expressions) out += quote(named.name), add(named.expression);
        out += "}";
      }
    };
    add_matcher(rule.match_features);
    for (const Matcher& matcher : rule.match_any) {
      out += "any";
      add_matcher(matcher);
    }
    return out;
  }

  /// Two rules that want different values for one label whenever both match, and do whenever one does: those with the
  /// same conditions, and whatever stands before a rule that always matches.
  void fights(const Rule& rule) {
    if (rule.labels.empty()) return;
    const std::string conditions = conditions_of(rule);
    const std::size_t number = conditions_.try_emplace(conditions, conditions_.size()).first->second;
    for (const auto& [name, placed] : rule.labels) {
      const std::string label = rule.origin + '\n' + (rule.dialect == Dialect::api ? "api " : "worker ") + name;
      Makers& always = makers_[label];
      Makers& same = makers_[label + '\n' + std::to_string(number)];
      if (const auto [other, its] = (conditions.empty() ? always : same).other_than(placed.text); other)
        mistake(placed.key_mark, "label-conflict",
                "label " + quote(name) + " was " + quote(its->text) + " in rule " + quote(other->name) + " at " +
                    place(other->origin, its->key_mark) + ", which this rule always overrides",
                "remove one of the two, or tell their conditions apart");
      always.add(rule, placed);
      same.add(rule, placed);
    }
  }

  /// The last rule that makes a label, and the last one before it that gives it another value.
  class Makers {
   public:
    using Maker = std::pair<const Rule*, const Placed*>;
    Maker other_than(const std::string& value) const {
      return last_.first && last_.second->text != value ? last_ : before_;
    }
    void add(const Rule& rule, const Placed& placed) {
      if (last_.first && last_.second->text != placed.text) before_ = last_;
      last_ = {&rule, &placed};
    }

   private:
    Maker last_{}, before_{};
  };

  void rule(const Rule& rule, bool is_group) {
    for (const Matcher& matcher : rule.match_any)
      for (const Term& term : matcher) this->term(term);
    for (const Term& term : rule.match_features) this->term(term);
    outputs(rule);
    check_templates(
        rule, schema_, source_,
        [&](Mark mark, std::string code, std::string what, std::string todo) {
          mistake(mark, std::move(code), std::move(what), std::move(todo));
        },
        [&](std::string_view word, const std::vector<std::string_view>& candidates) {
          return guess(word, candidates);
        });
    const bool does_something = is_group || !rule.labels.empty() || !rule.annotations.empty() || !rule.vars.empty() ||
                                !rule.extended_resources.empty() || !rule.taints.empty() ||
                                !rule.labels_template.empty() || !rule.vars_template.empty();
    if (!does_something)
      mistake(rule.mark, "dead-rule", "the rule makes nothing: no label, annotation, var, taint or extended resource",
              "give it labels, or remove it");
    fights(rule);
  }

  SourceMap source_;
  const Schema& schema_;
  std::string origin_;
  std::vector<Finding> findings_;
  std::set<std::string> backreferences_;
  bool made_by_template_ = false;
  std::unordered_map<std::string, std::size_t> conditions_;  // numbered
  std::unordered_map<std::string, Makers> makers_;           // by label, and by label and number of conditions
  PatternBudget patterns_;
  std::size_t compared_ = 0;  // letters with letters, to guess what was meant
};

}  // namespace

std::vector<Finding> check_rules(const std::vector<RuleDocument>& documents, std::string_view text,
                                 const Schema& schema) {
  Checker checker(text, schema);
  for (const RuleDocument& document : documents) checker.document(document);
  return checker.take();
}

}  // namespace nodescout
