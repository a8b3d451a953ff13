#include "base/kubernetes_syntax.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kLongestPrefix = 253;

bool is_alphanumeric(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string name_characters_defect(std::string_view name) {
  for (const char c : name)
    if (!is_alphanumeric(c) && c != '-' && c != '_' && c != '.')
      return "must consist of letters, digits, '-', '_' and '.'";
  if (!is_alphanumeric(name.front()) || !is_alphanumeric(name.back()))
    return "must begin and end with a letter or digit";
  return "";
}

std::string subdomain_defect(std::string_view domain) {
  if (domain.empty()) return "the part before \"/\" is empty";
  if (domain.size() > kLongestPrefix) return "the part before \"/\" is longer than 253 characters";
  for (const std::string_view label : split(domain, '.')) {
    const bool good =
        !label.empty() && is_lower_alphanumeric(label.front()) && is_lower_alphanumeric(label.back()) &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
    if (!good) return "the part before \"/\" must be a DNS name in lower case, such as vendor.example.com";
  }
  return "";
}

}  // namespace

std::string qualified_name_defect(std::string_view key) {
  const std::vector<std::string_view> parts = split(key, '/');
  if (parts.size() > 2) return "more than one \"/\"";
  if (parts.size() == 2)
    if (std::string defect = subdomain_defect(parts[0]); !defect.empty()) return defect;
  const std::string_view name = parts.back();
  if (name.empty()) return "the name is empty";
  if (name.size() > kLongestName) return "the name is longer than 63 characters";
  if (std::string defect = name_characters_defect(name); !defect.empty()) return "the name " + defect;
  return "";
}

std::string label_value_defect(std::string_view value) {
  if (value.empty()) return "";
  if (value.size() > kLongestName) return "the value is longer than 63 characters";
  if (std::string defect = name_characters_defect(value); !defect.empty()) return "the value " + defect;
  return "";
}

std::string quantity_defect(std::string_view value) {
  const std::string defect = "not a quantity: expected a number such as 4, 1.5, 500m, 2Ki or 1e3";
  std::string_view rest = value;
  if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
  std::size_t digits = 0;
  bool dot = false;
  while (!rest.empty() && ((rest[0] >= '0' && rest[0] <= '9') || (rest[0] == '.' && !dot))) {
    if (rest[0] == '.')
      dot = true;
    else
      ++digits;
    rest.remove_prefix(1);
  }
  if (digits == 0) return defect;
  constexpr std::array<std::string_view, 16> kSuffixes = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                                          "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  if (std::find(kSuffixes.begin(), kSuffixes.end(), rest) != kSuffixes.end()) return "";
  if (rest[0] != 'e' && rest[0] != 'E') return defect;
  rest.remove_prefix(1);
  return parse_int(rest) ? "" : defect;
}

std::string taint_effect_defect(std::string_view effect) {
  if (effect == "NoSchedule" || effect == "PreferNoSchedule" || effect == "NoExecute") return "";
  return "the effect must be NoSchedule, PreferNoSchedule or NoExecute";
}

std::string_view namespace_of(std::string_view key) {
  const std::size_t slash = key.find('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

bool is_within(std::string_view name_space, std::string_view domain) {
  return name_space == domain || (name_space.size() > domain.size() && name_space.ends_with(domain) &&
                                  name_space[name_space.size() - domain.size() - 1] == '.');
}

}  // namespace nodescout
