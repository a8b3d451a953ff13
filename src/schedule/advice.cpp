#include "schedule/advice.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/value_path.h"
#include "schedule/likeness.h"

namespace nodescout::schedule {
namespace {

constexpr std::string_view kForeignLabel = "ForeignLabel";
constexpr std::string_view kRefusedLabel = "RefusedLabel";

/// The values of a key, the most frequent first: "a" (12), "b" (3), ...
std::string values_of(const Census::Key& key) {
  constexpr std::size_t kMost = 5;
  std::vector<std::pair<std::int64_t, std::string>> sorted;
  for (const auto& [value, nodes] : key.values) sorted.emplace_back(-nodes, value);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(kMost, sorted.size()); ++i)
    texts.push_back(quote(sorted[i].second) + " (" + std::to_string(-sorted[i].first) + ")");
  if (sorted.size() > kMost) texts.emplace_back("...");
  return join(texts, ", ");
}

std::string_view like_value(const std::string& wanted, const Census::Key& key) {
  std::vector<std::string_view> alike;
  for (const auto& [value, nodes] : key.values)
    if (is_like_value(wanted, value)) alike.push_back(value);
  return likeliest(wanted, alike);
}

std::string_view like_key(const std::string& wanted, const Census& census) {
  std::vector<std::string_view> alike;
  for (const auto& [key, known] : census.keys())
    if (is_like_key(wanted, key)) alike.push_back(key);
  return likeliest(wanted, alike);
}

/// The text in quotes behind `before`; empty if there is none.
std::string quoted_behind(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at + before.size();
  const std::size_t end = text.find('"', begin);
  return end == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin));
}

/// What an agent says about the label, and of how many Nodes.
struct Said {
  const AgentNote* first = nullptr;
  std::set<std::string_view> nodes;
};

Said said_of(const std::string& key, const LabelKnowledge& labels, bool is_foreign) {
  Said said;
  for (const AgentNote& note : labels.notes) {
    if ((note.reason == kForeignLabel) != is_foreign || note.note.find("label " + quote(key)) == std::string::npos)
      continue;
    if (!said.first) said.first = &note;
    said.nodes.insert(note.node);
  }
  return said;
}

/// Whoever may create Events can write one: never repeated as advice, only as what somebody says.
std::string quotation(const AgentNote& said) { return "an Event of Node " + said.node + " says: " + quote(said.note); }

bool would_hold(const Requirement& requirement, const std::string& value) {
  NodeColumns node;
  node.labels.insert_or_assign(requirement.key, value);
  return holds(requirement, node);
}

std::optional<Advice> advise_foreign(const Requirement& requirement, const LabelKnowledge& labels) {
  const Said said = said_of(requirement.key, labels, true);
  if (!said.first) return std::nullopt;
  const std::string wanted = quoted_behind(said.first->note, "where \"");
  if (wanted.empty() || !would_hold(requirement, wanted)) return std::nullopt;
  const auto count = static_cast<std::int64_t>(said.nodes.size());
  return Advice{"another owner set " + requirement.key + " on " + nodes(count) + "; " + quotation(*said.first),
                "remove the other owner's label (kubectl label node " + said.first->node + " " + requirement.key +
                    "-), or set restrictions.allowOverwrite: true"};
}

std::optional<Advice> advise_rejected(const Requirement& requirement, const LabelKnowledge& labels) {
  const Said said = said_of(requirement.key, labels, false);
  if (!said.first) return std::nullopt;
  return Advice{
      "nodescout left the label out on " + nodes(static_cast<std::int64_t>(said.nodes.size())) + "; " +
          quotation(*said.first),
      said.first->reason == kRefusedLabel
          ? "allow " + requirement.key + " in the admission policy's ConfigMap, or correct the rule that makes it"
          : "correct the rule that makes " + requirement.key};
}

std::string written(const Requirement& requirement) {
  return requirement.values.size() == 1 ? requirement.key + "=" + requirement.values[0] : requirement.key;
}

