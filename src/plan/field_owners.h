// What metadata.managedFields of a Node says about us and about other programs.
//
// The ownership annotations are the record of what is ours, but another program that uses the same annotations (NFD's
// nfd-master beside the agents) may take them away while the labels stay. The API server's own record then still shows
// which program was the last to change the value of a key, and a client cannot forge it: the admission policy
// nodescout-node allows an entry of this manager to grow only by keys that the same write changes.
#pragma once

#include "document/value.h"
#include "nodescout/plan.h"

namespace nodescout {

/// The manager of our writes (Api::write_as). Agents and the controller share it on purpose: each takes over what the
/// other wrote, as it does with the annotations, and to neither is the other "another program". Which of them may
/// remove an entry is decided by Leases (src/controller/node_writer.h).
inline constexpr const char* kFieldManager = "nodescout";

/// Fills `lost` and `other_writers` of a state whose maps have been read.
void read_field_owners(const Value& metadata, NodeState& state);

}  // namespace nodescout
