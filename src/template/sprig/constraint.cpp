#include "template/sprig/constraint.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"

namespace nodescout::tmpl {
namespace {

constexpr std::size_t kLongest = 512;
constexpr std::size_t kGroups = 32;

// The grammar is what these expressions make of a text, corner cases included: "1|2" is a number with an odd digit.
constexpr const char* kVersion = R"(v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?)"
                                 R"((-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?)"
                                 R"((\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?)";
constexpr const char* kOperator = R"(=||!=|>|<|>=|=>|<=|=<|~|~>|\^)";

struct Grammar {
  re2::RE2 clause, range, find, group;
};

const Grammar& grammar() {
  const std::string op = std::string("(") + kOperator + ")";
  const std::string version = std::string("(") + kVersion + ")";
  static const Grammar made{
      re2::RE2("^\\s*" + op + "\\s*" + version + "\\s*$"),
      re2::RE2("\\s*" + version + "\\s+-\\s+" + version + "\\s*"),
      re2::RE2("(" + op + "\\s*" + version + ")"),
      re2::RE2("^(\\s*" + op + "\\s*" + version + "\\s*)((?:\\s+|,\\s*)" + op + "\\s*" + version + "\\s*)*$"),
  };
  return made;
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

bool is_any(std::string_view number) { return number == "x" || number == "X" || number == "*"; }

Error improper(std::string_view text) {
  return {Errc::malformed, "", quote(text) + " is not a version constraint, such as \">=1.2, <2\" or \"^1.4 || ~2.1\""};
}

/// "1.2 - 1.4" is ">= 1.2, <= 1.4".
std::string without_ranges(std::string_view text) {
  std::string out(text);
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece match[12];
  while (grammar().range.Match(rest, 0, rest.size(), re2::RE2::UNANCHORED, match, 12)) {
    const std::string range = match[0].as_string();
    const std::size_t at = out.find(range);
    if (at != std::string::npos)
      out.replace(at, range.size(), ">= " + match[1].as_string() + ", <= " + match[11].as_string() + " ");
    rest.remove_prefix(static_cast<std::size_t>(match[0].end() - rest.begin()));
  }
  return out;
}

std::vector<std::string_view> alternatives(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t bars = text.find("||");
    out.push_back(text.substr(0, bars));
    if (bars == std::string_view::npos) return out;
    text.remove_prefix(bars + 2);
  }
}

SemanticVersion version_of(std::uint64_t major, std::uint64_t minor, std::uint64_t patch, std::string_view prerelease) {
  return {.major = major, .minor = minor, .patch = patch, .prerelease = prerelease};
}

}  // namespace

Result<Constraint::Clause> Constraint::parse_clause(std::string_view text) {
  Clause clause;
  re2::StringPiece match[8];
  const re2::StringPiece subject(text.data(), text.size());
  if (!grammar().clause.Match(subject, 0, subject.size(), re2::RE2::UNANCHORED, match, 8)) return improper(text);
  struct Spelling {
    std::string_view text;
    Operator op;
  };
  static constexpr Spelling kSpellings[] = {
      {"", Operator::equal},           {"=", Operator::equal},       {"!=", Operator::not_equal},
      {">", Operator::greater},        {"<", Operator::less},        {">=", Operator::greater_equal},
      {"=>", Operator::greater_equal}, {"<=", Operator::less_equal}, {"=<", Operator::less_equal},
      {"~", Operator::tilde},          {"~>", Operator::tilde},      {"^", Operator::caret},
  };
  for (const Spelling& spelling : kSpellings)
    if (spelling.text == view(match[1])) clause.op = spelling.op;

  const std::string_view major = view(match[3]);
  const std::string_view minor = view(match[4]);  // with its point
  const std::string_view patch = view(match[5]);
  const std::string prerelease = match[6].as_string();  // with its hyphen
  const auto open = [](std::string_view number) { return number.empty() || is_any(number.substr(1)); };
  std::string spelt = match[2].as_string();
  if (is_any(major)) {
    spelt = "0.0.0" + prerelease;
    clause.dirty = true;
  } else if (open(minor)) {
    spelt = std::string(major) + ".0.0" + prerelease;
    clause.dirty = clause.minor_dirty = true;
  } else if (open(patch)) {
    spelt = std::string(major) + std::string(minor) + ".0" + prerelease;
    clause.dirty = clause.patch_dirty = true;
  }
  const Result<SemanticVersion> version = parse_version(spelt);
  if (!version) return improper(text);
  clause.major = version->major;
  clause.minor = version->minor;
  clause.patch = version->patch;
  clause.prerelease = version->prerelease;
  return clause;
}

Result<Constraint> Constraint::parse(std::string_view text) {
  if (text.size() > kLongest) return Error{Errc::malformed, "", "a version constraint has at most 512 bytes"};
  const std::string plain = without_ranges(text);
  const std::vector<std::string_view> parts = alternatives(plain);
  if (parts.size() > kGroups) return Error{Errc::malformed, "", "a version constraint has at most 32 alternatives"};
  Constraint constraint;
  for (const std::string_view part : parts) {
    re2::StringPiece rest(part.data(), part.size());
    if (!re2::RE2::PartialMatch(rest, grammar().group)) return improper(part);
    Group& group = constraint.groups_.emplace_back();
    re2::StringPiece found;
    while (re2::RE2::FindAndConsume(&rest, grammar().find, &found)) {
      Result<Clause> clause = parse_clause(view(found));
      if (!clause) return clause.error();
      group.prereleases = group.prereleases || !clause->prerelease.empty();
      group.clauses.push_back(*std::move(clause));
    }
  }
  return constraint;
}

bool Constraint::allows(const SemanticVersion& version) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
    if (!version.prerelease.empty() && !group.prereleases) return false;
    return std::all_of(group.clauses.begin(), group.clauses.end(),
                       [&](const Clause& clause) { return allows(clause, version); });
  });
}

