// What `rules eval`, `explain` and `preview` show of a walk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/on_node.h"
#include "cli/style.h"
#include "corridor/fate.h"
#include "corridor/walk.h"
#include "document/value.h"
#include "rule/explain.h"

namespace nodescout::cli {

/// {"labels":{},"annotations":{},"extendedResources":{},"taints":[],"groups":{},"problems":[]}
Value eval_value(const RuleLayers& rules, const Walk& walk, const OnNode& on_node);

struct ExplainedRule {
  RuleTrace trace;
  std::vector<Fate> fates;
  const Features* features = nullptr;  // that the rule sees
};

/// Every rule of these layers and groups, on the features that it sees. `groups` were compiled of rules.groups.
std::vector<ExplainedRule> explain_rules(const RuleLayers& rules, const std::vector<RuleSet>& groups, const Walk& walk,
                                         const LabelPolicy& policy, const OnNode& on_node);

/// An entry that differs between two desired states.
struct EntryChange {
  EntryKind kind = EntryKind::label;
  std::string key;                    // of a taint its name
  std::optional<std::string> before;  // nothing: added
  std::optional<std::string> after;   // nothing: removed
};
std::vector<EntryChange> changes_between(const Desired& before, const Desired& after);

std::string preview_text(const EntryChange& change, const Style& style);
Value preview_value(const std::vector<EntryChange>& changes);

}  // namespace nodescout::cli
