// YAML -> Rules. Every mistake becomes a finding with its place; what can still be used is used, so that one bad rule
// costs itself. Fields are matched as NFD's readers match them (case is ignored), and what they would silently drop is
// reported.
#include <algorithm>
#include <unordered_map>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/value.h"
#include "document/yaml.h"
#include "nodescout/rules.h"
#include "rule/former_names.h"
#include "rule/from_value.h"
#include "rule/map_reader.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;
using Names = std::vector<std::string_view>;

class Reader : private MapReader {
 public:
  Reader(std::string origin, ParsedRules& parsed) : MapReader(std::move(origin), parsed) {}

  void document(const Value& root) {
    std::vector<RuleDocument>& out = parsed_.documents;
    if (root.is(Kind::list)) {
      out.push_back(bare_list(root));
    } else if (!root.is(Kind::map)) {
      error(root.mark, "malformed-rules", "expected a rule object or a list of rules, not " + describe(root), "");
    } else if (const Value* kind = field(root, "kind")) {
      object(root, *kind);
    } else if (const Value* sources = field(root, "sources"); sources || field(root, "core")) {
      parsed_.is_worker_configuration = true;
      const Value* custom = sources ? sources->find("custom") : nullptr;
      if (custom && custom->is(Kind::list))
        out.push_back(bare_list(*custom));
      else if (custom && !custom->is(Kind::null))
        error(custom->mark, "malformed-rules", "sources.custom must be a list of rules, not " + describe(*custom), "");
    } else {
      error(root.mark, "no-kind",
            "no \"kind\" here: expected a NodeFeatureRule, a NodeFeatureGroup, a list of rules, or a worker "
            "configuration",
            "add apiVersion: nfd.k8s-sigs.io/v1alpha1 and kind: NodeFeatureRule");
    }
  }

 private:
  // ---- documents ----------------------------------------------------------------------------------------------------

  void object(const Value& root, const Value& kind) {
    const std::string name = kind.is_scalar() ? kind.text : "";
    if (name == "List" || name == "NodeFeatureRuleList" || name == "NodeFeatureGroupList") {
      const Value* items = field(root, "items");
      if (!items || !items->is(Kind::list))
        return error(root.mark, "malformed-rules", "a " + name + " needs a list of items", "");
      for (const Value& item : items->items) document(item);
      return;
    }
    const bool is_group = name == "NodeFeatureGroup";
    if (!is_group && name != "NodeFeatureRule") {
      const std::string_view guess = closest(name, {"NodeFeatureRule", "NodeFeatureGroup"});
      return error(
          kind.mark, "unknown-kind", "kind " + quote(name) + " is not a rule object",
          guess.empty() ? "expected NodeFeatureRule or NodeFeatureGroup" : "did you mean " + std::string(guess) + "?");
    }
    check_fields(root, {"apiVersion", "kind", "metadata", "spec", "status"}, "a " + name);
    constexpr std::string_view kApi = "nfd.k8s-sigs.io/v1alpha1";
    const Value* api = field(root, "apiVersion");
    if (api && api->text == kFormerApiVersion)
      mistake(api->mark, "former-api-version",
              quote(api->text) + " is the group that NFD's operator had before NFD had its own; it is taken in files",
              "write apiVersion: " + std::string(kApi));
    else if (!api || api->text != kApi)
      error(api ? api->mark : root.mark, "unknown-api-version",
            api ? "apiVersion " + quote(api->text) + " has no " + name : "apiVersion is missing",
            "write apiVersion: " + std::string(kApi));

    RuleDocument document;
    document.kind = is_group ? RuleDocument::Kind::group : RuleDocument::Kind::rules;
    document.origin = origin_;
    document.mark = root.mark;
    read_metadata(root, document);

    const Value* spec = field(root, "spec");
    const std::string list_name = is_group ? "featureGroupRules" : "rules";
    if (!spec || !spec->is(Kind::map))
      return error(spec ? spec->mark : root.mark, "malformed-rules", "spec is missing or not a map", "");
    check_fields(*spec, {list_name}, "spec");
    const Value* rules = field(*spec, list_name);
    if (!rules || rules->is(Kind::null)) {
      error(spec->mark, "malformed-rules", "spec." + list_name + " is missing", "");
    } else if (!rules->is(Kind::list)) {
      error(rules->mark, "malformed-rules", "spec." + list_name + " must be a list of rules, not " + describe(*rules),
            "");
    } else {
      document.rules = rule_list(*rules, Dialect::api, is_group);
    }
    parsed_.documents.push_back(std::move(document));
  }

