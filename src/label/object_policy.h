// Which NodeFeature objects of other agents count on a Node, and which parts of them, as an administrator configures
// it. Otherwise anyone who may create such an object in some namespace could change the labels of every Node.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "label/selector.h"

namespace nodescout {

/// Labels with which administrators and operators control what happens on a Node.
std::vector<std::string> default_denied_keys();

/// By default the objects of the agent's own namespace count, and may add but not change.
struct ObjectPolicy {
  /// nodeFeatures.namespaces: those that count besides the agent's own; "*" is all. Not set: none, unless `selector`
  /// says otherwise, and what an earlier version took from the others stays on the Node.
  std::optional<std::vector<std::string>> namespaces;
  std::optional<LabelSelector> selector;  // restrictions.nodeFeatureNamespaceSelector: of the other namespaces
  bool labels = true;                     // restrictions.denyNodeFeatureLabels, inverted
  bool may_override = false;              // nodeFeatures.mayOverride: they extend and change what the node itself has
  std::vector<std::string> denied_keys = default_denied_keys();  // nodeFeatures.deniedKeys; "x*" is a beginning
  bool own_always_counts = true;                                 // whatever the selector says

  /// What NFD does with the same configuration.
  void follow_nfd();

  bool lists(std::string_view space) const;
  bool denies(std::string_view key) const;

  friend bool operator==(const ObjectPolicy&, const ObjectPolicy&) = default;
};

}  // namespace nodescout
