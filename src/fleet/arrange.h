// Order, groups and totals of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/row.h"
#include "nodescout/result.h"

namespace nodescout::fleet {

/// A column, or a label that is read as Row::extra.
struct Key {
  std::string name;
  const ColumnSpec* column = nullptr;
  std::size_t extra = 0;

  const std::string& of(const Row& row) const { return column ? row[column->column] : row.extra[extra]; }
};

/// "model", or a label key, which is added to `extra`. Errors: malformed for a word that is neither.
Result<Key> key_named(const std::string& name, std::vector<std::string>& extra);

/// What was probably meant by a selector that no Node has: `keys` are those of the Nodes, `commands` what may be in its
/// place. Empty: unknown.
std::string hint_for_selector(const std::string& selector, const std::set<std::string>& keys,
                              const std::vector<std::string_view>& commands);

/// Digits are compared as numbers: "node-2" < "node-10", "5.9" < "5.15".
bool comes_before(std::string_view a, std::string_view b);

/// Rows without a value come last; equal ones keep their order.
void sort_by(const Key& key, bool reverse, std::vector<Row>& rows);

struct Totals {
  std::size_t nodes = 0, unhealthy = 0;
  std::size_t alive = 0, stale = 0, none = 0, unknown = 0;  // agents
  std::int64_t gpus = 0;
  std::map<std::string, std::int64_t> models;

  void add(const Row& row);
};

/// "12 Nodes, 96 GPUs (88 h100-sxm5-80gb, 8 l4), 1 unhealthy; agents: 11 alive, 1 stale"
std::string text_of(const Totals& totals);

struct GroupOfRows {
  std::string value;  // empty: the Nodes without one
  Totals totals;
  std::vector<std::string> names;
};

/// In the order of their values; the one without a value last.
std::vector<GroupOfRows> grouped(const Key& key, const std::vector<Row>& rows);

}  // namespace nodescout::fleet