  RuleDocument bare_list(const Value& list) {
    RuleDocument document;
    document.kind = RuleDocument::Kind::list;
    document.origin = origin_;
    document.mark = list.mark;
    document.rules = rule_list(list, Dialect::worker, false);
    return document;
  }

  std::vector<Rule> rule_list(const Value& list, Dialect dialect, bool is_group) {
    dialect_ = dialect;
    std::vector<Rule> rules;
    for (const Value& item : list.items) {
      if (!item.is(Kind::map)) {
        error(item.mark, "malformed-rule", "a rule must be a map, not " + describe(item), "");
        continue;
      }
      broken_ = false;
      Rule rule = one_rule(item, is_group);
      // A rule in the former language makes nothing, which has been reported.
      if (item.find("matchOn") && rule.labels.empty() && rule.labels_template.empty() && rule.vars.empty() &&
          rule.vars_template.empty() && rule.annotations.empty() && rule.taints.empty() &&
          rule.extended_resources.empty())
        continue;
      if (!broken_) rules.push_back(std::move(rule));
    }
    return rules;
  }

  // ---- one rule -----------------------------------------------------------------------------------------------------

  /// The rule cannot be used at all.
  void refuse(Mark mark, std::string code, std::string what, std::string todo = "") {
    broken_ = true;
    error(mark, std::move(code), std::move(what) + "; the rule is left out", std::move(todo));
  }

  Rule one_rule(const Value& map, bool is_group) {
    Rule rule;
    rule.origin = origin_;
    rule.mark = map.mark;
    rule.dialect = dialect_;
    Names known{"name", "vars", "varsTemplate", "matchFeatures", "matchAny"};
    if (!is_group) known.insert(known.begin() + 1, {"labels", "labelsTemplate"});
    if (!is_group && dialect_ == Dialect::api)
      known.insert(known.begin() + 3, {"annotations", "taints", "extendedResources"});
    check_fields(map, known,
                 is_group                      ? "a group's rule"
                 : dialect_ == Dialect::worker ? "a rule of the worker's dialect"
                                               : "a rule");

    Mark unused;
    if (const Value* name = field(map, "name"); name && name->is_scalar() && !name->is(Kind::null))
      rule.name = text(map, "name", unused);
    else
      error(name ? name->mark : map.mark, "missing-name", "a rule needs a name, a string",
            "add name: to say what the rule is for");
    rule.vars = texts(map, "vars");
    rule.vars_template = text(map, "varsTemplate", rule.vars_template_mark);
    if (!is_group) {
      rule.labels = texts(map, "labels");
      rule.labels_template = text(map, "labelsTemplate", rule.labels_template_mark);
      if (dialect_ == Dialect::api) {
        rule.annotations = texts(map, "annotations");
        rule.extended_resources = texts(map, "extendedResources");
        rule.taints = taints(map);
      }
    }
    if (const Value* matchers = field(map, "matchAny"); matchers && !matchers->is(Kind::null))
      rule.match_any = match_any(*matchers);
    if (const Value* terms = field(map, "matchFeatures"); terms && !terms->is(Kind::null))
      rule.match_features = terms_of(*terms);
    return rule;
  }

  std::string text(const Value& map, std::string_view name, Mark& mark) {
    const Value* value = field(map, name);
    if (!value || value->is(Kind::null)) return "";
    mark = value->mark;
    if (!value->is_scalar()) {
      refuse(value->mark, "malformed-rule", std::string(name) + " must be a string, not " + describe(*value));
      return "";
    }
    // A bad value of a taint is reported as that.
    const bool is_bad = name == "value" && !label_value_defect(spelt(*value)).empty();
    if (!value->is(Kind::string) && !is_bad) want_quotes(*value, std::string(name));
    return value->text;
  }

