// Values of the corridor as JSON documents: one shape for every command that prints them.
#pragma once

#include <string>
#include <vector>

#include "document/value.h"
#include "nodescout/labels.h"
#include "nodescout/result.h"

namespace nodescout::cli {

Value to_value(const Attributes& map);
Value to_value(const std::vector<Problem>& problems);
/// {"labels":{},"annotations":{},"extendedResources":{},"taints":["key=value:Effect"]}
Value to_value(const Desired& desired);
/// The key of an entry in JSON: of a taint "key=value:Effect", as everywhere else.
std::string shown_key(EntryKind kind, const std::string& key, const std::string& value);
/// {"layers":[{"layer","labels":{KEY:{"value","rule"}},...}]}
Value outcome_value(const std::vector<LayerOutcome>& layers);

}  // namespace nodescout::cli
