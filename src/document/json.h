// JSON text <-> Values. Reading uses nlohmann-json's event parser; writing is deterministic and never fails.
#pragma once

#include <string>
#include <string_view>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout {

/// One JSON value and nothing after it. Numbers keep their spelling. Errors: malformed, where = origin and byte offset;
/// nesting deeper than 100 is malformed too.
Result<Value> parse_json(std::string_view text, std::string_view origin);

/// `indent` 0: compact, on one line. Members keep their order, so build maps sorted.
/// Broken UTF-8 becomes U+FFFD.
std::string to_json(const Value& value, int indent = 0);

/// A text as a JSON string, quotes included; also a legal YAML double-quoted scalar.
std::string json_string(std::string_view text);

}  // namespace nodescout
