// One Node of the controller: from what is known of it to the report that the publisher writes. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/inventory.h"
#include "controller/wanted_features.h"
#include "corridor/rule_layers.h"
#include "corridor/view.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "publish/publisher.h"
#include "system/clock.h"

namespace nodescout {

/// The rules of the moment, compiled.
struct RulesInUse {
  RuleLayers layers;
  WantedFeatures wanted;
  bool any_unreadable = false;
};

/// The administrator's configuration, as far as it concerns a Node.
struct JudgeOptions {
  LabelPolicy labels;
  PlanOptions plan;
  std::vector<std::string> namespaces;  // whose NodeFeature objects count; "*": all
};

/// NodeFeature objects of a Node as values.
struct ReadObjects {
  std::vector<NodeFeatureObject> objects;
  std::vector<Problem> problems;
  bool any_unreadable = false;  // what it says is unknown
};
void read_object(const KeptObject& object, const Value& content, ReadObjects& into);

/// Whether objects of this namespace count.
bool counts(std::string_view space, const std::vector<std::string>& namespaces);

struct Judged {
  Report report;
  std::vector<Problem> problems;
  std::map<EntryKind, std::size_t> rejected;
  std::size_t failed_rules = 0;
  bool refers_beyond = false;  // valid only if the objects were read whole
};
/// `complete`: all objects of the cluster are known.
Judged judge(const NodeSnapshot& node, const ReadObjects& objects, const RulesInUse& rules, const JudgeOptions& options,
             bool complete, SteadyTime now);

/// Whether the plan needs more than the Node's metadata: taints or resources that are wanted, or owned.
bool needs_whole_node(const NodeState& metadata, const Desired& desired, const std::string& instance);

/// Whether an agent says that it lives there: then the Node is its own.
inline constexpr std::string_view kAgentAnnotation = "nfd.node.kubernetes.io/nodescout-agent";
bool has_agent(const NodeState& node);

}  // namespace nodescout
