// What the rules use: a dump of labels reads nothing else.
#pragma once

#include <string_view>
#include <vector>

#include "corridor/rule_layers.h"
#include "nodescout/probes.h"

namespace nodescout {

/// Everything, except that of the features `on_demand` only what these rules name.
Wanted wanted_by(const RuleLayers& rules, const std::vector<std::string_view>& on_demand);

/// Whether a template made a reference ("@kernel.config.HZ") to something that is not wanted: the outcomes are
/// then valid only after everything was read.
bool refers_beyond(const Wanted& wanted, const std::vector<LayerOutcome>& layers);

}  // namespace nodescout