  /// What a string of this field must satisfy to be used.
  static WantedText wanted_text(std::string_view field_name) {
    if (field_name == "labels") return {label_value_defect, "make it an annotation, or use another value"};
    if (field_name == "extendedResources") return {resource_amount_defect, std::string(kResourceAmountAdvice)};
    return {};
  }

  PlacedMap texts(const Value& map, std::string_view name) {
    PlacedMap out;
    const Value* value = field(map, name);
    if (!value || value->is(Kind::null)) return out;
    if (!value->is(Kind::map)) {
      refuse(value->mark, "malformed-rule", std::string(name) + " must be a map of strings, not " + describe(*value));
      return out;
    }
    check_names(*value);
    for (const Member& member : value->members) {
      if (!member.value.is_scalar()) {
        refuse(member.value.mark, "malformed-rule",
               std::string(name) + " " + quote(member.key) + " must be a string, not " + describe(member.value));
        continue;
      }
      if (!member.value.is(Kind::string))
        want_quotes(member.value, std::string(name) + " " + quote(member.key), wanted_text(name));
      out.insert_or_assign(member.key, Placed{member.value.text, member.mark, member.value.mark});
    }
    return out;
  }

  std::vector<Taint> taints(const Value& map) {
    std::vector<Taint> out;
    const Value* list = field(map, "taints");
    if (!list || list->is(Kind::null)) return out;
    if (!list->is(Kind::list)) {
      refuse(list->mark, "malformed-rule", "taints must be a list, not " + describe(*list));
      return out;
    }
    for (const Value& item : list->items) {
      if (!item.is(Kind::map)) {
        refuse(item.mark, "malformed-rule", "a taint must be a map with key, value and effect, not " + describe(item));
        continue;
      }
      check_fields(item, {"key", "value", "effect", "timeAdded"}, "a taint");
      Taint taint;
      taint.mark = item.mark;
      Mark unused;
      taint.key = text(item, "key", unused);
      taint.value = text(item, "value", unused);
      taint.effect = text(item, "effect", unused);
      for (const char* needed : {"key", "effect"})
        if (!field(item, needed)) error(item.mark, "malformed-taint", std::string("a taint needs a ") + needed, "");
      out.push_back(std::move(taint));
    }
    return out;
  }

  // ---- matchers -----------------------------------------------------------------------------------------------------

  std::vector<Matcher> match_any(const Value& list) {
    std::vector<Matcher> out;
    if (!list.is(Kind::list)) {
      refuse(list.mark, "malformed-rule", "matchAny must be a list, not " + describe(list));
      return out;
    }
    for (const Value& item : list.items) {
      if (!item.is(Kind::map)) {
        refuse(item.mark, "malformed-rule",
               "an entry of matchAny must be a map with matchFeatures, not " + describe(item));
        continue;
      }
      check_fields(item, {"matchFeatures"}, "an entry of matchAny");
      const Value* terms = field(item, "matchFeatures");
      if (!terms)
        error(item.mark, "malformed-rule",
              "an entry of matchAny needs matchFeatures: without it the entry always matches", "");
      out.push_back(terms && !terms->is(Kind::null) ? terms_of(*terms) : Matcher{});
    }
    return out;
  }

  Matcher terms_of(const Value& list) {
    Matcher out;
    if (!list.is(Kind::list)) {
      refuse(list.mark, "malformed-rule", "matchFeatures must be a list of terms, not " + describe(list),
             "begin each term with \"- feature:\"");
      return out;
    }
    for (const Value& item : list.items) {
      if (!item.is(Kind::map)) {
        refuse(item.mark, "malformed-rule",
               "a term must be a map with feature, matchExpressions and matchName, not " + describe(item));
        continue;
      }
      check_fields(item, {"feature", "matchExpressions", "matchName"}, "a term of matchFeatures");
      Term term;
      term.mark = item.mark;
      term.feature = text(item, "feature", term.feature_mark);
      feature_ = lower_ascii(term.feature);
      const bool has_former = std::any_of(item.members.begin(), item.members.end(), [](const Member& member) {
        return !advice_on_former_name(FormerName::rule_field, member.key).empty();
      });
      if (term.feature.empty() && !has_former)  // the word of a former release is the mistake
        error(item.mark, "missing-feature", "a term needs a feature", "for example feature: pci.device");
      if (const Value* expressions = field(item, "matchExpressions"); expressions && !expressions->is(Kind::null))
        term.expressions = expression_set(*expressions);
      if (const Value* name = field(item, "matchName"); name && !name->is(Kind::null))
        term.name = expression(*name, "matchName");
      out.push_back(std::move(term));
    }
    return out;
  }

