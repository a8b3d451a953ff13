#include "schedule/refusals.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/value_path.h"
#include "schedule/pod_fields.h"

namespace nodescout::schedule {
namespace {

/// "write Exists" for "exists"; else all that may be written.
std::string choice(std::string_view word, const std::vector<std::string_view>& names, const std::string& all) {
  const std::string_view guess = closest(word, names);
  return guess.empty() ? "use " + all : "write " + std::string(guess);
}

std::string indexed(const std::string& list, std::size_t index) { return list + "[" + std::to_string(index) + "]"; }

std::string key_defect(const std::string& key) {
  const std::string defect = qualified_name_defect(key);
  return defect.empty() ? "" : quote(key) + " is not a label key: " + defect;
}

std::string value_defect(const std::string& value) {
  const std::string defect = label_value_defect(value);
  return defect.empty() ? "" : quote(value) + " is not a label value: " + defect;
}

void refuse_field_expression(const Requirement& requirement, std::vector<Refusal>& out) {
  if (requirement.op != Op::in && requirement.op != Op::not_in)
    out.push_back({"operator", "matchFields takes no operator " + quote(requirement.spelling), "use In or NotIn"});
  else if (requirement.values.size() != 1)
    out.push_back({"values", "matchFields takes exactly one value",
                   requirement.values.empty()
                       ? "give the name of a Node"
                       : "write one term for each of the " + std::to_string(requirement.values.size()) + " names"});
  if (requirement.key != "metadata.name") {
    out.push_back({"key", "matchFields supports only metadata.name, not " + quote(requirement.key),
                   "write metadata.name, or move the expression to matchExpressions if it means a label"});
    return;
  }
  for (const std::string& value : requirement.values)
    if (const std::string defect = object_name_defect(value); !defect.empty())
      out.push_back({"values", quote(value) + " is not the name of a Node: " + defect, "write the name of a Node"});
}

class Reporter {
 public:
  Reporter(std::string_view origin, std::vector<Problem>& problems) : origin_(origin), problems_(problems) {}

  void selector(const Value& selector) {
    for (const Member& member : selector.members) {
      const std::string field = "spec.nodeSelector." + member.key;
      if (const std::string defect = key_defect(member.key); !defect.empty())
        refuse(member.mark, field, defect, "write the key of a label that Nodes have");
      if (const std::string defect = member.value.is_scalar() ? value_defect(member.value.text) : ""; !defect.empty())
        refuse(member.value.mark, field, defect, "write a value that a label can have");
    }
  }

  void affinity(const Value& affinity) {
    const std::string path = "spec.affinity.nodeAffinity.";
    if (const Value* required = affinity.find("requiredDuringSchedulingIgnoredDuringExecution");
        required && required->is(Value::Kind::map)) {
      const std::string field = path + "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
      const Value* terms = required->find("nodeSelectorTerms");
      if (!terms || (terms->items.empty() && (terms->is(Value::Kind::list) || terms->is(Value::Kind::null))))
        refuse(terms && terms->mark.line > 0 ? terms->mark : required->mark, field, "it needs a term",
               "write a term, or leave the required node affinity out");
      else
        for (std::size_t i = 0; i < terms->items.size(); ++i) term(terms->items[i], indexed(field, i), false);
    }
    const Value* preferred = affinity.find("preferredDuringSchedulingIgnoredDuringExecution");
    if (!preferred) return;
    for (std::size_t i = 0; i < preferred->items.size(); ++i) {
      const Value& each = preferred->items[i];
      const std::string field = indexed(path + "preferredDuringSchedulingIgnoredDuringExecution", i);
      const Value* weight = each.find("weight");
      const auto number = weight ? parse_int(weight->text) : std::nullopt;
      if (!weight || (number && (*number < 1 || *number > 100)))
        refuse(weight ? weight->mark : each.mark, field + ".weight",
               weight ? "it must be in the range 1 to 100" : "it is missing, and so 0",
               "write weight: with a number of 1 to 100");
      if (const Value* preference = each.find("preference")) term(*preference, field + ".preference", true);
    }
  }

