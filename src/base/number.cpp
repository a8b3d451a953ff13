#include "base/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace nodescout {
namespace {

char lower(char c) { return static_cast<char>(c | ('x' - 'X')); }
bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_hex_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'f'; }

/// Underscores are legal between digits, and between a base prefix and a digit.
bool underscores_separate_digits(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  enum { start, digit, underscore, other } before = start;
  bool hex = false;
  if (text.size() >= 2 && text[0] == '0' && (lower(text[1]) == 'b' || lower(text[1]) == 'o' || lower(text[1]) == 'x')) {
    hex = lower(text[1]) == 'x';
    before = digit;
    text.remove_prefix(2);
  }
  for (const char c : text) {
    if (is_decimal(c) || (hex && is_hex_letter(c))) {
      before = digit;
    } else if (c == '_') {
      if (before != digit) return false;
      before = underscore;
    } else {
      if (before == underscore) return false;
      before = other;
    }
  }
  return before != underscore;
}

struct Magnitude {
  ParsedInt::Status status = ParsedInt::syntax;
  std::uint64_t value = 0;
};

Magnitude parse_magnitude(std::string_view text, int base) {
  if (text.empty()) return {};
  const std::string_view whole = text;
  const bool any_base = base == 0;
  if (any_base) {
    base = 10;
    if (text[0] == '0') {
      const char mark = text.size() >= 3 ? lower(text[1]) : '0';
      base = mark == 'b' ? 2 : mark == 'x' ? 16 : 8;
      text.remove_prefix(mark == 'b' || mark == 'x' || mark == 'o' ? 2 : 1);
    }
  }
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const auto radix = static_cast<std::uint64_t>(base);
  bool underscores = false;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c == '_' && any_base) {
      underscores = true;
      continue;
    }
    std::uint64_t digit = 0;
    if (is_decimal(c)) {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (lower(c) >= 'a' && lower(c) <= 'z') {
      digit = static_cast<std::uint64_t>(lower(c) - 'a') + 10;
    } else {
      return {};
    }
    if (digit >= radix) return {};
    if (value > largest / radix || value * radix > largest - digit) return {ParsedInt::range, largest};
    value = value * radix + digit;
  }
  if (underscores && !underscores_separate_digits(whole)) return {};
  return {ParsedInt::valid, value};
}

std::string to_text(double value, std::chars_format format) {
  std::array<char, 400> buffer;
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, format).ptr;
  return {buffer.data(), end};
}

std::string to_text(double value, std::chars_format format, int precision) {
  // No double has more than 1074 decimals; what is asked for beyond them is zeros.
  constexpr int kDecimals = 1100;
  std::array<char, kDecimals + 400> buffer;
  const int shown = std::min(precision, kDecimals);
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, format, shown).ptr;
  std::string out(buffer.data(), end);
  if (precision > shown && format != std::chars_format::general) {
    const std::size_t exponent = std::min(out.find('e'), out.size());
    out.insert(exponent, static_cast<std::size_t>(precision - shown), '0');
  }
  return out;
}

/// mantissa p exponent, both decimal: the value is mantissa * 2^exponent.
std::string binary_exponent(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (value == 0 || exponent < -1021) {  // denormal: the exponent stays at its least
    return std::to_string(static_cast<std::int64_t>(std::ldexp(value, 1074))) + "p-1074";
  }
  exponent -= 53;
  return std::to_string(static_cast<std::int64_t>(std::ldexp(fraction, 53))) + (exponent < 0 ? "p" : "p+") +
         std::to_string(exponent);
}

std::string hexadecimal(double value, int precision) {
  int exponent = 0;
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent = value == 0 ? 0 : exponent - 1;
  // mantissa: one digit before the point and 13 after it, 52 bits
  if (precision >= 0 && precision < 13 && mantissa != 0) {
    const int shift = 4 * (13 - precision);
    const std::uint64_t rest = mantissa & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    mantissa >>= shift;
    if (rest > half || (rest == half && (mantissa & 1) != 0)) ++mantissa;
    mantissa <<= shift;
    if ((mantissa >> 53) != 0) mantissa >>= 1, ++exponent;
  }
  std::string digits;
  for (int shift = 48; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(mantissa >> shift) & 15];
  if (precision < 0) {
    digits.erase(digits.find_last_not_of('0') + 1);
  } else {
    digits.resize(static_cast<std::size_t>(precision), '0');
  }
  std::string out = (mantissa >> 52) != 0 ? "0x1" : "0x0";
  if (!digits.empty()) out += '.' + digits;
  const int size = std::abs(exponent);
  return out + (exponent < 0 ? "p-" : "p+") + (size < 10 ? "0" : "") + std::to_string(size);
}

