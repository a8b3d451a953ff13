// The agent's command-line options as plain values.
#pragma once

#include <string>

#include "corridor/setup.h"

namespace nodescout {

enum class PublishTo { node, nodefeature, file, none };

struct AgentOptions : MachineOptions {
  std::string node;  // $NODE_NAME
  PublishTo publish = PublishTo::node;
  bool once = false;
};

}  // namespace nodescout
