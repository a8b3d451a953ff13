#pragma once

#include <cstdint>

#include "template/value.h"

namespace nodescout::tmpl {

/// How sprig's arithmetic reads a value: floats are cut off, true is 1, a text is a number in Go's spelling (0x1f, 017
/// is octal, 5.0 is 5), and all else is 0.
std::int64_t to_int64(const Datum& value);
double to_float64(const Datum& value);

/// Go's conversion on amd64: what does not fit is the least integer.
std::int64_t truncated(double value);

}  // namespace nodescout::tmpl
