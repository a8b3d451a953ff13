#include <algorithm>

#include "base/text.h"
#include "document/yaml_slip_finder.h"

namespace nodescout {

std::optional<YamlSlip> YamlSlipFinder::text_of_block() const {
  for (std::size_t number = above(last_ + 1); number != kNone; number = above(number)) {
    const std::size_t head = above(number);
    if (head == kNone) return std::nullopt;
    const YamlLine key = take_apart(line(head));
    const YamlLine text = take_apart(line(number));
    if (key.colon != kNone && opens_block(key.text.substr(key.value()))) {
      if (text.indent > key.content || has_plain_key(text) || !text.dashes.empty()) return std::nullopt;
      return YamlSlip{at(number, text.indent), "the text of " + std::string(key.key()) + " is not indented",
                      "begin each of its lines " + in_column(key.content + 2) + " or further right"};
    }
    if (number != last_ && has_plain_key(text)) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::left_of_block() const {
  for (const std::size_t given : {last_, above(last_)}) {
    if (given == kNone) continue;
    const std::size_t indent = take_apart(line(given)).indent;
    std::size_t first = indent;
    for (std::size_t head = above(given); head != kNone; head = above(head)) {
      const YamlLine parts = take_apart(line(head));
      if (parts.colon != kNone && opens_block(parts.text.substr(parts.value()))) {
        if (indent <= parts.content || first <= indent) break;
        return YamlSlip{
            at(given, indent),
            "this line of the text of " + std::string(parts.key()) + " begins further left than the first one",
            "begin it " + in_column(first)};
      }
      if (parts.indent <= indent) break;
      first = parts.indent;
    }
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::dash_behind_colon() const {
  for (const std::size_t number : {last_, above(last_)}) {
    if (number == kNone) continue;
    const YamlLine parts = take_apart(line(number));
    const std::size_t start = parts.value();
    if (parts.colon == kNone || start >= parts.text.size() || parts.text[start] != '-' ||
        !is_end_of_word(parts.text, start + 1))
      continue;
    if (start + 1 == parts.text.size())
      return YamlSlip{at(number, start), "a - alone begins an element of a list, and is not a value",
                      "write \"-\", with the quotes"};
    return YamlSlip{at(number, start), "a list cannot begin on the line of its key", "begin it on the next line"};
  }
  return std::nullopt;
}

/// YAML looks for the colon of a key in its first 1,024 characters.
std::optional<YamlSlip> YamlSlipFinder::long_key() const {
  constexpr std::size_t kLongest = 1024;
  const YamlLine parts = take_apart(line(last_));
  if (!says("illegal map value") || parts.colon == kNone || parts.key().size() <= kLongest) return std::nullopt;
  return YamlSlip{at(last_, parts.content), "this key is longer than the 1024 characters that YAML allows",
                  "write a shorter key, or a colon where it was meant to end"};
}

std::optional<YamlSlip> YamlSlipFinder::second_colon() const {
  const YamlLine parts = take_apart(line(last_));
  if (!says("illegal map value") || parts.colon == kNone || parts.colon >= column_) return std::nullopt;
  const std::string_view value = parts.text.substr(std::min(parts.value(), parts.text.size()));
  return YamlSlip{at(last_, column_), "a second \": \" on one line: a value that contains it needs quotes",
                  "write " + quote(value) + ", with the quotes"};
}

std::optional<YamlSlip> YamlSlipFinder::colon_without_blank() const {
  const std::size_t number = says(kNoColon) ? last_ : above(last_);
  if (number == kNone || !(says("illegal map value") || says(kNoColon))) return std::nullopt;
  const YamlLine parts = take_apart(line(number));
  const std::size_t colon = parts.text.find(':', parts.content);
  if (parts.colon != kNone || colon == kNone || colon == parts.content) return std::nullopt;
  const std::string_view key = parts.text.substr(parts.content, colon - parts.content);
  if (key.find_first_of(" /\"'[{") != kNone) return std::nullopt;
  return YamlSlip{at(number, colon), "no space after the colon: this line is a string, not a key with a value",
                  "write " + std::string(key) + ": " + std::string(parts.text.substr(colon + 1))};
}

std::optional<YamlSlip> YamlSlipFinder::dash_without_blank() const {
  const std::size_t number = above(last_);
  if (number == kNone) return std::nullopt;
  const YamlLine parts = take_apart(line(number));
  const std::string_view content = parts.text.substr(std::min(parts.content, parts.text.size()));
  if (content.size() < 2 || content[0] != '-' || content[1] == '-' || parts.colon == kNone) return std::nullopt;
  return YamlSlip{at(number, parts.content), "no space after the -: this line is not an element of a list",
                  "write - " + std::string(content.substr(1))};
}

std::optional<YamlSlip> YamlSlipFinder::missing_dash() const {
  if (!says("end of map") && !says("end of sequence") && !says("unexpected content") && !says("illegal map value"))
    return std::nullopt;
  const auto slip = [](std::size_t number, const YamlLine& parts) {
    return YamlSlip{
        at(number, parts.indent), "this element of a list lacks its dash",
        "write \"- \" before " + quote(parts.key()) + ", and two spaces before " + "each further line of the element"};
  };
  const YamlLine here = take_apart(line(last_));
  if (!here.dashes.empty()) {
    // The first one lacks it, the second one has it.
    std::optional<YamlSlip> first;
    for (std::size_t number = above(last_); number != kNone; number = above(number)) {
      const YamlLine parts = take_apart(line(number));
      if (parts.indent < here.indent || (parts.indent == here.indent && !parts.dashes.empty())) break;
      if (parts.indent != here.indent || parts.colon == kNone) continue;
      first = parts.key() == here.key() ? std::optional(slip(number, parts)) : std::nullopt;
    }
    return first;
  }
  for (const std::size_t number : {last_, above(last_)}) {
    if (number == kNone) continue;
    const YamlLine parts = take_apart(line(number));
    if (!parts.dashes.empty() || parts.colon == kNone) continue;
    for (std::size_t other = above(number); other != kNone; other = above(other)) {
      const YamlLine before = take_apart(line(other));
      if (before.indent < parts.indent) break;
      if (before.indent == parts.indent && !before.dashes.empty()) {
        if (before.colon != kNone && before.key() == parts.key()) return slip(number, parts);
        break;
      }
    }
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::list_below_value() const {
  const YamlLine here = take_apart(line(last_));
  const std::size_t number = above(last_);
  if (here.dashes.empty() || number == kNone || !says("end of map")) return std::nullopt;
  const YamlLine key = take_apart(line(number));
  if (key.indent != here.indent || !key.dashes.empty() || key.colon == kNone || key.value() >= key.text.size())
    return std::nullopt;
  return YamlSlip{at(number, key.value()), "a list follows, and this key already has a value",
                  "write " + std::string(key.key()) + ": without a value"};
}

std::optional<YamlSlip> YamlSlipFinder::too_deep() const {
  const std::size_t number = above(last_);
  if (number == kNone || !says("illegal map value")) return std::nullopt;
  const YamlLine here = take_apart(line(last_));
  const YamlLine before = take_apart(line(number));
  if (before.colon == kNone || before.value() >= before.text.size() || here.content <= before.content)
    return std::nullopt;
  return YamlSlip{at(last_, here.content),
                  "this line is indented deeper than the one above, whose key already has a value",
                  "begin it " + in_column(before.content) + ", below " + quote(before.key())};
}

std::optional<YamlSlip> YamlSlipFinder::left_of_its_key() const {
  const std::size_t number = above(last_);
  if (number == kNone || !(says("end of map") || says("end of sequence"))) return std::nullopt;
  const YamlLine here = take_apart(line(last_));
  const YamlLine key = take_apart(line(number));
  const bool lacks_value = key.colon != kNone && key.value() >= key.text.size();
  if (!lacks_value || !has_plain_key(here) || !here.dashes.empty() || here.indent > key.content) return std::nullopt;
  return YamlSlip{at(last_, here.indent),
                  "this line begins further left than " + quote(key.key()) + " above it, which has no value yet",
                  "begin it " + in_column(key.content + 2) + ", below " + quote(key.key())};
}

std::optional<YamlSlip> YamlSlipFinder::no_such_column() const {
  if (!says("end of map") && !says("end of sequence") && !says("illegal block entry") && !says("unexpected content"))
    return std::nullopt;
  const YamlLine here = take_apart(line(last_));
  if (here.is_blank()) return std::nullopt;
  const bool is_element = !here.dashes.empty();
  const std::size_t column = here.indent;
  // What is still open above: columns grow to the left only.
  std::size_t best = kNone, best_line = 0, limit = kNone;
  for (std::size_t number = above(last_); number != kNone; number = above(number)) {
    const YamlLine parts = take_apart(line(number));
    std::vector<std::size_t> columns = is_element ? parts.dashes : std::vector<std::size_t>();
    if (!is_element && parts.colon != kNone) columns.push_back(parts.content);
    for (const std::size_t candidate : columns) {
      if (candidate >= limit) continue;
      const auto distance = [&](std::size_t from) { return from > column ? from - column : column - from; };
      if (best == kNone || distance(candidate) < distance(best)) best = candidate, best_line = number;
    }
    limit = std::min(limit, parts.indent + 1);
    if (parts.indent == 0) break;
  }
  if (best == kNone || best == column) return std::nullopt;
  return YamlSlip{at(last_, column), "this line begins at a column at which nothing above it begins",
                  "begin it " + in_column(best) + ", as " + quote(trim(take_apart(line(best_line)).text))};
}

std::optional<YamlSlip> YamlSlipFinder::no_colon() const {
  std::size_t number = says(kNoColon) ? last_ : says("illegal map value") ? above(last_) : kNone;
  if (number == kNone) return std::nullopt;
  YamlLine parts = take_apart(line(number));
  for (std::size_t next = above(number); next != kNone && parts.dashes.empty(); next = above(number)) {
    const YamlLine before = take_apart(line(next));
    if (before.colon != kNone || before.content >= before.text.size()) break;
    number = next;
    parts = before;
  }
  if (parts.colon != kNone || parts.content >= parts.text.size()) return std::nullopt;
  const std::string_view content = parts.text.substr(parts.content);
  if (std::string_view("[{\"'|>&*!%@`?").find(content[0]) != kNone) return std::nullopt;
  const std::string_view key = content.substr(0, content.find(' '));
  const std::string_view value = trim(content.substr(key.size()));
  return YamlSlip{at(number, parts.content + key.size()), "no colon after " + quote(key),
                  "write " + std::string(key) + ":" + (value.empty() ? "" : " ") + std::string(value)};
}

std::optional<YamlSlip> YamlSlipFinder::key_of_more() const {
  if (!says("a key must be a plain string")) return std::nullopt;
  const YamlLine parts = take_apart(line(last_));
  const std::size_t sign = parts.text.find('?', parts.content);
  if (sign == kNone || !is_end_of_word(parts.text, sign + 1)) return std::nullopt;
  return YamlSlip{at(last_, sign), "? begins a key that is not a plain string, and a key must be a string",
                  "write the key, a colon and the value, without ?"};
}

}  // namespace nodescout
