// NFD's NodeFeature object of this node, for clusters in which a central controller (nfd-master) decides: read,
// compare, and create or replace. Only NFD's worker's rights are needed: get, create, update.
#pragma once

#include <string>
#include <vector>

#include "kube/api.h"
#include "publish/publisher.h"

namespace nodescout {

/// Owners of the object: it is garbage-collected with them.
struct ObjectOwner {
  std::string node;     // its name: the object's name
  std::string pod;      // $POD_NAME, empty if unknown
  std::string pod_uid;  // $POD_UID
  std::string space;    // namespace
};

class NodeFeaturePublisher final : public Publisher {
 public:
  /// `references`: which of node, pod, ds become owner references. `unpublished`: patterns of feature keys that are
  /// left out; "*" at the end matches anything.
  NodeFeaturePublisher(Api& api, ObjectOwner owner, std::vector<std::string> references,
                       std::vector<std::string> unpublished)
      : api_(api), owner_(std::move(owner)), references_(std::move(references)), unpublished_(std::move(unpublished)) {}

  Result<Published> publish(const Report& report, const std::stop_token& stop) override;
  /// Deletes the object.
  Result<Published> remove(const std::string& instance, bool dry_run, const std::stop_token& stop) override;

 private:
  Result<std::vector<Value>> owner_references(const std::stop_token& stop);
  std::string path() const;

  Api& api_;
  const ObjectOwner owner_;
  const std::vector<std::string> references_, unpublished_;
};

}  // namespace nodescout
