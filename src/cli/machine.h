// Shared by `dump`, `record` and the other commands that read a machine: their options, opening the host, reading
// configuration and rules, and choosing the probes.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "config/config.h"
#include "corridor/rule_layers.h"
#include "corridor/setup.h"
#include "nodescout/host.h"
#include "nodescout/probes.h"

namespace nodescout::cli {

/// --root, --no-live, --config, --rules, --no-shipped-rules, --compat and --only.
/// Returns --root and --only, for options that exclude them.
std::vector<OptionSet::Option> add_machine_options(OptionSet& options, MachineOptions& machine);
/// --root and --no-live alone; `about_root` is the help of --root.
OptionSet::Option add_root_options(OptionSet& options, MachineOptions& machine, const std::string& about_root);
/// --kubeconfig
void add_kubeconfig(OptionSet& options, std::string& kubeconfig);
/// $NODE_NAME
std::string default_node();

struct Machine {
  Host host;
  Config config;
  RuleLayers rules;
  std::vector<const Probe*> probes;
  std::vector<Problem> problems;  // of configuration and rules
};

/// Errors: as Host::open, set_up and load_rules.
Result<Machine> open_machine(const MachineOptions& options);

}  // namespace nodescout::cli
