// sprig's regular expressions. The functions without "must" fail on a bad pattern just the same, but regexMatch, which
// is false.
#include "template/go/regex.h"
#include "base/text.h"
#include "base/unicode.h"
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

const Regex& compiled(Run& run, std::string_view pattern) {
  std::string problem;
  const Regex* regex = run.regexes().find(run, pattern, problem);
  if (!regex) fail(problem);
  return *regex;
}

Datum must_match(Run& run, std::string_view pattern, std::string_view text) {
  Subject subject(run, compiled(run, pattern), text);
  std::vector<Span> whole(1);
  return Datum::of(subject.search(0, whole));
}
Datum match(Run& run, std::string_view pattern, std::string_view text) {
  std::string problem;
  if (!run.regexes().find(run, pattern, problem)) return Datum::of(false);
  return must_match(run, pattern, text);
}

Datum find(Run& run, std::string_view pattern, std::string_view text) {
  Subject subject(run, compiled(run, pattern), text);
  std::vector<Span> whole(1);
  if (!subject.search(0, whole)) return Datum::of("");
  return Datum::of(text.substr(whole[0].begin, whole[0].end - whole[0].begin));
}

Datum find_all_texts(Run& run, std::string_view pattern, std::string_view text, std::int64_t limit) {
  Subject subject(run, compiled(run, pattern), text);
  std::vector<Datum> found;
  for (const std::vector<Span>& match : find_all(subject, limit, 0))
    found.push_back(Datum::of(text.substr(match[0].begin, match[0].end - match[0].begin)));
  return found.empty() ? Datum::nil_list(Type::text_list) : run.make_list(Type::text_list, found);
}

/// A replacement cut into literal text and references to groups: $1, ${1}, $name, ${name}, and $$ for a dollar.
struct Piece {
  std::string_view literal;
  std::size_t group = std::string_view::npos;
};

bool is_word_char(std::string_view rest, std::size_t& size) {
  if (rest.empty()) return false;
  const Rune rune = decode_rune(rest);
  size = static_cast<std::size_t>(rune.length);
  return rune.value == '_' || is_letter(rune.value) || is_digit(rune.value);
}

std::vector<Piece> parse_replacement(const Regex& regex, std::string_view text) {
  std::vector<Piece> pieces;
  while (true) {
    const std::size_t dollar = text.find('$');
    pieces.push_back({text.substr(0, dollar)});
    if (dollar == std::string_view::npos) return pieces;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      pieces.push_back({text.substr(0, 1)});
      text.remove_prefix(2);
      continue;
    }
    const bool braces = text.starts_with("${");
    const std::string_view rest = text.substr(braces ? 2 : 1);
    std::size_t end = 0;
    for (std::size_t size = 0; is_word_char(rest.substr(end), size);) end += size;
    const std::string_view name = rest.substr(0, end);
    if (name.empty() || (braces && !rest.substr(end).starts_with('}'))) {
      pieces.push_back({text.substr(0, 1)});  // a dollar that refers to nothing is itself
      text.remove_prefix(1);
      continue;
    }
    text = rest.substr(end + (braces ? 1 : 0));
    const bool number = name.find_first_not_of("0123456789") == std::string_view::npos;
    // Numbers of nine digits and more, and ones with a leading zero, are names to Go: there are none such.
    const bool too_long = name.size() > 9 || (name.size() > 1 && name[0] == '0');
    std::size_t group = std::string_view::npos;
    if (!number || too_long) {
      group = regex.group_named(name);
    } else {
      group = static_cast<std::size_t>(parse_int(name).value_or(0));
    }
    if (group <= regex.groups()) pieces.push_back({{}, group});
  }
}

Datum replaced(Run& run, std::string_view pattern, std::string_view text, std::string_view with, bool literal) {
  const Regex& regex = compiled(run, pattern);
  Subject subject(run, regex, text);
  const std::vector<Piece> pieces = literal ? std::vector<Piece>{{with}} : parse_replacement(regex, with);
  Text out(run);
  std::size_t done = 0;
  for (const std::vector<Span>& match : find_all(subject, -1, literal ? 0 : regex.groups())) {
    out += text.substr(done, match[0].begin - done);
    for (const Piece& piece : pieces) {
      out += piece.literal;
      if (piece.group != std::string_view::npos && match[piece.group].matched())
        out += text.substr(match[piece.group].begin, match[piece.group].end - match[piece.group].begin);
    }
    done = match[0].end;
  }
  out += text.substr(done);
  return run.text(out);
}
Datum replace_all(Run& run, std::string_view pattern, std::string_view text, std::string_view with) {
  return replaced(run, pattern, text, with, false);
}
Datum replace_all_literal(Run& run, std::string_view pattern, std::string_view text, std::string_view with) {
  return replaced(run, pattern, text, with, true);
}