  void tolerations(const Value& list) {
    for (std::size_t i = 0; i < list.items.size(); ++i)
      report(list.items[i], refusals_of(toleration_of(list.items[i])), indexed("spec.tolerations", i));
  }

  void containers(const Value& list, const std::string& name) {
    for (std::size_t i = 0; i < list.items.size(); ++i)
      if (const Value* resources = list.items[i].find("resources"))
        amounts(*resources, indexed("spec." + name, i) + ".resources");
  }

  bool has_refused = false;

 private:
  void refuse(Mark mark, const std::string& field, const std::string& why, const std::string& todo) {
    has_refused = true;
    Problem problem = refused(origin_, mark, field, why, todo);
    // A value of another kind was reported already; what else it lacks is not a second mistake.
    if (std::any_of(problems_.begin(), problems_.begin() + before_,
                    [&](const Problem& each) { return each.where == problem.where; }))
      return;
    problems_.push_back(std::move(problem));
  }

  void report(const Value& object, const std::vector<Refusal>& refusals, const std::string& path) {
    for (const Refusal& each : refusals) {
      const Value* at = object.find(each.field);
      refuse(at ? at->mark : object.mark, path + "." + each.field, each.why, each.todo);
    }
  }

  void term(const Value& term, const std::string& path, bool preferred) {
    for (const bool is_field : {false, true}) {
      const std::string name = is_field ? "matchFields" : "matchExpressions";
      const Value* list = term.find(name);
      if (!list) continue;
      for (std::size_t i = 0; i < list->items.size(); ++i)
        report(list->items[i], refusals_of(requirement_of(list->items[i], is_field), preferred),
               indexed(path + "." + name, i));
    }
  }

  /// The API server wants a limit for an extended resource, equal to the request.
  void amounts(const Value& resources, const std::string& path) {
    const Value* requests = resources.find("requests");
    const Value* limits = resources.find("limits");
    if (requests)
      for (const Member& member : requests->members) {
        if (!is_judged(member.key) || member.key.find("kubernetes.io/") != std::string::npos) continue;
        const Value* limit = limits ? limits->find(member.key) : nullptr;
        if (!limit || amount_of(limit->text) != amount_of(member.value.text))
          refuse(member.value.mark, path + ".requests." + member.key,
                 "an extended resource needs a limit that equals its request",
                 "set limits: {" + member.key + ": " + member.value.text + "}");
      }
    for (const std::string_view name : {"requests", "limits"})
      if (const Value* list = resources.find(name))
        for (const Member& member : list->members) amount(member, path + "." + std::string(name) + "." + member.key);
  }

  void amount(const Member& member, const std::string& field) {
    if (const std::string defect = qualified_name_defect(member.key); !defect.empty())
      refuse(member.mark, field, "it is not the name of a resource: " + defect, "write a name such as nvidia.com/gpu");
    else if (!is_judged(member.key) && member.key != "cpu" && member.key != "memory" &&
             member.key != "ephemeral-storage" && !member.key.starts_with("hugepages-"))
      refuse(member.mark, field, "containers have no such resource",
             // "gpu" is one letter from "cpu", and means something else.
             choice(member.key == "gpu" ? "" : member.key, {"cpu", "memory", "ephemeral-storage"},
                    "cpu, memory, ephemeral-storage, hugepages-SIZE, or the name of a device with its prefix, such as "
                    "nvidia.com/gpu"));
    else if (is_judged(member.key)) {
      if (const std::string why = resource_amount_defect(member.value.text); !why.empty())
        refuse(member.value.mark, field, why, std::string(kResourceAmountAdvice));
    } else if (!amount_of(member.value.text)) {
      refuse(member.value.mark, field, quote(member.value.text) + " is not an amount",
             "write an amount such as 2, 500m or 16Gi");
    }
  }

