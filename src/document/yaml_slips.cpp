#include "document/yaml_slips.h"

#include <algorithm>

#include "base/text.h"
#include "document/yaml_slip_finder.h"

namespace nodescout {

YamlSlipFinder::YamlSlipFinder(std::string_view text, Mark mark, std::string_view message) : message_(message) {
  for (const std::string_view line : split(text, '\n')) lines_.push_back(line);
  given_ = {mark, std::string(message), ""};
  last_ = std::min<std::size_t>(static_cast<std::size_t>(std::max(mark.line, 1)), lines_.size()) - 1;
  column_ = static_cast<std::size_t>(std::max(mark.column, 1)) - 1;
}

YamlSlip YamlSlipFinder::find() const {
  using Attempt = std::optional<YamlSlip> (YamlSlipFinder::*)() const;
  for (const Attempt attempt : {&YamlSlipFinder::conflict_of_git,
                                &YamlSlipFinder::fence,
                                &YamlSlipFinder::line_of_dashes,
                                &YamlSlipFinder::template_braces,
                                &YamlSlipFinder::other_blank,
                                &YamlSlipFinder::tab,
                                &YamlSlipFinder::tab_behind_dash,
                                &YamlSlipFinder::quotes_in_template,
                                &YamlSlipFinder::reserved,
                                &YamlSlipFinder::alias,
                                &YamlSlipFinder::escape,
                                &YamlSlipFinder::quote_over_lines,
                                &YamlSlipFinder::quote_in_brackets,
                                &YamlSlipFinder::in_brackets,
                                &YamlSlipFinder::closes_nothing,
                                &YamlSlipFinder::behind_quote,
                                &YamlSlipFinder::behind_block_sign,
                                &YamlSlipFinder::text_of_block,
                                &YamlSlipFinder::left_of_block,
                                &YamlSlipFinder::dash_behind_colon,
                                &YamlSlipFinder::long_key,
                                &YamlSlipFinder::second_colon,
                                &YamlSlipFinder::colon_without_blank,
                                &YamlSlipFinder::dash_without_blank,
                                &YamlSlipFinder::missing_dash,
                                &YamlSlipFinder::list_below_value,
                                &YamlSlipFinder::too_deep,
                                &YamlSlipFinder::left_of_its_key,
                                &YamlSlipFinder::no_such_column,
                                &YamlSlipFinder::no_colon,
                                &YamlSlipFinder::key_of_more})
    if (auto slip = (this->*attempt)()) return *std::move(slip);
  return given_;
}

std::string_view YamlSlipFinder::line(std::size_t number) const { return number < lines_.size() ? lines_[number] : ""; }

bool YamlSlipFinder::says(std::string_view part) const { return message_.find(part) != kNone; }

Mark YamlSlipFinder::at(std::size_t line, std::size_t column) {
  return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
}

std::string YamlSlipFinder::in_column(std::size_t column) { return "in column " + std::to_string(column + 1); }

std::size_t YamlSlipFinder::above(std::size_t number) const {
  while (number-- > 0)
    if (!take_apart(line(number)).is_blank()) return number;
  return kNone;
}

std::string_view YamlSlipFinder::word_at(std::size_t number, std::size_t column) const {
  const std::string_view text = take_apart(line(number)).text;
  if (column >= text.size()) return "";
  const bool in_brackets = text.substr(0, column).find_first_of("[{") != kNone;
  const std::size_t end = in_brackets ? std::min(text.find_first_of(",]}", column), text.size()) : text.size();
  return trim_right(text.substr(column, end - column));
}

std::optional<YamlSlip> YamlSlipFinder::conflict_of_git() const {
  for (std::size_t number = 0; number <= last_; ++number) {
    const std::string_view text = trim_right(line(number));
    const bool is_marker =
        text.starts_with("<<<<<<<") || text.starts_with(">>>>>>>") || text.starts_with("|||||||") || text == "=======";
    if (is_marker)
      return YamlSlip{at(number, 0), "a git merge conflict is not resolved here",
                      "keep one of its two sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>"};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::fence() const {
  for (std::size_t number = 0; number <= last_; ++number) {
    const std::string_view text = trim(line(number));
    if (text.starts_with("```") || text.starts_with("~~~"))
      return YamlSlip{at(number, line(number).find(text[0])), "this line is a Markdown code fence, not YAML",
                      "remove the line"};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::line_of_dashes() const {
  for (std::size_t number = 0; number <= last_; ++number) {
    const std::string_view text = trim_right(line(number));
    if (!text.starts_with("---") || text.size() == 3) continue;
    // "--- {a: b}" and "--- # why" are right.
    if (is_end_of_word(text, 3) && (number != last_ || !says("illegal map value"))) continue;
    const bool is_rule = text.find_first_not_of('-') == kNone;
    return YamlSlip{at(number, 0), "only --- alone on its line separates documents",
                    is_rule ? "write ---" : "write ---, and what follows it on the next line"};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::template_braces() const {
  for (std::size_t number : {last_, above(last_)}) {
    if (number == kNone) continue;
    const std::string_view text = line(number);
    const std::size_t braces = text.find("{{");
    if (braces == kNone || is_inside_quotes(text, braces)) continue;
    if (is_helm_source())
      return YamlSlip{at(number, braces), "this is the source of a Helm chart, where {{ }} is still to be filled in",
                      "render it first: helm template CHART"};
    const YamlLine parts = take_apart(text);
    std::string_view value = trim_right(text.substr(std::min(parts.value(), text.size())));
    if (!value.starts_with("{{") && !value.empty() && (value[0] == '{' || value[0] == '['))
      value = value_with_braces(text, braces);
    if (parts.colon == kNone || parts.colon > braces) continue;
    return YamlSlip{at(number, braces), "a value with {{ needs quotes: without them { begins a YAML map",
                    value.find('\'') == kNone
                        ? "write '" + std::string(value) + "', with the quotes"
                        : "write the text on the next lines, indented, and " +
                              std::string(parts.text.substr(parts.content, parts.colon - parts.content)) + ": |"};
  }
  return std::nullopt;
}

std::string_view YamlSlipFinder::value_with_braces(std::string_view text, std::size_t braces) {
  const std::size_t before = braces == 0 ? kNone : text.find_last_of("{[,:", braces - 1);
  const std::size_t start = before == kNone ? 0 : before + 1;
  std::size_t end = text.find("}}", braces);
  for (std::size_t next = braces; end != kNone; end = text.find("}}", next)) {
    end = std::min(text.find_first_of(",]}", end + 2), text.size());
    next = text.find("{{", next + 2);
    if (next >= end) break;
  }
  return trim(text.substr(start, end == kNone ? end : end - start));
}

bool YamlSlipFinder::is_inside_quotes(std::string_view text, std::size_t column) {
  for (std::size_t i = 0; i < column; ++i) {
    if (!is_quote(text[i])) continue;
    const std::size_t end = end_of_quoted(text, i);
    if (end == kNone || end > column) return true;
    i = end - 1;
  }
  return false;
}

bool YamlSlipFinder::is_helm_source() const {
  return std::any_of(lines_.begin(), lines_.end(), [](std::string_view text) {
    const std::string_view start = trim(text);
    const bool is_control = start.starts_with("{{") && !start.starts_with("{{ range .") && start.ends_with("}}");
    for (const std::string_view sign : {".Values", ".Release", ".Chart", ".Capabilities", "{{- include", "{{ include",
                                        "{{- if", "{{- end", "{{/*", "{{- /*"})
      if (text.find(sign) != kNone) return true;
    return is_control && text.find("define") != kNone;
  });
}

std::optional<YamlSlip> YamlSlipFinder::other_blank() const {
  for (const std::size_t number : {last_, above(last_)}) {
    if (number == kNone) continue;
    const std::string_view text = line(number);
    const std::size_t found = std::min(text.find_first_not_of(" \t-"), text.size());
    const std::string name = name_of_other_blank(text.substr(found));
    if (!name.empty())
      return YamlSlip{at(number, found), name + " indents this line, which is not a space for YAML",
                      "write spaces instead"};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::tab() const {
  for (const std::size_t number : {last_, above(last_)}) {
    if (number == kNone) continue;
    const std::string_view text = line(number);
    const std::size_t found = text.substr(0, std::min(text.find_first_not_of(" \t"), text.size())).find('\t');
    if (found != kNone)
      return YamlSlip{at(number, found), "a tab indents this line, which YAML does not allow", "write spaces instead"};
  }
  return std::nullopt;
}

std::optional<YamlSlip> YamlSlipFinder::tab_behind_dash() const {
  if (!says("illegal map value")) return std::nullopt;
  const YamlLine parts = take_apart(line(last_));
  if (parts.dashes.empty()) return std::nullopt;
  const std::size_t found = parts.text.substr(0, parts.content).find('\t', parts.dashes.front());
  if (found == kNone) return std::nullopt;
  return YamlSlip{at(last_, found), "a tab stands between - and a key, which YAML does not allow",
                  "write spaces instead"};
}

std::string name_of_other_blank(std::string_view text) {
  if (text.empty()) return "";
  const char32_t rune = decode_rune(text).value;
  if (rune == 0xA0) return "a no-break space (U+00A0)";
  if (rune == 0x3000) return "an ideographic space (U+3000)";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if ((rune >= 0x2000 && rune <= 0x200B) || rune == 0x202F || rune == 0x205F)
    return std::string("a typographic space (U+20") + kDigits[rune / 16 % 16] + kDigits[rune % 16] + ")";
  return "";
}

YamlSlip find_yaml_slip(std::string_view text, Mark mark, std::string_view message) {
  return YamlSlipFinder(text, mark, message).find();
}

}  // namespace nodescout
