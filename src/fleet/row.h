// One row for each Node, from what every reader of Nodes may see: labels, annotations, taints, allocatable, and the
// Lease of its agent. Pure: the time is an argument, with the Lease.
//
// A row keeps texts of columns, not the Node: 5,000 Nodes with a hundred labels each are 100 MB of objects, and a few
// MB of rows. Labels are kept only where something needs all of them (the page, outliers), as numbers of a table of
// distinct texts: machines of a fleet are alike.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"

namespace nodescout::fleet {

/// Distinct texts, numbered in the order in which they came.
class Texts {
 public:
  using Id = std::uint32_t;

  Id id(std::string_view text);
  const std::string& text(Id id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;  // a deque never moves them: the map refers to them
  std::unordered_map<std::string_view, Id> ids_;
};

enum class Column : std::uint8_t {
  name,
  pool,
  type,
  machine,
  gpus,
  model,
  memory,
  driver,
  cuda,
  mig,
  missing,
  failed,
  link_limited,
  nics,
  numa,
  kernel,
  os,
  arch,
  taints,
  agent,
  age,
  version,
  published,
  health,
  count_,
};
inline constexpr std::size_t kColumnCount = static_cast<std::size_t>(Column::count_);

struct ColumnSpec {
  Column column;
  std::string_view key;    // on the command line, in JSON and CSV
  std::string_view title;  // in tables
  enum Where : std::uint8_t { table, wide, elsewhere } where;
  bool is_number;
  bool compared;  // machines that should be equal have the same
  std::string_view doc;
};
/// All columns, in the order of Column.
std::span<const ColumnSpec, kColumnCount> columns();
constexpr std::size_t index_of(Column column) { return static_cast<std::size_t>(column); }
/// The column of that key, or nullptr.
const ColumnSpec* column_named(std::string_view key);

struct GpuModel {
  std::string name;
  std::int64_t count = 0;
};

struct RowLabel {
  Texts::Id key = 0, value = 0;
  bool is_ours = false;  // the Node's ownership annotations list it
};

struct Row {
  std::array<std::string, kColumnCount> cells;  // empty: unknown or none
  std::vector<GpuModel> gpus;
  std::vector<std::string> issues;      // why it is unhealthy: "1 missing", "agent stale"
  std::vector<std::string> own_issues;  // of these, what the Node says
  std::vector<std::string> digests;     // of what is published on the Node, one for each instance of an agent
  std::string role;                     // "control-plane", empty for a worker
  std::vector<std::string> extra;       // values of the labels that were asked for, in their order
  std::string topology, provenance;     // annotations as they are; only where labels are kept
  std::vector<RowLabel> labels;         // likewise

  const std::string& operator[](Column column) const { return cells[index_of(column)]; }
  std::string& operator[](Column column) { return cells[index_of(column)]; }
  bool healthy() const { return issues.empty(); }
};

/// What the Lease of one agent contains.
struct AgentLease {
  std::optional<std::chrono::seconds> age;  // since its last renewal; empty if it was never renewed
  std::chrono::seconds duration{90};
  std::string version, digest, provenance;

  bool is_stale() const { return !age || *age > duration; }
};
/// `now`: the API server's time.
AgentLease agent_lease_of(const Value& lease, std::chrono::system_clock::time_point now);

/// The Leases of the agents' namespace, by Node.
struct Agents {
  bool known = false;  // false: they could not be read
  std::map<std::string, AgentLease, std::less<>> leases;
};

struct RowOptions {
  std::vector<std::string> extra;  // label keys
  Texts* labels = nullptr;         // where labels are kept; nullptr: they are not
};

/// The probe behind a label, where `maker` is what the agent's Lease says of it; empty if unknown.
using ProbeOf = std::function<std::string(std::string_view key, const std::string& maker)>;

/// Without its agent. Errors: malformed if it is not a Node.
Result<Row> row_of(const Value& node, const RowOptions& options);

/// Fills in what the Lease says, and the health that follows from all. May be repeated with newer Leases.
void set_agent(Row& row, const Agents& agents);

/// The members of a Node that row_of reads, as ReadPart::keep wants it.
bool is_read_of_node(std::span<const std::string> path);
/// Likewise of a Lease. The provenance is left out where labels are.
bool is_read_of_lease(std::span<const std::string> path, bool with_provenance);

}  // namespace nodescout::fleet
