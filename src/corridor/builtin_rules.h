// Rules that the configuration creates.
#pragma once

#include <vector>

#include "config/config.h"
#include "nodescout/rules.h"

namespace nodescout {

/// NFD's default labels that depend on the configuration, as rules; the others are in rules/builtin.yaml.
/// `config.label_sources` must be plain names by now (select_sources).
std::vector<Rule> builtin_rules(const Config& config);

/// The labels of features.d: one rule.
std::vector<Rule> local_rules();

}  // namespace nodescout
