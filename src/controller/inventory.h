// What the controller knows of Nodes and NodeFeature objects: values only, no I/O and no clock. Each object is kept as
// compact JSON text of what rules look at, and equal texts are kept once: machines of one type differ in little.
//
// An object whose text is larger than kMostKept is not kept at all, but read again whenever its Node is evaluated, so
// memory stays bounded whatever rules ask for.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "document/value.h"
#include "nodescout/plan.h"

namespace nodescout {

/// Texts that are kept as long as something refers to them.
class TextPool {
 public:
  using Text = std::shared_ptr<const std::string>;
  Text intern(std::string text);
  std::size_t size() const { return texts_.size(); }

 private:
  std::unordered_multimap<std::size_t, std::weak_ptr<const std::string>> texts_;  // by hash
  std::size_t sweep_at_ = 256;
};

struct KeptObject {
  std::string space, name, node, resource_version, uid;
  TextPool::Text text;  // null: too large
};

/// What is known of one Node when it is evaluated.
struct NodeSnapshot {
  std::string name;
  std::string uid, resource_version;
  TextPool::Text metadata;          // labels and annotations
  std::vector<KeptObject> objects;  // in the order in which they are merged
  bool lost_objects = false;        // this process saw that an object of the Node was deleted
};

class Inventory {
 public:
  static constexpr std::size_t kMostKept = 12 << 10;

  /// `own_space`: the namespace whose objects are merged first.
  explicit Inventory(std::string own_space) : own_space_(std::move(own_space)) {}

  /// True if labels or annotations changed, so that the Node needs work.
  bool put_node(const Value& node);
  /// Names of its NodeFeature objects, which have no Node now.
  void remove_node(const std::string& name);

  /// Nodes that need work: none if nothing that counts changed.
  std::vector<std::string> put_object(const std::string& key, const Value& object);
  std::vector<std::string> remove_object(const std::string& key);
  /// Only if the object is still the one of that version: for a read that may be older than the watch.
  bool refresh_object(const std::string& key, const Value& object);

  std::optional<NodeSnapshot> node(std::string_view name) const;
  std::vector<std::string> node_names() const;
  bool has_node(std::string_view name) const { return nodes_.find(name) != nodes_.end(); }
  std::size_t node_count() const { return nodes_.size(); }
  std::size_t object_count() const { return objects_.size(); }
  std::size_t bytes_of_texts() const;

  /// Objects of Nodes that do not exist. Those that name no Node are not among them.
  std::vector<KeptObject> orphans() const;

 private:
  struct KeptNode {
    std::string uid, resource_version;
    TextPool::Text text;
  };

  void unlink(const std::string& node, const std::string& key);

  std::string own_space_;
  TextPool pool_;
  std::map<std::string, KeptNode, std::less<>> nodes_;
  std::map<std::string, KeptObject, std::less<>> objects_;                          // by key
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> of_node_;  // keys of objects
  std::set<std::string, std::less<>> lost_;  // Nodes of which an object was deleted
};

/// The Node as plan() takes it; taints and resources are unknown.
NodeState state_of(const NodeSnapshot& snapshot);

}  // namespace nodescout
