// What the terms of one matcher matched: the data of a template.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

/// A flag {Name}, an attribute {Name, Value}, or one instance with all its attributes. Views into the Features (and
/// into the expression names of the rule), which outlive it.
struct MatchedElement {
  std::string_view name;
  const std::string* value = nullptr;    // attribute
  const Attributes* instance = nullptr;  // instance; then name is empty
};

struct MatchedTerm {
  std::string_view feature;  // as written in the rule; split at its first dot for templates
  std::vector<MatchedElement> elements;
};

/// One entry per term that was evaluated, also where nothing matched; terms of the same feature are appended by the
/// template's data.
using MatchedTerms = std::vector<MatchedTerm>;

}  // namespace nodescout
