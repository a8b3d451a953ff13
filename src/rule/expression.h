// One expression against one input: NFD's operators with their numeric and version semantics.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/semver.h"
#include "nodescout/rules.h"
#include "rule/pattern.h"

namespace nodescout {

/// Major, minor and patch: pre-release and metadata are checked for their form and then forgotten, as NFD does.
using Version = std::array<std::uint64_t, 3>;

enum class Verdict : std::uint8_t { no, yes, error };

/// An expression made ready: numbers parsed, patterns compiled, and what is wrong with it found.
class CompiledExpression {
 public:
  explicit CompiledExpression(const Expression& source, PatternBudget* budget = nullptr);

  /// `value` is the element's value, or nullptr for a flag. `exists`: the element is there. On error `why` says what.
  Verdict evaluate(bool exists, const std::string* value, std::string& why) const;

  Operator op() const { return op_; }
  /// What is wrong with the expression itself; empty if it is sound. An unsound one is an error only where it is
  /// evaluated on an existing value (but an unknown operator, or values that Exists takes none of, everywhere), as in
  /// NFD.
  const std::string& defect() const { return defect_; }

 private:
  Verdict compare(const std::string& input, std::string& why) const;

  Operator op_;
  bool defect_is_fatal_ = false;  // even where the element does not exist
  bool by_version_ = false;
  std::string defect_;
  std::vector<std::string> values_;
  std::vector<std::int64_t> numbers_;
  std::vector<Version> versions_;
  std::vector<Pattern> patterns_;
};

/// {op: "In", value: ["a" "b"]}
std::string text_of(const Expression& expression);

}  // namespace nodescout
