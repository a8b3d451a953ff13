// May this entry leave the Node, and if not, why? This folder holds everything that decides whether its absence is
// proved. (The plan decides whether we own it and may write there.) Pure: time is an argument.
//
// - A fact that is no longer seen is kept until it is proved gone (known_facts.h).
// - A rule that fails keeps what it made last (rule_memory.h); a rule that can no longer be read is used as it was
//   (last_good.h). So everything that these make stays desired, and the question does not arise.
// - What this process made itself and does not desire any more is therefore proved gone.
// - What a NodeFeature object makes that is left out stays, even if this process made it: being left out proves
//   nothing about the machine.
// - The rest was on the Node before this process. An early pass after a start may see less than there is: rule objects
//   that are still to come, a driver that is still loading. So it is removed only once the cluster is known, nothing
//   that may make it is in doubt (doubt.h), and three passes over the whole machine over at least three seconds agree.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "keep/kept.h"
#include "keep/known_facts.h"
#include "keep/rule_memory.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "nodescout/rules.h"
#include "system/clock.h"

namespace nodescout {

/// The rules from which a desired state was made.
struct RulesInForce {
  std::vector<const RuleSet*> sets;
  bool any_unreadable = false;       // some rule cannot be read, in a file or in the cluster
  bool cluster_complete = false;     // all objects of the cluster are known
  std::set<EntryKey> left_out = {};  // entries of NodeFeature objects that do not count
};

class Keeper {
 public:
  KnownFacts& facts() { return facts_; }
  const KnownFacts& facts() const { return facts_; }

  /// Adds what failing rules made when they last could. Call it with every evaluation.
  void keep_made(const std::vector<LayerOutcome>& layers, Built& built) { rule_memory_.settle(layers, built); }

  /// Every probe has run on the whole machine.
  void looked_at_all(SteadyTime now);
  /// What is known comes from complete lists of objects, not from probing a machine: it is proof as it is.
  void trust_lists() { looks_are_needed_ = false; }
  /// Whether that happened often enough to prove that something is gone which this process has never seen.
  bool is_proved(SteadyTime now) const;

  /// The question, for entries that are not in this desired state.
  MayGo may_go(const Desired& desired, const RulesInForce& rules, SteadyTime now);

 private:
  using Keys = std::set<EntryKey>;

  KnownFacts facts_;
  RuleMemory rule_memory_;
  std::shared_ptr<const Keys> made_ = std::make_shared<const Keys>();  // by this process, at some time
  SteadyTime first_look_{};
  int looks_ = 0;
  bool looks_are_needed_ = true;
};

}  // namespace nodescout
