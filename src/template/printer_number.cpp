#include <algorithm>

#include "base/number.h"
#include "base/text.h"
#include "base/unicode.h"
#include "template/printer.h"

namespace nodescout::tmpl {

void Printer::integer(const Datum& value, char32_t verb) {
  const bool is_signed = kind_of(value) == Kind::integer;
  const std::uint64_t bits = value.uinteger;
  const char32_t rune = bits > 0x10FFFF ? 0xFFFD : static_cast<char32_t>(bits);
  switch (verb) {
    case 'v':
      if (flags.sharp_v && !is_signed) {
        const bool sharp = std::exchange(flags.sharp, true);
        digits(bits, 16, false, verb, false);
        flags.sharp = sharp;
        return;
      }
      return digits(bits, 10, is_signed, verb, false);
    case 'd': return digits(bits, 10, is_signed, verb, false);
    case 'b': return digits(bits, 2, is_signed, verb, false);
    case 'o':
    case 'O': return digits(bits, 8, is_signed, verb, false);
    case 'x': return digits(bits, 16, is_signed, verb, false);
    case 'X': return digits(bits, 16, is_signed, verb, true);
    case 'c': {
      std::string out;
      append_rune(out, rune);
      return padded(out);
    }
    case 'q': return padded(quote_rune(rune, flags.plus));
    case 'U': return unicode(bits);
    default: return bad_verb(value, verb);
  }
}

void Printer::digits(std::uint64_t value, int base, bool is_signed, char32_t verb, bool upper) {
  const bool negative = is_signed && static_cast<std::int64_t>(value) < 0;
  if (negative) value = 0 - value;
  const bool zero = std::exchange(flags.zero, false);  // digits are padded here, blanks by padded()
  if (flags.has_precision && flags.precision == 0 && value == 0) {
    padding(flags.width);  // no digits at all
    flags.zero = zero;
    return;
  }
  // %05d asks for digits; %-5d and %05.3d do not.
  int least = 0;
  if (flags.has_precision) {
    least = flags.precision;
  } else if (zero && !flags.minus && flags.has_width) {
    least = flags.width - (negative || flags.plus || flags.space ? 1 : 0);
  }
  std::string reversed;
  const std::string_view alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  const auto radix = static_cast<std::uint64_t>(base);
  do {
    reversed += alphabet[value % radix];
    value /= radix;
  } while (value > 0);
  if (least > static_cast<int>(reversed.size()))
    reversed.append(static_cast<std::size_t>(least) - reversed.size(), '0');
  if (flags.sharp) {
    if (base == 2) reversed += "b0";
    if (base == 8 && reversed.back() != '0') reversed += '0';
    if (base == 16) reversed += upper ? "X0" : "x0";
  }
  if (verb == 'O') reversed += "o0";
  if (negative) {
    reversed += '-';
  } else if (flags.plus) {
    reversed += '+';
  } else if (flags.space) {
    reversed += ' ';
  }
  std::reverse(reversed.begin(), reversed.end());
  padded(reversed);
  flags.zero = zero;
}

void Printer::unicode(std::uint64_t value) {
  const std::size_t least = flags.has_precision && flags.precision > 4 ? static_cast<std::size_t>(flags.precision) : 4;
  std::string hex;
  for (std::uint64_t rest = value; rest > 0; rest /= 16) hex += "0123456789ABCDEF"[rest % 16];
  if (hex.size() < least) hex.append(least - hex.size(), '0');
  std::reverse(hex.begin(), hex.end());
  std::string out = "U+" + hex;
  if (flags.sharp && value <= 0x10FFFF && is_print(static_cast<char32_t>(value))) {
    out += " '";
    append_rune(out, static_cast<char32_t>(value));
    out += '\'';
  }
  const bool zero = std::exchange(flags.zero, false);
  padded(out);
  flags.zero = zero;
}

void Printer::floating(const Datum& value, double number, char32_t verb) {
  switch (verb) {
    case 'v': return floating_digits(number, 'g', -1);
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X': return floating_digits(number, static_cast<char>(verb), -1);
    case 'e':
    case 'E':
    case 'f': return floating_digits(number, static_cast<char>(verb), 6);
    case 'F': return floating_digits(number, 'f', 6);
    default: return bad_verb(value, verb);
  }
}

namespace {

/// With the flag #, a number keeps its point and the zeros that %g would drop.
void keep_zeros(std::string& number, char format, int precision) {
  int missing = 0;
  if (format == 'g' || format == 'G' || format == 'x') missing = precision == -1 ? 6 : precision;
  const std::size_t tail_at =
      number.find_first_of(format == 'x' || format == 'X' ? std::string_view("pP") : std::string_view("eEpP"));
  const std::string tail = tail_at == std::string::npos ? "" : number.substr(tail_at);
  number.erase(std::min(tail_at, number.size()));
  bool significant = false;
  for (const char c : std::string_view(number).substr(1)) {
    if (c == '.') continue;
    significant = significant || c != '0';
    if (significant) --missing;
  }
  if (number.find('.') == std::string::npos) {
    if (number.size() == 2 && number[1] == '0') --missing;
    number += '.';
  }
  if (missing > 0) number.append(static_cast<std::size_t>(missing), '0');
  number += tail;
}

}  // namespace

void Printer::floating_digits(double value, char format, int precision) {
  if (flags.has_precision) precision = flags.precision;
  std::string number = format_float(value, format, precision);
  if (number[0] != '-' && number[0] != '+') number.insert(number.begin(), '+');
  if (flags.space && number[0] == '+' && !flags.plus) number[0] = ' ';
  if (number[1] == 'I' || number[1] == 'N') {
    if (number[1] == 'N' && !flags.space && !flags.plus) number.erase(0, 1);  // but +Inf keeps its sign
    const bool zero = std::exchange(flags.zero, false);                       // words are not padded with zeros
    padded(number);
    flags.zero = zero;
    return;
  }
  if (flags.sharp && format != 'b') keep_zeros(number, format, precision);
  const bool shows_sign = flags.plus || number[0] != '+';
  if (!shows_sign) return padded(std::string_view(number).substr(1));
  if (flags.zero && !flags.minus && flags.has_width && flags.width > static_cast<int>(number.size())) {
    out_ += number[0];  // the zeros go between sign and digits
    padding(flags.width - static_cast<int>(number.size()));
    out_ += std::string_view(number).substr(1);
    return;
  }
  padded(number);
}

void Printer::complex(const Datum& value, char32_t verb) {
  if (std::string_view("vbgGxXfFeE").find(static_cast<char>(verb)) == std::string_view::npos || verb >= 0x80)
    return bad_verb(value, verb);
  out_ += '(';
  floating(value, value.complex->real(), verb);
  const bool plus = std::exchange(flags.plus, true);
  floating(value, value.complex->imag(), verb);
  flags.plus = plus;
  out_ += "i)";
}

}  // namespace nodescout::tmpl
