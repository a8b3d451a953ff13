#include "publish/nodefeature_publisher.h"

#include <algorithm>

#include "base/text.h"
#include "document/value_path.h"
#include "feature/json.h"
#include "nodescout/version.h"
#include "publish/destinations.h"
#include "publish/label_changes.h"
#include "system/environment.h"

namespace nodescout {
namespace {

Value reference(const char* api, const char* kind, const std::string& name, const std::string& uid) {
  Value out = Value::map();
  out.add("apiVersion", Value::string(api));
  out.add("kind", Value::string(kind));
  out.add("name", Value::string(name));
  out.add("uid", Value::string(uid));
  return out;
}

/// Like Go's semantic equality: an empty map or list equals a missing one.
bool same_part(const Value* a, const Value* b) {
  const auto is_empty = [](const Value* value) {
    return !value || value->is(Value::Kind::null) ||
           (!value->is_scalar() && value->items.empty() && value->members.empty());
  };
  if (is_empty(a) || is_empty(b)) return is_empty(a) && is_empty(b);
  return same_content(*a, *b);
}

template <class Sets>
void keep_stale(const Sets& there, const std::set<std::string, std::less<>>& stale, Sets& into) {
  for (const auto& [key, set] : there)
    if (stale.contains(key) && !into.contains(key)) into.emplace(key, set);
}

}  // namespace

std::string NodeFeaturePublisher::path() const {
  return object_path(resources::kNodeFeatures, owner_.space, owner_.node);
}

Result<std::vector<Value>> NodeFeaturePublisher::owner_references(const std::stop_token& stop) {
  std::vector<Value> out;
  for (const std::string& kind : references_) {
    if (kind == "node") {
      const auto node = api_.get(object_path(resources::kNodes, {}, owner_.node), stop);
      if (!node) return node.error();
      out.push_back(reference("v1", "Node", owner_.node, text_at(*node, {"metadata", "uid"})));
    } else if (owner_.pod.empty()) {
      continue;
    } else if (kind == "pod") {
      if (!owner_.pod_uid.empty()) out.push_back(reference("v1", "Pod", owner_.pod, owner_.pod_uid));
    } else {
      const auto pod = api_.get(object_path(resources::kPods, owner_.space, owner_.pod), stop);
      if (!pod) return pod.error();
      const Value* owners = at(*pod, {"metadata", "ownerReferences"});
      if (!owners) continue;
      for (const Value& owner : owners->items) {
        if (text_at(owner, {"kind"}) != "DaemonSet" || text_at(owner, {"apiVersion"}) != "apps/v1") continue;
        Value copy = reference("apps/v1", "DaemonSet", text_at(owner, {"name"}), text_at(owner, {"uid"}));
        if (text_at(owner, {"controller"}) == "true") copy.add("controller", Value::boolean(true));
        out.push_back(std::move(copy));
      }
    }
  }
  for (Value& each : out) each.add("blockOwnerDeletion", Value::boolean(false));
  return out;
}

Result<Published> NodeFeaturePublisher::publish(const Report& report, const std::stop_token& stop) {
  Published published;
  auto there = api_.get(path(), stop);
  if (!there && there.error().code != Errc::absent) return there.error();

  Features features = report.features;
  Attributes before;
  if (there) {
    if (auto old = features_from_value(*there, path())) {
      keep_stale(old->features.flags, report.stale, features.flags);
      keep_stale(old->features.attributes, report.stale, features.attributes);
      keep_stale(old->features.instances, report.stale, features.instances);
      before = std::move(old->labels);
    }
  }
  const Attributes labels = settle_labels(before, report, published);
  leave_out(unpublished_, features);

  Value object = node_feature_object(owner_.node, features, labels);
  Value* metadata = &std::find_if(object.members.begin(), object.members.end(), [](const Member& member) {
                       return member.key == "metadata";
                     })->value;
  Value annotations = Value::map();
  if (!owner_.pod_uid.empty()) annotations.add("nfd.node.kubernetes.io/worker.pod.uid", Value::string(owner_.pod_uid));
  annotations.add("nfd.node.kubernetes.io/worker.version", Value::string(kVersion));
  metadata->add("annotations", std::move(annotations));
  auto owners = owner_references(stop);
  if (!owners) return owners.error();
  if (!owners->empty()) metadata->add("ownerReferences", Value::list(*std::move(owners)));

  if (!there) {
    const auto created = api_.create(collection_path(resources::kNodeFeatures, owner_.space), object, stop);
    if (!created) return created.error();
    return published;
  }
  const Value* old_metadata = there->find("metadata");
  bool is_same = same_part(there->find("spec"), object.find("spec"));
  for (const char* part : {"labels", "annotations", "ownerReferences"})
    is_same = is_same && same_part(old_metadata ? old_metadata->find(part) : nullptr, metadata->find(part));
  if (is_same) {
    published.changes.clear();
    return published;
  }
  // Everything that is not ours to write stays: finalizers, managed fields, the version.
  Value next = *there;
  Value next_metadata = old_metadata ? *old_metadata : Value::map();
  for (const char* part : {"labels", "annotations", "ownerReferences"}) {
    const Value* value = metadata->find(part);
    replace(next_metadata, part, value ? *value : Value{});
  }
  replace(next, "metadata", std::move(next_metadata));
  replace(next, "spec", *object.find("spec"));
  const auto updated = api_.update(path(), next, stop);
  if (!updated) return updated.error();
  return published;
}

Result<Published> NodeFeaturePublisher::remove(const std::string&, bool dry_run, const std::stop_token& stop) {
  const auto there = api_.get(path(), stop);
  Published published;
  if (!there) {
    if (there.error().code == Errc::absent) return published;
    return there.error();
  }
  if (const auto old = features_from_value(*there, path()))
    for (const auto& [key, value] : old->labels)
      published.changes.push_back({Change::Kind::label, Change::Action::remove, key, value, "", {}});
  if (dry_run) return published;
  const Status removed = api_.remove(path(), Value::map(), stop);
  if (!removed && removed.error().code != Errc::absent) return removed.error();
  return published;
}

namespace destination {
const Destination nodefeature{
    .name = "nodefeature", .needs_cluster = true, .takes_features = true, .publisher = [](const PublisherSetup& setup) {
      const auto environment = process_environment();
      return std::unique_ptr<Publisher>(std::make_unique<NodeFeaturePublisher>(
          setup.connection->api(),
          ObjectOwner{setup.node, environment("POD_NAME").value_or(""), environment("POD_UID").value_or(""),
                      setup.connection->space()},
          setup.owner_references, setup.unpublished_features));
    }};
}  // namespace destination

}  // namespace nodescout
