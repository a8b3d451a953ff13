#include "controller/wanted_features.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "corridor/wanted_by.h"
#include "rule/reference.h"

namespace nodescout {
namespace {

bool is_name(std::string_view field) {
  return field == "name" || field == "namespace" || field == "uid" || field == "resourceVersion" ||
         field == "creationTimestamp" || field == "labels";
}

}  // namespace

WantedFeatures WantedFeatures::of(const RuleLayers& rules) {
  std::set<std::string> features{"rule.matched"};  // an object may have one, and rules see it, as in nfd-master
  for (const auto& [layer, set] : rules.layers) {
    for (std::string& key : set.inputs()) features.insert(std::move(key));
    for (const Rule& rule : set.rules())
      for (const PlacedMap* values : {&rule.labels, &rule.annotations, &rule.extended_resources})
        for (const auto& [key, value] : *values)
          if (const auto reference = parse_reference(value.text)) features.emplace(reference->feature);
  }
  const std::vector<std::string_view> all(features.begin(), features.end());
  const Wanted wanted = wanted_by(rules, all);
  WantedFeatures out;
  for (const std::string& feature : features) {
    if (!wanted.has(feature)) continue;
    const FlagSet* elements = wanted.elements(feature);
    out.sets_.emplace(feature, elements ? std::optional(*elements) : std::nullopt);
  }
  return out;
}

bool WantedFeatures::has(std::string_view feature, std::string_view element) const {
  const auto at = sets_.find(feature);
  return at != sets_.end() && (!at->second || at->second->find(element) != at->second->end());
}

bool WantedFeatures::covers(const WantedFeatures& other) const {
  return std::all_of(other.sets_.begin(), other.sets_.end(), [&](const auto& wanted) {
    const auto at = sets_.find(wanted.first);
    if (at == sets_.end()) return false;
    if (!at->second) return true;
    return wanted.second &&
           std::includes(at->second->begin(), at->second->end(), wanted.second->begin(), wanted.second->end());
  });
}

void WantedFeatures::add(const WantedFeatures& other) {
  for (const auto& [feature, elements] : other.sets_) {
    const auto [at, is_new] = sets_.try_emplace(feature, elements);
    if (is_new || !at->second) continue;
    if (elements)
      at->second->insert(elements->begin(), elements->end());
    else
      at->second.reset();
  }
}

/// spec.features.attributes.KEY.elements.NAME, spec.features.instances.KEY.elements.attributes.NAME
bool WantedFeatures::keeps(std::span<const std::string> path) const {
  if (path[0] == "metadata") return path.size() != 2 || is_name(path[1]);
  if (path[0] == "status") return false;
  if (path[0] != "spec" || path.size() < 4 || path[1] != "features") return true;
  if (path.size() == 4) return has(path[3]);
  if (path.size() == 6 && path[2] != "instances") return has(path[3], path[5]);
  if (path.size() == 7 && path[2] == "instances") return has(path[3], path[6]);
  return true;
}

std::set<std::pair<Layer, std::size_t>> rules_beyond(const WantedFeatures& wanted,
                                                     const std::vector<LayerOutcome>& layers) {
  std::set<std::pair<Layer, std::size_t>> rules;
  for (const LayerOutcome& layer : layers)
    for (const MadeMap* made :
         {&layer.outcome->labels, &layer.outcome->annotations, &layer.outcome->extended_resources})
      for (const auto& [key, entry] : *made)
        if (const auto reference = parse_reference(entry.value);
            reference && !wanted.has(reference->feature, reference->element))
          rules.insert({layer.layer, entry.rule});
  return rules;
}

bool keeps_of_node(std::span<const std::string> path) {
  if (path[0] != "metadata") return path[0] != "spec" && path[0] != "status";
  return path.size() != 2 || is_name(path[1]) || path[1] == "annotations";
}

}  // namespace nodescout
