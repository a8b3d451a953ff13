// Every state of a Node that the API server served since a point in time.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/control_plane.h"

namespace nodescout::test {

/// Watches from now on, over restarts of the API server, until it goes away. A server that was restarted may not serve
/// what was written before a new watch began; the Node as it is then counts as the next state.
class NodeWitness {
 public:
  NodeWitness(ControlPlane& cluster, std::string node);

  /// Waits until a write that it makes itself has been seen: whatever was written before has been seen as well.
  std::vector<Value> states();

 private:
  void run(const std::stop_token& stop);
  void add(const Value& state);

  ControlPlane& cluster_;
  const std::string node_;
  Connection connection_;
  std::mutex mutex_;
  std::vector<Value> states_;
  std::string version_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace nodescout::test