/// The shortest digits of a value that is not negative, and the position of the point: 0.0125 is {"125", -1}.
struct Shortest {
  std::string digits;
  int point;
};
Shortest shortest_digits(double value) {
  const std::string scientific = to_text(value, std::chars_format::scientific);  // d[.ddd]e[+-]XX
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  if (scientific[e + 1] == '-') exponent = -exponent;
  std::string digits = scientific.substr(0, e);
  if (digits.size() > 1) digits.erase(1, 1);
  return {std::move(digits), exponent + 1};
}

/// Not std::to_chars, which prints all the digits of 1e23 where Go prints zeros after the shortest ones.
std::string shortest_fixed(const Shortest& number) {
  const auto size = static_cast<int>(number.digits.size());
  if (number.point <= 0) return "0." + std::string(static_cast<std::size_t>(-number.point), '0') + number.digits;
  const auto point = static_cast<std::size_t>(number.point);
  if (number.point >= size) return number.digits + std::string(point - number.digits.size(), '0');
  return number.digits.substr(0, point) + '.' + number.digits.substr(point);
}

std::string shortest_general(double value) {
  const Shortest number = shortest_digits(value);
  const int exponent = number.point - 1;
  return exponent < -4 || exponent >= 6 ? to_text(value, std::chars_format::scientific) : shortest_fixed(number);
}

}  // namespace

std::string format_float(double value, char format, int precision) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  const bool upper = format == 'E' || format == 'G' || format == 'X';
  const bool negative = std::signbit(value);
  const double size = std::abs(value);
  std::string out;
  switch (lower(format)) {
    case 'b': out = binary_exponent(size); break;
    case 'x': out = hexadecimal(size, precision); break;
    case 'e':
      out = precision < 0 ? to_text(size, std::chars_format::scientific)
                          : to_text(size, std::chars_format::scientific, precision);
      break;
    case 'f':
      out = precision < 0 ? shortest_fixed(shortest_digits(size)) : to_text(size, std::chars_format::fixed, precision);
      break;
    default:
      out = precision < 0 ? shortest_general(size) : to_text(size, std::chars_format::general, std::max(precision, 1));
  }
  if (upper)
    for (char& c : out)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  return negative ? '-' + out : out;
}

std::string go_float(double value) { return format_float(value, 'g', -1); }

std::optional<double> parse_float(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_go_float(std::string_view text) {
  if (text.find('_') != std::string_view::npos) {
    if (!underscores_separate_digits(text)) return std::nullopt;
    std::string plain;
    for (const char c : text)
      if (c != '_') plain += c;
    return parse_go_float(plain);
  }
  bool negative = false;
  const bool has_sign = !text.empty() && (text[0] == '+' || text[0] == '-');
  if (has_sign) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  double value = 0;
  const bool hex = text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x';
  if (hex) text.remove_prefix(2);
  if (!hex && !is_decimal(text[0]) && text[0] != '.') {
    std::string word;
    for (const char c : text) word += lower(c);
    if (word == "inf" || word == "infinity") {
      value = std::numeric_limits<double>::infinity();
      return negative ? -value : value;
    }
    if (word == "nan" && !has_sign) return std::numeric_limits<double>::quiet_NaN();
    return std::nullopt;
  }
  // from_chars takes "1e" for 1 and leaves the "e", which the end position shows. Go requires an exponent after every
  // hexadecimal number.
  const std::size_t exponent_at = text.find_first_of(hex ? "pP" : "eE");
  if (hex && (exponent_at == std::string_view::npos || text[0] == '+' || text[0] == '-')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value,
                                            hex ? std::chars_format::hex : std::chars_format::general);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small? The place of the first significant digit, moved by the exponent, decides.
    const std::string_view digits = text.substr(0, exponent_at);
    const std::size_t point = std::min(digits.find('.'), digits.size());
    const std::size_t first = digits.find_first_not_of("0.");
    long long place = static_cast<long long>(point) - static_cast<long long>(first);
    if (hex) place *= 4;
    if (exponent_at != std::string_view::npos) {
      const ParsedInt exponent = parse_go_int(text.substr(exponent_at + 1), 10);
      place += std::min<long long>(std::max<long long>(exponent.value, -1'000'000), 1'000'000);
    }
    if (place > 0) return std::nullopt;
    value = 0;
  }
  return negative ? -value : value;
}

ParsedInt parse_go_int(std::string_view text, int base) {
  bool negative = false;
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  const Magnitude size = parse_magnitude(digits, base);
  if (size.status == ParsedInt::syntax) return {};
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
  if (!negative && size.value >= kLimit) return {ParsedInt::range, std::numeric_limits<std::int64_t>::max()};
  if (negative && size.value > kLimit) return {ParsedInt::range, std::numeric_limits<std::int64_t>::min()};
  return {ParsedInt::valid, static_cast<std::int64_t>(negative ? 0 - size.value : size.value)};
}

std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base) {
  const Magnitude size = parse_magnitude(text, base);
  return size.status == ParsedInt::valid ? std::optional(size.value) : std::nullopt;
}

}  // namespace nodescout
