// The rules of NFD's first releases (matchOn, with pciId, loadedKMod and others below it), written in today's language.
#pragma once

#include <string>

#include "document/value.h"

namespace nodescout {

/// "labels: {...} and matchAny: [...]": what gives the same label today; of a rule that makes something already only
/// matchAny. `rule` is a map with matchOn. Empty where that holds what those releases did not know, and beside a
/// matchAny.
std::string today_of_match_on(const Value& rule);

}  // namespace nodescout
