#include "schedule/likeness.h"

#include <algorithm>

#include "base/kubernetes_syntax.h"
#include "base/text.h"

namespace nodescout::schedule {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Letters and digits in lower case.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : lower_ascii(text))
    if (is_digit(c) || (c >= 'a' && c <= 'z')) out += c;
  return out;
}

std::string digits_of(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (is_digit(c)) out += c;
  return out;
}

std::string_view name_part(std::string_view key) { return key.substr(key.rfind('/') + 1); }

/// What is after the last dot or dash.
std::string_view tail_of(std::string_view name) { return name.substr(name.find_last_of(".-") + 1); }

/// Whether both begin alike and one then has more in front of the same end: "pci-0302_10de.present" and
/// "pci-10de.present".
bool is_longer_form(std::string_view a, std::string_view b) {
  constexpr std::size_t kHead = 3, kRest = 4;
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto head = static_cast<std::size_t>(in_a - a.begin());
  if (head < kHead) return false;
  const std::string_view rest_a = a.substr(head), rest_b = b.substr(head);
  if (std::min(rest_a.size(), rest_b.size()) < kRest) return false;
  return rest_a.ends_with(rest_b) || rest_b.ends_with(rest_a);
}

/// Whether both are below one domain: "beta.kubernetes.io" and "topology.kubernetes.io".
bool is_one_domain(std::string_view a, std::string_view b) {
  const auto domain = [](std::string_view space) {
    const std::size_t last = space.rfind('.');
    const std::size_t dot = last == std::string_view::npos || last == 0 ? last : space.rfind('.', last - 1);
    return dot == std::string_view::npos ? space : space.substr(dot + 1);
  };
  return domain(a) == domain(b) || !closest(a, {b}).empty();
}

/// "gpus" and "gpu", "zoen" and "zone": for names too short for a distance to be meaningful.
bool is_slip(std::string_view a, std::string_view b) {
  if (a.size() == b.size()) return std::is_permutation(a.begin(), a.end(), b.begin());
  return std::max(a.size(), b.size()) - std::min(a.size(), b.size()) == 1 && (a.starts_with(b) || b.starts_with(a));
}

bool is_truth(std::string_view text) { return text == "true" || text == "false"; }

}  // namespace

bool is_like_key(std::string_view wanted, std::string_view actual) {
  constexpr std::size_t kShortTail = 4;  // "VMX" and "SMX" are two features
  if (wanted == actual) return false;
  const std::string_view name = name_part(wanted), other = name_part(actual);
  const std::string a = bare(name), b = bare(other);
  if (a.empty() || b.empty()) return false;
  const std::string_view space = namespace_of(wanted), other_space = namespace_of(actual);
  if (a == b) return space.empty() || other_space.empty() || is_one_domain(space, other_space);
  if (space != other_space && !space.empty() && !is_one_domain(space, other_space)) return false;
  if (is_longer_form(a, b)) return true;
  if (digits_of(a) != digits_of(b)) return false;
  const std::string_view tail = tail_of(name), other_tail = tail_of(other);
  if (std::min(tail.size(), other_tail.size()) <= kShortTail && !equal_ignoring_case(tail, other_tail))
    return tail == name && other_tail == other && is_slip(a, b);
  return !closest(name, {other}).empty();
}

bool is_like_value(std::string_view wanted, std::string_view actual) {
  constexpr std::size_t kShort = 3;
  if (wanted == actual || (parse_int(wanted) && parse_int(actual))) return false;
  const std::string a = bare(wanted), b = bare(actual);
  if (a.empty() || b.empty()) return false;
  if (a == b) return true;
  if (std::min(a.size(), b.size()) < kShort || (is_truth(a) && is_truth(b))) return false;
  if (a.find(b) != std::string::npos || b.find(a) != std::string::npos) return true;
  return !closest(wanted, {actual}).empty();
}

std::string_view likeliest(std::string_view wanted, const std::vector<std::string_view>& candidates) {
  if (candidates.empty()) return {};
  const std::string a = bare(name_part(wanted));
  for (const std::string_view candidate : candidates)
    if (bare(name_part(candidate)) == a) return candidate;
  const std::string_view best = closest(wanted, candidates);
  return best.empty() ? candidates.front() : best;
}

}  // namespace nodescout::schedule