/// No Node has the key at all.
Advice advise_missing_key(const Requirement& requirement, const Census& census, const LabelKnowledge& labels) {
  const std::string none = "no Node has the label " + requirement.key;
  if (const std::string_view like = like_key(requirement.key, census); !like.empty()) {
    const Census::Key& known = *census.find(like);
    Advice advice{none + "; " + nodes_have(known.nodes) + " " + std::string(like),
                  "write " + std::string(like) + " instead of " + requirement.key};
    if (requirement.op != Op::in) return advice;
    for (const std::string& value : requirement.values) {
      if (known.values.contains(value)) return advice;
      if (const std::string_view guess = like_value(value, known); !guess.empty()) {
        advice.fix += ", and " + quote(guess) + " instead of " + quote(value);
        return advice;
      }
    }
    advice.finding += ", as " + values_of(known);
    advice.fix += ", with a value that Nodes have: " + values_of(known);
    return advice;
  }
  const std::vector<std::string> chain = labels.chain ? labels.chain(requirement.key) : std::vector<std::string>{};
  if (!chain.empty())
    return {none, "no machine of this cluster has what makes " + requirement.key +
                      " (see its chain): add such a Node, or remove the term"};
  return {none, "label the Nodes that are meant (kubectl label node NAME " +
                    (requirement.values.empty() ? requirement.key + "=" : written(requirement)) +
                    "), or remove the term"};
}

Advice advise_order(const Requirement& requirement, const Census::Key& known) {
  const bool is_gt = requirement.op == Op::gt;
  std::optional<std::int64_t> best;
  for (const auto& [value, nodes] : known.values)
    if (const auto number = parse_int(value))
      best = !best ? *number : is_gt ? std::max(*best, *number) : std::min(*best, *number);
  const std::string bound = requirement.values.empty() ? "" : requirement.values[0];
  if (!best)
    return {"the values of " + requirement.key + " are not integers: " + values_of(known),
            "use In with one of these values, or a label whose value is an integer: " + requirement.spelling +
                " compares nothing else"};
  return {"the " + std::string(is_gt ? "largest" : "smallest") + " value is " + std::to_string(*best),
          "compare " + requirement.key + " with a number " + (is_gt ? "below " : "above ") + std::to_string(*best) +
              " (" + requirement.spelling + " is strict), or add a Node with a " + (is_gt ? "larger" : "smaller") +
              " value"};
}

}  // namespace

std::optional<AgentNote> agent_note_of(const Value& event) {
  AgentNote note{text_at(event, {"regarding", "name"}), text_at(event, {"reason"}), text_at(event, {"note"})};
  // An agent reports about its own Node only; the name becomes part of a command.
  if (text_at(event, {"regarding", "kind"}) != "Node" || text_at(event, {"reportingInstance"}) != note.node ||
      !object_name_defect(note.node).empty())
    return std::nullopt;
  return note;
}

std::string nodes(std::int64_t count) { return std::to_string(count) + (count == 1 ? " Node" : " Nodes"); }
std::string nodes_have(std::int64_t count) { return nodes(count) + (count == 1 ? " has" : " have"); }

