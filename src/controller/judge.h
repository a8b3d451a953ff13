// One Node of the controller: from what is known of it to the report that the publisher writes. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/inventory.h"
#include "controller/wanted_features.h"
#include "corridor/object_trust.h"
#include "corridor/rule_layers.h"
#include "corridor/view.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "publish/publisher.h"
#include "system/clock.h"

namespace nodescout {

struct NodeGroup {
  std::string key;  // "namespace/name"
  RuleSet rules;    // a Node belongs to the group if any of them matches
};

/// The rules of the moment, compiled.
struct RulesInUse {
  RuleLayers layers;
  WantedFeatures wanted;  // by all rules, those of groups as well
  bool any_unreadable = false;
  std::vector<std::string> objects;  // names of NodeFeatureRules in the cluster
  std::vector<NodeGroup> groups;

  /// Whose rule of Layer::rules this is: an index into `objects`, or nothing for one of a file.
  std::optional<std::size_t> object_of(std::size_t rule) const;
};
inline constexpr std::string_view kReadsWhole = "reads-whole-objects";  // code of a problem: what a rule costs
inline constexpr std::string_view kRuleOrigin = "NodeFeatureRule/";  // of a rule in the cluster, and the object's name

/// The administrator's configuration, as far as it concerns a Node.
struct JudgeOptions {
  LabelPolicy labels;
  PlanOptions plan;
  ObjectPolicy objects;   // which NodeFeature objects count
  std::string own_space;  // the controller's
};

/// What the controller knows beside a Node and its objects.
struct ClusterKnowledge {
  const KnownNamespaces& namespaces;
  bool complete = false;         // every list was complete
  bool is_kind_missing = false;  // NodeFeatures or NodeFeatureRules may have gone with their kind
};

/// NodeFeature objects of a Node as values.
struct ReadObjects {
  std::vector<NodeFeatureObject> objects;
  std::vector<Problem> problems;
  bool any_unreadable = false;  // what it says is unknown
  bool any_vanished = false;    // it counts as it was
};
void read_object(const KeptObject& object, const Value& content, ReadObjects& into);

/// Whether objects of this namespace may count; the rest is decided by trust().
bool may_count(std::string_view space, const JudgeOptions& options);

/// Whether the labels of namespaces decide which objects count.
bool judges_by_namespace(const ObjectPolicy& policy);

struct Judged {
  Report report;
  std::vector<Problem> problems;
  std::map<EntryKind, std::size_t> rejected;
  std::size_t failed_rules = 0;
  bool refers_beyond = false;  // valid only if the objects were read whole
  std::vector<bool> matches;   // of RulesInUse::objects, those with a rule that matches
  std::vector<bool> groups;    // of RulesInUse::groups, those to which the Node belongs
  std::vector<std::pair<std::size_t, Problem>> group_problems;  // by that index: rules that fail
  std::map<EntryKey, Provenance> from;                          // of every entry that is desired
  /// Of RulesInUse::objects, by index: entries that are refused with the reason, and rules that failed.
  struct Rejected {
    std::size_t object;
    std::string entry, why;  // "label a.b/c"
  };
  std::vector<Rejected> rejections;
  std::vector<std::pair<std::size_t, std::string>> errors;
};
Judged judge(const NodeSnapshot& node, const ReadObjects& objects, const RulesInUse& rules, const JudgeOptions& options,
             const ClusterKnowledge& cluster, SteadyTime now);

/// The rule that makes a desired entry, for people; empty: no rule.
std::string rule_of(const EntryKey& entry, const std::map<EntryKey, Provenance>& from, const RulesInUse& rules);

/// Whether a problem is the Node's, or that of one of its objects. All others would be repeated for each Node.
bool is_of_node(const Problem& problem);

/// The object among these that a problem is about; null: none of them.
const KeptObject* object_named(const Problem& problem, const std::vector<KeptObject>& objects);

/// Whether the plan needs more than the Node's metadata: taints or resources that are wanted, or owned.
bool needs_whole_node(const NodeState& metadata, const Desired& desired, const std::string& instance);

/// Whether an agent marked the Node: then the agent owns it.
bool has_agent(const NodeState& node);
bool has_agent(const NodeSnapshot& node);

}  // namespace nodescout