  /// The later of two expressions for one name wins.
  class ExpressionSet {
   public:
    void put(NamedExpression named) {
      const auto [at, is_new] = places_.try_emplace(named.name, list_.size());
      if (is_new)
        list_.push_back(std::move(named));
      else
        list_[at->second] = std::move(named);
    }
    std::vector<NamedExpression> take() { return std::move(list_); }

   private:
    std::vector<NamedExpression> list_;
    std::unordered_map<std::string, std::size_t> places_;
  };

  std::vector<NamedExpression> expression_set(const Value& value) {
    ExpressionSet out;
    if (value.is(Kind::list) && dialect_ == Dialect::worker) {
      for (const Value& item : value.items) {
        if (!item.is_scalar()) {
          refuse(item.mark, "malformed-expression",
                 "an expression of a list must be \"name\" or \"name=value\", not " + describe(item));
          continue;
        }
        const std::size_t equals = item.text.find('=');
        Expression expression;
        expression.mark = expression.op_mark = item.mark;
        expression.op = equals == std::string::npos ? Operator::exists : Operator::in;
        if (equals != std::string::npos) {
          expression.values.push_back(item.text.substr(equals + 1));
          expression.value_marks.push_back(item.mark);
        }
        out.put({item.text.substr(0, equals), std::move(expression), item.mark});
      }
      return out.take();
    }
    if (!value.is(Kind::map)) {
      refuse(value.mark, "malformed-expression",
             "matchExpressions must be a map from element names to expressions, not " + describe(value));
      return out.take();
    }
    check_names(value);
    for (const Member& member : value.members) {
      NamedExpression named{member.key, {}, member.mark};
      if (member.value.is(Kind::null)) {
        // The API server drops the entry, kubectl-nfd crashes on it, the worker takes it for Exists: so do we.
        if (dialect_ == Dialect::api)
          mistake(member.mark, "empty-expression",
                  quote(member.key) + " has no expression: the API server drops it, so that the term has no condition",
                  "write {op: Exists}");
        named.expression.op = Operator::exists;
        named.expression.mark = named.expression.op_mark = member.mark;
      } else {
        named.expression = expression(member.value, member.key);
      }
      out.put(std::move(named));
    }
    return out.take();
  }

