// The taint that a node registers with until it is ready for Pods; see agent/readiness_gate.h.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/plan.h"

namespace nodescout {

/// Merge patch of nodes/NAME that removes every taint of this key and keeps all others as they are. It fails with a
/// conflict if the Node has changed since.
std::string taint_removal_patch(const NodeState& now, std::string_view key);

}  // namespace nodescout
