// Text helpers with Go's semantics where a result depends on them (NFD is written in Go).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nodescout {

/// Without leading and trailing Unicode white space, as Go's strings.TrimSpace.
std::string_view trim(std::string_view text);

/// Without trailing ASCII white space.
std::string_view trim_right(std::string_view text);

/// Pieces between separators; one empty piece for empty text. "a,,b" -> {"a", "", "b"}.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Pieces between runs of Unicode white space, none of them empty: Go's strings.Fields.
std::vector<std::string_view> fields(std::string_view text);

std::string join(const std::vector<std::string>& pieces, std::string_view separator);
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);
std::string lower_ascii(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Go's strconv.Atoi: optional sign, ASCII digits, nothing else, must fit 64 bits.
std::optional<std::int64_t> parse_int(std::string_view text);

/// Hex digits without prefix, at most 16 of them.
std::optional<std::uint64_t> parse_hex(std::string_view text);

/// Every byte that is not part of valid UTF-8 becomes U+FFFD, as in Go's encoding/json.
std::string valid_utf8(std::string_view text);

/// One code point; length 1 and value 0xFFFD for a broken byte. `text` must not be empty.
struct Rune {
  char32_t value;
  int length;

  bool broken() const { return value == 0xFFFD && length == 1; }
};
Rune decode_rune(std::string_view text);
Rune decode_last_rune(std::string_view text);
/// Code points; a broken byte counts as one.
std::size_t rune_count(std::string_view text);
bool is_utf8(std::string_view text);
void append_rune(std::string& out, char32_t rune);
/// unicode.IsSpace
bool is_space(char32_t rune);

/// Go's strconv.Quote: double quotes, \n, \x.., \u.... for what is not printable; with `ascii` for all beyond ASCII.
std::string quote(std::string_view text, bool ascii = false);
/// strconv.QuoteRune: 'x'.
std::string quote_rune(char32_t rune, bool ascii = false);

/// 1-based column counted in code points of byte offset `at` within `line`.
int column_of(std::string_view line, std::size_t at);

/// The candidate that a misspelt word most probably meant, or empty. Case and separators weigh little.
std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace nodescout
