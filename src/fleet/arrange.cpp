#include "fleet/arrange.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout::fleet {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits at the beginning, without leading zeros.
std::string_view digits_of(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

bool value_before(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return !a.empty() && b.empty();
  return comes_before(a, b);
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

/// The terms of a selector: commas between parentheses separate values.
std::vector<std::string_view> terms_of(std::string_view selector) {
  std::vector<std::string_view> terms;
  std::size_t begin = 0;
  bool is_inside = false;
  for (std::size_t i = 0; i <= selector.size(); ++i) {
    const char c = i < selector.size() ? selector[i] : ',';
    if (c == '(' || c == ')') is_inside = c == '(';
    if (i < selector.size() && (c != ',' || is_inside)) continue;
    terms.push_back(trim(selector.substr(begin, i - begin)));
    begin = i + 1;
  }
  return terms;
}

/// Whether only a Node with the key can match.
bool needs_key(std::string_view term) {
  return !term.starts_with('!') && term.find("!=") == std::string_view::npos &&
         term.find(" notin") == std::string_view::npos;
}

}  // namespace

std::string hint_for_selector(const std::string& selector, const std::set<std::string>& keys,
                              const std::vector<std::string_view>& commands) {
  const std::vector<std::string_view> known(keys.begin(), keys.end());
  for (const std::string_view term : terms_of(selector)) {
    const std::string_view key = term.substr(0, term.find_first_of(" =<>("));
    if (key.empty() || !needs_key(term) || keys.contains(std::string(key))) continue;
    if (key == selector)
      if (const std::string_view command = closest(key, commands); !command.empty())
        return "did you mean the command " + quote(command) + "?";
    const std::string_view guess = closest(key, known);
    return "no Node has the label " + quote(key) + (guess.empty() ? "" : "; did you mean " + quote(guess) + "?");
  }
  return "";
}

Result<Key> key_named(const std::string& name, std::vector<std::string>& extra) {
  if (const ColumnSpec* column = column_named(name)) return Key{name, column, 0};
  // Labels without a prefix are rare, and a misspelt column would be one.
  if (name.find('/') != std::string::npos) {
    extra.push_back(name);
    return Key{name, nullptr, extra.size() - 1};
  }
  std::vector<std::string> names;
  std::vector<std::string_view> views;
  for (const ColumnSpec& each : columns()) {
    names.emplace_back(each.key);
    views.push_back(each.key);
  }
  const std::string_view guess = closest(name, views);
  return Error{Errc::malformed, name,
               guess.empty() ? "is neither a label key (with a /) nor one of " + join(names, ", ")
                             : "is not a column; did you mean " + quote(guess) + "?"};
}

bool comes_before(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view x = digits_of(a), y = digits_of(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && !b.empty();
}

void sort_by(const Key& key, bool reverse, std::vector<Row>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& left, const Row& right) {
    const std::string &a = key.of(left), &b = key.of(right);
    if (reverse && !a.empty() && !b.empty()) return comes_before(b, a);
    return value_before(a, b);
  });
}

void Totals::add(const Row& row) {
  ++nodes;
  if (!row.healthy()) ++unhealthy;
  const std::string& agent = row[Column::agent];
  ++(agent == "alive" ? alive : agent == "stale" ? stale : agent == "none" ? none : unknown);
  for (const GpuModel& model : row.gpus) {
    gpus += model.count;
    models[model.name] += model.count;
  }
}

std::string text_of(const Totals& totals) {
  std::string out =
      counted(totals.nodes, "Node", "Nodes") + ", " + counted(static_cast<std::size_t>(totals.gpus), "GPU", "GPUs");
  std::vector<std::string> models;
  for (const auto& [name, count] : totals.models)
    if (count > 0) models.push_back(std::to_string(count) + " " + name);
  if (!models.empty()) out += " (" + join(models, ", ") + ")";
  out += ", " + std::to_string(totals.unhealthy) + " unhealthy; agents: ";
  std::vector<std::string> agents;
  for (const auto& [count, word] :
       {std::pair{totals.alive, "alive"}, {totals.stale, "stale"}, {totals.none, "none"}, {totals.unknown, "unknown"}})
    if (count > 0) agents.push_back(std::to_string(count) + " " + word);
  return out + (agents.empty() ? "none" : join(agents, ", "));
}

std::vector<GroupOfRows> grouped(const Key& key, const std::vector<Row>& rows) {
  std::map<std::string, GroupOfRows> by_value;
  for (const Row& row : rows) {
    GroupOfRows& group = by_value[key.of(row)];
    group.totals.add(row);
    group.names.push_back(row[Column::name]);
  }
  std::vector<GroupOfRows> out;
  for (auto& [value, group] : by_value) {
    group.value = value;
    out.push_back(std::move(group));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const GroupOfRows& a, const GroupOfRows& b) { return value_before(a.value, b.value); });
  return out;
}

}  // namespace nodescout::fleet
