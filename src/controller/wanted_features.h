// Which parts of NodeFeature objects some rule looks at. Nothing else of an object becomes a value in memory: the
// kernel configuration alone is six sevenths of what NFD's worker publishes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "corridor/rule_layers.h"
#include "document/json_part.h"
#include "nodescout/features.h"
#include "nodescout/labels.h"

namespace nodescout {

class WantedFeatures {
 public:
  WantedFeatures() = default;
  static WantedFeatures of(const RuleLayers& rules);

  bool has(std::string_view feature) const { return sets_.find(feature) != sets_.end(); }
  bool has(std::string_view feature, std::string_view element) const;
  /// Whether everything that `other` wants is wanted here as well.
  bool covers(const WantedFeatures& other) const;
  void add(const WantedFeatures& other);

  /// For a NodeFeature object: its names, its labels, and of its features those that are wanted.
  bool keeps(std::span<const std::string> path) const;

 private:
  std::map<std::string, std::optional<FlagSet>, std::less<>> sets_;  // wanted elements; none: all of them
};

/// Rules, by layer and index, that made a reference ("@kernel.config.HZ") to something that is not wanted: the outcomes
/// are valid only after everything was read.
std::set<std::pair<Layer, std::size_t>> rules_beyond(const WantedFeatures& wanted,
                                                     const std::vector<LayerOutcome>& layers);

/// Of a Node: what plan() needs of its metadata.
bool keeps_of_node(std::span<const std::string> path);

}  // namespace nodescout
