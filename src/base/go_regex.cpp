#include "base/go_regex.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace nodescout {
namespace {

struct Category {
  std::string_view name, alias;  // alias: as in Unicode's PropertyValueAliases, lower case without separators
};
constexpr Category kCategories[] = {
    {"C", "other"},
    {"Cc", "control"},
    {"Cc", "cntrl"},
    {"Cf", "format"},
    {"Co", "privateuse"},
    {"Cs", "surrogate"},
    {"L", "letter"},
    {"Ll", "lowercaseletter"},
    {"Lm", "modifierletter"},
    {"Lo", "otherletter"},
    {"Lt", "titlecaseletter"},
    {"Lu", "uppercaseletter"},
    {"M", "mark"},
    {"M", "combiningmark"},
    {"Mc", "spacingmark"},
    {"Me", "enclosingmark"},
    {"Mn", "nonspacingmark"},
    {"N", "number"},
    {"Nd", "decimalnumber"},
    {"Nd", "digit"},
    {"Nl", "letternumber"},
    {"No", "othernumber"},
    {"P", "punctuation"},
    {"P", "punct"},
    {"Pc", "connectorpunctuation"},
    {"Pd", "dashpunctuation"},
    {"Pe", "closepunctuation"},
    {"Pf", "finalpunctuation"},
    {"Pi", "initialpunctuation"},
    {"Po", "otherpunctuation"},
    {"Ps", "openpunctuation"},
    {"S", "symbol"},
    {"Sc", "currencysymbol"},
    {"Sk", "modifiersymbol"},
    {"Sm", "mathsymbol"},
    {"So", "othersymbol"},
    {"Z", "separator"},
    {"Zl", "lineseparator"},
    {"Zp", "paragraphseparator"},
    {"Zs", "spaceseparator"},
    {"Any", "any"},
};

/// The short name of a category, or the name as it is.
std::string_view category_of(std::string_view name) {
  std::string plain;
  for (const char c : lower_ascii(name))
    if (c != '_' && c != '-' && c != ' ') plain += c;
  for (const Category& category : kCategories)
    if (category.alias == plain || lower_ascii(category.name) == plain) return category.name;
  return name;
}

bool is_group_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> run() {
    while (!rest_.empty() && problem_.empty()) {
      if (rest_.starts_with("\\Q")) {
        copy(std::min(rest_.find("\\E"), rest_.size()));
      } else if (rest_[0] == '\\') {
        escape();
      } else if (rest_[0] == '[') {
        character_class();
      } else if (rest_.starts_with("(?P<") || rest_.starts_with("(?<")) {
        group();
      } else {
        copy(1);
      }
    }
    if (!problem_.empty()) return Error{Errc::malformed, "", problem_};
    return std::move(out_);
  }

 private:
  void copy(std::size_t size) {
    out_ += rest_.substr(0, size);
    rest_.remove_prefix(std::min(size, rest_.size()));
  }

  void escape() {
    if (rest_.starts_with("\\C")) {
      problem_ = "\\C (a single byte) is not part of Go's regular expressions";
      return;
    }
    const bool category = rest_.starts_with("\\p{") || rest_.starts_with("\\P{");
    const std::size_t end = category ? rest_.find('}') : std::string_view::npos;
    if (end == std::string_view::npos) return copy(2);
    copy(rest_.substr(3).starts_with('^') ? 4 : 3);
    const std::string_view name = rest_.substr(0, rest_.find('}'));
    out_ += category_of(name);
    rest_.remove_prefix(name.size());
    copy(1);
  }

  void character_class() {
    copy(1);
    if (rest_.starts_with('^')) copy(1);
    if (rest_.starts_with(']')) copy(1);
    while (!rest_.empty() && problem_.empty()) {
      if (rest_[0] == ']') return copy(1);
      if (rest_[0] == '\\') {
        escape();
      } else if (rest_.starts_with("[:") && rest_.find(":]") != std::string_view::npos) {
        copy(rest_.find(":]") + 2);
      } else {
        copy(1);
      }
    }
  }

  void group() {
    const std::size_t start = rest_.find('<') + 1;
    const std::string_view after = rest_.substr(start);
    if (after.starts_with('=') || after.starts_with('!')) {
      problem_ = "look-behind is not part of Go's regular expressions";
      return;
    }
    const std::size_t end = after.find('>');
    if (end == std::string_view::npos || !is_group_name(after.substr(0, end))) {
      problem_ = "the name of a group is made of letters, digits and underscores: (?<name>...)";
      return;
    }
    out_ += "(?P<";
    rest_.remove_prefix(start);
  }

  std::string_view rest_;
  std::string out_;
  std::string problem_;
};

}  // namespace

Result<std::string> re2_syntax(std::string_view go_pattern) { return Rewriter(go_pattern).run(); }

}  // namespace nodescout
