#include "rule/check.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "base/kubernetes_syntax.h"
#include "base/semver.h"
#include "base/text.h"
#include "document/value.h"
#include "document/yaml.h"
#include "rule/expression.h"
#include "rule/former_names.h"
#include "rule/kernel_option.h"
#include "rule/reference.h"
#include "rule/source_map.h"
#include "rule/template_check.h"

namespace nodescout {
namespace {

bool is_ordering(Operator op) { return op >= Operator::gt && op <= Operator::ge_le; }

bool takes_values(Operator op) {
  return op == Operator::in || op == Operator::not_in || op == Operator::in_regexp || is_ordering(op);
}

constexpr const char* kOtherValue = "make it an annotation, or use another value";
constexpr const char* kAddType = "add type: version to compare versions";

/// Never true of a flag, which has no value.
bool needs_value(Operator op) { return takes_values(op) || op == Operator::is_true || op == Operator::is_false; }

std::vector<std::string_view> names_of(const KnownElements& elements) {
  std::vector<std::string_view> names;
  for (const auto& [name, values] : elements.values) names.push_back(name);
  return names;
}

class Checker {
 public:
  Checker(std::vector<RuleFile>& files, const Schema& schema) : files_(files), schema_(schema) {
    for (const RuleFile& file : files) sources_.emplace_back(file.text);
  }

  /// Lists share one memory of labels and vars, objects another, and each group has its own.
  void run() {
    using Kind = RuleDocument::Kind;
    std::vector<Place> lists, objects;
    for (std::size_t file = 0; file < files_.size(); ++file)
      for (const RuleDocument& document : files_[file].parsed.documents) {
        one_of_its_name(document, file);
        if (document.kind == Kind::group)
          documents({{&document, file}});
        else
          (document.kind == Kind::list ? lists : objects).push_back({&document, file});
      }
    std::stable_sort(objects.begin(), objects.end(),
                     [](const Place& a, const Place& b) { return a.document->name < b.document->name; });
    documents(lists);
    documents(objects);
    for (RuleFile& file : files_) tidy(file.parsed.findings);
  }

 private:
  struct Place {
    const RuleDocument* document;
    std::size_t file;
  };

  /// Documents that are evaluated one after the other with one memory.
  void documents(const std::vector<Place>& places) {
    backreferences_.clear();
    makers_of_all_.clear();
    made_by_template_ = false;
    for (const Place& place : places)
      for (const Rule& rule : place.document->rules)
        for (const PlacedMap* made : {&rule.labels, &rule.vars})
          for (const auto& [key, value] : *made) makers_of_all_.try_emplace(key, &rule);
    for (const Place& place : places) {
      at_file(place.file, place.document->origin);
      const std::vector<Rule>& rules = place.document->rules;
      for (const Rule& rule : rules) {
        const auto next = &rule == &rules.back() ? rules.end() : rules.begin() + (&rule - rules.data()) + 1;
        line_behind_ = next == rules.end() ? std::numeric_limits<int>::max() : next->mark.line;
        this->rule(rule, place.document->kind == RuleDocument::Kind::group);
        for (const PlacedMap* made : {&rule.labels, &rule.vars})
          for (const auto& [key, value] : *made) backreferences_.insert(key);
        made_by_template_ |= !rule.labels_template.empty() || !rule.vars_template.empty();
      }
    }
  }

  void at_file(std::size_t file, std::string_view origin) {
    file_ = file;
    origin_ = origin;
  }

  /// The cluster keeps one object of a name.
  void one_of_its_name(const RuleDocument& document, std::size_t file) {
    if (document.kind == RuleDocument::Kind::list || document.name.empty()) return;
    const bool is_group = document.kind == RuleDocument::Kind::group;
    const std::string name = (is_group ? "g " + document.name_space + "/" : "r ") + document.name;
    const auto [first, is_new] = objects_.try_emplace(name, &document);
    if (is_new) return;
    at_file(file, document.origin);
    mistake(document.mark, "same-name",
            "the object at " + place(first->second->origin, first->second->mark) + " has the name " +
                quote(document.name) + ", too: a cluster keeps only the one that is applied last",
            "give one of them another name");
  }

  /// A value that is not the string that its author meant is not also reported as one that is not allowed.
  static bool is_said_by(std::string_view code) {
    return code == "unquoted-text" || code == "unquoted-key" || code == "typographic-quotes" || code == "unknown-tag";
  }

