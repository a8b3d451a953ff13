// Lines of YAML taken apart, for code that looks for slips in text that does not parse.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace nodescout {

inline constexpr auto kNone = std::string_view::npos;

/// A line of block style, taken apart: "  - name: value # comment".
struct YamlLine {
  std::string_view text;  // without its comment and what is blank at the end
  std::size_t indent = 0;
  std::vector<std::size_t> dashes;  // columns of "- "
  std::size_t content = 0;          // column of what follows indentation and dashes
  std::size_t colon = kNone;        // of the first ": " (or one at the end) outside quotes

  bool is_blank() const { return indent >= text.size(); }
  std::string_view key() const { return text.substr(content, colon - content); }
  /// Where the value begins; the size of the text where there is none.
  std::size_t value() const {
    const std::size_t from = colon == kNone ? content : colon + 1;
    return std::min(text.find_first_not_of(" \t", from), text.size());
  }
};

inline bool is_quote(char c) { return c == '"' || c == '\''; }
inline bool is_end_of_word(std::string_view line, std::size_t at) {
  return at >= line.size() || line[at] == ' ' || line[at] == '\t';
}

/// The byte after a quoted string that begins at `at`; npos if it is not closed on this line.
std::size_t end_of_quoted(std::string_view line, std::size_t at);

YamlLine take_apart(std::string_view text);

/// "|", ">-", "|2": a text begins on the next line.
bool opens_block(std::string_view value);

/// Whether a line with a colon is a key of a map, and not a text with a colon in it.
bool has_plain_key(const YamlLine& line);

}  // namespace nodescout
