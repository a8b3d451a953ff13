// A fleet of GPU servers as its Nodes and Leases look: for tests and for whoever wants to look at the page.
#pragma once

#include <chrono>
#include <string>

#include "document/value.h"

namespace nodescout::test {

/// Node number `index` of a fleet: three pools of eight H100, one of MI300X, one without GPUs, about a hundred labels
/// each. Some have something wrong: of a hundred one has lost a GPU, one has another kernel, one another driver, one a
/// narrowed link.
Value fleet_node(int index);
std::string fleet_node_name(int index);

/// The Lease of its agent, renewed at `renewed`. It is stale after `duration`.
Value fleet_lease(int index, std::chrono::system_clock::time_point renewed,
                  std::chrono::seconds duration = std::chrono::seconds(90));

}  // namespace nodescout::test
