#include "rule/shipped.h"

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

}  // namespace nodescout
