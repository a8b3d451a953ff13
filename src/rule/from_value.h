#pragma once

#include <string_view>

#include "document/value.h"
#include "nodescout/rules.h"

namespace nodescout {

/// As parse_rules, from a document that is parsed already: an API object, or the worker configuration.
ParsedRules rules_from_value(const Value& document, std::string_view origin);

}  // namespace nodescout
