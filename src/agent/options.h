// The agent's command-line options as plain values.
#pragma once

#include <string>

#include "corridor/setup.h"
#include "publish/destinations.h"

namespace nodescout {

struct AgentOptions : MachineOptions {
  std::string node;  // $NODE_NAME
  const Destination* publish = &destination::node;
  bool once = false;
};

}  // namespace nodescout
