// Finds the slip: one member function for each usual one, tried in the order of find(). The files follow what a slip is
// in: whole lines, a value, flow style, block style.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/yaml_slip_lines.h"
#include "document/yaml_slips.h"

namespace nodescout {

// Messages of the reader itself, besides the parser's.
inline constexpr std::string_view kNoColon = "no colon";
inline constexpr std::string_view kNoQuote = "no closing quote";

class YamlSlipFinder {
 public:
  YamlSlipFinder(std::string_view text, Mark mark, std::string_view message);

  YamlSlip find() const;

 private:
  // ---- shared, and whole lines: yaml_slips.cpp --------------------

  std::string_view line(std::size_t number) const;
  bool says(std::string_view part) const;
  static Mark at(std::size_t line, std::size_t column);
  static std::string in_column(std::size_t column);
  /// The last line above `number` that is not blank, or npos.
  std::size_t above(std::size_t number) const;
  /// The text from a column to where a value ends: a comma or bracket inside of brackets, else the comment.
  std::string_view word_at(std::size_t number, std::size_t column) const;
  std::optional<YamlSlip> conflict_of_git() const;
  std::optional<YamlSlip> fence() const;
  /// "---a", "-----" and "--- a: b": only "---" alone divides documents.
  std::optional<YamlSlip> line_of_dashes() const;
  std::optional<YamlSlip> template_braces() const;
  /// The value around "{{ }}" in the brackets of a map or list.
  static std::string_view value_with_braces(std::string_view text, std::size_t braces);
  static bool is_inside_quotes(std::string_view text, std::size_t column);
  bool is_helm_source() const;
  /// A line indented by a space that is not one for YAML: U+00A0 of a word processor or a web page.
  std::optional<YamlSlip> other_blank() const;
  std::optional<YamlSlip> tab() const;
  /// "-<tab>a: b": the key's column would depend on how wide a tab is.
  std::optional<YamlSlip> tab_behind_dash() const;

  // ---- a value: yaml_slips_values.cpp --------------------

  /// "{{ printf "%s" .Name }}" in double quotes: the second of them ends the text.
  std::optional<YamlSlip> quotes_in_template() const;
  std::optional<YamlSlip> reserved() const;
  std::optional<YamlSlip> alias() const;
  /// Where \x, \u or \U is followed by too few digits.
  static std::size_t bad_number(std::string_view text);
  std::optional<YamlSlip> escape() const;
  /// A quote that is closed lines below, by one that was meant to open another string.
  std::optional<YamlSlip> quote_over_lines() const;
  /// Whether the first such quote below is on the line where the parser gave up, or on the one above.
  bool closes_near_the_end(std::size_t number, char quote) const;
  /// The quote that opens a text which its line does not close; npos if there is none.
  static std::size_t open_quote(std::string_view text);
  static std::string with_quotes(std::string_view text, std::size_t quote_at);
  std::optional<YamlSlip> behind_quote() const;
  std::optional<YamlSlip> behind_block_sign() const;

  // ---- flow style, in brackets: yaml_slips_flow.cpp --------------------

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

  /// {a: "b} with more below: another quote, which was meant to open a string, closes this one.
  std::optional<YamlSlip> quote_in_brackets() const;
  /// "}}" after a map that the first of them closes.
  std::optional<YamlSlip> closes_nothing() const;
  /// The first slip in the brackets that are open where the parser gave up, or were just closed.
  std::optional<YamlSlip> in_brackets() const;
  static YamlSlip never_closed(const Open& open);
  /// A key or element of the block around the brackets.
  bool begins_outside(const Brackets& brackets, std::size_t number, const YamlLine& parts) const;
  std::optional<YamlSlip> in_line(Brackets& brackets, std::size_t number, const YamlLine& parts) const;
  static YamlSlip comma_at_the_end(std::size_t number, std::size_t column);
  static YamlSlip missing_comma(std::size_t number, std::size_t column);
  /// One sign or value of the brackets; `at` is then past it.
  std::optional<YamlSlip> token(std::vector<Open>& open, std::size_t number, std::string_view text,
                                std::size_t& at) const;
  static bool is_end_of_value(std::string_view text, std::size_t at);
  /// Whether a colon follows the word that begins here.
  static bool is_key(std::string_view text, std::size_t at);
  std::optional<YamlSlip> closing(std::vector<Open>& open, std::size_t number, std::string_view text,
                                  std::size_t& at) const;
  std::optional<YamlSlip> quoted(std::size_t number, std::string_view text, std::size_t& at) const;
  std::optional<YamlSlip> plain(std::vector<Open>& open, std::size_t number, std::string_view text,
                                std::size_t& at) const;

  // ---- block style: yaml_slips_block.cpp --------------------

  /// "key: |" whose text is not indented.
  std::optional<YamlSlip> text_of_block() const;
  /// A line of "key: |" further left than the first one, but below its key.
  std::optional<YamlSlip> left_of_block() const;
  /// "x: -" and "x: - a".
  std::optional<YamlSlip> dash_behind_colon() const;
  std::optional<YamlSlip> long_key() const;
  std::optional<YamlSlip> second_colon() const;
  std::optional<YamlSlip> colon_without_blank() const;
  std::optional<YamlSlip> dash_without_blank() const;
  /// An element of a list whose dash was forgotten.
  std::optional<YamlSlip> missing_dash() const;
  /// "rules: []" and a list below it.
  std::optional<YamlSlip> list_below_value() const;
  std::optional<YamlSlip> too_deep() const;
  /// "labels:" and what belongs below it further to the left.
  std::optional<YamlSlip> left_of_its_key() const;
  /// The line begins at a column at which nothing begins that is still open above.
  std::optional<YamlSlip> no_such_column() const;
  /// A key whose colon was forgotten makes one text of it and the lines below.
  std::optional<YamlSlip> no_colon() const;
  /// "? [a, b] : c", or "? :" by mistake: YAML allows keys that are not texts.
  std::optional<YamlSlip> key_of_more() const;

  std::vector<std::string_view> lines_;
  std::string_view message_;
  YamlSlip given_;
  std::size_t last_ = 0;    // the line where the parser gave up, from 0
  std::size_t column_ = 0;  // from 0
};

}  // namespace nodescout
