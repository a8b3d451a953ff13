#include "probe/os_release.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestLine = 64u << 10;  // bufio.Scanner stops there, and so does NFD

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// ^(\d+)(\.(\d+))?(\..*)?$
void add_version_parts(Attributes& release) {
  const auto at = release.find("VERSION_ID");
  if (at == release.end()) return;
  std::string_view rest = at->second;
  const auto digits = [&] {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::string number(rest.substr(0, count));
    rest.remove_prefix(count);
    return number;
  };
  const std::string major = digits();
  if (major.empty()) return;
  std::string minor;
  if (rest.size() > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9') {
    rest.remove_prefix(1);
    minor = digits();
    // "22.04x": the second number must end at a dot or at the end, else all of it is the tail.
    if (!rest.empty() && rest[0] != '.') minor.clear(), rest = ".";
  }
  if ((!rest.empty() && rest[0] != '.') || rest.find('\n') != std::string_view::npos) return;
  release["VERSION_ID.major"] = major;
  if (!minor.empty()) release["VERSION_ID.minor"] = minor;
}

}  // namespace

Attributes parse_os_release(std::string_view text) {
  Attributes release;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.size() >= kLongestLine) break;
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !is_word(line.substr(0, equals))) continue;
    std::string_view value = line.substr(equals + 1);
    if (value.empty()) continue;
    while (value.starts_with('"') || value.starts_with('\'')) value.remove_prefix(1);
    while (value.ends_with('"') || value.ends_with('\'')) value.remove_suffix(1);
    release.insert_or_assign(std::string(line.substr(0, equals)), std::string(value));
  }
  add_version_parts(release);
  return release;
}

std::optional<JunkLines> junk_of_os_release(std::string_view text) {
  constexpr std::size_t kShown = 40;
  JunkLines junk;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string_view content = trim(line);
    const bool is_read = is_word(line.substr(0, line.find('='))) && line.find('=') != line.npos;
    if (content.empty() || content.starts_with('#') || (is_read && line.size() < kLongestLine)) continue;
    if (junk.line > 0) {
      ++junk.others;
    } else {
      junk.line = number;
      junk.text = content.substr(0, kShown);
    }
  }
  return junk.line > 0 ? std::optional(junk) : std::nullopt;
}

}  // namespace nodescout
