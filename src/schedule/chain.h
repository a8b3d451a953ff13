// The chain behind a label of ours: label <- rule <- terms of the rule <- facts. It is read from the rules alone, so it
// also answers for labels that no Node has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nodescout/rules.h"

namespace nodescout::schedule {

class LabelChains {
 public:
  LabelChains() = default;
  /// Shipped and built-in rules, in order.
  explicit LabelChains(std::vector<Rule> rules);

  /// A line for each rule that can make the label, the one that wins last; the keys of a template count by how they
  /// begin. Empty: none of the rules makes it.
  std::vector<std::string> of(std::string_view key) const;

 private:
  struct Maker {
    std::string key;  // or its beginning
    bool is_beginning = false;
    std::size_t rule = 0;
    std::string value;  // as the rule has it; empty if a template makes it
  };
  std::vector<Rule> rules_;
  std::vector<Maker> makers_;
};

}  // namespace nodescout::schedule
