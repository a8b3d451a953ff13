#pragma once

#include <string_view>

#include "document/value.h"
#include "nodescout/plan.h"

namespace nodescout {

/// A Node object of the API, as JSON. Errors: malformed if it is not a Node; missing optional parts are empty.
Result<NodeState> node_state_from(const Value& node, std::string_view origin);

}  // namespace nodescout
