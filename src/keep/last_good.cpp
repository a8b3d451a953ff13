#include "keep/last_good.h"

#include <algorithm>

#include "base/path.h"

namespace nodescout {
namespace {

bool is_in(const BrokenPlaces& broken, const std::string& origin) {
  return std::any_of(broken.begin(), broken.end(), [&](const std::string& place) { return is_below(origin, place); });
}

/// Rules and documents have a name and an origin, which stay while they are edited.
template <class T>
auto find_successor(std::vector<T>& now, const T& old) {
  return std::find_if(now.begin(), now.end(),
                      [&](const T& other) { return other.name == old.name && other.origin == old.origin; });
}

void add_without_successor(const Rule& rule, std::vector<Rule>& now) {
  if (find_successor(now, rule) == now.end()) now.push_back(rule);
}

}  // namespace

void keep_last_good(const std::vector<Rule>& before, const BrokenPlaces& broken, std::vector<Rule>& now) {
  for (const Rule& rule : before)
    if (is_in(broken, rule.origin)) add_without_successor(rule, now);
}

void keep_last_good(const std::vector<RuleDocument>& before, const BrokenPlaces& broken,
                    std::vector<RuleDocument>& now) {
  for (const RuleDocument& document : before) {
    if (!is_in(broken, document.origin)) continue;
    const auto successor = find_successor(now, document);
    if (successor == now.end())
      now.push_back(document);
    else
      keep_last_good(document.rules, broken, successor->rules);
  }
}

void keep_last_good_of_object(const std::vector<RuleDocument>& before,
                              const std::set<std::string, std::less<>>& rule_names, std::vector<RuleDocument>& now) {
  if (now.empty()) {
    now = before;
    return;
  }
  for (const RuleDocument& document : before)
    for (const Rule& rule : document.rules)
      if (rule_names.contains(rule.name)) add_without_successor(rule, now.front().rules);
}

}  // namespace nodescout
