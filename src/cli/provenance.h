// What the agents' Leases say about entries of their Nodes.
#pragma once

#include <string>

#include "document/value.h"
#include "kube/api.h"
#include "nodescout/plan.h"
#include "plan/made_by.h"

namespace nodescout::cli {

/// What made the entries of the Node. The agent's Lease is looked for in this namespace and in "nodescout"; a Lease
/// that does not exist or may not be read says nothing.
Makers read_makers(Api& api, const std::string& space, const std::string& node);

/// "rule "x" of FILE:3:5, since 2026-11-22T10:00:00Z"; empty if unknown.
std::string text_of(const std::optional<MadeBy>& made);

/// Every entry of the Node that we own: a line "KEY=VALUE" and its maker.
std::string makers_text(const NodeState& node, const Makers& makers);
/// The same as a list of {"key", "kind", "maker", "since", "value"}; null where unknown.
Value makers_value(const NodeState& node, const Makers& makers);

}  // namespace nodescout::cli