  /// In the order of the file, each mistake once: a value that is not a text is not also reported as one that never
  /// occurs.
  static void tidy(std::vector<Finding>& findings) {
    const auto key = [](const Finding& finding) { return std::pair(finding.mark.line, finding.mark.column); };
    std::stable_sort(findings.begin(), findings.end(),
                     [&](const Finding& a, const Finding& b) { return key(a) < key(b); });
    std::vector<Finding> kept;
    for (Finding& finding : findings) {
      const auto same_place = [&](const Finding& other) { return other.mark == finding.mark; };
      const auto first = std::find_if(kept.begin(), kept.end(), same_place);
      if (first == kept.end()) {
        kept.push_back(std::move(finding));
      } else if (is_said_by(first->problem.code)) {
        if (first->problem.code == "unquoted-text" && finding.problem.code == "impossible-value")
          first->problem.todo = std::move(finding.problem.todo);
      } else if (std::none_of(first, kept.end(), [&](const Finding& other) {
                   return same_place(other) && other.problem == finding.problem;
                 })) {
        kept.push_back(std::move(finding));
      }
    }
    findings = std::move(kept);
  }

  void mistake(Mark mark, std::string code, std::string what, std::string todo) {
    files_[file_].parsed.findings.push_back(
        {Severity::mistake, {std::move(code), place(origin_, mark), std::move(what), std::move(todo)}, mark});
  }

  /// Guessing is slow: for a file with thousands of mistakes each is reported, but for most of them not what was
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
      if (term.feature.empty()) return;  // the reader has reported it
      unknown_feature(term);
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
      name(known->second, term);
    }
  }

  /// matchName compares names of elements, not their values.
  void name(const KnownFeature& feature, const Term& term) {
    const Expression& wanted = *term.name;
    const std::string op(name_of(wanted.op));
    if (wanted.op == Operator::does_not_exist)
      return mistake(wanted.op_mark, "dead-term",
                     "matchName with DoesNotExist never matches: it is tested only on names that exist",
                     "write matchExpressions: {NAME: {op: DoesNotExist}}");
    if (wanted.op == Operator::is_true || wanted.op == Operator::is_false || is_ordering(wanted.op))
      return mistake(
          wanted.op_mark, "dead-term",
          "matchName with " + op + " never matches: it is tested on the names of elements, not on their values",
          feature.attributes || feature.instances ? "write matchExpressions: {NAME: {op: " + op + "}}"
                                                  : "write matchName: {op: Exists}");
    if (wanted.op != Operator::in) return;
    std::vector<std::string_view> names;
    for (const auto* elements : {&feature.flags, &feature.attributes, &feature.instances}) {
      if (!*elements) continue;
      if ((*elements)->any_name) return;
      for (const std::string_view each : names_of(**elements)) names.push_back(each);
    }
    for (std::size_t i = 0; i < wanted.values.size(); ++i)
      if (std::find(names.begin(), names.end(), wanted.values[i]) == names.end())
        mistake(i < wanted.value_marks.size() ? wanted.value_marks[i] : wanted.mark, "unknown-element",
                quote(term.feature) + " has no element " + quote(wanted.values[i]),
                wanted.values[i].find('*') == std::string::npos
                    ? did_you_mean(wanted.values[i], names, "see `nodescout features`")
                    : "write {op: InRegexp, value: [" + quote(wildcards_as_pattern(wanted.values[i])) + "]}");
  }

  void unknown_feature(const Term& term) {
    if (const std::string_view advice = advice_on_former_name(FormerName::feature, term.feature); !advice.empty())
      return mistake(term.feature_mark, "former-name",
                     quote(term.feature) + " is no longer a feature: earlier releases of NFD had it",
                     std::string(advice));
    if (const std::string_view advice = advice_on_former_name(FormerName::rule_field, term.feature); !advice.empty())
      return mistake(term.feature_mark, "former-name",
                     quote(term.feature) + " is a word of the rule language of NFD's first releases, not a feature",
                     std::string(advice));
    std::vector<std::string_view> keys, of_domain;
    for (const auto& [name, feature] : schema_) {
      keys.push_back(name);
      if (name.starts_with(lower_ascii(term.feature) + ".")) of_domain.push_back(name);
    }
    if (!of_domain.empty())
      return mistake(term.feature_mark, "unknown-feature",
                     quote(term.feature) + " is a domain of features, not a feature",
                     (of_domain.size() == 1 ? "write feature: " : "name one of them: ") +
                         join({of_domain.begin(), of_domain.end()}, ", "));
    mistake(term.feature_mark, "unknown-feature", "unknown feature " + quote(term.feature),
            did_you_mean(term.feature, keys,
                         "no probe makes it; correct only if a NodeFeature object of another agent does"));
  }

