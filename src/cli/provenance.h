// What the agents' Leases say about entries of their Nodes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "corridor/rule_layers.h"
#include "document/value.h"
#include "kube/api.h"
#include "nodescout/plan.h"
#include "plan/made_by.h"
#include "schedule/chain.h"

namespace nodescout::cli {

/// What made the entries of the Node. The agent's Lease is searched for in this namespace and in "nodescout"; a Lease
/// that does not exist or may not be read says nothing.
Makers read_makers(Api& api, const std::string& space, const std::string& node);

/// The probe behind what made an entry: the Lease names only the rule, and its terms give the rest.
class Probes {
 public:
  /// Of the rules that agents have without a configuration of their own; they are read when they are first needed.
  Probes() = default;
  explicit Probes(LoadedRules rules);

  /// "pci (/sys/bus/pci/devices)"; empty if unknown.
  const std::string& of(const EntryKey& entry, const std::string& maker);
  const schedule::LabelChains& chains();

 private:
  std::optional<schedule::LabelChains> chains_;
  std::map<std::pair<EntryKey, std::string>, std::string> known_;
};

/// "FILE:3:5 (rule "x") <- probe pci (/sys/bus/pci/devices), since 2026-11-22T10:00:00Z"; empty if unknown.
std::string text_of(const std::optional<MadeBy>& made, const EntryKey& entry, Probes& probes);
/// "FILE:3:5 (rule "x") <- probe pci (/sys/bus/pci/devices)"
std::string with_probe(const std::string& maker, const EntryKey& entry, Probes& probes);

/// Every entry of the Node that we own: a line "KEY=VALUE" and its maker.
std::string makers_text(const NodeState& node, const Makers& makers);
/// The same as a list of {"key", "kind", "maker", "probe", "since", "value"}; null where unknown.
Value makers_value(const NodeState& node, const Makers& makers);

}  // namespace nodescout::cli
