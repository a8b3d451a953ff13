#include "rule/source_map.h"

#include "base/text.h"

namespace nodescout {

Mark SourceMap::locate(Mark scalar, Mark inside) const {
  const std::string_view first = index_.line(scalar.line).substr(index_.byte_of(scalar.line, scalar.column));
  if (first.empty() || inside.line == 0) return scalar;
  if (first[0] == '|') {
    // The text begins on the next line; its indentation is that of its first line that is not blank.
    for (int number = scalar.line + 1; number <= index_.lines(); ++number) {
      const std::string_view line = index_.line(number);
      const std::size_t indent = line.find_first_not_of(' ');
      if (indent != std::string_view::npos && line[indent] != '\r')
        return {scalar.line + inside.line, static_cast<int>(indent) + inside.column};
    }
    return scalar;
  }
  if (first[0] == '>' || inside.line > 1) return scalar;  // folded: lines are joined
  if (first[0] == '"' || first[0] == '\'') {
    // Escapes are longer than what they stand for; before the first of them the columns agree.
    const std::size_t escape = first.find(first[0] == '"' ? std::string_view("\\") : std::string_view("''"), 1);
    if (escape != std::string_view::npos && static_cast<int>(escape) < inside.column) return scalar;
    return {scalar.line, scalar.column + inside.column};
  }
  return {scalar.line, scalar.column + inside.column - 1};
}

std::string SourceMap::written_into(Mark scalar, std::string_view text) const {
  const std::string_view first = index_.line(scalar.line).substr(index_.byte_of(scalar.line, scalar.column));
  if (first.starts_with('"')) return replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"");
  return first.starts_with('\'') ? replace_all(text, "'", "''") : std::string(text);
}

std::string_view SourceMap::plain_scalar_at(Mark mark) const {
  const std::string_view line = index_.line(mark.line);
  const std::string_view rest = line.substr(index_.byte_of(mark.line, mark.column));
  if (rest.empty() || std::string_view("\"'|>[{&*!").find(rest[0]) != std::string_view::npos) return "";
  return word_at(mark);
}

std::string_view SourceMap::word_at(Mark mark) const {
  const std::string_view line = index_.line(mark.line);
  const std::string_view rest = line.substr(index_.byte_of(mark.line, mark.column));
  return rest.substr(0, rest.find_first_of(" \t\r,]}#"));
}

}  // namespace nodescout
