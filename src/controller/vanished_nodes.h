// Nodes that are gone and whose objects are to be deleted. Only who leads deletes, so a standby remembers nothing: when
// it takes over, the Nodes are found anew (Inventory::vanished, and a list of topologies). A few are due in each round,
// so that a scale-down of thousands does not keep the thread from its other work. Pure: time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "controller/work_queue.h"
#include "system/clock.h"

namespace nodescout {

class VanishedNodes {
 public:
  static constexpr int kInARound = 20;

  /// `after`: how long a Node has been gone when its objects are deleted; nothing: they stay.
  void collect_after(std::optional<std::chrono::milliseconds> after) { after_ = after; }
  /// Whether this process deletes. When it begins to, it knows of no Node.
  void lead(bool leads);

  void add(const std::string& node, SteadyTime now);
  /// The Node is there again.
  void forget(const std::string& node) { queue_.forget(node); }

  void begin_round() { taken_ = 0; }
  /// The next one that is due; nothing: none is, or enough were in this round.
  std::optional<std::string> take(SteadyTime now);
  void done(const std::string& node, bool succeeded, SteadyTime now) { queue_.done(node, succeeded, now); }

  std::optional<SteadyTime> next() const { return queue_.next(); }
  std::size_t size() const { return queue_.waiting(); }

 private:
  std::optional<std::chrono::milliseconds> after_;
  bool leads_ = false;
  int taken_ = 0;
  WorkQueue queue_;
};

}  // namespace nodescout
