#include <algorithm>

#include "base/text.h"
#include "document/yaml_slip_finder.h"

namespace nodescout {

std::optional<YamlSlip> YamlSlipFinder::quotes_in_template() const {
  const YamlLine parts = take_apart(line(last_));
  const std::string_view text = trim_right(line(last_));
  const std::size_t start = parts.value();
  if (parts.colon == kNone || start + 1 >= text.size() || text[start] != '"' || !text.ends_with('"'))
    return std::nullopt;
  const std::size_t end = end_of_quoted(text, start);
  const std::size_t braces = text.find("{{", start);
  if (end == kNone || end == text.size() || braces > end) return std::nullopt;
  const std::string_view whole = text.substr(start + 1, text.size() - start - 2);
  return YamlSlip{at(last_, end - 1), "a \" inside double quotes ends the string",
                  whole.find('\'') == kNone
                      ? "write '" + std::string(whole) + "' in single quotes"
                      : "write the text on the next lines, indented, and " + std::string(parts.key()) + ": |"};
}

std::optional<YamlSlip> YamlSlipFinder::reserved() const {
  if (const YamlLine parts = take_apart(line(last_)); says("illegal map key") && parts.colon != kNone) {
    const std::string_view value = parts.text.substr(std::min(parts.value(), parts.text.size()));
    if (value.starts_with("? "))
      return YamlSlip{at(last_, parts.value()), "a value that begins with ? needs quotes",
                      "write " + quote(value) + ", with the quotes"};
  }
  const std::string_view text = line(last_);
  if (!says("unknown token") || column_ >= text.size()) return std::nullopt;
  return YamlSlip{at(last_, column_), "a value that begins with " + std::string(1, text[column_]) + " needs quotes",
                  "write " + quote(word_at(last_, column_)) + ", with the quotes"};
}

std::optional<YamlSlip> YamlSlipFinder::alias() const {
  if (!says("referenced anchor") && !says("anchor not found") && !says("alias not found")) return std::nullopt;
  const std::string_view text = line(last_);
  const std::size_t sign = text.substr(0, std::min(column_ + 1, text.size())).find_last_of("*&");
  if (sign == kNone) return std::nullopt;
  const std::string what = text[sign] == '*'
                               ? "an unquoted * refers to a value that an & in this file names, and there is none"
                               : "an unquoted & gives a name to the value after it";
  return YamlSlip{at(last_, sign), what, "write " + quote(word_at(last_, sign)) + ", with the quotes"};
}

std::size_t YamlSlipFinder::bad_number(std::string_view text) {
  constexpr std::pair<char, std::size_t> kDigits[] = {{'x', 2}, {'u', 4}, {'U', 8}};
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    for (const auto& [letter, count] : kDigits) {
      const std::string_view digits = text.substr(i + 2, count);
      if (text[i + 1] == letter &&
          (digits.size() < count || digits.find_first_not_of("0123456789abcdefABCDEF") != kNone))
        return i;
    }
    ++i;
  }
  return kNone;
}

std::optional<YamlSlip> YamlSlipFinder::escape() const {
  if (says("hex number"))
    for (const std::size_t number : {last_, above(last_)})
      if (const std::size_t sign = number == kNone ? kNone : bad_number(line(number)); sign != kNone)
        return YamlSlip{at(number, sign),
                        "in double quotes " + std::string(line(number).substr(sign, 2)) +
                            " begins the number of a character, and none follows",
                        "write the text in single quotes, where \\ is itself"};
  if (!says("escape")) return std::nullopt;
  const std::size_t sign = line(last_).rfind('\\', column_);
  return YamlSlip{sign == kNone ? given_.mark : at(last_, sign),
                  "in double quotes \\ begins an escape, and this is not one",
                  "write the text in single quotes, where \\ is itself"};
}

std::optional<YamlSlip> YamlSlipFinder::quote_over_lines() const {
  constexpr std::size_t kMost = 200;
  for (std::size_t number = last_ + 1; number-- > 0 && last_ - number < kMost;) {
    const YamlLine parts = take_apart(line(number));
    const std::size_t start = parts.value();
    if (start >= parts.text.size() || !is_quote(parts.text[start])) continue;
    if (end_of_quoted(parts.text, start) != kNone) continue;
    if (!says(kNoQuote) && (number == last_ || !closes_near_the_end(number, parts.text[start]))) continue;
    const bool is_map = start + 1 < parts.text.size() && std::string_view("[{").find(parts.text[start + 1]) != kNone;
    if (is_map)
      return YamlSlip{at(number, start), "this quote makes a string of what follows it, and is not closed on its line",
                      "remove it"};
    return YamlSlip{at(number, start),
                    says(kNoQuote) ? "this string has no closing quote" : "this quote is not closed on its line",
                    "close it with the same quote"};
  }
  return std::nullopt;
}

bool YamlSlipFinder::closes_near_the_end(std::size_t number, char quote) const {
  for (std::size_t next = number + 1; next <= last_; ++next)
    if (line(next).find(quote) != kNone) return next == last_ || next == above(last_);
  return false;
}

std::size_t YamlSlipFinder::open_quote(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_quote(text[at]) || (at > 0 && std::string_view(" [{,:").find(text[at - 1]) == kNone)) continue;
    const std::size_t end = end_of_quoted(text, at);
    if (end == kNone) return at;
    at = end - 1;
  }
  return kNone;
}

std::string YamlSlipFinder::with_quotes(std::string_view text, std::size_t quote_at) {
  const std::size_t end = std::min(text.find_first_of(",]}", quote_at), text.size());
  return "write " + quote(trim_right(text.substr(quote_at + 1, end - quote_at - 1))) + ", with the quotes";
}

std::optional<YamlSlip> YamlSlipFinder::behind_quote() const {
  const YamlLine parts = take_apart(line(last_));
  const std::size_t start = parts.value();
  if (start >= parts.text.size() || !is_quote(parts.text[start])) return std::nullopt;
  const std::size_t end = end_of_quoted(parts.text, start);
  if (end == kNone || end >= parts.text.size()) return std::nullopt;
  if (parts.text.substr(end) == ",") return comma_at_the_end(last_, end);
  const char sign = parts.text[start];
  std::string whole(parts.text.substr(start));
  if (sign == '\'' && whole.size() > 2 && whole.ends_with('\''))
    return YamlSlip{at(last_, end - 1), "a ' inside single quotes ends the string",
                    "write " + quote(whole.substr(1, whole.size() - 2)) + ", with the quotes"};
  return YamlSlip{at(last_, end), "text follows the closing quote",
                  "put the whole value in one pair of quotes, or write the rest elsewhere"};
}

std::optional<YamlSlip> YamlSlipFinder::behind_block_sign() const {
  if (!says("block scalar")) return std::nullopt;
  return YamlSlip{given_.mark, "text follows the sign of a block scalar (| or >) on the same line",
                  "begin the text on the next line, indented deeper than its key"};
}

}  // namespace nodescout
