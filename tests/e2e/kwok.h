// Nodes without machines, which kwok keeps Ready: hundreds of them take one process. Pods that are bound to them are
// Ready at once, and gone as soon as they are deleted.
//
// kwok comes from tests/e2e/control-plane kwok, which only the long form of the tests builds.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "e2e/control_plane.h"

namespace nodescout::test {

class Kwok {
 public:
  /// Why there is no kwok, or why this is not the form of the tests for it; empty if it can be used.
  static std::string why_not();

  /// Creates these Nodes, and keeps them Ready until it goes away: then they send no heartbeat, as machines that lost
  /// their power.
  Kwok(ControlPlane& cluster, const std::vector<std::string>& nodes,
       const std::map<std::string, std::string>& labels = {});

  /// For messages.
  std::string log() const;

 private:
  std::unique_ptr<Process> process_;
};

/// "PREFIX-0", "PREFIX-1", ...
std::vector<std::string> numbered(const std::string& prefix, int count);

/// Nodes whose condition Ready is "True".
int ready_nodes(ControlPlane& cluster);

}  // namespace nodescout::test
