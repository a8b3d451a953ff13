#include "document/yaml_slips.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr auto kNone = std::string_view::npos;

// What the reader itself says, beside the parser.
constexpr std::string_view kNoColon = "no colon";
constexpr std::string_view kNoQuote = "no closing quote";

/// A line of block style, taken apart: "  - name: value # comment".
struct Line {
  std::string_view text;  // without its comment and what is blank at the end
  std::size_t indent = 0;
  std::vector<std::size_t> dashes;  // columns of "- "
  std::size_t content = 0;          // column of what follows indentation and dashes
  std::size_t colon = kNone;        // of the first ": " (or one at the end) outside quotes

  bool is_blank() const { return indent >= text.size(); }
  std::string_view key() const { return text.substr(content, colon - content); }
  /// Where the value begins; the size of the text where there is none.
  std::size_t value() const {
    const std::size_t from = colon == kNone ? content : colon + 1;
    return std::min(text.find_first_not_of(" \t", from), text.size());
  }
};

/// The byte behind a quoted text that begins at `at`; npos if it is not closed in this line.
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

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_end_of_word(std::string_view line, std::size_t at) {
  return at >= line.size() || line[at] == ' ' || line[at] == '\t';
}

Line take_apart(std::string_view text) {
  Line line;
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

/// "|", ">-", "|2": a text begins in the next line.
bool opens_block(std::string_view value) {
  return !value.empty() && (value[0] == '|' || value[0] == '>') && value.find_first_not_of("+-0123456789", 1) == kNone;
}

/// Whether a line with a colon is a key of a map, and not a text with a colon in it.
bool has_plain_key(const Line& line) {
  if (line.colon == kNone) return false;
  const std::string_view key = line.key();
  return !key.empty() && (is_quote(key[0]) || key.find_first_of(" ={") == kNone);
}

class Finder {
 public:
  Finder(std::string_view text, Mark mark, std::string_view message) : message_(message) {
    for (const std::string_view line : split(text, '\n')) lines_.push_back(line);
    given_ = {mark, std::string(message), ""};
    last_ = std::min<std::size_t>(static_cast<std::size_t>(std::max(mark.line, 1)), lines_.size()) - 1;
    column_ = static_cast<std::size_t>(std::max(mark.column, 1)) - 1;
  }

  YamlSlip find() const {
    using Attempt = std::optional<YamlSlip> (Finder::*)() const;
    for (const Attempt attempt : {&Finder::conflict_of_git,
                                  &Finder::fence,
                                  &Finder::line_of_dashes,
                                  &Finder::template_braces,
                                  &Finder::tab,
                                  &Finder::tab_behind_dash,
                                  &Finder::quotes_in_template,
                                  &Finder::reserved,
                                  &Finder::alias,
                                  &Finder::escape,
                                  &Finder::quote_over_lines,
                                  &Finder::quote_in_brackets,
                                  &Finder::in_brackets,
                                  &Finder::closes_nothing,
                                  &Finder::behind_quote,
                                  &Finder::behind_block_sign,
                                  &Finder::text_of_block,
                                  &Finder::left_of_block,
                                  &Finder::dash_behind_colon,
                                  &Finder::second_colon,
                                  &Finder::colon_without_blank,
                                  &Finder::dash_without_blank,
                                  &Finder::missing_dash,
                                  &Finder::list_below_value,
                                  &Finder::too_deep,
                                  &Finder::left_of_its_key,
                                  &Finder::no_such_column,
                                  &Finder::no_colon,
                                  &Finder::key_of_more})
      if (auto slip = (this->*attempt)()) return *std::move(slip);
    return given_;
  }

 private:
  std::string_view line(std::size_t number) const { return number < lines_.size() ? lines_[number] : ""; }
  bool says(std::string_view part) const { return message_.find(part) != kNone; }

  static Mark at(std::size_t line, std::size_t column) {
    return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
  }
  static std::string in_column(std::size_t column) { return "in column " + std::to_string(column + 1); }

  /// The last line above `number` that is not blank, or npos.
  std::size_t above(std::size_t number) const {
    while (number-- > 0)
      if (!take_apart(line(number)).is_blank()) return number;
    return kNone;
  }

  /// The text from a column to where a value ends: a comma or bracket inside of brackets, else the comment.
  std::string_view word_at(std::size_t number, std::size_t column) const {
    const std::string_view text = take_apart(line(number)).text;
    if (column >= text.size()) return "";
    const bool in_brackets = text.substr(0, column).find_first_of("[{") != kNone;
    const std::size_t end = in_brackets ? std::min(text.find_first_of(",]}", column), text.size()) : text.size();
    return trim_right(text.substr(column, end - column));
  }

  // ---- one usual slip each ------------------------------------------------------------------------------------------

  std::optional<YamlSlip> conflict_of_git() const {
    for (std::size_t number = 0; number <= last_; ++number) {
      const std::string_view text = trim_right(line(number));
      const bool is_marker = text.starts_with("<<<<<<<") || text.starts_with(">>>>>>>") ||
                             text.starts_with("|||||||") || text == "=======";
      if (is_marker)
        return YamlSlip{at(number, 0), "a conflict of git is not settled here",
                        "keep one of its two sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>"};
    }
    return std::nullopt;
  }

  std::optional<YamlSlip> fence() const {
    for (std::size_t number = 0; number <= last_; ++number) {
      const std::string_view text = trim(line(number));
      if (text.starts_with("```") || text.starts_with("~~~"))
        return YamlSlip{at(number, line(number).find(text[0])), "this line is a code fence of Markdown, not YAML",
                        "remove the line"};
    }
    return std::nullopt;
  }

  /// "---a", "-----" and "--- a: b": only "---" alone divides documents.
  std::optional<YamlSlip> line_of_dashes() const {
    for (std::size_t number = 0; number <= last_; ++number) {
      const std::string_view text = trim_right(line(number));
      if (!text.starts_with("---") || text.size() == 3) continue;
      // "--- {a: b}" and "--- # why" are right.
      if (is_end_of_word(text, 3) && (number != last_ || !says("illegal map value"))) continue;
      const bool is_rule = text.find_first_not_of('-') == kNone;
      return YamlSlip{at(number, 0), "only --- alone in its line divides documents",
                      is_rule ? "write ---" : "write ---, and what follows it in the next line"};
    }
    return std::nullopt;
  }

  std::optional<YamlSlip> template_braces() const {
    for (std::size_t number : {last_, above(last_)}) {
      if (number == kNone) continue;
      const std::string_view text = line(number);
      const std::size_t braces = text.find("{{");
      if (braces == kNone || is_inside_quotes(text, braces)) continue;
      if (is_helm_source())
        return YamlSlip{at(number, braces), "this is the source of a Helm chart, where {{ }} is still to be filled in",
                        "render it first: helm template CHART"};
      const Line parts = take_apart(text);
      std::string_view value = trim_right(text.substr(std::min(parts.value(), text.size())));
      if (!value.starts_with("{{") && !value.empty() && (value[0] == '{' || value[0] == '['))
        value = value_with_braces(text, braces);
      if (parts.colon == kNone || parts.colon > braces) continue;
      return YamlSlip{at(number, braces), "a value with {{ needs quotes: without them { begins a map of YAML",
                      value.find('\'') == kNone
                          ? "write '" + std::string(value) + "' with its quotes"
                          : "write the text in the next lines, indented, and " +
                                std::string(parts.text.substr(parts.content, parts.colon - parts.content)) + ": |"};
    }
    return std::nullopt;
  }
  /// The value around "{{ }}" in the brackets of a map or list.
  static std::string_view value_with_braces(std::string_view text, std::size_t braces) {
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
  static bool is_inside_quotes(std::string_view text, std::size_t column) {
    for (std::size_t i = 0; i < column; ++i) {
      if (!is_quote(text[i])) continue;
      const std::size_t end = end_of_quoted(text, i);
      if (end == kNone || end > column) return true;
      i = end - 1;
    }
    return false;
  }
  bool is_helm_source() const {
    return std::any_of(lines_.begin(), lines_.end(), [](std::string_view text) {
      const std::string_view start = trim(text);
      const bool is_control = start.starts_with("{{") && !start.starts_with("{{ range .") && start.ends_with("}}");
      for (const std::string_view sign : {".Values", ".Release", ".Chart", ".Capabilities", "{{- include", "{{ include",
                                          "{{- if", "{{- end", "{{/*", "{{- /*"})
        if (text.find(sign) != kNone) return true;
      return is_control && text.find("define") != kNone;
    });
  }

  std::optional<YamlSlip> tab() const {
    for (const std::size_t number : {last_, above(last_)}) {
      if (number == kNone) continue;
      const std::string_view text = line(number);
      const std::size_t found = text.substr(0, std::min(text.find_first_not_of(" \t"), text.size())).find('\t');
      if (found != kNone)
        return YamlSlip{at(number, found), "a tab indents this line, which YAML does not allow",
                        "write blanks in its place"};
    }
    return std::nullopt;
  }

  /// "-<tab>a: b": the key's column would depend on how wide a tab is.
  std::optional<YamlSlip> tab_behind_dash() const {
    if (!says("illegal map value")) return std::nullopt;
    const Line parts = take_apart(line(last_));
    if (parts.dashes.empty()) return std::nullopt;
    const std::size_t found = parts.text.substr(0, parts.content).find('\t', parts.dashes.front());
    if (found == kNone) return std::nullopt;
    return YamlSlip{at(last_, found), "a tab stands between - and a key, which YAML does not allow",
                    "write blanks in its place"};
  }

  /// "{{ printf "%s" .Name }}" in double quotes: the second of them ends the text.
  std::optional<YamlSlip> quotes_in_template() const {
    const Line parts = take_apart(line(last_));
    const std::string_view text = trim_right(line(last_));
    const std::size_t start = parts.value();
    if (parts.colon == kNone || start + 1 >= text.size() || text[start] != '"' || !text.ends_with('"'))
      return std::nullopt;
    const std::size_t end = end_of_quoted(text, start);
    const std::size_t braces = text.find("{{", start);
    if (end == kNone || end == text.size() || braces > end) return std::nullopt;
    const std::string_view whole = text.substr(start + 1, text.size() - start - 2);
    return YamlSlip{at(last_, end - 1), "a \" inside of double quotes ends the text",
                    whole.find('\'') == kNone
                        ? "write '" + std::string(whole) + "' in single quotes"
                        : "write the text in the next lines, indented, and " + std::string(parts.key()) + ": |"};
  }

  std::optional<YamlSlip> reserved() const {
    if (const Line parts = take_apart(line(last_)); says("illegal map key") && parts.colon != kNone) {
      const std::string_view value = parts.text.substr(std::min(parts.value(), parts.text.size()));
      if (value.starts_with("? "))
        return YamlSlip{at(last_, parts.value()), "a value that begins with ? needs quotes",
                        "write " + quote(value) + " with its quotes"};
    }
    const std::string_view text = line(last_);
    if (!says("unknown token") || column_ >= text.size()) return std::nullopt;
    return YamlSlip{at(last_, column_), "a value that begins with " + std::string(1, text[column_]) + " needs quotes",
                    "write " + quote(word_at(last_, column_)) + " with its quotes"};
  }

  std::optional<YamlSlip> alias() const {
    if (!says("referenced anchor") && !says("anchor not found") && !says("alias not found")) return std::nullopt;
    const std::string_view text = line(last_);
    const std::size_t sign = text.substr(0, std::min(column_ + 1, text.size())).find_last_of("*&");
    if (sign == kNone) return std::nullopt;
    const std::string what = text[sign] == '*'
                                 ? "an unquoted * stands for a value that an & of this file names, and none does"
                                 : "an unquoted & gives a name to the value behind it";
    return YamlSlip{at(last_, sign), what, "write " + quote(word_at(last_, sign)) + " with its quotes"};
  }

  /// Where \x, \u or \U has too few digits behind it.
  static std::size_t bad_number(std::string_view text) {
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

  std::optional<YamlSlip> escape() const {
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

  /// A quote that is closed lines below, by one that was to open another text.
  std::optional<YamlSlip> quote_over_lines() const {
    constexpr std::size_t kMost = 200;
    for (std::size_t number = last_ + 1; number-- > 0 && last_ - number < kMost;) {
      const Line parts = take_apart(line(number));
      const std::size_t start = parts.value();
      if (start >= parts.text.size() || !is_quote(parts.text[start])) continue;
      if (end_of_quoted(parts.text, start) != kNone) continue;
      if (!says(kNoQuote) && (number == last_ || !closes_near_the_end(number, parts.text[start]))) continue;
      const bool is_map = start + 1 < parts.text.size() && std::string_view("[{").find(parts.text[start + 1]) != kNone;
      if (is_map)
        return YamlSlip{at(number, start), "this quote makes a text of what follows it, and is not closed in its line",
                        "remove it"};
      return YamlSlip{at(number, start),
                      says(kNoQuote) ? "this text has no closing quote" : "this quote is not closed in its line",
                      "close it with the same quote"};
    }
    return std::nullopt;
  }
  /// Whether the first such quote below is in the line where the parser gave up, or in the one above.
  bool closes_near_the_end(std::size_t number, char quote) const {
    for (std::size_t next = number + 1; next <= last_; ++next)
      if (line(next).find(quote) != kNone) return next == last_ || next == above(last_);
    return false;
  }

  /// The quote that opens a text which its line does not close; npos if there is none.
  static std::size_t open_quote(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (!is_quote(text[at]) || (at > 0 && std::string_view(" [{,:").find(text[at - 1]) == kNone)) continue;
      const std::size_t end = end_of_quoted(text, at);
      if (end == kNone) return at;
      at = end - 1;
    }
    return kNone;
  }

  static std::string with_quotes(std::string_view text, std::size_t quote_at) {
    const std::size_t end = std::min(text.find_first_of(",]}", quote_at), text.size());
    return "write " + quote(trim_right(text.substr(quote_at + 1, end - quote_at - 1))) + " with its quotes";
  }

  /// {a: "b} with more below: another quote, which was to open a text, closes this one.
  std::optional<YamlSlip> quote_in_brackets() const {
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

  /// "}}" behind a map that the first of them closes.
  std::optional<YamlSlip> closes_nothing() const {
    const std::string_view text = line(last_);
    if (!says("illegal flow end") || column_ >= text.size()) return std::nullopt;
    const char sign = text[column_];
    if (sign != ']' && sign != '}') return std::nullopt;
    return YamlSlip{
        at(last_, column_),
        "this " + std::string(1, sign) + " closes nothing: no " + (sign == ']' ? "[" : "{") + " is open here",
        "remove it"};
  }

  // ---- in brackets --------------------------------------------------------------------------------------------------

  /// A [ or { that is open.
  struct Open {
    std::size_t line, column;
    char sign;
    bool has_colon = false;      // the entry that is read
    bool has_value = false;      // likewise: what follows must be a comma, a colon or the end
    bool is_plain = false;       // that value has no quotes, so it may go on in the next line
    std::size_t value_line = 0;  // where it begins
  };
  struct Brackets {
    std::vector<Open> open;
    std::size_t indent = 0;  // of the line where the first of them is
  };

  /// The first slip in the brackets that are open where the parser gave up, or were just closed.
  std::optional<YamlSlip> in_brackets() const {
    Brackets brackets;
    std::size_t block = kNone;  // the indentation of the key of a block of text, while in it
    for (std::size_t number = 0; number <= last_ && number < lines_.size(); ++number) {
      const Line parts = take_apart(line(number));
      if (parts.is_blank()) continue;
      if (block != kNone && parts.indent > block) continue;
      block = kNone;
      if (opens_block(parts.text.substr(parts.value()))) block = parts.indent;
      if (!brackets.open.empty() && begins_outside(brackets, number, parts)) return never_closed(brackets.open.back());
      auto slip = in_line(brackets, number, parts);
      // What the parser passed was no slip, but is not understood here.
      if (slip && number + 1 < last_ && above(last_) != number) slip.reset(), brackets.open.clear();
      if (slip) return slip;
    }
    if (brackets.open.empty() || !(says("flow") || says("end of") || says("illegal block entry"))) return std::nullopt;
    return never_closed(brackets.open.back());
  }

  static YamlSlip never_closed(const Open& open) {
    return {at(open.line, open.column), "this " + std::string(1, open.sign) + " is never closed",
            "close it with " + std::string(1, open.sign == '[' ? ']' : '}')};
  }

  /// A key or element of the block around the brackets.
  bool begins_outside(const Brackets& brackets, std::size_t number, const Line& parts) const {
    if (parts.indent > brackets.indent) return false;
    const std::string_view before = take_apart(line(above(number))).text;
    const bool goes_on = before.ends_with(',') || before.ends_with('[') || before.ends_with('{');
    return !parts.dashes.empty() || (!goes_on && has_plain_key(parts));
  }

  std::optional<YamlSlip> in_line(Brackets& brackets, std::size_t number, const Line& parts) const {
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

  static YamlSlip comma_at_the_end(std::size_t number, std::size_t column) {
    return {at(number, column), "a comma ends a value in brackets only", "remove it"};
  }
  static YamlSlip missing_comma(std::size_t number, std::size_t column) {
    return {at(number, column), "a comma is missing in front of this", "write a comma in front of it"};
  }

  /// One sign or value of the brackets; `at` then is behind it.
  std::optional<YamlSlip> token(std::vector<Open>& open, std::size_t number, std::string_view text,
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

  static bool is_end_of_value(std::string_view text, std::size_t at) {
    return is_end_of_word(text, at) || std::string_view(",[]{}\"'").find(text[at]) != kNone;
  }
  /// Whether a colon follows the word that begins here.
  static bool is_key(std::string_view text, std::size_t at) {
    const std::size_t end = text.find_first_of(" ,[]{}", at);
    return end != kNone && text[end - 1] == ':';
  }

  std::optional<YamlSlip> closing(std::vector<Open>& open, std::size_t number, std::string_view text,
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
        return YamlSlip{Finder::at(number, at),
                        "this " + sign + " comes while the " + std::string(1, still.sign) + " of " + where + " is open",
                        "write " + std::string(1, still.sign == '[' ? ']' : '}') + " in front of it"};
      const char right = still.sign == '[' ? ']' : '}';
      if (text.find(right, at) == kNone)
        return YamlSlip{
            Finder::at(number, at),
            "this " + sign + " comes where the " + std::string(1, still.sign) + " of " + where + " is to be closed",
            "write " + std::string(1, right) + " in its place"};
      return YamlSlip{Finder::at(number, at),
                      "this " + sign + " closes nothing: no " + std::string(1, opening) + " is open here",
                      "remove it, or write the " + std::string(1, opening) + " that it closes"};
    }
    open.pop_back();
    if (!open.empty()) open.back().has_value = true, open.back().is_plain = false;
    return ++at, std::nullopt;
  }

  std::optional<YamlSlip> quoted(std::size_t number, std::string_view text, std::size_t& at) const {
    const std::size_t end = end_of_quoted(text, at);
    // {a: "1, b: "2"}: the quote that was to open the next text closes this one.
    const bool runs_on = end != kNone && end < text.size() && !is_end_of_value(text, end) && text[end] != ':' &&
                         text.substr(at, end - at).find(": ") != kNone;
    if (end == kNone || runs_on)
      return YamlSlip{Finder::at(number, at),
                      runs_on ? "this quote is closed only by the one of the next value" : "this quote is never closed",
                      with_quotes(text, at)};
    at = end;
    return std::nullopt;
  }

  std::optional<YamlSlip> plain(std::vector<Open>& open, std::size_t number, std::string_view text,
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
      return YamlSlip{Finder::at(number, start),
                      "a value with " + std::string(1, text[at]) + " in it needs quotes here",
                      "write " + quote(text.substr(start, end - start)) + " with its quotes"};
    }
    if (at >= text.size() || text[at] != ':' || !open.back().has_colon) return std::nullopt;
    const std::size_t blank = value.rfind(' ');
    if (blank != kNone)
      return YamlSlip{Finder::at(number, start + blank + 1),
                      "a second \": \" in one entry: a comma is missing in front of this, or the value needs quotes",
                      "write a comma in front of it, or all of the value in quotes"};
    return YamlSlip{Finder::at(number, start), "a value with a second \": \" in it needs quotes",
                    "write " + quote(word_at(number, start)) + " with its quotes"};
  }

  std::optional<YamlSlip> behind_quote() const {
    const Line parts = take_apart(line(last_));
    const std::size_t start = parts.value();
    if (start >= parts.text.size() || !is_quote(parts.text[start])) return std::nullopt;
    const std::size_t end = end_of_quoted(parts.text, start);
    if (end == kNone || end >= parts.text.size()) return std::nullopt;
    if (parts.text.substr(end) == ",") return comma_at_the_end(last_, end);
    const char sign = parts.text[start];
    std::string whole(parts.text.substr(start));
    if (sign == '\'' && whole.size() > 2 && whole.ends_with('\''))
      return YamlSlip{at(last_, end - 1), "a ' inside of single quotes ends the text",
                      "write " + quote(whole.substr(1, whole.size() - 2)) + " with its quotes"};
    return YamlSlip{at(last_, end), "text follows the closing quote",
                    "put all of the value in one pair of quotes, or write the rest elsewhere"};
  }

  std::optional<YamlSlip> behind_block_sign() const {
    if (!says("block scalar")) return std::nullopt;
    return YamlSlip{given_.mark, "text follows the sign of a block (| or >) in the same line",
                    "begin the text in the next line, indented deeper than its key"};
  }

  /// "key: |" whose text is not indented.
  std::optional<YamlSlip> text_of_block() const {
    for (std::size_t number = above(last_ + 1); number != kNone; number = above(number)) {
      const std::size_t head = above(number);
      if (head == kNone) return std::nullopt;
      const Line key = take_apart(line(head));
      const Line text = take_apart(line(number));
      if (key.colon != kNone && opens_block(key.text.substr(key.value()))) {
        if (text.indent > key.content || has_plain_key(text) || !text.dashes.empty()) return std::nullopt;
        return YamlSlip{at(number, text.indent), "the text of " + std::string(key.key()) + " is not indented",
                        "begin each of its lines " + in_column(key.content + 2) + " or further right"};
      }
      if (number != last_ && has_plain_key(text)) return std::nullopt;
    }
    return std::nullopt;
  }

  /// A line of "key: |" further left than the first one, but below its key.
  std::optional<YamlSlip> left_of_block() const {
    for (const std::size_t given : {last_, above(last_)}) {
      if (given == kNone) continue;
      const std::size_t indent = take_apart(line(given)).indent;
      std::size_t first = indent;
      for (std::size_t head = above(given); head != kNone; head = above(head)) {
        const Line parts = take_apart(line(head));
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

  /// "x: -" and "x: - a".
  std::optional<YamlSlip> dash_behind_colon() const {
    for (const std::size_t number : {last_, above(last_)}) {
      if (number == kNone) continue;
      const Line parts = take_apart(line(number));
      const std::size_t start = parts.value();
      if (parts.colon == kNone || start >= parts.text.size() || parts.text[start] != '-' ||
          !is_end_of_word(parts.text, start + 1))
        continue;
      if (start + 1 == parts.text.size())
        return YamlSlip{at(number, start), "a - alone begins an element of a list, and is not a value",
                        "write \"-\" with its quotes"};
      return YamlSlip{at(number, start), "a list cannot begin in the line of its key", "begin it in the next line"};
    }
    return std::nullopt;
  }

  std::optional<YamlSlip> second_colon() const {
    const Line parts = take_apart(line(last_));
    if (!says("illegal map value") || parts.colon == kNone || parts.colon >= column_) return std::nullopt;
    const std::string_view value = parts.text.substr(std::min(parts.value(), parts.text.size()));
    return YamlSlip{at(last_, column_), "a second \": \" in one line: a value that contains it needs quotes",
                    "write " + quote(value) + " with its quotes"};
  }

  std::optional<YamlSlip> colon_without_blank() const {
    const std::size_t number = says(kNoColon) ? last_ : above(last_);
    if (number == kNone || !(says("illegal map value") || says(kNoColon))) return std::nullopt;
    const Line parts = take_apart(line(number));
    const std::size_t colon = parts.text.find(':', parts.content);
    if (parts.colon != kNone || colon == kNone || colon == parts.content) return std::nullopt;
    const std::string_view key = parts.text.substr(parts.content, colon - parts.content);
    if (key.find_first_of(" /\"'[{") != kNone) return std::nullopt;
    return YamlSlip{at(number, colon), "no blank behind the colon: this line is a text, not a key with a value",
                    "write " + std::string(key) + ": " + std::string(parts.text.substr(colon + 1))};
  }

  std::optional<YamlSlip> dash_without_blank() const {
    const std::size_t number = above(last_);
    if (number == kNone) return std::nullopt;
    const Line parts = take_apart(line(number));
    const std::string_view content = parts.text.substr(std::min(parts.content, parts.text.size()));
    if (content.size() < 2 || content[0] != '-' || content[1] == '-' || parts.colon == kNone) return std::nullopt;
    return YamlSlip{at(number, parts.content), "no blank behind the -: this line is not an element of a list",
                    "write - " + std::string(content.substr(1))};
  }

  /// An element of a list whose dash was forgotten.
  std::optional<YamlSlip> missing_dash() const {
    if (!says("end of map") && !says("end of sequence") && !says("unexpected content") && !says("illegal map value"))
      return std::nullopt;
    const auto slip = [](std::size_t number, const Line& parts) {
      return YamlSlip{at(number, parts.indent), "this element of a list lacks its dash",
                      "write \"- \" in front of " + quote(parts.key()) + ", and two blanks in front of " +
                          "each further line of the element"};
    };
    const Line here = take_apart(line(last_));
    if (!here.dashes.empty()) {
      // The first one lacks it, the second one has it.
      std::optional<YamlSlip> first;
      for (std::size_t number = above(last_); number != kNone; number = above(number)) {
        const Line parts = take_apart(line(number));
        if (parts.indent < here.indent || (parts.indent == here.indent && !parts.dashes.empty())) break;
        if (parts.indent != here.indent || parts.colon == kNone) continue;
        first = parts.key() == here.key() ? std::optional(slip(number, parts)) : std::nullopt;
      }
      return first;
    }
    for (const std::size_t number : {last_, above(last_)}) {
      if (number == kNone) continue;
      const Line parts = take_apart(line(number));
      if (!parts.dashes.empty() || parts.colon == kNone) continue;
      for (std::size_t other = above(number); other != kNone; other = above(other)) {
        const Line before = take_apart(line(other));
        if (before.indent < parts.indent) break;
        if (before.indent == parts.indent && !before.dashes.empty()) {
          if (before.colon != kNone && before.key() == parts.key()) return slip(number, parts);
          break;
        }
      }
    }
    return std::nullopt;
  }

  /// "rules: []" and a list below it.
  std::optional<YamlSlip> list_below_value() const {
    const Line here = take_apart(line(last_));
    const std::size_t number = above(last_);
    if (here.dashes.empty() || number == kNone || !says("end of map")) return std::nullopt;
    const Line key = take_apart(line(number));
    if (key.indent != here.indent || !key.dashes.empty() || key.colon == kNone || key.value() >= key.text.size())
      return std::nullopt;
    return YamlSlip{at(number, key.value()), "a list follows, and this key has its value already",
                    "write " + std::string(key.key()) + ": without a value"};
  }

  std::optional<YamlSlip> too_deep() const {
    const std::size_t number = above(last_);
    if (number == kNone || !says("illegal map value")) return std::nullopt;
    const Line here = take_apart(line(last_));
    const Line before = take_apart(line(number));
    if (before.colon == kNone || before.value() >= before.text.size() || here.content <= before.content)
      return std::nullopt;
    return YamlSlip{at(last_, here.content),
                    "this line is indented deeper than the one above, whose key has its value already",
                    "begin it " + in_column(before.content) + ", below " + quote(before.key())};
  }

  /// "labels:" and what belongs below it further to the left.
  std::optional<YamlSlip> left_of_its_key() const {
    const std::size_t number = above(last_);
    if (number == kNone || !(says("end of map") || says("end of sequence"))) return std::nullopt;
    const Line here = take_apart(line(last_));
    const Line key = take_apart(line(number));
    const bool lacks_value = key.colon != kNone && key.value() >= key.text.size();
    if (!lacks_value || !has_plain_key(here) || !here.dashes.empty() || here.indent > key.content) return std::nullopt;
    return YamlSlip{at(last_, here.indent),
                    "this line begins further left than " + quote(key.key()) + " above it, which has no value yet",
                    "begin it " + in_column(key.content + 2) + ", below " + quote(key.key())};
  }

  /// A key whose colon was forgotten makes one text of it and the lines below.
  std::optional<YamlSlip> no_colon() const {
    std::size_t number = says(kNoColon) ? last_ : says("illegal map value") ? above(last_) : kNone;
    if (number == kNone) return std::nullopt;
    Line parts = take_apart(line(number));
    for (std::size_t next = above(number); next != kNone && parts.dashes.empty(); next = above(number)) {
      const Line before = take_apart(line(next));
      if (before.colon != kNone || before.content >= before.text.size()) break;
      number = next;
      parts = before;
    }
    if (parts.colon != kNone || parts.content >= parts.text.size()) return std::nullopt;
    const std::string_view content = parts.text.substr(parts.content);
    if (std::string_view("[{\"'|>&*!%@`?").find(content[0]) != kNone) return std::nullopt;
    const std::string_view key = content.substr(0, content.find(' '));
    const std::string_view value = trim(content.substr(key.size()));
    return YamlSlip{at(number, parts.content + key.size()), "no colon behind " + quote(key),
                    "write " + std::string(key) + ":" + (value.empty() ? "" : " ") + std::string(value)};
  }

  /// The line begins in a column in which nothing above begins that is still open.
  std::optional<YamlSlip> no_such_column() const {
    if (!says("end of map") && !says("end of sequence") && !says("illegal block entry") && !says("unexpected content"))
      return std::nullopt;
    const Line here = take_apart(line(last_));
    if (here.is_blank()) return std::nullopt;
    const bool is_element = !here.dashes.empty();
    const std::size_t column = here.indent;
    // What is still open above: columns grow to the left only.
    std::size_t best = kNone, best_line = 0, limit = kNone;
    for (std::size_t number = above(last_); number != kNone; number = above(number)) {
      const Line parts = take_apart(line(number));
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
    return YamlSlip{at(last_, column), "this line begins in a column in which nothing above it begins",
                    "begin it " + in_column(best) + ", as " + quote(trim(take_apart(line(best_line)).text))};
  }

  /// "? [a, b] : c", or "? :" by mistake: YAML allows keys that are not texts.
  std::optional<YamlSlip> key_of_more() const {
    if (!says("a key must be a plain text")) return std::nullopt;
    const Line parts = take_apart(line(last_));
    const std::size_t sign = parts.text.find('?', parts.content);
    if (sign == kNone || !is_end_of_word(parts.text, sign + 1)) return std::nullopt;
    return YamlSlip{at(last_, sign), "? begins a key that is more than a text, and a key must be a text",
                    "write the key, a colon and the value, without ?"};
  }

  std::vector<std::string_view> lines_;
  std::string_view message_;
  YamlSlip given_;
  std::size_t last_ = 0;    // the line where the parser gave up, from 0
  std::size_t column_ = 0;  // from 0
};

}  // namespace

YamlSlip find_yaml_slip(std::string_view text, Mark mark, std::string_view message) {
  return Finder(text, mark, message).find();
}

}  // namespace nodescout
