#include "rule/pattern.h"

#include <re2/re2.h>

namespace nodescout {

Result<std::string> to_re2_syntax(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      if (text[i + 1] == 'C' && !in_class)
        return Error{Errc::malformed, "", "\\C (any byte) is not part of the syntax"};
      if (text[i + 1] == 'Q' && !in_class) {
        const std::size_t end = std::min(text.find("\\E", i + 2), text.size());
        out += text.substr(i, end - i);
        i = end - 1;
        continue;
      }
      out += text.substr(i, 2);
      ++i;
      continue;
    }
    if (in_class) {
      if (c == ']') in_class = false;
      out += c;
      continue;
    }
    if (c == '[') {
      in_class = true;
      out += c;
      // A "]" that comes first in a class, also behind "^", is a member of it.
      if (i + 1 < text.size() && text[i + 1] == '^') out += text[++i];
      if (i + 1 < text.size() && text[i + 1] == ']') out += text[++i];
      continue;
    }
    if (text.substr(i).starts_with("(?<")) {
      out += "(?P<";
      i += 2;
      continue;
    }
    out += c;
  }
  return out;
}

Result<Pattern> Pattern::compile(std::string_view text) {
  auto spelt = to_re2_syntax(text);
  if (!spelt) return spelt.error();
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(16 << 20);
  auto compiled = std::make_shared<re2::RE2>(*spelt, options);
  if (!compiled->ok()) return Error{Errc::malformed, "", compiled->error()};
  return Pattern(std::move(compiled));
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace nodescout
