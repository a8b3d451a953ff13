#include "document/yaml_slip_lines.h"

#include "base/text.h"

namespace nodescout {

std::size_t end_of_quoted(std::string_view line, std::size_t at) {
  const char quote = line[at];
  for (std::size_t i = at + 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '"' || i + 1 >= line.size() || line[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return kNone;
}

YamlLine take_apart(std::string_view text) {
  YamlLine line;
  bool starts = true;  // a quote here opens a quoted text
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (starts && is_quote(c)) {
      const std::size_t end = end_of_quoted(text, at);
      if (end == kNone) break;
      at = end - 1;
      starts = false;
    } else if (c == '#' && (at == 0 || is_end_of_word(text, at - 1))) {
      text = text.substr(0, at);
    } else {
      starts = (starts && (c == ' ' || c == '-')) || c == '[' || c == '{' || c == ',' ||
               (c == ' ' && at > 0 && text[at - 1] == ':') || (c == ' ' && starts);
    }
  }
  line.text = trim_right(text);
  line.indent = std::min(line.text.find_first_not_of(" \t"), line.text.size());
  line.content = line.indent;
  while (line.content < line.text.size() && line.text[line.content] == '-' &&
         is_end_of_word(line.text, line.content + 1)) {
    line.dashes.push_back(line.content);
    line.content = std::min(line.text.find_first_not_of(" \t", line.content + 1), line.text.size());
  }
  std::size_t from = line.content;
  if (from < line.text.size() && is_quote(line.text[from]))
    from = std::min(end_of_quoted(line.text, from), line.text.size());
  for (std::size_t at = line.text.find(':', from); at != kNone; at = line.text.find(':', at + 1))
    if (is_end_of_word(line.text, at + 1)) {
      line.colon = at;
      break;
    }
  return line;
}

bool opens_block(std::string_view value) {
  return !value.empty() && (value[0] == '|' || value[0] == '>') && value.find_first_not_of("+-0123456789", 1) == kNone;
}

bool has_plain_key(const YamlLine& line) {
  if (line.colon == kNone) return false;
  const std::string_view key = line.key();
  return !key.empty() && (is_quote(key[0]) || key.find_first_of(" ={") == kNone);
}

}  // namespace nodescout