bool Constraint::allows(const Clause& clause, const SemanticVersion& version) {
  const int order = compare(version, version_of(clause.major, clause.minor, clause.patch, clause.prerelease));
  switch (clause.op) {
    case Operator::equal: return clause.dirty ? tilde(clause, version) : order == 0;
    case Operator::not_equal: return not_equal(clause, version);
    case Operator::greater:
      if (!clause.dirty) return order > 0;
      if (version.major != clause.major) return version.major > clause.major;
      // 11.1.0 is not above 11, and 11.1.1 not above 11.1.
      if (clause.minor_dirty) return false;
      if (clause.patch_dirty) return version.minor > clause.minor;
      return order > 0;
    case Operator::less: return order < 0;
    case Operator::greater_equal: return order >= 0;
    case Operator::less_equal:
      if (!clause.dirty) return order <= 0;
      return version.major <= clause.major &&
             !(version.major == clause.major && version.minor > clause.minor && !clause.minor_dirty);
    case Operator::tilde: return tilde(clause, version);
    case Operator::caret: return caret(clause, version);
  }
  return false;
}

bool Constraint::not_equal(const Clause& clause, const SemanticVersion& version) {
  if (clause.dirty) {
    if (clause.major != version.major) return true;
    if (clause.minor_dirty) return false;
    if (clause.minor != version.minor) return true;
    if (clause.patch_dirty)
      return (!version.prerelease.empty() || !clause.prerelease.empty()) &&
             compare_prerelease(version.prerelease, clause.prerelease) != 0;
    if (clause.patch != version.patch) return true;
  }
  return compare(version, version_of(clause.major, clause.minor, clause.patch, clause.prerelease)) != 0;
}

bool Constraint::tilde(const Clause& clause, const SemanticVersion& version) {
  if (compare(version, version_of(clause.major, clause.minor, clause.patch, clause.prerelease)) < 0) return false;
  // ~0.0.0 is everything.
  const bool zero = clause.major == 0 && clause.minor == 0 && clause.patch == 0;
  if (zero && !clause.minor_dirty && !clause.patch_dirty) return true;
  return version.major == clause.major && (version.minor == clause.minor || clause.minor_dirty);
}

bool Constraint::caret(const Clause& clause, const SemanticVersion& version) {
  if (compare(version, version_of(clause.major, clause.minor, clause.patch, clause.prerelease)) < 0) return false;
  if (clause.major > 0 || clause.minor_dirty) return version.major == clause.major;
  // Below 1.0.0 each minor version, and below 0.1.0 each patch, may break what was before.
  if (version.major > 0) return false;
  if (clause.minor > 0 || clause.patch_dirty) return version.minor == clause.minor;
  return version.minor == 0 && version.patch == clause.patch;
}

}  // namespace nodescout::tmpl
