#include "schedule/fleet.h"

#include <algorithm>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "nodescout/plan.h"

namespace nodescout::schedule {
namespace {

constexpr std::string_view kOwnership = "nfd.node.kubernetes.io/feature-labels";
constexpr std::size_t kMostValues = 32;  // of a key that no Pod names

Amounts amounts_in(const Value* map) {
  Amounts out;
  if (map)
    for (const Member& member : map->members)
      if (const auto amount = amount_of(member.value.text); amount && (is_judged(member.key) || member.key == kPods))
        out.insert_or_assign(member.key, *amount);
  return out;
}

LabelSelector selector_of(const Value& value) {
  using enum LabelSelector::Operator;
  LabelSelector out;
  if (const Value* labels = at(value, {"matchLabels"}))
    for (const Member& member : labels->members) out.terms.push_back({member.key, in, {member.value.text}});
  if (const Value* expressions = at(value, {"matchExpressions"}))
    for (const Value& each : expressions->items) {
      const std::string op = text_at(each, {"operator"});
      LabelSelector::Term term{text_at(each, {"key"}), op == "In"       ? in
                                                       : op == "NotIn"  ? not_in
                                                       : op == "Exists" ? exists
                                                                        : does_not_exist};
      if (const Value* values = at(each, {"values"}))
        for (const Value& wanted : values->items) term.values.push_back(wanted.text);
      out.terms.push_back(std::move(term));
    }
  return out;
}

}  // namespace

const std::string* NodeColumns::find(const Requirement& requirement) const {
  if (requirement.is_field) return &name;
  const auto at = labels.find(requirement.key);
  return at == labels.end() ? nullptr : &at->second;
}

bool keeps_of_node(std::span<const std::string> path) {
  const std::string& top = path[0];
  if (path.size() == 1) return top == "metadata" || top == "spec" || top == "status";
  if (top == "metadata") {
    if (path.size() == 2) return path[1] == "name" || path[1] == "labels" || path[1] == "annotations";
    return path[1] != "annotations" || path[2].find("nfd.node.kubernetes.io/") != std::string::npos;
  }
  if (top == "spec") return path[1] == "taints" || path[1] == "unschedulable";
  return path[1] == "allocatable" || path[1] == "capacity";
}

NodeColumns columns_of(const Value& node) {
  NodeColumns out;
  out.name = text_at(node, {"metadata", "name"});
  std::vector<Attributes::value_type> labels;
  if (const Value* map = at(node, {"metadata", "labels"}))
    for (const Member& member : map->members) labels.emplace_back(member.key, member.value.text);
  out.labels = Attributes::from_unsorted(std::move(labels));
  NodeState state;
  std::set<std::string> instances;
  if (const Value* map = at(node, {"metadata", "annotations"}))
    for (const Member& member : map->members) {
      if (!member.key.ends_with(kOwnership)) continue;
      state.annotations.insert_or_assign(member.key, member.value.text);
      std::string instance = member.key.substr(0, member.key.size() - kOwnership.size());
      if (instance.ends_with('.')) instance.pop_back();
      instances.insert(std::move(instance));
    }
  for (const std::string& instance : instances) out.owned.merge(Ownership::read(state, instance).labels);
  out.has_agent = !instances.empty();
  if (const Value* taints = at(node, {"spec", "taints"}))
    for (const Value& taint : taints->items)
      out.taints.push_back({text_at(taint, {"key"}), text_at(taint, {"value"}), text_at(taint, {"effect"}), {}});
  out.is_unschedulable = text_at(node, {"spec", "unschedulable"}) == "true";
  out.allocatable = amounts_in(at(node, {"status", "allocatable"}));
  out.capacity = amounts_in(at(node, {"status", "capacity"}));
  return out;
}

bool Assigned::keeps(std::span<const std::string> path) {
  const std::string& top = path[0];
  if (path.size() == 1) return top == "spec" || top == "metadata";
  if (top == "metadata") return path[1] == "namespace";
  if (path[1] == "affinity")
    return path.size() == 2 || (path[2] == "podAntiAffinity" &&
                                (path.size() == 3 || path[3] == "requiredDuringSchedulingIgnoredDuringExecution"));
  if (path.size() == 2)
    return path[1] == "nodeName" || path[1] == "overhead" || path[1] == "containers" || path[1] == "initContainers";
  if (path[1] == "overhead") return is_judged(path[2]);
  if (path.size() == 3) return path[2] == "resources" || path[2] == "restartPolicy";
  if (path[2] != "resources") return false;
  return path.size() == 4 ? path[3] == "requests" : is_judged(path[4]);
}

void Assigned::add(const Value& pod) {
  const Value* spec = pod.find("spec");
  if (!spec) return;
  const std::string node = text_at(*spec, {"nodeName"});
  if (node.empty()) return;
  Usage& usage = by_node_[node];
  ++usage.pods;
  for (const auto& [name, amount] : requests_of(*spec)) usage.requests[name] += amount;
  add_anti_affinity(pod);
}

void Assigned::add_anti_affinity(const Value& pod) {
  const Value* terms =
      at(pod, {"spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  if (!terms) return;
  const std::string space = text_at(pod, {"metadata", "namespace"});
  for (const Value& term : terms->items) {
    // A term without a selector selects no Pod.
    const Value* selector = term.find("labelSelector");
    if (!selector || !selector->is(Value::Kind::map)) continue;
    const auto [entry, is_new] = repelled_.try_emplace(space + " " + to_json(term));
    if (!is_new) continue;
    entry->second.pods = selector_of(*selector);
    const Value* names = term.find("namespaces");
    const Value* spaces = term.find("namespaceSelector");
    // Labels of namespaces are not read: any of them may be selected.
    if (spaces && spaces->is(Value::Kind::map)) continue;
    if (names)
      for (const Value& name : names->items) entry->second.spaces.insert(name.text);
    if (entry->second.spaces.empty()) entry->second.spaces.insert(space);
  }
}

bool Assigned::may_repel(const PodDemand& demand) const {
  return std::any_of(repelled_.begin(), repelled_.end(), [&](const auto& entry) {
    const Repelled& repelled = entry.second;
    return (repelled.spaces.empty() || repelled.spaces.contains(demand.space)) && repelled.pods.matches(demand.labels);
  });
}

const Usage& Assigned::on(std::string_view node) const {
  static const Usage kNone;
  const auto at = by_node_.find(node);
  return at == by_node_.end() ? kNone : at->second;
}

namespace {

bool holds_for(const Requirement& requirement, const std::string* value) {
  const auto& wanted = requirement.values;
  const bool is_listed = value && std::find(wanted.begin(), wanted.end(), *value) != wanted.end();
  switch (requirement.op) {
    case Op::in: return is_listed;
    case Op::not_in: return !is_listed;
    case Op::exists: return value != nullptr;
    case Op::does_not_exist: return value == nullptr;
    case Op::gt:
    case Op::lt: {
      const auto has = value ? parse_int(*value) : std::nullopt;
      const auto bound = wanted.empty() ? std::nullopt : parse_int(wanted[0]);
      return has && bound && (requirement.op == Op::gt ? *has > *bound : *has < *bound);
    }
    case Op::unknown: return false;
  }
  return false;
}

}  // namespace

bool holds(const Requirement& requirement, const NodeColumns& node) {
  return holds_for(requirement, node.find(requirement));
}

bool would_hold(const Requirement& requirement, const std::string& value) { return holds_for(requirement, &value); }

bool matches(const SelectorTerm& term, const NodeColumns& node) {
  return term.defect.empty() && !term.requirements.empty() &&
         std::all_of(term.requirements.begin(), term.requirements.end(),
                     [&](const Requirement& requirement) { return holds(requirement, node); });
}

Census::Census(const std::vector<PodDemand>& demands) {
  const auto add = [&](const SelectorTerm& term) {
    for (const Requirement& requirement : term.requirements) named_.insert(requirement.key);
  };
  for (const PodDemand& demand : demands) {
    for (const Requirement& requirement : demand.selector) named_.insert(requirement.key);
    for (const SelectorTerm& term : demand.affinity) add(term);
    for (const Preference& preference : demand.preferences) add(preference.term);
  }
}

void Census::add(const NodeColumns& node) {
  ++nodes_;
  const auto count = [&](const std::string& key, const std::string& value) {
    Key& known = keys_[key];
    ++known.nodes;
    if (const auto at = known.values.find(value); at != known.values.end())
      ++at->second;
    else if (known.values.size() < kMostValues || named_.contains(key))
      known.values.emplace(value, 1);
    else
      known.is_cut = true;
  };
  for (const auto& [key, value] : node.labels) count(key, value);
  if (named_.contains("metadata.name")) count("metadata.name", node.name);
  for (const auto& [name, amount] : node.allocatable)
    if (amount > 0 && name != kPods) ++resources_[name];
  for (const Taint& taint : node.taints) ++taint_keys_[taint.key];
}

const Census::Key* Census::find(std::string_view key) const {
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : &at->second;
}

}  // namespace nodescout::schedule
