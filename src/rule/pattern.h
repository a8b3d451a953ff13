// Go's regular expressions on RE2: the same syntax, with the two differences of Debian's version bridged.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace re2 {
class RE2;
}

namespace nodescout {

/// A compiled pattern; cheap to copy, safe to share between threads.
class Pattern {
 public:
  /// Errors: malformed, with RE2's words. `(?<name>` is accepted as Go does, `\C` refused as Go does; at most 16 MiB of
  /// program.
  static Result<Pattern> compile(std::string_view text);

  /// Whether the pattern is found anywhere in the text (unanchored). Linear time.
  bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> compiled_;
};

/// The pattern as Debian's RE2 wants it: `(?<n>a)` -> `(?P<n>a)`, outside classes and \Q...\E. Errors: malformed for
/// `\C`.
Result<std::string> to_re2_syntax(std::string_view go_pattern);

}  // namespace nodescout
