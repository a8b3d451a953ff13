// Go's package fmt: how values become text.
#pragma once

#include <span>
#include <string_view>

#include "template/run.h"
#include "template/value.h"

namespace nodescout::tmpl {

/// What an action prints: as `print` does, but <no value> where there is none.
void print_value(Run& run, Text& out, const Datum& value);

/// fmt.Sprint: blanks between arguments of which neither is a text.
void print(Run& run, Text& out, std::span<const Datum> values);
/// fmt.Sprintln: blanks between all arguments, and a line break.
void print_line(Run& run, Text& out, std::span<const Datum> values);
/// fmt.Sprintf: mistakes are reported in the text, as %!d(string=x).
void print_format(Run& run, Text& out, std::string_view format, std::span<const Datum> values);

/// The text of a value that has one of its own, as Go's Stringers do: dates, months, versions ... Empty for others.
std::optional<std::string> own_text(const Datum& value);

/// sprig's strval: texts as they are, others as `print`.
std::string_view text_of(Run& run, const Datum& value);

}  // namespace nodescout::tmpl
