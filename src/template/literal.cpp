#include "template/literal.h"

#include <limits>

#include "base/number.h"
#include "base/text.h"

namespace nodescout::tmpl {
namespace {

struct Character {
  char32_t value;
  bool byte;  // \x41 and \101 are bytes, not code points
};

bool is_unicode(char32_t value) { return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF); }

/// The digits of \x.., \u...., \U........ and \...; false if there are too few.
bool digits(std::string_view& rest, std::size_t count, int base, char32_t& value) {
  if (rest.size() < count) return false;
  value = 0;
  for (const char c : rest.substr(0, count)) {
    const char lower = static_cast<char>(c | 0x20);
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : base;
    if (digit >= base) return false;
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  rest.remove_prefix(count);
  return true;
}

/// The next character of a literal whose quote is `quote`.
std::optional<Character> next_character(std::string_view& rest, char quote) {
  if (rest.empty() || rest[0] == quote) return std::nullopt;
  if (rest[0] != '\\') {
    const Rune rune = decode_rune(rest);
    rest.remove_prefix(static_cast<std::size_t>(rune.length));
    return Character{rune.value, false};
  }
  if (rest.size() < 2) return std::nullopt;
  const char escape = rest[1];
  rest.remove_prefix(2);
  char32_t value = 0;
  switch (escape) {
    case 'a': return Character{'\a', false};
    case 'b': return Character{'\b', false};
    case 'f': return Character{'\f', false};
    case 'n': return Character{'\n', false};
    case 'r': return Character{'\r', false};
    case 't': return Character{'\t', false};
    case 'v': return Character{'\v', false};
    case '\\': return Character{'\\', false};
    case '\'':
    case '"':
      if (escape != quote) return std::nullopt;
      return Character{static_cast<char32_t>(escape), false};
    case 'x':
      if (!digits(rest, 2, 16, value)) return std::nullopt;
      return Character{value, true};
    case 'u':
    case 'U':
      if (!digits(rest, escape == 'u' ? 4 : 8, 16, value) || !is_unicode(value)) return std::nullopt;
      return Character{value, false};
    default: break;
  }
  std::string_view octal(rest.data() - 1, rest.size() + 1);
  if (!digits(octal, 3, 8, value) || value > 255) return std::nullopt;
  rest = octal;
  return Character{value, true};
}

Number real(double value) {
  Number number;
  number.ideal = Number::Ideal::floating;
  number.is_floating = true;
  number.floating = value;
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (value >= -kLimit && value < kLimit && static_cast<double>(static_cast<std::int64_t>(value)) == value) {
    number.is_integer = true;
    number.integer = static_cast<std::int64_t>(value);
  }
  return number;
}

Number complex(double re, double im) {
  Number number = im == 0 ? real(re) : Number{};
  number.ideal = Number::Ideal::complex;
  number.floating = re;
  number.imaginary = im;
  return number;
}

/// Where the spelling alone decides, a point or an exponent makes a float; the digits of 0x1e5 hold none.
Number::Ideal ideal_of(std::string_view literal) {
  const bool hex = literal.size() > 2 && literal[0] == '0' && (literal[1] | 0x20) == 'x' &&
                   literal.find_first_of("pP") == std::string_view::npos;
  return !hex && literal.find_first_of(".eEpP") != std::string_view::npos ? Number::Ideal::floating
                                                                          : Number::Ideal::integer;
}

}  // namespace

std::optional<std::string> unquote(std::string_view literal) {
  std::string out;
  if (literal.starts_with('`')) {
    for (const char c : literal.substr(1, literal.size() - 2))
      if (c != '\r') out += c;
    return out;
  }
  std::string_view rest = literal.substr(1);
  while (rest != "\"") {
    const std::optional<Character> next = next_character(rest, '"');
    if (!next) return std::nullopt;
    if (next->byte) {
      out += static_cast<char>(next->value);
    } else {
      append_rune(out, next->value);
    }
  }
  return out;
}

std::optional<Number> parse_character(std::string_view literal) {
  std::string_view rest = literal.substr(1);
  const std::optional<Character> character = next_character(rest, '\'');
  if (!character || rest != "'") return std::nullopt;
  Number number = real(static_cast<double>(character->value));
  number.ideal = Number::Ideal::integer;
  return number;
}

std::optional<Number> parse_complex(std::string_view literal, std::size_t second) {
  const std::optional<double> re = parse_go_float(literal.substr(0, second));
  const std::optional<double> im = parse_go_float(literal.substr(second, literal.size() - second - 1));
  if (!re || !im) return std::nullopt;
  return complex(*re, *im);
}

std::optional<Number> parse_number(std::string_view literal, std::string& problem) {
  if (literal.ends_with('i'))
    if (const std::optional<double> im = parse_go_float(literal.substr(0, literal.size() - 1))) return complex(0, *im);
  const ParsedInt integer = parse_go_int(literal, 0);
  if (integer) {
    Number number = real(static_cast<double>(integer.value));
    number.ideal = ideal_of(literal);
    number.is_integer = true;
    number.integer = integer.value;
    return number;
  }
  if (const std::optional<std::uint64_t> large = parse_go_uint(literal, 0)) {
    Number number;
    number.ideal = Number::Ideal::too_large;
    number.is_floating = true;
    number.floating = static_cast<double>(*large);
    return number;
  }
  const std::optional<double> value = parse_go_float(literal);
  if (!value) {
    problem = "is not a number";
    return std::nullopt;
  }
  if (literal.find_first_of(".eEpP") == std::string_view::npos) {
    problem = "is too large for an integer of 64 bits";
    return std::nullopt;
  }
  Number number = real(*value);
  number.ideal = ideal_of(literal);
  if (number.ideal == Number::Ideal::integer && !number.is_integer) number.ideal = Number::Ideal::too_large;
  return number;
}

}  // namespace nodescout::tmpl
