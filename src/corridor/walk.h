// The pure middle of the corridor, once: Features -> Outcome of every layer -> Desired.
#pragma once

#include <vector>

#include "corridor/rule_layers.h"
#include "nodescout/features.h"
#include "nodescout/labels.h"
#include "nodescout/probes.h"

namespace nodescout {

struct Evaluated {
  std::vector<Outcome> outcomes;  // one for each layer of RuleLayers
  Built built;
  std::vector<Problem> problems;  // rules that failed, entries that were rejected
};

Evaluated evaluate_layers(const RuleLayers& rules, const Features& features, const LabelPolicy& policy);

}  // namespace nodescout
