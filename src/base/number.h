// Numbers read and spelled as Go reads and spells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

/// Shortest decimal that reads back as `value`, as strconv.FormatFloat(v, 'g', -1, 64) and fmt's %v write it:
/// 3, 0.0001, 1e+06, 1.5e+300.
std::string go_float(double value);

/// strconv.FormatFloat(value, format, precision, 64) for the formats b, e, E, f, g, G, x and X; precision -1 is the
/// shortest that reads back as `value`.
std::string format_float(double value, char format, int precision);

/// strconv.ParseFloat of a plain decimal; empty if it is not one or overflows.
std::optional<double> parse_float(std::string_view text);

/// strconv.ParseFloat as it is: also hexadecimal, infinities, and underscores after a base prefix. Empty on any error;
/// what is too small is 0, what is too large is an error.
std::optional<double> parse_go_float(std::string_view text);

/// strconv.ParseInt(text, base, 64). Base 0 reads 0x, 0o, 0b, a leading zero as octal, and underscores.
struct ParsedInt {
  enum Status : std::uint8_t { valid, syntax, range };

  Status status = syntax;
  std::int64_t value = 0;  // 0 on a syntax error, the nearest integer when out of range, as Go returns it

  explicit operator bool() const { return status == valid; }
};
ParsedInt parse_go_int(std::string_view text, int base);

/// strconv.ParseUint(text, base, 64); empty on any error.
std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base);

}  // namespace nodescout
