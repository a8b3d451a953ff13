#include "corridor/walk.h"

#include <algorithm>

namespace nodescout {

Evaluated evaluate_layers(const RuleLayers& rules, const Features& features, const LabelPolicy& policy) {
  Evaluated evaluated;
  for (const RuleLayer& layer : rules.layers) evaluated.outcomes.push_back(layer.rules.evaluate(features));
  std::vector<LayerOutcome> layers;
  for (std::size_t i = 0; i < rules.layers.size(); ++i) {
    layers.push_back({rules.layers[i].layer, &rules.layers[i].rules.rules(), &evaluated.outcomes[i]});
    const auto& problems = evaluated.outcomes[i].problems;
    evaluated.problems.insert(evaluated.problems.end(), problems.begin(), problems.end());
  }
  evaluated.built = build(layers, features, policy);
  evaluated.problems.insert(evaluated.problems.end(), evaluated.built.rejected.begin(), evaluated.built.rejected.end());
  return evaluated;
}

std::vector<const Probe*> select_probes(const std::vector<std::string>& wanted, std::vector<Problem>& problems) {
  std::vector<std::string_view> known;
  std::vector<std::string_view> off_by_default;
  for (const Probe* probe : all_probes()) {
    known.push_back(probe->name);
    if (probe->off_by_default) off_by_default.push_back(probe->name);
  }
  std::vector<const Probe*> selected;
  for (const std::string& name : select_sources(wanted, known, off_by_default, "core.featureSources", problems))
    selected.push_back(*std::find_if(all_probes().begin(), all_probes().end(),
                                     [&](const Probe* probe) { return probe->name == name; }));
  return selected;
}

}  // namespace nodescout