  Expression expression(const Value& value, std::string_view name) {
    Expression out;
    out.mark = out.op_mark = value.mark;
    if (!value.is(Kind::map)) {
      if (dialect_ == Dialect::api || value.is(Kind::null)) {
        refuse(value.mark, "malformed-expression",
               "the expression for " + quote(name) + " must be a map with op and value, not " + describe(value),
               value.is_scalar() ? "write {op: In, value: [" + quote(spelt(value)) + "]}"
                                 : "write {op: In, value: [...]}");
        return out;
      }
      out.op = Operator::in;
      values(value, out);
      return out;
    }
    Names known{"op", "value"};
    if (dialect_ == Dialect::api) known.push_back("type");
    const auto misspelt_op = std::find_if(value.members.begin(), value.members.end(), [](const Member& member) {
      return equal_ignoring_case(member.key, "operator") || equal_ignoring_case(member.key, "operation");
    });
    const bool is_misspelt = misspelt_op != value.members.end() && !field(value, "op");
    if (is_misspelt) known.push_back(misspelt_op->key);  // reported below
    check_fields(value, known, "the expression for " + quote(name));
    if (const Value* op = field(value, "op"); op && op->is_scalar() && !op->is(Kind::null)) {
      out.op_mark = op->mark;
      out.op = operator_from(op->text);
      out.spelling = op->text;
      const bool worker_lacks_it = dialect_ == Dialect::worker &&
                                   (out.op == Operator::ge || out.op == Operator::le || out.op == Operator::ge_le);
      if (out.op == Operator::unknown || worker_lacks_it) {
        const std::string_view guess = closest(op->text, {"In", "NotIn", "InRegexp", "Exists", "DoesNotExist", "Gt",
                                                          "Ge", "Lt", "Le", "GtLt", "GeLe", "IsTrue", "IsFalse"});
        error(
            op->mark, "unknown-operator",
            worker_lacks_it ? "the worker's dialect has no operator " + quote(op->text)
                            : "unknown operator " + quote(op->text),
            worker_lacks_it ? "use a NodeFeatureRule, or GtLt"
            : guess.empty()
                ? "operators are In, NotIn, InRegexp, Exists, DoesNotExist, Gt, Ge, Lt, Le, GtLt, GeLe, IsTrue, IsFalse"
                : "did you mean " + quote(guess) + "?");
        out.op = Operator::unknown;
      } else if (out.op == Operator::any && dialect_ == Dialect::api) {
        error(op->mark, "missing-operator", "op is empty: the API server refuses it",
              "write op: Exists, or remove the expression");
      }
    } else if (op && !op->is_scalar()) {
      refuse(op->mark, "malformed-expression", "op must be a string, not " + describe(*op));
    } else {
      error(op            ? op->mark
            : is_misspelt ? misspelt_op->mark
                          : value.mark,
            "missing-operator", "the expression for " + quote(name) + " has no op",
            is_misspelt ? "write op in place of " + misspelt_op->key : "write op: In, or another operator");
    }
    if (const Value* given = field(value, "value"); given && !given->is(Kind::null)) {
      if (!given->is(Kind::list) && dialect_ == Dialect::api) {
        refuse(given->mark, "malformed-expression", "value must be a list of strings, not " + describe(*given),
               given->is_scalar() ? "write [" + quote(spelt(*given)) + "]" : "");
      } else {
        values(*given, out);
      }
    }
    if (dialect_ == Dialect::api) {
      Mark unused;
      out.type = text(value, "type", unused);
      if (!out.type.empty() && out.type != "version")
        mistake(unused, "unknown-type", "unknown type " + quote(out.type),
                "the only type is \"version\"; without one numbers are compared");
    }
    return out;
  }

  /// Ids of devices are spelt without 0x.
  std::string id_of_device(const Value& value) const {
    const std::string text = spelt(value);
    const bool is_device = feature_.starts_with("pci.") || feature_.starts_with("usb.");
    return is_device && lower_ascii(text).starts_with("0x") ? lower_ascii(text).substr(2) : text;
  }

  void values(const Value& value, Expression& out) {
    if (value.is_scalar()) {
      if (!value.is(Kind::string)) want_quotes(value, "a value");
      out.values.push_back(value.text);
      out.value_marks.push_back(value.mark);
      return;
    }
    if (!value.is(Kind::list))
      return refuse(value.mark, "malformed-expression",
                    "value must be a string or a list of strings, not " + describe(value));
    for (const Value& item : value.items) {
      if (!item.is_scalar() || (dialect_ == Dialect::worker && !item.is(Kind::string))) {
        refuse(item.mark, "malformed-expression", "a list of values must hold strings, not " + describe(item),
               item.is_scalar() ? "write " + quote(id_of_device(item)) + ", with the quotes" : "");
        continue;
      }
      if (!item.is(Kind::string)) want_quotes(item, "a value");
      out.values.push_back(item.text);
      out.value_marks.push_back(item.mark);
    }
  }

  bool broken_ = false;  // the rule being read
  std::string feature_;  // of the term being read, in lower case
};

}  // namespace

ParsedRules rules_from_value(const Value& document, std::string_view origin) {
  ParsedRules parsed;
  Reader(std::string(origin), parsed).document(document);
  return parsed;
}

ParsedRules parse_rules(std::string_view text, std::string_view origin) {
  ParsedRules parsed;
  for (const YamlDocument& document : parse_yaml(text, origin)) {
    if (document.error) {
      Problem problem = *document.error;
      if (problem.todo.empty()) problem.todo = "the documents before and after it are still read";
      parsed.findings.push_back({Severity::error, std::move(problem), document.error_mark});
      continue;
    }
    Reader(std::string(origin), parsed).document(document.root);
    for (const YamlRemark& remark : document.remarks)
      parsed.findings.push_back({Severity::mistake, remark.problem, remark.mark});
  }
  return parsed;
}

}  // namespace nodescout
