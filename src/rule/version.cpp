#include "rule/version.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace nodescout {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// ident *( "." ident ), ident = 1*( letter / digit / "-" )
bool is_identifiers(std::string_view text, bool no_leading_zero) {
  for (const std::string_view part : split(text, '.')) {
    if (part.empty()) return false;
    for (const char c : part)
      if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-') return false;
    if (no_leading_zero && part.size() > 1 && part[0] == '0' && std::all_of(part.begin(), part.end(), is_digit))
      return false;
  }
  return true;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  if (text.size() > kLongest) return std::nullopt;
  if (text.starts_with('v')) text.remove_prefix(1);
  Version version{};
  for (std::size_t i = 0; i < version.size(); ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') break;
      text.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version[i]);
    if (error != std::errc() || text.empty() || !is_digit(text[0])) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!is_identifiers(text.substr(plus + 1), false)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (text.empty()) return version;
  if (text[0] != '-' || !is_identifiers(text.substr(1), true)) return std::nullopt;
  return version;
}

}  // namespace nodescout
