// A labelsTemplate or varsTemplate: the template, and the lines of its output as a map.
#pragma once

#include <memory>
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

/// Parsed when it is first run: most of the shipped rules match nothing on most machines, and their templates are a
/// seventh of what setting up a dump takes.
class Expansion {
 public:
  /// `source` must outlive the expansion; `field`, a literal, names the rule's field in errors. A template that does
  /// not parse is kept: its error is that of every run.
  Expansion(std::string_view source, std::string_view field, const TemplateLimits& limits);
  Expansion(Expansion&&) noexcept;
  Expansion& operator=(Expansion&&) noexcept;
  ~Expansion();

  /// Thread-safe.
  const Result<Template>& parsed() const;

  /// Key=value lines of the output; the later of two lines for one key wins. Errors: malformed or unsupported, where =
  /// "labelsTemplate:line:column". Thread-safe.
  Result<Attributes> run(const MatchedTerms& matched) const;

 private:
  struct Parsed;
  std::string_view source_, field_;
  TemplateLimits limits_;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace nodescout
