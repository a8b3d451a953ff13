// The chain behind a label of ours: label <- rule <- terms of the rule <- facts. It is read from the rules alone, so it
// also answers for labels that no Node has.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/labels.h"
#include "nodescout/rules.h"

namespace nodescout::schedule {

class LabelChains {
 public:
  LabelChains() = default;
  /// Shipped and built-in rules, in order.
  explicit LabelChains(std::vector<Rule> rules);

  /// A line for each rule that can make the label, the one that wins last; the keys of a template count by how they
  /// begin and end. Empty: none of the rules makes it.
  std::vector<std::string> of(std::string_view key) const;

  /// "gpu (/sys/bus/pci/devices)": the probe behind an entry and what it reads, where `maker` is what the agent's Lease
  /// or `diff` says of it. Empty: the maker is a rule that is not among these, or looks at nothing.
  std::string probe_of(const EntryKey& entry, std::string_view maker) const;

 private:
  struct Maker {
    std::string key;  // or its beginning
    bool is_beginning = false;
    std::set<std::string, std::less<>> tails;  // how a key with that beginning can end; empty: in any way
    std::size_t rule = 0;
    std::string value;  // as the rule has it; empty if a template makes it
  };
  static bool ends_as(const Maker& maker, std::string_view key);
  /// Those that can make the label, in their order.
  std::vector<const Maker*> makers_for(std::string_view key) const;

  std::vector<Rule> rules_;
  std::vector<Maker> makers_;
};

}  // namespace nodescout::schedule
