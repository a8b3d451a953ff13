// Changes -> JSON merge patches. A merge patch works even if the Node lacks a map, and null removes a key that may
// not exist.
#include <algorithm>

#include "document/json.h"
#include "document/value.h"
#include "nodescout/plan.h"
#include "plan/ownership.h"
#include "plan/startup_taint.h"

namespace nodescout {
namespace {

using Kind = Change::Kind;
using Action = Change::Action;

void settle(Ownership& owned, const Change& change) {
  const auto keys = [&](std::set<std::string, std::less<>>& set) {
    if (change.is_removal())
      set.erase(change.key);
    else
      set.insert(change.key);
  };
  switch (change.kind) {
    case Kind::label: return keys(owned.labels);
    case Kind::annotation: return keys(owned.annotations);
    case Kind::extended_resource: return keys(owned.extended_resources);
    case Kind::taint: break;
  }
  const auto at = std::find_if(owned.taints.begin(), owned.taints.end(), [&](const Taint& taint) {
    return taint.key == change.taint.key && taint.effect == change.taint.effect;
  });
  if (change.is_removal()) {
    if (at != owned.taints.end()) owned.taints.erase(at);
  } else if (at == owned.taints.end()) {
    owned.taints.push_back(change.taint);
  } else {
    *at = change.taint;
  }
}

/// Value of one key in a merge patch: a text, or null to remove.
Value entry_of(const Change& change) { return change.action == Action::remove ? Value{} : Value::string(change.after); }

bool writes(const Change& change) { return change.action == Action::set || change.action == Action::remove; }

/// Those of the changes that belong in that part of the Node.
std::vector<Change> changes_of(NodePart part, const std::vector<Change>& changes) {
  std::vector<Change> out;
  std::copy_if(changes.begin(), changes.end(), std::back_inserter(out),
               [&](const Change& change) { return part_of(change) == part; });
  return out;
}

/// What changes in the ownership annotations from one state to the other, as entries of a merge patch.
void add_ownership(const NodeState& now, const NodeState& after, const PlanOptions& options, Value& annotations) {
  for (const Kind kind : {Kind::label, Kind::annotation, Kind::taint, Kind::extended_resource}) {
    const std::string key = ownership_key(kind, options.instance);
    const auto before = now.annotations.find(key);
    const auto then = after.annotations.find(key);
    if (then == after.annotations.end()) {
      if (before != now.annotations.end()) annotations.add(key, Value{});
    } else if (before == now.annotations.end() || before->second != then->second) {
      annotations.add(key, Value::string(then->second));
    }
  }
}

void apply_taint(NodeState& node, const Change& change) {
  for (std::size_t i = 0; i < node.taints.size(); ++i) {
    if (node.taints[i].key != change.taint.key || node.taints[i].effect != change.taint.effect) continue;
    if (change.action == Action::set) {
      node.taints[i].value = change.taint.value;
    } else {
      node.taints.erase(node.taints.begin() + static_cast<std::ptrdiff_t>(i));
      if (i < node.taint_times.size())
        node.taint_times.erase(node.taint_times.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return;
  }
  if (change.action != Action::set) return;
  node.taints.push_back(change.taint);
  node.taint_times.resize(node.taints.size());
}

Value taint_list(const NodeState& node) {
  Value list = Value::list();
  for (std::size_t i = 0; i < node.taints.size(); ++i) {
    Value taint = Value::map();
    taint.add("key", Value::string(node.taints[i].key));
    if (!node.taints[i].value.empty()) taint.add("value", Value::string(node.taints[i].value));
    taint.add("effect", Value::string(node.taints[i].effect));
    if (i < node.taint_times.size() && !node.taint_times[i].empty())
      taint.add("timeAdded", Value::string(node.taint_times[i]));
    list.items.push_back(std::move(taint));
  }
  return list;
}

}  // namespace

NodeState apply(NodeState now, const std::vector<Change>& changes, const PlanOptions& options) {
  Ownership owned = Ownership::read(now, options.instance);
  for (const Change& change : changes) {
    settle(owned, change);
    if (!writes(change)) continue;
    const auto keyed = [&](Attributes& map) {
      if (change.action == Action::set)
        map.insert_or_assign(change.key, change.after);
      else
        map.erase(change.key);
    };
    switch (change.kind) {
      case Kind::label: keyed(now.labels); break;
      case Kind::annotation: keyed(now.annotations); break;
      case Kind::taint: apply_taint(now, change); break;
      case Kind::extended_resource:
        keyed(now.capacity);
        if (change.action == Action::remove || now.allocatable.contains(change.key)) keyed(now.allocatable);
        break;
    }
  }
  for (const Kind kind : {Kind::label, Kind::annotation, Kind::taint, Kind::extended_resource}) {
    const std::string key = ownership_key(kind, options.instance);
    const std::string text = ownership_text(kind, owned);
    if (text.empty())
      now.annotations.erase(key);
    else
      now.annotations.insert_or_assign(key, text);
  }
  return now;
}

NodePart part_of(const Change& change) {
  return change.kind == Kind::extended_resource && writes(change) ? NodePart::status : NodePart::metadata;
}

std::string metadata_patch(const NodeState& now, const std::vector<Change>& all, const PlanOptions& options) {
  const std::vector<Change> changes = changes_of(NodePart::metadata, all);
  if (changes.empty()) return "";
  const NodeState after = apply(now, changes, options);
  Value labels = Value::map();
  Value annotations = Value::map();
  bool any_taint = false;
  for (const Change& change : changes) {
    if (!writes(change)) continue;
    if (change.kind == Kind::label) labels.add(change.key, entry_of(change));
    if (change.kind == Kind::annotation) annotations.add(change.key, entry_of(change));
    any_taint |= change.kind == Kind::taint;
  }
  add_ownership(now, after, options, annotations);
  if (labels.members.empty() && annotations.members.empty() && !any_taint) return "";
  Value metadata = Value::map();
  metadata.add("resourceVersion", Value::string(now.resource_version));
  if (!labels.members.empty()) metadata.add("labels", std::move(labels));
  if (!annotations.members.empty()) metadata.add("annotations", std::move(annotations));
  Value patch = Value::map();
  patch.add("metadata", std::move(metadata));
  if (any_taint) {
    // The list is replaced as a whole; resourceVersion keeps other writers' taints from being lost in between.
    Value spec = Value::map();
    spec.add("taints", taint_list(after));
    patch.add("spec", std::move(spec));
  }
  return to_json(patch);
}

std::string status_patch(const NodeState& now, const std::vector<Change>& all, const PlanOptions& options) {
  const std::vector<Change> changes = changes_of(NodePart::status, all);
  if (changes.empty()) return "";
  Value capacity = Value::map();
  Value allocatable = Value::map();
  for (const Change& change : changes) {
    capacity.add(change.key, entry_of(change));
    // A kubelet copies new resources to allocatable itself; what is there must follow, or go.
    if (change.action == Action::remove || now.allocatable.contains(change.key))
      allocatable.add(change.key, entry_of(change));
  }
  Value annotations = Value::map();
  add_ownership(now, apply(now, changes, options), options, annotations);
  Value metadata = Value::map();
  metadata.add("resourceVersion", Value::string(now.resource_version));
  if (!annotations.members.empty()) metadata.add("annotations", std::move(annotations));
  Value status = Value::map();
  status.add("capacity", std::move(capacity));
  if (!allocatable.members.empty()) status.add("allocatable", std::move(allocatable));
  Value patch = Value::map();
  patch.add("metadata", std::move(metadata));
  patch.add("status", std::move(status));
  return to_json(patch);
}

std::string taint_removal_patch(const NodeState& now, std::string_view key) {
  NodeState after = now;
  for (std::size_t i = after.taints.size(); i-- > 0;) {
    if (after.taints[i].key != key) continue;
    after.taints.erase(after.taints.begin() + static_cast<std::ptrdiff_t>(i));
    if (i < after.taint_times.size())
      after.taint_times.erase(after.taint_times.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Value metadata = Value::map();
  metadata.add("resourceVersion", Value::string(now.resource_version));
  Value spec = Value::map();
  spec.add("taints", taint_list(after));
  Value patch = Value::map();
  patch.add("metadata", std::move(metadata));
  patch.add("spec", std::move(spec));
  return to_json(patch);
}

}  // namespace nodescout
