// Numbers spelled as Go spells them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

/// Shortest decimal that reads back as `value`, as strconv.FormatFloat(v, 'g', -1, 64) and fmt's %v write it:
/// 3, 0.0001, 1e+06, 1.5e+300.
std::string go_float(double value);

/// strconv.ParseFloat of a plain decimal; empty if it is not one or overflows.
std::optional<double> parse_float(std::string_view text);

}  // namespace nodescout