  const std::string_view origin_;
  std::vector<Problem>& problems_;
  const std::ptrdiff_t before_ = static_cast<std::ptrdiff_t>(problems_.size());
};

}  // namespace

std::vector<Refusal> refusals_of(const Toleration& toleration) {
  std::vector<Refusal> out;
  if (toleration.key.empty() && toleration.op != "Exists")
    out.push_back({"operator", "a toleration without a key needs the operator Exists, and tolerates every taint",
                   "write the key of the taint, or operator: Exists"});
  if (const std::string defect = toleration.key.empty() ? "" : key_defect(toleration.key); !defect.empty())
    out.push_back({"key", defect, "write the key of a taint that Nodes have"});
  if (toleration.has_seconds && toleration.effect != "NoExecute")
    out.push_back({"effect", "tolerationSeconds needs the effect NoExecute",
                   "leave tolerationSeconds out, or write effect: NoExecute"});
  if (toleration.op == "Exists") {
    if (!toleration.value.empty())
      out.push_back(
          {"value", "the operator Exists does not allow a value", "leave the value out, or write operator: Equal"});
  } else if (toleration.op == "Equal") {
    if (const std::string defect = value_defect(toleration.value); !defect.empty())
      out.push_back({"value", defect, "write a value that a taint can have"});
  } else if (toleration.op == "Lt" || toleration.op == "Gt") {
    out.push_back({"operator",
                   toleration.op + " needs the feature gate TaintTolerationComparisonOperators, which is "
                                   "off by default",
                   "use Equal or Exists"});
  } else {
    out.push_back({"operator", "there is no operator " + quote(toleration.op),
                   choice(toleration.op, {"Equal", "Exists"}, "Equal or Exists")});
  }
  if (!toleration.effect.empty() && !taint_effect_defect(toleration.effect).empty())
    out.push_back(
        {"effect", "there is no effect " + quote(toleration.effect), "use NoSchedule, PreferNoSchedule or NoExecute"});
  return out;
}

std::vector<Refusal> refusals_of(const Requirement& requirement, bool preferred) {
  std::vector<Refusal> out;
  if (requirement.is_field) {
    refuse_field_expression(requirement, out);
    return out;
  }
  const std::size_t count = requirement.values.size();
  switch (requirement.op) {
    case Op::unknown:
      out.push_back({"operator", "there is no operator " + quote(requirement.spelling),
                     choice(requirement.spelling, operator_names(), "In, NotIn, Exists, DoesNotExist, Gt or Lt")});
      break;
    case Op::in:
    case Op::not_in:
      if (count == 0) out.push_back({"values", requirement.spelling + " needs a value", "write a value"});
      break;
    case Op::exists:
    case Op::does_not_exist:
      if (count > 0)
        out.push_back({"values", requirement.spelling + " takes no values",
                       std::string("leave the values out, or use ") + (requirement.op == Op::exists ? "In" : "NotIn")});
      break;
    case Op::gt:
    case Op::lt:
      if (count != 1)
        out.push_back({"values", requirement.spelling + " takes exactly one value", "write one whole number"});
      break;
  }
  if (const std::string defect = key_defect(requirement.key); !defect.empty())
    out.push_back({"key", defect, "write the key of a label that Nodes have"});
  for (const std::string& value : requirement.values)
    if (const std::string defect = preferred ? "" : value_defect(value); !defect.empty())
      out.push_back({"values", defect, "write a value that a label can have"});
  return out;
}

bool report_refusals(const Value& spec, std::string_view origin, std::vector<Problem>& problems) {
  Reporter reporter(origin, problems);
  if (const Value* selector = spec.find("nodeSelector")) reporter.selector(*selector);
  if (const Value* affinity = at(spec, {"affinity", "nodeAffinity"})) reporter.affinity(*affinity);
  if (const Value* tolerations = spec.find("tolerations")) reporter.tolerations(*tolerations);
  for (const char* list : {"containers", "initContainers"})
    if (const Value* containers = spec.find(list)) reporter.containers(*containers, list);
  return reporter.has_refused;
}

}  // namespace nodescout::schedule
