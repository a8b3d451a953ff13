// The keys about NodeFeature objects of other agents: which count, and which parts of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/key_table.h"
#include "label/selector.h"

namespace nodescout {

/// nodeFeatures.namespaces.
void read_namespaces(KeyEntry& entry, std::optional<std::vector<std::string>>& into);

/// nodeFeatures.deniedKeys.
void read_denied_keys(KeyEntry& entry, std::vector<std::string>& into);

/// A LabelSelector. NFD does not start with a malformed one; here it is reported and selects nothing.
void read_selector(KeyEntry& entry, std::optional<LabelSelector>& into);

}  // namespace nodescout
