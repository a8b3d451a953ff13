#include "rule/pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/go_regex.h"
#include "base/text.h"

namespace nodescout {

std::optional<Pattern::Literals> Pattern::literals_in(std::string_view text) {
  if (!text.starts_with('^')) return std::nullopt;
  text.remove_prefix(1);
  Literals literals;
  if (text.ends_with('$')) {
    literals.whole = true;
    text.remove_suffix(1);
  }
  const bool group = text.starts_with('(') && text.ends_with(')');
  if (group) text = text.substr(1, text.size() - 2);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == ' ';
  };
  for (const std::string_view start : split(text, '|')) {
    if (!std::all_of(start.begin(), start.end(), is_plain)) return std::nullopt;
    literals.starts.emplace_back(start);
  }
  if (!group && literals.starts.size() > 1) return std::nullopt;  // "^a|b": only the first is anchored
  return literals;
}

Result<Pattern> Pattern::compile(std::string_view text) {
  Pattern pattern;
  pattern.literals_ = literals_in(text);
  if (pattern.literals_) return pattern;
  auto spelt = re2_syntax(text);
  if (!spelt) return spelt.error();
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(16 << 20);
  auto compiled = std::make_shared<re2::RE2>(*spelt, options);
  if (!compiled->ok()) return Error{Errc::malformed, "", compiled->error()};
  pattern.compiled_ = std::move(compiled);
  return pattern;
}

bool Pattern::found_in(std::string_view text) const {
  if (!literals_) return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
  return std::any_of(literals_->starts.begin(), literals_->starts.end(), [&](const std::string& start) {
    return literals_->whole ? text == start : text.starts_with(start);
  });
}

}  // namespace nodescout
