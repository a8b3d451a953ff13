#include "base/kubernetes_syntax.h"

#include <algorithm>
#include <vector>

#include "base/quantity.h"
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
  if (domain.empty()) return "is empty";
  if (domain.size() > kLongestPrefix) return "is longer than 253 characters";
  for (const std::string_view label : split(domain, '.')) {
    const bool good =
        !label.empty() && is_lower_alphanumeric(label.front()) && is_lower_alphanumeric(label.back()) &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
    if (!good) return "must be a DNS name in lower case, such as vendor.example.com";
  }
  return "";
}

}  // namespace

std::string qualified_name_defect(std::string_view key) {
  const std::vector<std::string_view> parts = split(key, '/');
  if (parts.size() > 2) return "more than one \"/\"";
  if (parts.size() == 2)
    if (const std::string defect = subdomain_defect(parts[0]); !defect.empty())
      return "the part before \"/\" " + defect;
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

std::string resource_amount_defect(std::string_view value) {
  const auto amount = Quantity::parse(value);
  if (!amount) return "not an amount: expected a whole number such as 4, 2Ki or 1e3";
  if (amount->negative()) return "an amount of a resource is never negative";
  if (!amount->is_whole()) return "an amount of an extended resource is a whole number";
  return amount->is_too_large() ? "an amount is at most 9223372036854775807, which is stored instead" : "";
}

std::string taint_effect_defect(std::string_view effect) {
  if (effect == "NoSchedule" || effect == "PreferNoSchedule" || effect == "NoExecute") return "";
  return "the effect must be NoSchedule, PreferNoSchedule or NoExecute";
}

std::string object_name_defect(std::string_view name) {
  const std::string defect = subdomain_defect(name);
  return defect.empty() ? defect : "it " + defect;
}

std::string nearest_label_value(std::string_view text) {
  std::string out;
  for (std::string_view rest = trim(text); !rest.empty();) {
    const Rune rune = decode_rune(rest);
    const char c = rest.front();
    const bool is_legal = is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
    if (is_legal || out.empty() || out.back() != '-') out += is_legal ? c : '-';
    rest.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  const auto trim_ends = [&] {
    while (!out.empty() && !is_alphanumeric(out.back())) out.pop_back();
    out.erase(0, static_cast<std::size_t>(std::find_if(out.begin(), out.end(), is_alphanumeric) - out.begin()));
  };
  trim_ends();
  if (out.size() > kLongestName) out.resize(kLongestName);
  trim_ends();
  return out;
}

std::string qualified_name_advice(std::string_view key) {
  const std::size_t slash = key.find('/');
  const bool has_prefix = slash != std::string_view::npos;
  const std::string name = nearest_label_value(key.substr(has_prefix ? slash + 1 : 0));
  const std::string meant = (has_prefix ? lower_ascii(trim(key.substr(0, slash))) + "/" : "") + name;
  if (!name.empty() && qualified_name_defect(meant).empty()) return "write " + quote(meant);
  return "write [PREFIX/]NAME: NAME has at most 63 letters, digits, '-', '_' and '.', PREFIX is a DNS name";
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
