// A labelsTemplate or varsTemplate: the template, and the lines of its output as a map.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "nodescout/features.h"
#include "nodescout/result.h"
#include "rule/elements.h"

namespace nodescout {

class Expansion {
 public:
  /// `field` names the rule's field in errors. A template that does not parse is kept: its error is that of every run.
  Expansion(std::string_view source, std::string_view field);
  Expansion(Expansion&&) noexcept;
  Expansion& operator=(Expansion&&) noexcept;
  ~Expansion();

  /// Key=value lines of the output; the later of two lines for one key wins. Errors: malformed, where =
  /// field:line:column.
  Result<Attributes> run(const MatchedTerms& matched) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
