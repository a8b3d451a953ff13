// Constants of the template language, spelled as in Go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nodescout::tmpl {

/// "..." with escapes or `...` taken literally, quotes included. Empty if it is malformed.
std::optional<std::string> unquote(std::string_view literal);

/// A number has no type of its own: 3.0 and 1e3 and 'a' may become an int where an int is wanted. Where nothing is
/// wanted, the spelling decides.
struct Number {
  enum class Ideal : std::uint8_t { integer, floating, complex, too_large };

  Ideal ideal = Ideal::integer;
  bool is_integer = false;  // has an int64 value
  bool is_floating = false;
  std::int64_t integer = 0;
  double floating = 0;
  double imaginary = 0;  // with `floating` as the real part, if ideal is complex
};
/// Empty if it is malformed; `problem` then says why.
std::optional<Number> parse_number(std::string_view literal, std::string& problem);
std::optional<Number> parse_character(std::string_view literal);
/// a+bi; `second` is where the imaginary part begins.
std::optional<Number> parse_complex(std::string_view literal, std::size_t second);

}  // namespace nodescout::tmpl
