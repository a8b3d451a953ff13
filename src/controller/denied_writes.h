// What to do while the API server denies writes to Nodes. A single Node that is denied, as by an admission webhook, is
// tried again on its own. But if several are denied in a row and none is allowed, the account lacks the right. Then one
// Node at a time tries it, at growing intervals; the others wait, and go on as soon as any write is allowed. Pure: time
// is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "system/clock.h"

namespace nodescout {

class DeniedWrites {
 public:
  static constexpr std::size_t kInARow = 5;  // different Nodes
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};

  /// Whether this Node may be written now. If not, it waits.
  bool may_try(const std::string& node);
  /// The server denied a write of that Node. True: writes pause, and this Node waits as well.
  bool denied(const std::string& node, SteadyTime now);
  /// That Node needed no write, so nothing is known of the right.
  void had_nothing_to_write(const std::string& node, SteadyTime now);
  /// The server allowed a write: the Nodes that waited.
  std::vector<std::string> allowed();
  /// The Node is gone.
  void forget(const std::string& node);

  bool is_paused() const { return pause_.count() > 0; }
  /// When a Node tries it again; nothing if none waits.
  std::optional<SteadyTime> next() const;
  /// The Node that tries it now, if it is time.
  std::optional<std::string> take(SteadyTime now);

 private:
  std::set<std::string> in_a_row_;  // Nodes that were denied since a write was allowed; of interest up to kInARow
  std::chrono::seconds pause_{0};
  SteadyTime again_at_{};
  std::string trying_;                 // may be written though all others wait
  std::string last_;                   // that tried it
  std::set<std::string> new_, tried_;  // Nodes that wait: those that were not denied yet come first
};

}  // namespace nodescout
