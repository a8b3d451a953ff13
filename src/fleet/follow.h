// What has changed, for a command that follows the Nodes of a cluster.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/row.h"
#include "nodescout/result.h"

namespace nodescout::fleet {

/// The Nodes that are known. A Node is new each time that a column of it changes; only the age of its Lease does not
/// count.
class Followed {
 public:
  explicit Followed(bool only_unhealthy) : only_unhealthy_(only_unhealthy) {}

  /// The list of all Nodes is complete: those to begin with, by name. Later lists bring only changes.
  std::vector<Row> synced();
  bool is_synced() const { return is_synced_; }
  /// The row if it is new; nullptr before the first list is complete.
  const Row* put(Row row);
  /// Whether that is news: the Node was among those that are printed.
  bool remove(const std::string& name);
  /// The rows that the agents make new.
  std::vector<Row> set_agents(const Agents& agents);

  /// Those of a pass that the pass before did not have.
  std::vector<Problem> fresh(const std::vector<Problem>& problems);

 private:
  bool is_printed(const Row& row) const { return !only_unhealthy_ || !row.healthy(); }
  bool is_new(const Row& before, const Row& after) const;

  const bool only_unhealthy_;
  bool is_synced_ = false;
  std::map<std::string, Row> rows_;
  std::set<Problem> problems_;
};

}  // namespace nodescout::fleet
