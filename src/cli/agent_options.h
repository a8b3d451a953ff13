// What the commands that walk the agent's corridor (agent, diff) make of their command line.
#pragma once

#include "agent/options.h"
#include "cli/options.h"

namespace nodescout::cli {

inline AgentOptions agent_options(const MachineOptions& machine, const std::string& node) {
  AgentOptions out;
  out.node = node;
  out.config = machine.config;
  out.root = machine.root;
  out.ask_machine = !machine.no_live;
  out.nfd_compat = machine.nfd_compat;
  out.rules = machine.rules;
  out.shipped_rules = !machine.no_shipped_rules;
  out.only = machine.only;
  return out;
}

}  // namespace nodescout::cli
