#include "cli/excerpts.h"

#include <algorithm>
#include <climits>
#include <cstdio>

#include "base/text.h"
#include "base/unicode.h"
#include "cli/output.h"
#include "cli/style.h"
#include "cli/values.h"
#include "document/json.h"
#include "host/named_file.h"

namespace nodescout::cli {
namespace {

/// Line and column of "file:line:column", zeros where there are none.
std::pair<std::int64_t, std::int64_t> place_in(std::string_view where) {
  const std::size_t second = where.rfind(':');
  const std::size_t first = second == 0 || second == where.npos ? where.npos : where.rfind(':', second - 1);
  if (first == where.npos) return {};
  return {parse_int(where.substr(first + 1, second - first - 1)).value_or(0),
          parse_int(where.substr(second + 1)).value_or(0)};
}

}  // namespace

std::string Excerpts::at(std::string_view where) const {
  const auto [line, column] = place_in(where);
  if (line < 1 || line > index_.lines()) return "";
  // A long line is shown around its column.
  constexpr int kBefore = 100;
  constexpr int kShown = 160;
  const int number = static_cast<int>(line);
  const int at = static_cast<int>(std::clamp<std::int64_t>(column, 1, INT_MAX - kShown));
  const int first = std::max(at - kBefore, 1);
  const std::string_view whole = trim_right(index_.line(number));
  std::string_view rest = whole.substr(std::min(index_.byte_of(number, first), whole.size()));
  std::string shown;
  std::string caret;
  for (int i = first; !rest.empty() && i < at + kShown - kBefore; ++i) {
    const Rune rune = decode_rune(rest);
    rest.remove_prefix(static_cast<std::size_t>(rune.length));
    // The file's content must not control the terminal.
    append_rune(shown, rune.value == '\t' || is_print(rune.value) ? rune.value : U'\uFFFD');
    if (i < at) caret += rune.value == '\t' ? '\t' : ' ';
  }
  return "    | " + shown + "\n    | " + caret + "^\n";
}

std::string mistake_text(const Problem& problem, const Excerpts& excerpts) {
  std::string out = printable(problem.where) + ": " + printable(problem.what) + "\n" + excerpts.at(problem.where);
  if (!problem.todo.empty()) out += "    " + printable(problem.todo) + "\n";
  return out;
}

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return place_in(a.where) < place_in(b.where); });
}

ExitStatus print_mistakes(CheckedFiles checked, Value document) {
  const std::size_t count = checked.mistakes.size();
  std::string out = std::move(checked.text);
  if (checked.format == "json") {
    document.add("problems", to_value(checked.mistakes));
    out = to_json(document, 2) + "\n";
  } else if (count > 0) {
    out += std::to_string(count) + (count == 1 ? " mistake\n" : " mistakes\n");
  }
  return print(out, checked.status == ExitStatus::done && count > 0 ? ExitStatus::found : checked.status);
}

Result<std::string> read_input(const std::string& path) {
  if (path != "-") return read_named_file(path);
  std::string text;
  char buffer[65536];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, count);
    if (text.size() > kReadCap)
      return Error{Errc::unsupported, name_of_input(path),
                   "larger than the cap of " + std::to_string(kReadCap) + " bytes"};
  }
  if (std::ferror(stdin)) return Error{Errc::unavailable, name_of_input(path), "cannot be read"};
  return text;
}

std::string name_of_input(const std::string& path) { return path == "-" ? "<stdin>" : path; }

}  // namespace nodescout::cli