  /// What is wrong with the expression itself: at the values where each can be judged alone, else at the operator.
  void expression(const Expression& expression) {
    if (expression.op == Operator::unknown) return;  // the reader has reported it
    // A type that does not exist is the defect of every value, and reported at the type.
    if (!expression.type.empty() && expression.type != "version") return;
    const CompiledExpression compiled(expression, &patterns_);
    // The reader has reported that there is no operator.
    const bool lacks_operator = expression.op == Operator::any && expression.spelling.empty() &&
                                (dialect_ == Dialect::api || expression.op_mark == expression.mark);
    if (!compiled.defect().empty() && !lacks_operator && !bad_values(expression))
      mistake(expression.op_mark, "bad-expression", compiled.defect(), cure_of_count(expression));
    if (expression.type == "version" && !is_ordering(expression.op))
      mistake(expression.op_mark, "unused-type",
              "operator " + std::string(name_of(expression.op)) + " ignores the type",
              "compare versions with Gt, Ge, Lt, Le, GtLt or GeLe");
  }

  /// True if some value is reported.
  bool bad_values(const Expression& expression) {
    bool any = false;
    if (!takes_values(expression.op)) return any;
    for (std::size_t i = 0; i < expression.values.size() && i < expression.value_marks.size(); ++i) {
      Expression alone;
      alone.op = is_ordering(expression.op) ? Operator::gt : expression.op;
      alone.type = expression.type;
      alone.values = {expression.values[i]};
      const CompiledExpression compiled(alone, &patterns_);
      if (compiled.defect().empty()) continue;
      const std::string cure = cure_of_value(alone);
      mistake(expression.value_marks[i], "bad-expression", compiled.defect(), cure);
      any = true;
      if (cure == kAddType) break;  // which cures the others, too
    }
    return any;
  }

  /// `alone`: an expression with one value, which is bad.
  std::string cure_of_value(const Expression& alone) const {
    if (alone.op == Operator::in_regexp)
      for (const char* look_around : {"(?!", "(?=", "(?<!", "(?<="})
        if (alone.values[0].find(look_around) != std::string::npos)
          return "RE2 has no lookahead and no lookbehind: match what may be there, or leave values out with op: NotIn";
    if (alone.op == Operator::in_regexp)
      return "to match a character such as ( or [ itself, write a backslash before it; see docs/rules.md";
    if (!alone.type.empty()) return "write a version such as 1.2.3";
    const bool is_version = alone.values[0].find('.') != std::string::npos && parse_version(alone.values[0]);
    if (!is_version) return "write a whole number, without a unit";
    return dialect_ == Dialect::api ? kAddType : "use a NodeFeatureRule with type: version, or a whole number";
  }

  static std::string cure_of_count(const Expression& expression) {
    if (!takes_values(expression.op)) return "remove the value, or write op: In";
    if (expression.values.empty()) return "add value: [...], or write op: Exists";
    const std::string op(name_of(expression.op));
    if (expression.op != Operator::gt_lt && expression.op != Operator::ge_le)
      return op + " takes one value; for a range write GtLt or GeLe";
    return expression.values.size() == 2 ? "write the smaller value first"
                                         : op + " takes two values, the smaller one first";
  }

  /// "AVX*" as a regular expression.
  static std::string wildcards_as_pattern(std::string_view text) {
    std::string pattern = "^";
    for (const char c : text) {
      if (std::string_view(".+()[]{}^$|\\").find(c) != std::string_view::npos) pattern += '\\';
      pattern += c == '*' ? ".*" : c == '?' ? "." : std::string(1, c);
    }
    if (!pattern.ends_with(".*")) return pattern + "$";
    return pattern.substr(0, pattern.size() - 2);
  }

