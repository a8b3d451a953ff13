// What the controller knows of Nodes and NodeFeature objects: values only, no I/O and no clock. Each object is kept as
// compact JSON text of what rules look at, and equal texts are kept once: machines of one type differ in little.
//
// An object whose text is larger than kMostKept is not kept at all, but read again whenever its Node is evaluated, so
// memory stays bounded whatever rules ask for.
#pragma once

#include <cstddef>
#include <cstdint>
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
  TextPool::Text text;        // null: too large, not all of it was read, or it does not count
  bool is_left_out = false;   // its namespace does not count, so only its names are kept
  bool has_vanished = false;  // its deletion is not believed yet (kube/deletions.h)
  std::size_t bytes = 0;      // of what rules look at, as JSON
};

/// Whether the server's object is the one that is known, still of the same Node: neither created anew nor moved.
bool is_same_object(const KeptObject& known, const Value& object);

/// What is known of one Node when it is evaluated.
struct NodeSnapshot {
  std::string name;
  std::string uid, resource_version;
  TextPool::Text metadata;          // labels and annotations
  std::vector<KeptObject> objects;  // that may count, in the order in which they are merged
  std::vector<std::string> beyond;  // "namespace/name" of objects that count and exceed the limits
  bool has_left_out = false;        // there are objects of it in namespaces that do not count
  bool lost_objects = false;        // this process saw that an object of the Node that counted was deleted
  std::size_t left_as = 0;          // hash of what this process wrote last, complete with all removals; 0: nothing
};

class Inventory {
 public:
  static constexpr std::size_t kMostKept = 12 << 10;

  /// `first_spaces`: namespaces whose objects are merged before all others, in this order.
  explicit Inventory(std::vector<std::string> first_spaces) : first_spaces_(std::move(first_spaces)) {}

  /// True if labels or annotations changed, so that the Node needs work.
  bool put_node(const Value& node);
  /// Names of its NodeFeature objects, which have no Node now.
  void remove_node(const std::string& name);

  /// How much of an object was read.
  enum class Part : std::uint8_t {
    names,   // its namespace does not count
    wanted,  // all that rules look at
    less,    // rules look at more by now
  };
  /// Nodes that need work: none if nothing that counts changed.
  std::vector<std::string> put_object(const std::string& key, const Value& object, Part part = Part::wanted);
  std::vector<std::string> remove_object(const std::string& key);
  /// It counts as it was.
  void note_vanished(const std::string& key);
  /// Only if the object is still the one of that version: for a read that may be older than the watch.
  bool refresh_object(const std::string& key, const Value& object);

  std::optional<NodeSnapshot> node(std::string_view name) const;
  std::vector<std::string> node_names() const;
  bool has_node(std::string_view name) const { return nodes_.find(name) != nodes_.end(); }
  /// A Node of that name is known, but with another UID.
  bool has_another_node(std::string_view name, std::string_view uid) const;
  std::size_t node_count() const { return nodes_.size(); }
  std::size_t object_count() const { return objects_.size(); }
  std::size_t bytes_of_texts() const;

  /// Namespaces of objects that are left out.
  std::vector<std::string> spaces_left_out() const;

  /// Nodes of which there are objects in that namespace.
  std::set<std::string> nodes_of_space(const std::string& space) const;

  /// Names of Nodes that do not exist and of which there are objects.
  std::vector<std::string> vanished() const;
  /// Of any namespace, whether they count or not.
  std::vector<KeptObject> objects_of(std::string_view node) const;

  /// What a Node looked like when this process had written it.
  void note_left_as(std::string_view node, std::size_t hash);
  /// This process wrote the Node that was in the snapshot, which is to be as `after` now: the watch is going to say so,
  /// which is not news. Anything else is.
  void expect(const NodeSnapshot& snapshot, const NodeState& after);

 private:
  struct KeptNode {
    std::string uid, resource_version;
    TextPool::Text text;
    std::size_t left_as = 0;
  };

  void unlink(const std::string& node, const std::string& key);
  void count_left_out(const KeptObject& object, bool is_there);

  std::vector<std::string> first_spaces_;
  TextPool pool_;
  std::map<std::string, KeptNode, std::less<>> nodes_;
  std::map<std::string, KeptObject, std::less<>> objects_;                          // by key
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> of_node_;  // keys of objects
  std::map<std::string, std::size_t, std::less<>> left_out_;                        // objects by namespace
  std::set<std::string, std::less<>> lost_;  // Nodes of which an object was deleted
};

/// The objects that exceed the limits for one Node no longer count.
void keep_within(const Limits& limits, NodeSnapshot& node);

/// The Node as plan() takes it; taints and resources are unknown.
NodeState state_of(const NodeSnapshot& snapshot);

}  // namespace nodescout
