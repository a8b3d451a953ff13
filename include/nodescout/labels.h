// From what rules made (Outcome) to the Node's desired state (Desired): prefixes, "@feature.element" values,
// Kubernetes' syntax, namespaces and the administrator's restrictions. A pure function; a refused entry is
// dropped and reported.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/origins.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout {

class Pattern;

/// What a Node can get. The order is that of a plan's changes.
enum class EntryKind : std::uint8_t { label, annotation, taint, extended_resource };
/// "label", "extended resource".
std::string_view name_of(EntryKind kind);

/// A Node has one entry of each. Of a taint the key is its name, "key:Effect".
struct EntryKey {
  EntryKind kind = EntryKind::label;
  std::string key;
  friend auto operator<=>(const EntryKey&, const EntryKey&) = default;
};

/// Where a set of rules comes from. The order is the order of precedence: on equal keys the later layer wins.
enum class Layer : std::uint8_t {
  builtin,  // NFD's default labels, compiled from the configuration
  shipped,  // rules/ of this program
  custom,   // sources.custom and custom.d: the worker's dialect
  local,    // features.d
  objects,  // NodeFeature objects of other agents: labels that they ask for; the first unless they may override
  rules,    // rule files in the API's dialect, and NodeFeatureRule objects
};

/// What a layer sees of a Node with NodeFeature objects. NFD's worker sees its own features, its master all of them.
enum class Sees : std::uint8_t { own, all };

struct LayerRow {
  Layer layer;
  std::string_view name;
  Sees sees;
};
/// All that differs from layer to layer, in order of precedence.
inline constexpr LayerRow kLayers[] = {
    {Layer::builtin, "built-in", Sees::own},    {Layer::shipped, "shipped", Sees::all},
    {Layer::custom, "custom", Sees::own},       {Layer::local, "local", Sees::own},
    {Layer::objects, "NodeFeature", Sees::all}, {Layer::rules, "rules", Sees::all},
};
constexpr const LayerRow& row_of(Layer layer) { return kLayers[static_cast<std::size_t>(layer)]; }
static_assert(std::all_of(std::begin(kLayers), std::end(kLayers),
                          [](const LayerRow& row) { return &row == &row_of(row.layer); }));
constexpr std::string_view name_of(Layer layer) { return row_of(layer).name; }

struct LayerOutcome {
  Layer layer;
  const std::vector<Rule>* rules;  // that Made::rule indexes; nullptr where no rule made it
  const Outcome* outcome;
  const Features* features = nullptr;  // that "@" values refer to
  const Origins* origins = nullptr;    // of the labels as they were written, where no rule gives a better place
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
  bool shipped_pass_white_lists = false;  // rules.shipped names the shipped rules that are used, whatever the lists say
  /// Namespaces, sub-domains included, below which the agent may write; empty: everywhere.
  std::vector<std::string> write_prefixes;
  Origins places;  // of these lists and switches in their file, by key
};

struct Desired {
  Attributes labels, annotations, extended_resources;
  std::vector<Taint> taints;

  friend bool operator==(const Desired&, const Desired&) = default;
};

/// The same as one list, for code that treats all kinds alike.
std::map<EntryKey, std::string> entries_of(const Desired& desired);

/// Who made an entry.
struct Provenance {
  Layer layer = Layer::builtin;
  std::size_t rule = 0;  // index into that layer's rules
};

/// An entry that a rule made and that is refused.
struct Rejection {
  EntryKind kind = EntryKind::label;
  Provenance from;
  std::string key;  // as the rule made it; of a taint its whole text
  Problem problem;
  std::string_view filter;  // the list of the configuration that leaves it out; empty for all else
};
constexpr std::string_view kWritePrefixes = "writePrefixes";  // as a filter
constexpr std::string_view kDenyLabelNs = "denyLabelNs";      // likewise

struct Built {
  Desired desired;
  std::map<EntryKey, Provenance> from;  // of every entry that is desired
  std::vector<Rejection> rejected;
};

/// Layers in order of precedence. "@" values refer to each layer's rule.matched, then to its features.
Built build(const std::vector<LayerOutcome>& layers, const LabelPolicy& policy);

/// "key=value" for messages; of a taint "key=value:Effect", whose `key` is its name.
std::string entry_text(EntryKind kind, std::string_view key, std::string_view value);

/// Advice: how to allow a key outside LabelPolicy::write_prefixes.
std::string how_to_write_below(std::string_view key);

/// The key on the Node of what a rule of that layer calls `name`.
std::string node_key(std::string_view name, Layer layer, const LabelPolicy& policy);

}  // namespace nodescout
