// From what rules made (Outcome) to what the Node shall have (Desired): prefixes, "@feature.element" values,
// Kubernetes' syntax, namespaces and the administrator's restrictions. A pure function; an entry that is refused costs
// itself and is reported.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout {

class Pattern;

/// Where a set of rules stands. The order is the order of precedence: on equal keys the later layer wins.
enum class Layer : std::uint8_t {
  builtin,  // NFD's default labels, compiled from the configuration
  shipped,  // rules/ of this program
  custom,   // sources.custom and custom.d: the worker's dialect
  local,    // features.d
  objects,  // NodeFeature objects of other agents: labels that they ask for
  rules,    // rule files in the API's dialect, and NodeFeatureRule objects
};
std::string_view name_of(Layer layer);

struct LayerOutcome {
  Layer layer;
  const std::vector<Rule>* rules;  // that Made::rule indexes
  const Outcome* outcome;
};

struct LabelPolicy {
  /// NFD's feature gate DisableAutoPrefix, inverted: keys without "/" get feature.node.kubernetes.io/.
  bool auto_prefix = true;
  /// Print what NFD's worker publishes: its own labels as they are, without the prefix that its master adds.
  bool as_worker = false;
  std::shared_ptr<const Pattern> worker_white_list;  // core.labelWhiteList: of the part after "/"
  std::shared_ptr<const Pattern> label_white_list;   // nfd-master's labelWhiteList
  std::vector<std::string> denied_namespaces;        // "*.vendor.com" also denies sub-domains
  std::vector<std::string> extra_namespaces;         // allowed inside kubernetes.io
  bool labels = true;
  bool annotations = true;
  bool extended_resources = true;
  bool taints = true;  // NFD's enableTaints
  /// "@domain.feature.element" in an annotation is that value; for NFD it is the text.
  bool annotation_references = true;
  /// Namespaces, sub-domains included, below which the agent may write; empty: everywhere.
  std::vector<std::string> write_prefixes;
};

struct Desired {
  Attributes labels, annotations, extended_resources;
  std::vector<Taint> taints;

  friend bool operator==(const Desired&, const Desired&) = default;
};

/// Who made an entry.
struct Provenance {
  Layer layer = Layer::builtin;
  std::size_t rule = 0;  // index into that layer's rules
};

struct Built {
  Desired desired;
  std::map<std::string, Provenance, std::less<>> labels, annotations, extended_resources;  // by final key
  std::vector<Problem> rejected;
};

/// Layers in order of precedence. `features` resolves "@" values; each layer's own rule.matched goes first.
Built build(const std::vector<LayerOutcome>& layers, const Features& features, const LabelPolicy& policy);

}  // namespace nodescout
