#include "base/number.h"

#include <array>
#include <charconv>
#include <cmath>

namespace nodescout {

std::string go_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  std::array<char, 400> buffer;
  const auto written = [&](std::chars_format format) {
    return std::string_view(
        buffer.data(),
        static_cast<std::size_t>(std::to_chars(buffer.begin(), buffer.end(), value, format).ptr - buffer.data()));
  };
  const std::string scientific(written(std::chars_format::scientific));  // d[.ddd]e[+-]XX
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  if (scientific[e + 1] == '-') exponent = -exponent;
  if (exponent < -4 || exponent >= 6) return scientific;
  return std::string(written(std::chars_format::fixed));
}

std::optional<double> parse_float(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace nodescout
