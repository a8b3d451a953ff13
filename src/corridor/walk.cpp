#include "corridor/walk.h"

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

}  // namespace nodescout
