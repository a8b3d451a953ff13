#include "fleet/follow.h"

#include <utility>

namespace nodescout::fleet {
namespace {

auto without_age(const Row& row) {
  auto cells = row.cells;
  cells[index_of(Column::age)].clear();
  return cells;
}

}  // namespace

/// A Node that has become healthy is a change, too: followers of unhealthy Nodes wait for it.
bool Followed::is_new(const Row& before, const Row& after) const {
  return is_synced_ && without_age(before) != without_age(after) && (is_printed(before) || is_printed(after));
}

std::vector<Row> Followed::synced() {
  std::vector<Row> first;
  if (std::exchange(is_synced_, true)) return first;
  for (const auto& [name, row] : rows_)
    if (is_printed(row)) first.push_back(row);
  return first;
}

const Row* Followed::put(Row row) {
  Row& known = rows_[row[Column::name]];
  const bool is_news = is_new(known, row);
  known = std::move(row);
  return is_news ? &known : nullptr;
}

bool Followed::remove(const std::string& name) {
  const auto at = rows_.find(name);
  if (at == rows_.end()) return false;
  const bool is_news = is_synced_ && is_printed(at->second);
  rows_.erase(at);
  return is_news;
}

std::vector<Row> Followed::set_agents(const Agents& agents) {
  std::vector<Row> changed;
  for (auto& [name, row] : rows_) {
    const Row before = row;
    set_agent(row, agents);
    if (is_new(before, row)) changed.push_back(row);
  }
  return changed;
}

std::vector<Problem> Followed::fresh(const std::vector<Problem>& problems) {
  std::vector<Problem> news;
  for (const Problem& problem : problems)
    if (!problems_.contains(problem)) news.push_back(problem);
  problems_ = {problems.begin(), problems.end()};
  return news;
}

}  // namespace nodescout::fleet
