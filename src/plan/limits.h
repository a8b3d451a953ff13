// Which desired entries fit. An agent must not fill the Node, whatever rules and NodeFeature objects ask for.
//
// What is on the Node already and ours comes first and always stays, even if a limit was lowered: a limit never removes
// an entry that something asks for. Then come the entries that the node's own rules make, then those of NodeFeature
// objects, each in byte order, so that the same request always has the same result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nodescout/plan.h"

namespace nodescout {

/// All annotations of an object, keys and values (the API server's limit).
inline constexpr std::size_t kMostAnnotationBytes = 256 * 1024;

/// Advice for people.
inline constexpr const char* kOverLimitAdvice = "make fewer of them, or raise the limit in nodescout.conf";

/// `desired` without what exceeds the limits; one conflict for each limit that left something out. Foreign keys that
/// the plan will not write use up nothing. `left_out` gets each entry with the limit that it exceeds, in words.
Desired within_limits(const NodeState& now, const Ownership& owned, Desired desired, const PlanOptions& options,
                      std::vector<Conflict>& conflicts, std::map<EntryKey, std::string>* left_out = nullptr);

/// As if a Node had nothing but these entries, all of them ours.
struct OwnEntries {
  NodeState node;
  Ownership owned;
};
OwnEntries node_with(const Desired& entries, std::string name);

}  // namespace nodescout
