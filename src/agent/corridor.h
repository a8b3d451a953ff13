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
#include "agent/conditions.h"
#include "agent/options.h"
#include "agent/schedule.h"
#include "config/config.h"
#include "corridor/object_trust.h"
#include "corridor/rule_layers.h"
#include "corridor/walk.h"
#include "host/errands.h"
#include "keep/keeper.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "nodescout/probes.h"

namespace nodescout {

/// The result of one walk.
struct Walked {
  Desired desired;
  std::vector<Problem> problems;       // of probes and connections; sorted
  std::vector<Problem> rule_problems;  // of configuration, rules and rejected entries: a person wrote them; sorted
  /// What NodeFeature objects make that do not count: it stays on the Node if it is there.
  EntriesLeftOut left_out;
  std::vector<Problem> filtered;  // each entry that a list of the configuration leaves out, which is one line above
  /// "rule "x" of /etc/nodescout/rules.d/a.yaml:3:5": what made each entry.
  std::map<EntryKey, std::string> made_by;
  Origins requested_by;  // of labels that NodeFeature objects ask for, by key
  std::map<EntryKind, std::size_t> rejected;
  std::size_t failed_rules = 0;
  std::size_t rules_evaluated = 0;
};

class AgentCorridor {
 public:
  /// Reads configuration and rules. Errors: as load_config and load_rules.
  static Result<AgentCorridor> open(const AgentOptions& options);

  /// Reads them again. A rule that can no longer be read keeps its last good form while its file is broken. On error
  /// nothing changes.
  Status reload();

  const Config& config() const { return config_; }
  const std::vector<const Probe*>& probes() const { return probes_; }
  Keeper& keeper() { return keeper_; }
  const Keeper& keeper() const { return keeper_; }
  /// Files and directories to watch, with the probes that each wakes; an empty name means configuration and rules.
  std::map<std::string, std::set<std::string>> watched_paths() const;

  /// Call with the Node's labels after each read: other programs announce there what they do to the machine.
  void see_node(const Attributes& labels) { moment_.node_labels = labels; }

  /// From now on slow queries run in the background instead of blocking the caller. `errands` must outlive the
  /// corridor.
  void ask_beside(Errands& errands) { errands_ = &errands; }

  /// Probes with a fact that waits for proof or a condition that must last, with the time of the next run.
  std::map<std::string, SteadyTime> pending() const;

  /// No probe waits for an answer, such as a driver's.
  bool has_every_answer() const { return waiting_.empty(); }

  /// Runs the probes of the pass on a fresh view of the host, and hands what they saw to the keeper.
  Result<Discovery> look(const Schedule::Pass& pass, SteadyTime now);

  enum class Makers : std::uint8_t { none, brief, exact };
  /// Evaluates the known facts and the cluster's objects. `makers`: how to fill in made_by.
  Walked evaluate(const ClusterView& cluster, Makers makers = Makers::none);

  /// How that result is planned.
  PlanOptions plan_options(Origins requested_by) const;

  /// Whether entries that are not in the last result of evaluate() may leave the Node.
  MayGo may_go(const Walked& walked, const ClusterView& cluster, SteadyTime now);

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
  WalkCache cache_of_left_out_;
  std::size_t compiled_generation_ = static_cast<std::size_t>(-1);
  Keeper keeper_;
  Moment moment_;
  Conditions conditions_;
  Errands* errands_ = nullptr;
  std::set<std::string, std::less<>> waiting_;  // probes that an outstanding answer will wake
  std::vector<Problem> load_problems_;
  std::map<std::string, std::vector<Problem>, std::less<>> probe_problems_;
  Origins origins_;  // of labels of features.d
};

}  // namespace nodescout
