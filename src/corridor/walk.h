// The pure middle of the corridor, shared by all callers: a View of one Node -> the outcome of every layer
// -> Desired. Layers differ in their row of kLayers (nodescout/labels.h), and in one point more: labels that objects
// ask for come first where they may not override (View).
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "corridor/rule_layers.h"
#include "corridor/view.h"
#include "nodescout/labels.h"

namespace nodescout {

/// What is kept from one walk to the next: rules whose input did not change are not evaluated again.
using WalkCache = std::map<Layer, RuleCache>;

/// Refers to the View, to the rules, and to the cache until the next walk with it.
struct Walk {
  explicit Walk(const View& view) : sight(view) {}

  Sight sight;
  std::vector<LayerOutcome> layers;  // in order of precedence; those without rules, or without labels, left out
  Built built;
  std::vector<Problem> problems;  // of rules: those that failed, entries that were rejected
  std::vector<Problem> remarks;   // of the node
  std::size_t failed_rules = 0;
  std::size_t evaluated_rules = 0;  // that ran; with a cache fewer than there are

  std::deque<Outcome> outcomes;  // those that no cache keeps
  std::deque<Origins> origins;   // of labels that NodeFeature objects ask for
};

/// What made an entry, for messages.
std::string maker_of(const std::vector<LayerOutcome>& layers, const Provenance& from);
/// The same in few bytes, for a text that every Node has: of this program's own rules, which its version determines,
/// without the line, and "built-in" for those whose keys name them.
std::string short_maker_of(const std::vector<LayerOutcome>& layers, const Provenance& from);

/// The labels that NodeFeature objects ask for and that no rule makes, with their object.
Origins requested_labels(const Walk& walk, const LabelPolicy& policy);

Walk walk(const RuleLayers& rules, const View& view, const LabelPolicy& policy, WalkCache* cache = nullptr);

}  // namespace nodescout
