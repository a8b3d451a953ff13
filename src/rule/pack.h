// Rules as bytes: how the shipped rules travel inside the program. Reading them back is building the values and nothing
// else, which is what keeps YAML and JSON out of the program's start (10 kB of rules: 20 us instead of 400).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nodescout/rules.h"

namespace nodescout {

std::string pack(const std::vector<Rule>& rules);

/// The inverse. The bytes come from pack() in the build of this very program: anything else is a bug.
std::vector<Rule> unpack(std::string_view bytes);

}  // namespace nodescout