Datum split(Run& run, std::string_view pattern, std::string_view text, std::int64_t limit) {
  const Regex& regex = compiled(run, pattern);
  if (limit == 0) return Datum::nil_list(Type::text_list);
  std::vector<Datum> pieces;
  if (text.empty() && !pattern.empty()) {
    pieces.push_back(Datum::of(""));
    return run.make_list(Type::text_list, pieces);
  }
  Subject subject(run, regex, text);
  std::size_t begin = 0;
  std::size_t end = 0;
  for (const std::vector<Span>& match : find_all(subject, limit, 0)) {
    if (limit > 0 && static_cast<std::int64_t>(pieces.size()) == limit - 1) break;
    end = match[0].begin;
    if (match[0].end != 0) pieces.push_back(Datum::of(text.substr(begin, end - begin)));
    begin = match[0].end;
  }
  if (end != text.size()) pieces.push_back(Datum::of(text.substr(begin)));
  return run.make_list(Type::text_list, pieces);
}

Datum quote_meta_of(Run& run, std::string_view text) { return run.text(quote_meta(text)); }

constexpr Function kRegex[] = {
    define<match>("regexMatch", "PATTERN TEXT", "true if the pattern matches anywhere; false for a bad pattern",
                  R"(regexMatch "^AVX" "AVX512F")", "true"),
    define<must_match>("mustRegexMatch", "PATTERN TEXT", "as regexMatch, but a bad pattern fails",
                       R"(mustRegexMatch "x$" "ax")", "true"),
    define<find>("regexFind", "PATTERN TEXT", "the first match", R"(regexFind "[0-9]+" "gen12b3")", "12"),
    define<find>("mustRegexFind", "PATTERN TEXT", "the same as regexFind", R"(mustRegexFind "b." "abc")", "bc"),
    define<find_all_texts>("regexFindAll", "PATTERN TEXT COUNT", "a list of at most COUNT matches, of all if it is -1",
                           R"(regexFindAll "[2468]" "1234" -1)", "[2 4]"),
    define<find_all_texts>("mustRegexFindAll", "PATTERN TEXT COUNT", "the same as regexFindAll",
                           R"(mustRegexFindAll "[2468]" "1234" 1)", "[2]"),
    define<replace_all>("regexReplaceAll", "PATTERN TEXT NEW", "every match replaced; ${1} is the first group",
                        R"(regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W")", "-W-xxW-"),
    define<replace_all>("mustRegexReplaceAll", "PATTERN TEXT NEW", "the same as regexReplaceAll",
                        R"(mustRegexReplaceAll "a" "banana" "o")", "bonono"),
    define<replace_all_literal>("regexReplaceAllLiteral", "PATTERN TEXT NEW",
                                "every match replaced by NEW, taken literally",
                                R"(regexReplaceAllLiteral "a(x*)b" "-ab-" "${1}")", "-${1}-"),
    define<replace_all_literal>("mustRegexReplaceAllLiteral", "PATTERN TEXT NEW", "the same as regexReplaceAllLiteral",
                                R"(mustRegexReplaceAllLiteral "a" "ba" "$0")", "b$0"),
    define<split>("regexSplit", "PATTERN TEXT COUNT", "a list of what is between the matches",
                  R"(regexSplit "z+" "pizza" -1)", "[pi a]"),
    define<split>("mustRegexSplit", "PATTERN TEXT COUNT", "the same as regexSplit", R"(mustRegexSplit "-" "a-b-c" 2)",
                  "[a b-c]"),
    define<quote_meta_of>("regexQuoteMeta", "TEXT", "a pattern that matches exactly this text",
                          R"(regexQuoteMeta "1.2")", "1\\.2"),
};

}  // namespace

std::span<const Function> regex_functions() { return kRegex; }

}  // namespace nodescout::tmpl
