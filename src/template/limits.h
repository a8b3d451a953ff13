// What a template may cost. NFD knows only the first of these limits; without the others one rule can occupy or kill
// the agent ({{ range 1000000000 }}, {{ repeat 1000000000 "x" }}, a template that calls itself).
#pragma once

#include <cstddef>

namespace nodescout {

struct TemplateLimits {
  static constexpr std::size_t kSource = 65536;  // bytes of a template, as in NFD
  static constexpr int kNesting = 200;           // of blocks and parentheses in the source; Go: 10 000 parentheses
  static constexpr int kDepth = 500;             // of evaluation, of lists in lists; Go: 100 000 templates

  std::size_t steps = 1'000'000;   // commands, iterations, items and bytes worked on; under a second in any case
  std::size_t output = 1u << 20;   // bytes
  std::size_t memory = 16u << 20;  // bytes of texts, lists and dicts made on the way
};

}  // namespace nodescout
