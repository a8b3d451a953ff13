// A labelsTemplate or varsTemplate: the template, and the lines of its output as a map.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/result.h"
#include "template/template.h"

namespace nodescout {

/// What one term of a matcher matched.
struct MatchedTerm {
  std::string_view feature;  // as written in the rule
  std::vector<MatchedElement> elements;
};

/// One entry per term that was evaluated, also where nothing matched.
using MatchedTerms = std::vector<MatchedTerm>;

class Expansion {
 public:
  /// `field` names the rule's field in errors. A template that does not parse is kept: its error is that of every run.
  Expansion(std::string_view source, std::string_view field, const TemplateLimits& limits)
      : template_(Template::parse(source)), field_(field), limits_(limits) {}

  /// Key=value lines of the output; the later of two lines for one key wins. Errors: malformed or unsupported, where =
  /// "labelsTemplate:line:column".
  Result<Attributes> run(const MatchedTerms& matched) const;

 private:
  Result<Template> template_;
  std::string field_;
  TemplateLimits limits_;
};

}  // namespace nodescout
