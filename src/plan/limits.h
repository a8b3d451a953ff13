// Which desired entries fit. An agent must not fill the Node, whatever rules and NodeFeature objects ask for.
//
// What is on the Node already and ours comes first and always stays, even if a limit was lowered: a limit never removes
// an entry that something asks for. Then come the entries that the node's own rules make, then those of NodeFeature
// objects, each in byte order, so that the same request always has the same result.
#pragma once

#include <vector>

#include "nodescout/plan.h"

namespace nodescout {

/// All annotations of an object, keys and values (the API server's limit).
inline constexpr std::size_t kMostAnnotationBytes = 256 * 1024;

/// `desired` without what exceeds the limits; one problem for each limit that left something out. Foreign keys that
/// the plan will not write use up nothing.
Desired within_limits(const NodeState& now, const Ownership& owned, Desired desired, const PlanOptions& options,
                      std::vector<Problem>& problems);

}  // namespace nodescout
