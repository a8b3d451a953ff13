#include <algorithm>

#include "base/text.h"
#include "document/yaml_slip_finder.h"

namespace nodescout {

std::optional<YamlSlip> YamlSlipFinder::quote_in_brackets() const {
  if (!says("flow")) return std::nullopt;
  constexpr std::size_t kMost = 200;
  for (std::size_t number = last_ + 1; number-- > 0 && last_ - number < kMost;) {
    const std::string_view text = line(number);
    const std::size_t sign = open_quote(text);
    if (sign == kNone || text.substr(0, sign).find_first_of("[{") == kNone) continue;
    // Closed in its line but for the quote.
    if (text.find_first_of("]}", sign) == kNone) continue;
    return YamlSlip{at(number, sign), "this quote is never closed", with_quotes(text, sign)};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::closes_nothing() const {
  const std::string_view text = line(last_);
  if (!says("illegal flow end") || column_ >= text.size()) return std::nullopt;
  const char sign = text[column_];
  if (sign != ']' && sign != '}') return std::nullopt;
  return YamlSlip{at(last_, column_),
                  "this " + std::string(1, sign) + " closes nothing: no " + (sign == ']' ? "[" : "{") + " is open here",
                  "remove it"};
}

std::optional<YamlSlip> YamlSlipFinder::in_brackets() const {
  Brackets brackets;
  std::size_t block = kNone;  // the indentation of the key of a block of text, while in it
  for (std::size_t number = 0; number <= last_ && number < lines_.size(); ++number) {
    const YamlLine parts = take_apart(line(number));
    if (parts.is_blank()) continue;
    if (block != kNone && parts.indent > block) continue;
    block = kNone;
    if (opens_block(parts.text.substr(parts.value()))) block = parts.indent;
    if (!brackets.open.empty() && begins_outside(brackets, number, parts)) return never_closed(brackets.open.back());
    auto slip = in_line(brackets, number, parts);
    // The parser accepted it, so it is not a slip, but it is not understood here.
    if (slip && number + 1 < last_ && above(last_) != number) slip.reset(), brackets.open.clear();
    if (slip) return slip;
  }
  if (brackets.open.empty() || !(says("flow") || says("end of") || says("illegal block entry"))) return std::nullopt;
  return never_closed(brackets.open.back());
}

YamlSlip YamlSlipFinder::never_closed(const Open& open) {
  return {at(open.line, open.column), "this " + std::string(1, open.sign) + " is never closed",
          "close it with " + std::string(1, open.sign == '[' ? ']' : '}')};
}

bool YamlSlipFinder::begins_outside(const Brackets& brackets, std::size_t number, const YamlLine& parts) const {
  if (parts.indent > brackets.indent) return false;
  const std::string_view before = take_apart(line(above(number))).text;
  const bool goes_on = before.ends_with(',') || before.ends_with('[') || before.ends_with('{');
  return !parts.dashes.empty() || (!goes_on && has_plain_key(parts));
}

std::optional<YamlSlip> YamlSlipFinder::in_line(Brackets& brackets, std::size_t number, const YamlLine& parts) const {
  std::vector<Open>& open = brackets.open;
  const std::string_view text = parts.text;
  std::size_t at = parts.indent;
  if (open.empty()) {
    const bool begins = text[std::min(parts.content, text.size() - 1)] == '[' || text[parts.indent] == '{' ||
                        (parts.content < text.size() && text[parts.content] == '{');
    at = begins ? parts.content : parts.value();
    if (at >= text.size() || (text[at] != '[' && text[at] != '{')) return std::nullopt;
    brackets.indent = parts.indent;
  }
  for (bool is_first = open.empty(); at < text.size() && (is_first || !open.empty()); is_first = false)
    if (auto slip = token(open, number, text, at)) return slip;
  at = std::min(text.find_first_not_of(" \t", at), text.size());
  if (open.empty() && at < text.size() && text[at] == ',') return comma_at_the_end(number, at);
  return std::nullopt;
}

YamlSlip YamlSlipFinder::comma_at_the_end(std::size_t number, std::size_t column) {
  return {at(number, column), "a comma ends a value in brackets only", "remove it"};
}

YamlSlip YamlSlipFinder::missing_comma(std::size_t number, std::size_t column) {
  return {at(number, column), "a comma is missing before this", "write a comma before it"};
}

std::optional<YamlSlip> YamlSlipFinder::token(std::vector<Open>& open, std::size_t number, std::string_view text,
                                              std::size_t& at) const {
  const char c = text[at];
  if (c == ' ' || c == '\t') return ++at, std::nullopt;
  if (c == ']' || c == '}') return closing(open, number, text, at);
  if (c == ',') {
    open.back() = Open{open.back().line, open.back().column, open.back().sign};
    return ++at, std::nullopt;
  }
  if (c == ':' && is_end_of_value(text, at + 1)) {
    open.back().has_colon = true;
    open.back().has_value = false;
    return ++at, std::nullopt;
  }
  const bool follows = !open.empty() && open.back().has_value;
  if (follows && (!open.back().is_plain || open.back().value_line == number || is_key(text, at)))
    return missing_comma(number, at);
  if (c == '[' || c == '{') {
    open.push_back({number, at, c});
    return ++at, std::nullopt;
  }
  open.back().has_value = true;
  open.back().value_line = number;
  open.back().is_plain = !is_quote(c);
  return is_quote(c) ? quoted(number, text, at) : plain(open, number, text, at);
}

bool YamlSlipFinder::is_end_of_value(std::string_view text, std::size_t at) {
  return is_end_of_word(text, at) || std::string_view(",[]{}\"'").find(text[at]) != kNone;
}

bool YamlSlipFinder::is_key(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_of(" ,[]{}", at);
  return end != kNone && end > at && text[end - 1] == ':';
}

std::optional<YamlSlip> YamlSlipFinder::closing(std::vector<Open>& open, std::size_t number, std::string_view text,
                                                std::size_t& at) const {
  const char opening = text[at] == ']' ? '[' : '{';
  const std::string sign(1, text[at]);
  if (!open.empty() && open.back().sign != opening) {
    const Open& still = open.back();
    const bool has_other =
        std::any_of(open.begin(), open.end(), [&](const Open& each) { return each.sign == opening; });
    const std::string where = (still.line == number ? "" : "line " + std::to_string(still.line + 1) + ", ") +
                              "column " + std::to_string(still.column + 1);
    if (has_other)
      return YamlSlip{YamlSlipFinder::at(number, at),
                      "this " + sign + " appears while the " + std::string(1, still.sign) + " of " + where + " is open",
                      "write " + std::string(1, still.sign == '[' ? ']' : '}') + " before it"};
    const char right = still.sign == '[' ? ']' : '}';
    if (text.find(right, at) == kNone)
      return YamlSlip{
          YamlSlipFinder::at(number, at),
          "this " + sign + " appears where the " + std::string(1, still.sign) + " of " + where + " must be closed",
          "write " + std::string(1, right) + " in its place"};
    return YamlSlip{YamlSlipFinder::at(number, at),
                    "this " + sign + " closes nothing: no " + std::string(1, opening) + " is open here",
                    "remove it, or write the " + std::string(1, opening) + " that it closes"};
  }
  open.pop_back();
  if (!open.empty()) open.back().has_value = true, open.back().is_plain = false;
  return ++at, std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::quoted(std::size_t number, std::string_view text, std::size_t& at) const {
  const std::size_t end = end_of_quoted(text, at);
  // {a: "1, b: "2"}: the quote that was meant to open the next string closes this one.
  const bool runs_on = end != kNone && end < text.size() && !is_end_of_value(text, end) && text[end] != ':' &&
                       text.substr(at, end - at).find(": ") != kNone;
  if (end == kNone || runs_on)
    return YamlSlip{YamlSlipFinder::at(number, at),
                    runs_on ? "this quote is closed only by the one of the next value" : "this quote is never closed",
                    with_quotes(text, at)};
  at = end;
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::plain(std::vector<Open>& open, std::size_t number, std::string_view text,
                                              std::size_t& at) const {
  const std::size_t start = at;
  while (at < text.size() && std::string_view(",[]{}").find(text[at]) == kNone &&
         !(text[at] == ':' && is_end_of_value(text, at + 1)))
    ++at;
  const std::string_view value = trim_right(text.substr(start, at - start));
  if (at < text.size() && (text[at] == '[' || text[at] == '{')) {
    // ${NAME} of envsubst, and what else has a bracket in it.
    const std::size_t blank = value.size() < at - start ? start + value.size() : value.rfind(' ');
    if (blank != kNone && text[at - 1] == ' ') return missing_comma(number, at);
    std::size_t end = text.find(text[at] == '[' ? ']' : '}', at);
    end = end == kNone ? text.size() : std::min(text.find_first_of(",]} ", end + 1), text.size());
    return YamlSlip{YamlSlipFinder::at(number, start),
                    "a value with " + std::string(1, text[at]) + " in it needs quotes here",
                    "write " + quote(text.substr(start, end - start)) + ", with the quotes"};
  }
  if (at >= text.size() || text[at] != ':' || !open.back().has_colon) return std::nullopt;
  const std::size_t blank = value.rfind(' ');
  if (blank != kNone)
    return YamlSlip{YamlSlipFinder::at(number, start + blank + 1),
                    "a second \": \" in one entry: a comma is missing before this, or the value needs quotes",
                    "write a comma before it, or the whole value in quotes"};
  return YamlSlip{YamlSlipFinder::at(number, start), "a value with a second \": \" in it needs quotes",
                  "write " + quote(word_at(number, start)) + ", with the quotes"};
}

}  // namespace nodescout
