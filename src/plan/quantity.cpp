#include <optional>

#include "base/kubernetes_syntax.h"
#include "nodescout/plan.h"

namespace nodescout {
namespace {

__extension__ typedef __int128 Int128;  // a pedantic compiler wants the word

/// A number as digits and a power of ten, after binary suffixes are multiplied out. 128 bits hold every quantity that
/// Kubernetes stores (63 bits, or 19 digits).
struct Number {
  Int128 mantissa = 0;
  int exponent = 0;

  void reduce() {
    if (mantissa == 0) exponent = 0;
    while (mantissa != 0 && mantissa % 10 == 0) mantissa /= 10, ++exponent;
  }
  friend bool operator==(const Number&, const Number&) = default;
};

std::optional<Number> parse(std::string_view text) {
  if (!quantity_defect(text).empty()) return std::nullopt;
  Number number;
  bool negative = false;
  if (text[0] == '+' || text[0] == '-') {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  constexpr Int128 kMost = (Int128{1} << 100);
  bool dot = false;
  while (!text.empty() && ((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) {
    if (text[0] == '.') {
      dot = true;
    } else {
      if (number.mantissa > kMost) return std::nullopt;
      number.mantissa = number.mantissa * 10 + (text[0] - '0');
      if (dot) --number.exponent;
    }
    text.remove_prefix(1);
  }
  constexpr std::string_view kDecimal = "num kMGTPE";  // 10^-9 ... 10^18 in steps of three
  constexpr std::string_view kBinary = "KMGTPE";
  if (text.size() == 2 && text[1] == 'i') {
    for (std::size_t i = 0; i <= kBinary.find(text[0]); ++i) {
      if (number.mantissa > kMost) return std::nullopt;
      number.mantissa *= 1024;
    }
  } else if (text.size() == 1) {
    number.exponent += (static_cast<int>(kDecimal.find(text[0])) - 3) * 3;
  } else if (!text.empty()) {
    const bool minus = text[1] == '-';
    int exponent = 0;
    for (const char c : text.substr(text[1] == '-' || text[1] == '+' ? 2 : 1))
      exponent = exponent > 1000 ? exponent : exponent * 10 + (c - '0');
    number.exponent += minus ? -exponent : exponent;
  }
  if (negative) number.mantissa = -number.mantissa;
  number.reduce();
  return number;
}

}  // namespace

bool same_quantity(std::string_view a, std::string_view b) {
  const auto first = parse(a);
  const auto second = parse(b);
  return first && second && *first == *second;
}

}  // namespace nodescout
