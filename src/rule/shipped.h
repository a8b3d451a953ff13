// The rule files of rules/, linked into the program: parsed and checked when it is built, embedded as packed rules.
#pragma once

#include <string_view>
#include <vector>

#include "nodescout/rules.h"

namespace nodescout {

/// The rules of rules/NAME.yaml, in order; with an empty name those of all files but builtin.yaml, by file name.
std::vector<Rule> shipped_rules(std::string_view name);

/// The NAME of the file that holds this shipped rule.
std::string_view file_of_shipped(const Rule& rule);

struct EmbeddedRules {
  std::string_view name;
  std::string_view packed;
};

}  // namespace nodescout