Advice advise_label(const Requirement& requirement, const Census& census, const LabelKnowledge& labels) {
  const bool wants_it = requirement.op != Op::not_in && requirement.op != Op::does_not_exist;
  if (wants_it) {
    if (auto advice = advise_foreign(requirement, labels)) return *std::move(advice);
    if (auto advice = advise_rejected(requirement, labels)) return *std::move(advice);
  }
  const Census::Key* known = census.find(requirement.key);
  switch (requirement.op) {
    case Op::exists:
      if (!known) return advise_missing_key(requirement, census, labels);
      return {nodes_have(known->nodes) + " " + requirement.key, "remove the term " + requirement.text()};
    case Op::does_not_exist:
      return {known ? nodes_have(known->nodes) + " " + requirement.key : "",
              "remove the term " + requirement.text() + ", or the label from a Node"};
    case Op::not_in:
      return {known ? "Nodes have " + values_of(*known) : "",
              "take a value out of " + requirement.text() + ", or add a Node with another one"};
    case Op::gt:
    case Op::lt: return known ? advise_order(requirement, *known) : advise_missing_key(requirement, census, labels);
    case Op::in: break;
    case Op::unknown: return {"", "correct the operator " + quote(requirement.spelling)};
  }
  if (!known) return advise_missing_key(requirement, census, labels);
  for (const std::string& value : requirement.values)
    if (known->values.contains(value)) {
      const std::int64_t count = known->values.find(value)->second;
      return {nodes_have(count) + " " + quote(value),
              "remove " + written(requirement) + ", or make one of the " + nodes(count) + " with it fit"};
    }
  for (const std::string& value : requirement.values)
    if (const std::string_view guess = like_value(value, *known); !guess.empty())
      return {"no Node has " + quote(value) + "; " + std::to_string(known->values.find(guess)->second) + " have " +
                  quote(guess),
              "write " + requirement.key + ": " + std::string(guess)};
  std::vector<std::string> quoted;
  for (const std::string& value : requirement.values) quoted.push_back(quote(value));
  return {"no Node has " + join(quoted, " or ") + "; Nodes have " + values_of(*known),
          "choose a value of " + requirement.key + " that Nodes have: " + values_of(*known)};
}

std::string fix_of_taint(const Taint& taint, const std::vector<Toleration>& tolerations, const std::string& node) {
  const std::string whole = taint.key + (taint.value.empty() ? "" : "=" + taint.value) + ":" + taint.effect;
  const std::string name = "node.kubernetes.io/";
  if (taint.key == name + "not-ready" || taint.key == name + "unreachable" || taint.key.ends_with("-pressure") ||
      taint.key == name + "network-unavailable" || taint.key == "node.cloudprovider.kubernetes.io/uninitialized")
    return "see why Node " + node + " is not healthy: kubectl describe node " + node;
  if (taint.key == name + "unschedulable") return "kubectl uncordon " + node;
  if (taint.key.starts_with("startup-taint.cluster-autoscaler.kubernetes.io/") ||
      taint.key.starts_with("readiness.k8s.io/"))
    return "wait until Node " + node + " has started: its conditions name what " + taint.key + " waits for";
  std::vector<std::string_view> alike;
  for (const Toleration& each : tolerations) {
    if (each.key == taint.key && !each.effect.empty() && each.effect != taint.effect) {
      Toleration other = each;
      other.effect = taint.effect;
      if (other.tolerates(taint))
        return "in the toleration of " + taint.key + " write effect " + taint.effect + " instead of " + each.effect +
               ", or leave the effect out";
    }
    if (each.key == taint.key && (each.op == "Lt" || each.op == "Gt"))
      return "tolerate " + whole + " with the operator Equal or Exists: " + each.op +
             " needs the feature gate TaintTolerationComparisonOperators";
    if (each.key == taint.key && each.op == "Equal" && each.value != taint.value)
      return "in the toleration of " + taint.key + " write value " + quote(taint.value) + " instead of " +
             quote(each.value) + ", or operator Exists without a value";
    if (is_like_key(each.key, taint.key)) alike.push_back(each.key);
  }
  if (const std::string_view like = likeliest(taint.key, alike); !like.empty())
    return "in the tolerations write the key " + taint.key + " instead of " + std::string(like);
  return "add to the Pod's tolerations {key: " + taint.key +
         (taint.value.empty() ? ", operator: Exists" : ", operator: Equal, value: " + quote(taint.value)) +
         ", effect: " + taint.effect + "}";
}

Advice advise_missing_resource(const std::string& name, const Census& census) {
  std::vector<std::string_view> alike;
  for (const auto& [other, count] : census.resources())
    if (is_like_key(name, other)) alike.push_back(other);
  const std::string none = "no Node has any " + name;
  if (const std::string_view like = likeliest(name, alike); !like.empty())
    return {none + "; " + nodes_have(census.resources().find(like)->second) + " " + std::string(like),
            "request " + std::string(like) + " instead of " + name};
  return {none, "install the device plugin that provides " + name + ", or correct the name of the resource"};
}

}  // namespace nodescout::schedule
