// What rules may use, from the probes' own declarations: for `rules check`, and for the path behind a label.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/probes.h"
#include "rule/check.h"

namespace nodescout {

Schema schema_of_probes();

/// Where on the host an element comes from ("/sys/bus/pci/devices/*/vendor"); of a feature as a whole where `element`
/// is empty or has no path of its own. Empty for features that no probe makes.
std::string source_of(std::string_view feature, std::string_view element);

}  // namespace nodescout
