#include "rule/shipped.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "rule/pack.h"

namespace nodescout {

/// Made by embed_rules when the program is built.
extern const std::span<const EmbeddedRules> kEmbeddedRules;

std::vector<Rule> shipped_rules(std::string_view name) {
  std::vector<Rule> rules;
  for (const EmbeddedRules& file : kEmbeddedRules) {
    if (name.empty() ? file.name == "builtin" : file.name != name) continue;
    std::vector<Rule> unpacked = unpack(file.packed);
    std::move(unpacked.begin(), unpacked.end(), std::back_inserter(rules));
  }
  return rules;
}

std::string_view file_of_shipped(const Rule& rule) {
  std::string_view name = rule.origin;  // "rules/nvidia.yaml"
  name.remove_prefix(std::min(name.rfind('/') + 1, name.size()));
  return name.substr(0, name.find('.'));
}

}  // namespace nodescout
