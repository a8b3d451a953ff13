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

Result<Pattern> Pattern::compile(std::string_view text, PatternBudget* budget) {
  Pattern pattern;
  pattern.literals_ = literals_in(text);
  if (pattern.literals_) return pattern;
  auto spelt = re2_syntax(text);
  if (!spelt) return spelt.error();
  const Error over_budget{Errc::unsupported, "", "together, the regular expressions of these rules are too large"};
  const auto compiled_within = [&](std::int64_t memory) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(memory);
    return std::make_shared<re2::RE2>(*spelt, options);
  };
  constexpr std::int64_t kSmall = 1 << 20;
  constexpr std::int64_t kLarge = 16 << 20;
  constexpr std::size_t kInstruction = 16;  // bytes
  if (budget && budget->small == 0) return over_budget;
  auto compiled = compiled_within(kSmall);
  if (compiled->ok() && budget) {
    budget->small -= std::min(budget->small, static_cast<std::size_t>(compiled->ProgramSize()) * kInstruction);
  } else if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge) {
    constexpr std::size_t kShare = kLarge / 4;  // what RE2 lets a program have of its memory
    if (budget && budget->large < kShare) return over_budget;
    if (budget) budget->large -= kShare;
    compiled = compiled_within(kLarge);
  }
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
