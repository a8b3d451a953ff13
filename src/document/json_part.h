// A JSON document of which only a part becomes Values: what is left out costs no memory and little time,
// however large it is.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout {

/// Whether to read the member at this path of keys, the outermost first. A list adds nothing to the path of its items.
/// What is inside a member that is left out is not asked for.
using KeepMember = std::function<bool(std::span<const std::string> path)>;

/// As parse_json, but what is left out is only checked to be complete. An empty `keep` reads everything.
Result<Value> parse_json_part(std::string_view text, std::string_view origin, const KeepMember& keep);

}  // namespace nodescout
