// Go's package regexp on RE2.
//
// Both match the same expressions in the same way on valid UTF-8. On a broken byte they differ: Go sees U+FFFD, RE2
// sees nothing that any class could match. So invalid bytes are replaced by U+FFFD for RE2, and places are translated
// back.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "template/run.h"

namespace re2 {
class RE2;
}

namespace nodescout::tmpl {

/// Byte offsets; a group that took no part has none.
struct Span {
  std::size_t begin = std::string_view::npos;
  std::size_t end = std::string_view::npos;

  bool matched() const { return begin != std::string_view::npos; }
};

class Regex {
 public:
  explicit Regex(std::unique_ptr<re2::RE2> compiled);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  std::size_t groups() const;                            // without the whole match
  std::size_t group_named(std::string_view name) const;  // npos if there is none
  const re2::RE2& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<re2::RE2> compiled_;
};

/// The expressions of one run: a pattern inside a loop is compiled once.
class RegexCache {
 public:
  /// nullptr if Go would refuse the pattern; `problem` then says why.
  const Regex* find(Run& run, std::string_view pattern, std::string& problem);

 private:
  static constexpr std::size_t kKept = 16;
  struct Entry {
    std::string pattern;
    Regex regex;
  };
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t oldest_ = 0;
};

/// A text to be searched again and again.
class Subject {
 public:
  Subject(Run& run, const Regex& regex, std::string_view text);

  std::string_view text() const { return text_; }
  /// The leftmost match at or after `from`; spans[0] is the whole, spans[i] group i, as many as there is room for.
  bool search(std::size_t from, std::vector<Span>& spans);

 private:
  std::size_t repaired_place(std::size_t at) const;
  std::size_t original_place(std::size_t at) const;

  Run& run_;
  const Regex& regex_;
  std::string_view text_;
  std::string repaired_;             // empty: the text is valid UTF-8
  std::vector<std::size_t> broken_;  // places of broken bytes in the original
};

/// All matches that do not overlap, at most `limit` (negative: all); spans of the whole match and of the groups.
/// An empty match right after another is ignored.
std::vector<std::vector<Span>> find_all(Subject& subject, std::int64_t limit, std::size_t groups);

/// The pattern that matches exactly this text.
std::string quote_meta(std::string_view text);

}  // namespace nodescout::tmpl