  /// True if that is reported.
  bool wildcards(const Term& term, const NamedExpression& named) {
    if (named.name.find('*') == std::string::npos) return false;
    mistake(named.mark, "unknown-element",
            quote(named.name) + " of " + quote(term.feature) + " is taken literally: * has no meaning in it",
            "write matchName: {op: InRegexp, value: [" + quote(wildcards_as_pattern(named.name)) +
                "]} in place of matchExpressions");
    return true;
  }

  void element(const KnownFeature& feature, const Term& term, const NamedExpression& named) {
    if (wildcards(term, named)) return;
    const auto has = [&](const std::optional<KnownElements>& elements) {
      return elements && (elements->any_name || elements->values.contains(named.name));
    };
    const bool is_flag =
        feature.flags && !has(feature.attributes) && !feature.instances && (has(feature.flags) || !feature.attributes);
    if (is_flag && needs_value(named.expression.op))
      mistake(named.expression.op_mark, "dead-term",
              (feature.attributes ? quote(named.name) + " of " + quote(term.feature) + " is a name without a value"
                                  : quote(term.feature) + " has names without values") +
                  ": operator " + std::string(name_of(named.expression.op)) + " never matches",
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
    if (lower_ascii(term.feature) != "kernel.config") return;
    if (const std::string option = as_kernel_option(named.name); option != named.name)
      mistake(named.mark, "unknown-element",
              quote(named.name) +
                  " is not the name of an option: those of kernel.config are in capitals, without "
                  "CONFIG_ and without a value",
              "write " + quote(option));
  }

  /// What is meant by an id of a class: without 0x, and with the zero in front that a number loses.
  static std::string as_class(std::string_view value) {
    const bool is_hex = value.starts_with("0x");
    std::string digits(value.substr(is_hex ? 2 : 0));
    const bool lacks_zero = digits.size() % 2 == 1 && digits.size() < 6 && (is_hex || digits[0] != '0');
    return lacks_zero ? "0" + digits : digits;
  }

  /// Less than a whole class, which has four digits.
  static bool is_class_prefix(std::string_view digits) {
    return !digits.empty() && digits.size() < 4 && std::all_of(digits.begin(), digits.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
  }

  void possible_values(const std::string& pattern, const NamedExpression& named) {
    const Expression& expression = named.expression;
    const auto compiled = Pattern::compile("^(?:" + pattern + ")$");
    if (!compiled) return;
    const auto impossible = [&](Mark mark, const std::string& value) {
      // An unquoted value may be a number to YAML: 0300 is 192, and 0x03 is 3.
      const std::string_view spelt = source().plain_scalar_at(mark);
      const Value resolved = resolve_plain_scalar(spelt);
      const bool is_other = !resolved.is(Value::Kind::string) && resolved.text == value;
      const std::string meant = is_other ? std::string(spelt) : value;
      if (compiled->found_in(meant)) return;
      const std::string lower = lower_ascii(meant);
      std::string todo = "its values look like " + pattern;
      if (compiled->found_in(lower))
        todo = "write " + quote(lower);
      else if (lower.starts_with("0x") && compiled->found_in(lower.substr(2)))
        todo = "write " + quote(lower.substr(2));
      else if (const std::string digits = as_class(lower);
               named.name == "class" && digits.size() > 4 && compiled->found_in(digits.substr(0, 4)))
        todo = "write " + quote(digits.substr(0, 4)) + ": the programming interface is left out";
      else if (named.name == "class" && compiled->found_in(digits))
        todo = "write " + quote(digits);
      else if (named.name == "class" && is_class_prefix(digits))
        todo = "write {op: InRegexp, value: [\"^" + digits + "\"]} for all classes that begin with it";
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
        unknown_backreference(named);
      }
    if (term.name) expression(*term.name);
  }

  void unknown_backreference(const NamedExpression& named) {
    if (const auto later = makers_of_all_.find(named.name); later != makers_of_all_.end())
      return mistake(named.mark, "unknown-backreference",
                     quote(named.name) + " is made by a rule that runs later: rule " + quote(later->second->name) +
                         " at " + place(later->second->origin, later->second->mark),
                     "put that rule first; objects run in the order of metadata.name");
    std::vector<std::string_view> names;
    if (may_guess()) names.assign(backreferences_.begin(), backreferences_.end());
    mistake(
        named.mark, "unknown-backreference", "no earlier rule makes a label or var " + quote(named.name),
        did_you_mean(named.name, names,
                     "rule.matched holds labels and vars of earlier rules, spelt as there; name the files of all of "
                     "them in one command"));
  }

  /// A tag, "!x", is meant as a text, which may be one that is refused with quotes as well.
  void tag(Mark mark, std::string (*defect)(std::string_view), std::string_view todo) {
    const std::string_view spelt = source().word_at(mark);
    if (!spelt.starts_with('!') || defect(spelt).empty()) return;
    for (Finding& finding : files_[file_].parsed.findings)
      if (finding.mark == mark && finding.problem.code == "unknown-tag" &&
          finding.problem.todo.starts_with("write " + quote(spelt)))
        finding.problem.todo = todo;
  }

  // ---- output -------------------------------------------------------------------------------------------------------

  void key(Mark mark, const std::string& name, std::string_view kind, bool is_label) {
    const std::string full = name.find('/') == std::string::npos ? std::string(kFeaturePrefix) + "/" + name : name;
    if (const std::string defect = qualified_name_defect(full); !defect.empty())
      return mistake(mark, "bad-" + replace_all(kind, " ", "-"), std::string(kind) + " " + quote(name) + ": " + defect,
                     "rename it: [PREFIX/]NAME, where NAME has at most 63 letters, digits, '-', '_' and '.'");
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
                     quote(placed.text) + " is not a reference in the worker's dialect, but a value that is refused",
                     "use a NodeFeatureRule");
    const auto parsed = parse_reference(placed.text);
    if (!parsed)
      return mistake(placed.mark, "bad-reference", quote(placed.text) + " is not a reference",
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
    const KnownFeature& feature = known->second;
    const bool is_attribute =
        feature.attributes && (feature.attributes->any_name || feature.attributes->values.contains(element));
    if (feature.flags && !is_attribute && (feature.flags->any_name || feature.flags->values.contains(element)))
      return mistake(placed.mark, "bad-reference", quote(placed.text) + " is a flag, and a flag has no value",
                     std::string(kFlagAdvice));
    if (!known->second.attributes)
      return mistake(placed.mark, "bad-reference", quote(set) + " has no attributes: a reference never finds a value",
                     "use a template");
    const KnownElements& elements = *known->second.attributes;
    if (!elements.any_name && !elements.values.contains(element))
      mistake(placed.mark, "bad-reference", quote(set) + " has no element " + quote(element),
              did_you_mean(element, names_of(elements), ""));
  }

  std::string cure_of_effect(std::string_view effect) {
    const std::string_view meant = guess(effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    return meant.empty() ? "write one of them" : "write effect: " + std::string(meant);
  }

  /// "@kernel.version" in an annotation: the text itself, where some element of it was meant.
  void half_reference(const Placed& placed) {
    if (!placed.text.starts_with('@')) return;
    const std::string feature = lower_ascii(trim(std::string_view(placed.text).substr(1)));
    const auto known = schema_.find(feature);
    if (known == schema_.end() && feature.find('.') == std::string::npos) return;  // "@team"
    std::vector<std::string_view> keys;
    for (const auto& [name, set] : schema_)
      if (set.attributes) keys.push_back(name);
    const std::string_view meant = known != schema_.end() ? std::string_view(known->first) : guess(feature, keys);
    if (meant.empty()) return;
    mistake(
        placed.mark, "bad-reference",
        quote(placed.text) + " names no element of " + std::string(meant) + ": the annotation is this string itself",
        "write @" + std::string(meant) + ".ELEMENT; `nodescout features` lists the elements");
  }

  void outputs(const Rule& rule) {
    for (const auto& [name, placed] : rule.labels) {
      key(placed.key_mark, name, "label", true);
      tag(placed.mark, label_value_defect, kOtherValue);
      if (placed.text.starts_with('@'))
        reference(rule, placed);
      else if (const std::string defect = label_value_defect(placed.text); !defect.empty())
        mistake(placed.mark, "bad-label", "label " + quote(name) + ": " + defect,
                rule.dialect == Dialect::api ? kOtherValue : "use another value");
    }
    for (const auto& [name, placed] : rule.annotations) {
      key(placed.key_mark, name, "annotation", false);
      if (parse_reference(placed.text))
        reference(rule, placed);
      else
        half_reference(placed);
      if (placed.text.size() > 1024)
        mistake(placed.mark, "bad-annotation", "annotation " + quote(name) + " is longer than 1024 bytes", "");
    }
    for (const auto& [name, placed] : rule.extended_resources) {
      key(placed.key_mark, name, "extended resource", false);
      tag(placed.mark, resource_amount_defect, kResourceAmountAdvice);
      if (placed.text.starts_with('@'))
        reference(rule, placed);
      else if (const std::string defect = resource_amount_defect(placed.text); !defect.empty())
        mistake(placed.mark, "bad-extended-resource", "extended resource " + quote(name) + ": " + defect,
                std::string(kResourceAmountAdvice));
    }
    for (const Taint& taint : rule.taints) {
      if (taint.key.empty()) continue;  // the reader has reported it
      if (taint.key.find('/') == std::string::npos)
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": a key without a prefix is not allowed",
                "write " + quote("feature.node.kubernetes.io/" + taint.key));
      else
        key(taint.mark, taint.key, "taint", false);
      if (const std::string defect = taint_effect_defect(taint.effect); !defect.empty() && !taint.effect.empty())
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": " + defect, cure_of_effect(taint.effect));
      if (const std::string defect = label_value_defect(taint.value); !defect.empty())
        mistake(taint.mark, "bad-taint", "taint " + quote(taint.key) + ": " + defect, "use another value");
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
  /// same conditions, and every rule before one that always matches.
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
                "remove one of the two, or give them different conditions");
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
    dialect_ = rule.dialect;
    for (const Matcher& matcher : rule.match_any)
      for (const Term& term : matcher) this->term(term);
    for (const Term& term : rule.match_features) this->term(term);
    outputs(rule);
    check_templates(
        rule, schema_, source(),
        [&](Mark mark, std::string code, std::string what, std::string todo) {
          mistake(mark, std::move(code), std::move(what), std::move(todo));
        },
        [&](std::string_view word, const std::vector<std::string_view>& candidates) {
          return guess(word, candidates);
        });
    const bool does_something = is_group || !rule.labels.empty() || !rule.annotations.empty() || !rule.vars.empty() ||
                                !rule.extended_resources.empty() || !rule.taints.empty() ||
                                !rule.labels_template.empty() || !rule.vars_template.empty();
    if (!does_something && !has_misspelt_output(rule))
      mistake(rule.mark, "dead-rule", "the rule makes nothing: no label, annotation, var, taint or extended resource",
              "give it labels, or remove it");
    fights(rule);
  }

  /// Whether the reader reported that a field, such as "label", is meant as one that makes something.
  bool has_misspelt_output(const Rule& rule) const {
    const auto& findings = files_[file_].parsed.findings;
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      if (finding.problem.code != "unknown-field" || finding.mark.line < rule.mark.line ||
          finding.mark.line >= line_behind_)
        return false;
      for (const std::string_view output :
           {"labels", "labelsTemplate", "vars", "varsTemplate", "annotations", "taints", "extendedResources"})
        if (finding.problem.todo == "did you mean " + quote(output) + "?") return true;
      return false;
    });
  }

  const SourceMap& source() const { return sources_[file_]; }

  std::vector<RuleFile>& files_;
  const Schema& schema_;
  std::vector<SourceMap> sources_;  // of the files
  std::size_t file_ = 0;
  std::string origin_;
  int line_behind_ = 0;                                              // of the next rule of the document
  Dialect dialect_ = Dialect::api;                                   // of the rule that is checked
  std::map<std::string, const RuleDocument*> objects_;               // by kind and name
  std::unordered_map<std::string_view, const Rule*> makers_of_all_;  // the first rule that makes a label or var
  std::set<std::string> backreferences_;
  bool made_by_template_ = false;
  std::unordered_map<std::string, std::size_t> conditions_;  // numbered
  std::unordered_map<std::string, Makers> makers_;           // by label, and by label and number of conditions
  PatternBudget patterns_;
  std::size_t compared_ = 0;  // letters with letters, to guess what was meant
};

}  // namespace

void check_rules(std::vector<RuleFile>& files, const Schema& schema) { Checker(files, schema).run(); }

}  // namespace nodescout
