// The corridor of the agent: host -> features -> outcome -> desired, walked again and again. It holds what lasts
// between two walks (configuration, compiled rules, what is known of the machine) and decides nothing about when, or
// about the Node.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/cluster.h"
#include "agent/gpu_watch.h"
#include "agent/options.h"
#include "agent/schedule.h"
#include "config/config.h"
#include "corridor/rule_layers.h"
#include "corridor/walk.h"
#include "keep/keeper.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "nodescout/probes.h"

namespace nodescout {

/// What one walk came to.
struct Walked {
  Desired desired;
  std::vector<Problem> problems;       // of probes and connections; sorted
  std::vector<Problem> rule_problems;  // of configuration and rules, and rejected entries: somebody wrote them; sorted
  /// "rule "x" of /etc/nodescout/rules.d/a.yaml:3:5": what made each entry.
  std::map<std::pair<Change::Kind, std::string>, std::string> made_by;
  std::map<EntryKind, std::size_t> rejected;
  std::size_t failed_rules = 0;
  std::size_t rules_evaluated = 0;
};

class AgentCorridor {
 public:
  /// Reads configuration and rules. Errors: as load_config and load_rules.
  static Result<AgentCorridor> open(const AgentOptions& options);

  /// Reads them again. A rule that can no longer be read goes on as it was, for as long as its file is broken. Errors:
  /// then everything is as before.
  Status reload();

  const Config& config() const { return config_; }
  const std::vector<const Probe*>& probes() const { return probes_; }
  Keeper& keeper() { return keeper_; }
  const Keeper& keeper() const { return keeper_; }
  /// Files and directories whose change matters: configuration, rules, features.d, os-release.
  std::vector<std::string> watched_paths() const;

  /// The own Node's labels, whenever they were read: others say there when the GPUs must be left alone.
  void see_node(const Attributes& labels) { gpus_.see_node(labels); }

  /// Runs the probes of the pass on a fresh view of the host, and hands what they saw to the keeper.
  Result<Discovery> look(const Schedule::Pass& pass, SteadyTime now);

  /// Evaluates what is known now, with what the cluster says. `explain`: fill in made_by.
  Walked evaluate(const ClusterView& cluster, bool explain = false);

  /// Whether what is not in this desired state, the last one that evaluate() made, may leave the Node.
  MayGo may_go(const Desired& desired, const ClusterView& cluster, SteadyTime now);

 private:
  AgentCorridor() = default;
  void compile(const ClusterView& cluster);

  AgentOptions options_;
  Config config_;
  std::vector<const Probe*> probes_;
  std::vector<RuleDocument> documents_;  // of files; those of the cluster join them
  bool broken_rules_ = false;            // in files
  RuleLayers rules_;                     // of files and of the cluster
  WalkCache cache_;
  std::size_t compiled_generation_ = static_cast<std::size_t>(-1);
  Keeper keeper_;
  GpuWatch gpus_;
  std::vector<Problem> load_problems_;
  std::map<std::string, std::vector<Problem>, std::less<>> probe_problems_;
  Origins origins_;  // of labels of features.d
};

}  // namespace nodescout
