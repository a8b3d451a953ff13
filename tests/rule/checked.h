// Rules checked as `rules check` does, for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "corridor/schema.h"
#include "rule/check.h"

namespace nodescout::test {

/// Findings of files, given as name and text, that are checked together.
inline std::vector<Finding> checked(const std::vector<std::pair<std::string, std::string>>& files) {
  static const Schema schema = schema_of_probes();
  std::vector<RuleFile> read;
  for (const auto& [name, text] : files) read.push_back({text, parse_rules(text, name)});
  check_rules(read, schema);
  std::vector<Finding> all;
  for (RuleFile& file : read)
    for (Finding& finding : file.parsed.findings) all.push_back(std::move(finding));
  return all;
}

/// An object of that name; its rules begin in line 6.
inline std::string object(const std::string& rules, const std::string& name = "t") {
  return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: " + name +
         "}\nspec:\n  rules:\n" + rules;
}

}  // namespace nodescout::test
