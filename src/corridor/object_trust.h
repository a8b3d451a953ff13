// Which NodeFeature objects of other agents count for a Node, which parts of them, and why the rest does not. Pure:
// what is known of the cluster is an argument, so an agent, a command and a controller decide alike.
//
// - An object counts by its namespace (ObjectPolicy). A namespace whose labels decide and cannot be read does not
// count.
// - Objects add: a feature set that the node itself fills is neither extended nor changed, since one more pci.device
//   would forge a GPU. Their labels count before all rules (walk.h), so that no label of the node's own rules changes.
// - An object that is left out removes nothing from the Node. What it would make if it counted is found by a second
//   walk (entries_left_out), and the keeper holds it. It is removed with its object, or once the administrator has said
//   which namespaces count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "corridor/view.h"
#include "corridor/walk.h"
#include "label/object_policy.h"
#include "nodescout/labels.h"
#include "nodescout/probes.h"
#include "nodescout/result.h"

namespace nodescout {

/// A namespace that was asked for.
struct KnownNamespace {
  std::optional<Attributes> labels;  // as they were when it could be read; nothing: never
  std::string trouble;               // why it could not be read the last time
};
using KnownNamespaces = std::map<std::string, KnownNamespace, std::less<>>;

using FeatureSets = std::set<std::string, std::less<>>;

/// Those that the node itself fills, whether it has such a device or not: the sets of its probes, what is known of it,
/// and the results of rules.
FeatureSets own_sets(std::span<const Probe* const> probes, const Features& own);

/// Who asks: problems are worded for its administrator.
enum class TrustedBy : std::uint8_t { agent, controller };

/// What the decision depends on besides the objects.
struct TrustContext {
  std::string_view node;
  std::string_view own_space;         // namespace of the agent or controller
  const KnownNamespaces& namespaces;  // one that is missing was not asked for yet
  const FeatureSets& own_sets;
  TrustedBy by = TrustedBy::agent;
};

/// Whether the labels of this namespace decide about its objects, so that they must be read.
bool needs_labels_of(std::string_view space, std::string_view own_space, const ObjectPolicy& policy);

/// A part of an object that does not count, or all of it.
struct LeftOut {
  std::string object;  // "NodeFeature vendor/extra"
  FeatureSets sets;
};

/// In the order in which objects are merged.
struct Trusted {
  std::vector<NodeFeatureObject> objects;  // that count, with what of them does
  std::vector<LeftOut> left_out;
  std::vector<Problem> problems;  // for the authors of what is left out
  /// With what is left out, which must not remove anything from the Node. Empty if nothing is.
  std::vector<NodeFeatureObject> with_left_out;
  bool left_out_may_override = false;
  /// There are objects, and none counts because the administrator listed namespaces and the selector matches none of
  /// theirs: the Node is to have nothing of objects.
  bool are_all_deselected = false;
};
Trusted trust(const ObjectPolicy& policy, const TrustContext& context, std::span<const NodeFeatureObject> objects);

/// Entries that are not desired and would be if nothing were left out, with the objects that make them:
/// "NodeFeature vendor/extra". `cache` is for these walks alone.
using EntriesLeftOut = std::map<EntryKey, std::string>;
EntriesLeftOut entries_left_out(const RuleLayers& rules, const View& view, const Trusted& trusted,
                                const Desired& desired, const LabelPolicy& policy, WalkCache* cache = nullptr);

}  // namespace nodescout
