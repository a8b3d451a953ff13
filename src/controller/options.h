// The controller's command-line options as plain values.
#pragma once

#include <string>
#include <vector>

#include "controller/leadership.h"
#include "corridor/setup.h"

namespace nodescout {

struct ControllerOptions : MachineOptions {
  std::string kubeconfig;
  std::string identity;                 // $POD_NAME or $NODE_NAME: begins the holder's name in the Lease
  std::vector<std::string> namespaces;  // whose NodeFeature objects count, beside the own one; "*": all
  bool elects_leader = false;
  LeaderTimes times;
  bool publishes = true;
  int parallelism = 24;  // requests at once, at most
};

}  // namespace nodescout
