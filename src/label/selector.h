// Kubernetes' LabelSelector: which objects, here namespaces, by their labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

struct LabelSelector {
  enum class Operator : std::uint8_t { in, not_in, exists, does_not_exist };
  struct Term {
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;  // of in and not_in
    friend bool operator==(const Term&, const Term&) = default;
  };

  std::vector<Term> terms;    // all must hold; without one every object matches
  bool is_malformed = false;  // it cannot be read completely: nothing matches

  bool matches(const Attributes& labels) const;
  /// Whether the labels decide: they need not be read otherwise.
  bool needs_labels() const { return !terms.empty() && !is_malformed; }
  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

}  // namespace nodescout
