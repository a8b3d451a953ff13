// Go's regular expressions on RE2: the same syntax, with the two differences of Debian's version bridged.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace re2 {
class RE2;
}

namespace nodescout {

/// What the regular expressions of one set of rules may take together: otherwise a file of a megabyte could ask for
/// gigabytes. Small ones and large ones (over 11,000 instructions) have an account each, so that a few monsters do not
/// cost their neighbours anything.
struct PatternBudget {
  std::size_t small = 32u << 20;  // bytes
  std::size_t large = 32u << 20;
};

/// A compiled pattern; cheap to copy, safe to share between threads.
class Pattern {
 public:
  /// Errors: malformed, with RE2's words; unsupported if it is larger than 16 MiB (RE2's count), or than the budget is.
  static Result<Pattern> compile(std::string_view text, PatternBudget* budget = nullptr);

  /// Whether the pattern is found anywhere in the text (unanchored). Linear time.
  bool found_in(std::string_view text) const;

 private:
  /// "^(03|0b40|12)" and "^AVX512$": most patterns of real rules ask for the beginning of a text, or for all of it.
  /// Comparing is a hundred times cheaper than an automaton, to make as well as to use.
  struct Literals {
    std::vector<std::string> starts;
    bool whole = false;  // "$" follows
  };
  static std::optional<Literals> literals_in(std::string_view text);

  Pattern() = default;
  std::optional<Literals> literals_;
  std::shared_ptr<const re2::RE2> compiled_;  // where there are no literals
};

}  // namespace nodescout
