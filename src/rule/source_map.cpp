#include "rule/source_map.h"

#include "base/text.h"

namespace nodescout {

SourceMap::SourceMap(std::string_view text) : lines_(split(text, '\n')) {}

Mark SourceMap::locate(Mark scalar, Mark inside) const {
  const auto line_at = [&](int number) {
    return number >= 1 && static_cast<std::size_t>(number) <= lines_.size()
               ? lines_[static_cast<std::size_t>(number - 1)]
               : std::string_view();
  };
  std::string_view first = line_at(scalar.line);
  for (int column = 1; column < scalar.column && !first.empty(); ++column)
    first.remove_prefix(static_cast<std::size_t>(decode_rune(first).length));
  if (first.empty() || inside.line == 0) return scalar;
  if (first[0] == '|') {
    // The text begins on the next line; its indentation is that of its first line that is not blank.
    for (int number = scalar.line + 1; static_cast<std::size_t>(number) <= lines_.size(); ++number) {
      const std::size_t indent = line_at(number).find_first_not_of(' ');
      if (indent != std::string_view::npos && line_at(number)[indent] != '\r')
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

}  // namespace nodescout
