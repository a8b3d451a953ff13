// On which Nodes an agent lives, by the Leases of agents in the controller's namespace: such a Node is the agent's own.
// Pure: the time of the API server is an argument, because the clocks of machines differ.
//
// A Lease that is stale says that an agent lived there. The controller then adds what its objects and rules make, and
// removes nothing: what the agent saw on the machine may still be there. Deleting the Lease, which the garbage
// collector does with the Node, ends that.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "document/value.h"

namespace nodescout {

class AgentLeases {
 public:
  using Time = std::chrono::system_clock::time_point;
  enum class State : std::uint8_t { none, lives, gone, unknown };

  /// Of a controller that must not read Leases: an agent may live on any Node.
  static AgentLeases unreadable();

  /// Leases that are not an agent's are ignored, and those of agents that publish NodeFeatures or a file.
  void add(const Value& lease);
  State of(std::string_view node, Time server_time) const;
  /// Whether the Lease was fresh then and is not now: if it was read then, it may have been renewed since.
  bool has_become_stale(std::string_view node, Time then, Time now) const;
  /// When that Lease gets stale.
  Time fresh_until(std::string_view node) const;
  std::size_t size() const { return fresh_until_.size(); }

 private:
  std::map<std::string, Time, std::less<>> fresh_until_;
  bool is_readable_ = true;
};

}  // namespace nodescout
