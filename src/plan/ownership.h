// The annotations that say which labels, annotations, extended resources and taints of a Node are ours.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/plan.h"

namespace nodescout {

/// "nfd.node.kubernetes.io/feature-labels", with "INSTANCE." in front where there is one. That of taints never has it,
/// as in NFD.
std::string ownership_key(Change::Kind kind, const std::string& instance);

/// Whether it is one of these annotations, of any instance.
bool is_ownership_key(std::string_view key);

/// Whether it is one of this instance's, or that of taints.
bool is_ownership_key_of(std::string_view key, const std::string& instance);

/// How these annotations spell the key of a label, an annotation or a resource: shortened below
/// feature.node.kubernetes.io.
std::string_view ownership_name(std::string_view key);

/// Content of that annotation; empty if we own nothing of the kind.
std::string ownership_text(Change::Kind kind, const Ownership& owned);

/// The same as one set.
std::set<EntryKey> entries_of(const Ownership& owned);

/// "sha256:..." of everything on the Node that we own, values included. Computing it again from the Node shows whether
/// what was published is still there.
std::string digest_of_owned(const NodeState& node, const std::string& instance);

}  // namespace nodescout
