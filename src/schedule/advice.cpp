#include "schedule/advice.h"

#include <algorithm>
#include <limits>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/value_path.h"
#include "schedule/likeness.h"
#include "schedule/refusals.h"

namespace nodescout::schedule {
namespace {

constexpr std::string_view kForeignLabel = "ForeignLabel";
constexpr std::string_view kRefusedLabel = "RefusedLabel";
constexpr std::string_view kOwnTaints = "node.kubernetes.io/";  // of Kubernetes itself

using Names = std::vector<std::string>;

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

/// The text in quotes after `before`; empty if there is none.
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

/// `among`: only these Nodes; nullptr: all.
Said said_of(const std::string& key, const LabelKnowledge& labels, bool is_foreign, const Names* among) {
  Said said;
  for (const AgentNote& note : labels.notes) {
    if ((note.reason == kForeignLabel) != is_foreign || note.note.find("label " + quote(key)) == std::string::npos)
      continue;
    if (among && std::find(among->begin(), among->end(), note.node) == among->end()) continue;
    if (!said.first) said.first = &note;
    said.nodes.insert(note.node);
  }
  return said;
}

/// Anyone who may create Events can write one: it is never repeated as advice, only quoted.
std::string quotation(const AgentNote& said) { return "an Event of Node " + said.node + " says: " + quote(said.note); }

std::optional<Advice> advise_foreign(const Requirement& requirement, const LabelKnowledge& labels, const Names* among) {
  const Said said = said_of(requirement.key, labels, true, among);
  if (!said.first) return std::nullopt;
  const std::string wanted = quoted_behind(said.first->note, "where \"");
  if (wanted.empty() || !would_hold(requirement, wanted)) return std::nullopt;
  const auto count = static_cast<std::int64_t>(said.nodes.size());
  return Advice{"another owner set " + requirement.key + " on " + nodes(count) + "; " + quotation(*said.first),
                "remove the other owner's label (kubectl label node " + said.first->node + " " + requirement.key +
                    "-), or set restrictions.allowOverwrite: true"};
}

std::optional<Advice> advise_rejected(const Requirement& requirement, const LabelKnowledge& labels,
                                      const Names* among) {
  const Said said = said_of(requirement.key, labels, false, among);
  if (!said.first) return std::nullopt;
  return Advice{
      "nodescout left the label out on " + nodes(static_cast<std::int64_t>(said.nodes.size())) + "; " +
          quotation(*said.first),
      said.first->reason == kRefusedLabel
          ? "allow " + requirement.key + " in the admission policy's ConfigMap, or correct the rule that makes it"
          : "correct the rule that makes " + requirement.key};
}

bool wants_label(const Requirement& requirement) {
  return requirement.op != Op::not_in && requirement.op != Op::does_not_exist;
}

/// As a person would write it: "disk=ssd", "count Gt 4".
std::string written(const Requirement& requirement) {
  return requirement.op == Op::in && requirement.values.size() == 1 ? requirement.key + "=" + requirement.values[0]
                                                                    : requirement.text();
}

/// How many Nodes have one of the wanted values.
std::int64_t nodes_with(const Requirement& requirement, const Census::Key* known) {
  std::int64_t count = 0;
  if (known && requirement.op == Op::in)
    for (const std::string& value : requirement.values)
      if (const auto at = known->values.find(value); at != known->values.end()) count += at->second;
  return count;
}

std::string find_missing_key(const Requirement& requirement, const Census& census) {
  const std::string none = "no Node has the label " + requirement.key;
  const std::string_view like = like_key(requirement.key, census);
  if (like.empty()) return none;
  const Census::Key& known = *census.find(like);
  std::string finding = none + "; " + nodes_have(known.nodes) + " " + std::string(like);
  const auto is_close = [&](const std::string& value) {
    return known.values.contains(value) || !like_value(value, known).empty();
  };
  if (requirement.op == Op::in && std::none_of(requirement.values.begin(), requirement.values.end(), is_close))
    finding += ", as " + values_of(known);
  return finding;
}

std::string find_order(const Requirement& requirement, const Census::Key& known) {
  const bool is_gt = requirement.op == Op::gt;
  std::optional<std::int64_t> best;
  for (const auto& [value, nodes] : known.values)
    if (const auto number = parse_int(value))
      best = !best ? *number : is_gt ? std::max(*best, *number) : std::min(*best, *number);
  return best ? "the " + std::string(is_gt ? "largest" : "smallest") + " value is " + std::to_string(*best)
              : "the values of " + requirement.key + " are not integers: " + values_of(known);
}

/// For a Node whose label has this value, which a comparison refuses.
std::string fix_order(const Requirement& requirement, const std::string& key, const std::string& value) {
  const bool is_gt = requirement.op == Op::gt;
  const auto number = parse_int(value);
  if (!number)
    return "use In with the value " + quote(value) + ", or a label whose value is an integer: " + requirement.spelling +
           " compares nothing else";
  const std::string other = "add a Node with a " + std::string(is_gt ? "larger" : "smaller") + " value";
  // The bound must be a label value, which no number below 0 is.
  if (is_gt ? *number <= 0 : *number == std::numeric_limits<std::int64_t>::max())
    return "remove the term " + requirement.text() + ", or " + other;
  return "compare " + key + " with a number " + (is_gt ? "below " : "above ") + std::to_string(*number) + " (" +
         requirement.spelling + " is strict), or " + other;
}

/// A label value with which the requirement holds; nothing if no Node can have one.
std::optional<std::string> label_for(const Requirement& requirement) {
  if (!qualified_name_defect(requirement.key).empty()) return std::nullopt;
  std::vector<std::string> candidates = requirement.op == Op::in ? requirement.values : Names{""};
  if (requirement.op == Op::gt || requirement.op == Op::lt) {
    const auto bound = requirement.values.empty() ? std::nullopt : parse_int(requirement.values[0]);
    using Limits = std::numeric_limits<std::int64_t>;
    if (!bound || *bound == (requirement.op == Op::gt ? Limits::max() : Limits::min())) return std::nullopt;
    candidates = {std::to_string(requirement.op == Op::gt ? *bound + 1 : *bound - 1)};
  }
  for (const std::string& value : candidates)
    if (label_value_defect(value).empty()) return value;
  return std::nullopt;
}

std::string fix_other_value(const Requirement& requirement, const std::string& value, const Census& census) {
  const Census::Key* known = census.find(requirement.key);
  if (const std::int64_t count = nodes_with(requirement, known); count > 0)
    return "remove " + written(requirement) + ", or make " + (count == 1 ? "the Node" : "one of the " + nodes(count)) +
           " with it fit";
  const bool is_like = std::any_of(requirement.values.begin(), requirement.values.end(),
                                   [&](const std::string& wanted) { return is_like_value(wanted, value); });
  if (is_like) return "write " + requirement.key + ": " + value;
  const auto at = known ? known->values.find(value) : std::map<std::string, std::int64_t>::const_iterator{};
  return "choose a value of " + requirement.key + " that Nodes have: " + quote(value) +
         (known && at != known->values.end() ? " (" + std::to_string(at->second) + ")" : "");
}

/// For a Node without the label.
std::string fix_missing(const Failure& failure, const std::string& node, const Census& census,
                        const LabelKnowledge& labels) {
  const Requirement& requirement = *failure.requirement;
  if (!failure.like.empty()) {
    const std::string fix = "write " + failure.like + " instead of " + requirement.key;
    if (would_hold(requirement, failure.like_value)) return fix;
    if (requirement.op != Op::in) return fix + ", and " + fix_order(requirement, failure.like, failure.like_value);
    return fix + ", and " + quote(failure.like_value) + " instead of " +
           (requirement.values.size() == 1 ? quote(requirement.values[0]) : "its values");
  }
  const Census::Key* known = census.find(requirement.key);
  if (const std::int64_t count = nodes_with(requirement, known); count > 0)
    return "remove " + written(requirement) + ", or make " + (count == 1 ? "the Node" : "one of the " + nodes(count)) +
           " with it fit";
  const bool is_made = labels.chain && !labels.chain(requirement.key).empty();
  if (is_made && !known)
    return "no machine of this cluster has what makes " + requirement.key +
           " (see its chain): add such a Node, or remove the term";
  if (is_made) return "remove the term " + written(requirement) + ", or add a Node that has it";
  const auto value = label_for(requirement);
  if (!value) return "remove the term " + written(requirement) + ": no Node can have such a label";
  return "label the Nodes that it should match (kubectl label node " + (known ? node : "NAME") + " " + requirement.key +
         "=" + *value + "), or remove the term";
}

/// For taints that describe the state of a Node, and that no Pod should tolerate.
std::string fix_of_condition(const Taint& taint, const std::string& node) {
  const std::string name(kOwnTaints);
  if (taint.key == name + "not-ready" || taint.key == name + "unreachable" ||
      (taint.key.starts_with(name) && taint.key.ends_with("-pressure")) || taint.key == name + "network-unavailable" ||
      taint.key == "node.cloudprovider.kubernetes.io/uninitialized")
    return "see why Node " + node + " is not healthy: kubectl describe node " + node;
  if (taint.key == name + "unschedulable") return "kubectl uncordon " + node;
  if (taint.key.starts_with("startup-taint.cluster-autoscaler.kubernetes.io/") ||
      taint.key.starts_with("readiness.k8s.io/"))
    return "wait until Node " + node + " has started: its conditions name what " + taint.key + " waits for";
  return "";
}

/// One toleration with its mistakes corrected, and what was changed for that.
struct Correction {
  Toleration toleration;
  Names changes;            // "write value "a" instead of "b""
  std::string alternative;  // another way, where a single change is enough
};

Correction corrected(const Toleration& toleration, const Taint& taint) {
  Correction out{toleration, {}, ""};
  Toleration& fixed = out.toleration;
  const auto change = [&](const std::string& text) { out.changes.push_back(text); };
  if (fixed.op.empty()) fixed.op = "Equal";
  if (fixed.key != taint.key) {
    change("the key " + taint.key + " instead of " + fixed.key);
    fixed.key = taint.key;
  }
  if (fixed.op != "Equal" && fixed.op != "Exists") {
    const std::string former = fixed.op;
    fixed.op = fixed.value == taint.value && !taint.value.empty() ? "Equal" : "Exists";
    change(
        "operator " + fixed.op + " instead of " + former +
        (former == "Lt" || former == "Gt" ? ", which needs the feature gate TaintTolerationComparisonOperators," : ""));
  }
  if (fixed.op == "Exists" && !fixed.value.empty()) {
    change("no value with operator Exists");
    fixed.value.clear();
  }
  if (fixed.op == "Equal" && fixed.value != taint.value) {
    change("value " + quote(taint.value) + " instead of " + quote(fixed.value));
    out.alternative = "operator Exists without a value";
    fixed.value = taint.value;
  }
  if (!fixed.effect.empty() && fixed.effect != taint.effect) {
    change("effect " + taint.effect + " instead of " + fixed.effect);
    out.alternative = "leave the effect out";
    fixed.effect = taint.effect;
  }
  if (fixed.has_seconds && fixed.effect != "NoExecute") {
    change("no tolerationSeconds beside the effect " + (fixed.effect.empty() ? "of every kind" : fixed.effect));
    fixed.has_seconds = false;
  }
  fixed.is_refused = !refusals_of(fixed).empty();
  return out;
}

/// The change that makes one of the tolerations tolerate the taint, and loses none that they tolerate now; it is then
/// made in `tolerations`. Empty: there is none.
std::string correct_toleration(const Taint& taint, const std::vector<Taint>& of_node,
                               std::vector<Toleration>& tolerations) {
  const auto is_right = [&](const Toleration& fixed, std::size_t at) {
    std::vector<Toleration> then = tolerations;
    then[at] = fixed;
    return is_tolerated(taint, then) && std::all_of(of_node.begin(), of_node.end(), [&](const Taint& each) {
             return !is_tolerated(each, tolerations) || is_tolerated(each, then);
           });
  };
  std::vector<std::string_view> alike;
  for (const Toleration& each : tolerations)
    // Those of the cluster's own keys were added when the Pod was created.
    if (each.key != taint.key && !each.key.starts_with(kOwnTaints) && is_like_key(each.key, taint.key))
      alike.push_back(each.key);
  const std::string like(likeliest(taint.key, alike));
  std::optional<Correction> best;
  std::size_t best_at = 0;
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    const Toleration& each = tolerations[i];
    if (each.key != taint.key && (like.empty() || each.key != like)) continue;
    Correction one = corrected(each, taint);
    if (one.changes.empty()) continue;
    Toleration wider = one.toleration;  // where the narrow one would lose another taint of the Node
    wider.effect = one.toleration.effect == each.effect ? each.effect : "";
    if (!is_right(one.toleration, i)) {
      if (!is_right(wider, i) || one.changes.back().rfind("effect ", 0) != 0) continue;
      one.changes.back() = "no effect, which means every effect";
      one.toleration = wider;
      one.alternative.clear();
    }
    if (!best || one.changes.size() < best->changes.size()) best = std::move(one), best_at = i;
  }
  if (!best) return "";
  const std::string in = best->toleration.key == tolerations[best_at].key ? "in the toleration of " + taint.key
                                                                          : std::string("in the tolerations");
  std::string fix = in + " write " + join(best->changes, " and ");
  if (best->changes.size() == 1 && !best->alternative.empty()) fix += ", or " + best->alternative;
  tolerations[best_at] = best->toleration;
  return fix;
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

std::string find_label(const Requirement& requirement, const Census& census, const LabelKnowledge& labels) {
  if (wants_label(requirement)) {
    if (auto advice = advise_foreign(requirement, labels, nullptr)) return advice->finding;
    if (auto advice = advise_rejected(requirement, labels, nullptr)) return advice->finding;
  }
  const Census::Key* known = census.find(requirement.key);
  if (!known) return wants_label(requirement) ? find_missing_key(requirement, census) : "";
  switch (requirement.op) {
    case Op::exists:
    case Op::does_not_exist: return nodes_have(known->nodes) + " " + requirement.key;
    case Op::not_in: return "Nodes have " + values_of(*known);
    case Op::gt:
    case Op::lt: return find_order(requirement, *known);
    case Op::in: break;
    case Op::unknown: return "";
  }
  if (const std::int64_t count = nodes_with(requirement, known); count > 0) {
    Names quoted;
    for (const std::string& value : requirement.values)
      if (known->values.contains(value)) quoted.push_back(quote(value));
    return nodes_have(count) + " " + join(quoted, " or ");
  }
  for (const std::string& value : requirement.values)
    if (const std::string_view guess = like_value(value, *known); !guess.empty()) {
      const std::int64_t count = known->values.find(guess)->second;
      return "no Node has " + quote(value) + "; " + std::to_string(count) + (count == 1 ? " has " : " have ") +
             quote(guess);
    }
  Names quoted;
  for (const std::string& value : requirement.values) quoted.push_back(quote(value));
  return "no Node has " + join(quoted, " or ") + "; Nodes have " + values_of(*known);
}

std::string fix_of_label(const Failure& failure, const Names& group, const Census& census,
                         const LabelKnowledge& labels) {
  const Requirement& requirement = *failure.requirement;
  if (wants_label(requirement)) {
    if (auto advice = advise_foreign(requirement, labels, &group)) return advice->fix;
    if (!failure.value)
      if (auto advice = advise_rejected(requirement, labels, &group)) return advice->fix;
    if (!failure.value) return fix_missing(failure, group.front(), census, labels);
  }
  switch (requirement.op) {
    case Op::does_not_exist:
      return "remove the term " + requirement.text() + ", or the label (kubectl label node " + group.front() + " " +
             requirement.key + "-)";
    case Op::not_in:
      // Without a value the scheduler does not read the term.
      return requirement.values.size() > 1 ? "remove the value " + quote(*failure.value) + " from " + requirement.text()
                                           : "remove the term " + requirement.text();
    case Op::gt:
    case Op::lt: return fix_order(requirement, requirement.key, *failure.value);
    case Op::in: return fix_other_value(requirement, *failure.value, census);
    case Op::exists:
    case Op::unknown: break;
  }
  return "correct the operator " + quote(requirement.spelling);
}

std::vector<std::string> fixes_of_taints(const std::vector<Taint>& untolerated, const std::vector<Taint>& of_node,
                                         std::vector<Toleration> tolerations, const std::string& node) {
  std::vector<std::string> fixes(untolerated.size());
  for (std::size_t i = 0; i < untolerated.size(); ++i) {
    const Taint& taint = untolerated[i];
    if (!fixes[i].empty()) continue;
    fixes[i] = fix_of_condition(taint, node);
    if (!fixes[i].empty()) continue;
    fixes[i] = correct_toleration(taint, of_node, tolerations);
    if (fixes[i].empty()) {
      tolerations.push_back({taint.key, taint.value.empty() ? "Exists" : "Equal", taint.value, taint.effect});
      fixes[i] = "add to the Pod's tolerations {key: " + taint.key +
                 (taint.value.empty() ? ", operator: Exists" : ", operator: Equal, value: " + quote(taint.value)) +
                 ", effect: " + taint.effect + "}";
    }
    for (std::size_t other = i + 1; other < untolerated.size(); ++other)
      if (fixes[other].empty() && is_tolerated(untolerated[other], tolerations)) fixes[other] = fixes[i];
  }
  return fixes;
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
