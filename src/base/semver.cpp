#include "base/semver.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongest = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_identifier_char(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool are_identifiers(std::string_view text, bool leading_zeros) {
  for (const std::string_view identifier : split(text, '.')) {
    if (identifier.empty() || !std::all_of(identifier.begin(), identifier.end(), is_identifier_char)) return false;
    const bool number = std::all_of(identifier.begin(), identifier.end(), is_digit);
    if (number && !leading_zeros && identifier.size() > 1 && identifier[0] == '0') return false;
  }
  return true;
}

int compare_identifiers(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  if (a.empty() || b.empty()) return a.empty() ? -1 : 1;
  const std::optional<std::uint64_t> x = parse_number(a);
  const std::optional<std::uint64_t> y = parse_number(b);
  if (x && y) return *x > *y ? 1 : -1;
  if (x || y) return x ? -1 : 1;  // numbers come before words
  return a > b ? 1 : -1;
}

}  // namespace

bool is_prerelease(std::string_view text) { return are_identifiers(text, false); }
bool is_metadata(std::string_view text) { return are_identifiers(text, true); }

Result<SemanticVersion> parse_version(std::string_view text) {
  const auto malformed = [&](const char* why) {
    return Error{Errc::malformed, "", quote(text.substr(0, 60)) + " is not a version: " + why};
  };
  if (text.size() > kLongest) return malformed("it is longer than 256 bytes");
  SemanticVersion version;
  version.original = text;
  std::string_view rest = text;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  std::uint64_t* const numbers[] = {&version.major, &version.minor, &version.patch};
  for (std::uint64_t* number : numbers) {
    const bool first = number == &version.major;
    if (!first && !rest.starts_with('.')) break;
    if (!first) rest.remove_prefix(1);
    const auto size = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
    if (size == 0) return malformed("a number is missing");
    const std::optional<std::uint64_t> value = parse_number(rest.substr(0, size));
    if (!value) return malformed("a number is too large");
    *number = *value;
    rest.remove_prefix(size);
  }
  const std::size_t plus = std::min(rest.find('+'), rest.size());
  if (rest.starts_with('-')) {
    version.prerelease = rest.substr(1, plus - 1);
    if (!is_prerelease(version.prerelease)) return malformed("the pre-release after the hyphen is malformed");
  } else if (plus != 0) {
    return malformed("at most three numbers, then -pre-release and +metadata");
  }
  if (plus < rest.size()) {
    version.metadata = rest.substr(plus + 1);
    if (!is_metadata(version.metadata)) return malformed("the metadata after the plus sign is malformed");
  }
  return version;
}

std::string to_text(const SemanticVersion& version) {
  std::string out =
      std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' + std::to_string(version.patch);
  if (!version.prerelease.empty()) out.append("-").append(version.prerelease);
  if (!version.metadata.empty()) out.append("+").append(version.metadata);
  return out;
}

int compare_prerelease(std::string_view a, std::string_view b) {
  const std::vector<std::string_view> left = split(a, '.');
  const std::vector<std::string_view> right = split(b, '.');
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const int order = compare_identifiers(i < left.size() ? left[i] : std::string_view(),
                                          i < right.size() ? right[i] : std::string_view());
    if (order != 0) return order;
  }
  return 0;
}

int compare(const SemanticVersion& a, const SemanticVersion& b) {
  if (a.major != b.major) return a.major < b.major ? -1 : 1;
  if (a.minor != b.minor) return a.minor < b.minor ? -1 : 1;
  if (a.patch != b.patch) return a.patch < b.patch ? -1 : 1;
  if (a.prerelease.empty() || b.prerelease.empty())
    return a.prerelease.empty() == b.prerelease.empty() ? 0 : a.prerelease.empty() ? 1 : -1;
  return compare_prerelease(a.prerelease, b.prerelease);
}

}  // namespace nodescout
