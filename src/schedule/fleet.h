// The Nodes of a cluster as far as scheduling needs them: each is read once, judged, and forgotten; what remains is a
// census of keys, values, taints and resources, against which typing mistakes are found.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "label/selector.h"
#include "nodescout/features.h"
#include "nodescout/rules.h"
#include "schedule/pod.h"

namespace nodescout::schedule {

inline constexpr std::string_view kPods = "pods";  // the resource that counts Pods

struct NodeColumns {
  std::string name;
  Attributes labels;
  std::set<std::string, std::less<>> owned;  // keys of labels that an agent or NFD owns
  bool has_agent = false;                    // an ownership annotation of labels is there
  std::vector<Taint> taints;
  bool is_unschedulable = false;
  Amounts allocatable;  // judged resources, and kPods
  Amounts capacity;     // judged resources

  /// What a requirement compares; nullptr if the Node lacks the label.
  const std::string* find(const Requirement& requirement) const;
};

/// Which members of a Node columns_of reads, as KeepMember.
bool keeps_of_node(std::span<const std::string> path);
NodeColumns columns_of(const Value& node);

/// What the Pods that are assigned to one Node use.
struct Usage {
  std::int64_t pods = 0;
  Amounts requests;
};

class Assigned {
 public:
  /// Which members of a Pod are read, and which Pods the scheduler counts.
  static bool keeps(std::span<const std::string> path);
  static constexpr const char* kFieldSelector = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";

  void add(const Value& pod);
  const Usage& on(std::string_view node) const;
  /// Whether the required anti-affinity of an assigned Pod selects this one: it may keep it off Nodes.
  bool may_repel(const PodDemand& demand) const;

 private:
  /// A term of podAntiAffinity, whatever its topology.
  struct Repelled {
    LabelSelector pods;
    std::set<std::string, std::less<>> spaces;  // empty: all
  };
  void add_anti_affinity(const Value& pod);

  std::map<std::string, Repelled> repelled_;  // by the text of the term: replicas have the same
  std::map<std::string, Usage, std::less<>> by_node_;
};

/// Whether a node satisfies it; a requirement that cannot be read is the caller's to leave out.
bool holds(const Requirement& requirement, const NodeColumns& node);
/// Whether a Node with this value satisfies it.
bool would_hold(const Requirement& requirement, const std::string& value);
/// Whether the term matches; one with a defect, or without requirements, never does.
bool matches(const SelectorTerm& term, const NodeColumns& node);

/// What the fleet carries, counted.
class Census {
 public:
  struct Key {
    std::int64_t nodes = 0;
    std::map<std::string, std::int64_t, std::less<>> values;  // how many Nodes have each
    bool is_cut = false;                                      // there are more values
  };

  /// Values of these keys are counted however many there are: those that Pods name.
  explicit Census(const std::vector<PodDemand>& demands);

  void add(const NodeColumns& node);

  std::int64_t nodes() const { return nodes_; }
  const Key* find(std::string_view key) const;  // a label key, or "metadata.name"
  const std::map<std::string, Key, std::less<>>& keys() const { return keys_; }
  const std::map<std::string, std::int64_t, std::less<>>& resources() const { return resources_; }  // Nodes with > 0
  const std::map<std::string, std::int64_t, std::less<>>& taint_keys() const { return taint_keys_; }

 private:
  std::int64_t nodes_ = 0;
  std::set<std::string, std::less<>> named_;
  std::map<std::string, Key, std::less<>> keys_;
  std::map<std::string, std::int64_t, std::less<>> resources_, taint_keys_;
};

}  // namespace nodescout::schedule
