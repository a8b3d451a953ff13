// What `dump`, `record` and the other commands that look at a machine do alike: open the host, read the configuration
// and the rules, choose the probes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/options.h"
#include "config/config.h"
#include "corridor/rule_layers.h"
#include "nodescout/host.h"
#include "nodescout/probes.h"

namespace nodescout::cli {

struct Machine {
  Host host;
  Config config;
  RuleLayers rules;
  std::vector<const Probe*> probes;
  std::vector<Problem> problems;  // of configuration and rules
};

/// Errors carry what stderr shall say; exit status 2 for a path that cannot be opened, else 1.
Result<Machine> open_machine(const MachineOptions& options, const HostOptions& extra = {});

/// For HostOptions::on_wait: somebody sits before a screen where nothing happens.
void tell_wait(const std::string& what);

/// "nodescout: where: what", and the exit status that goes with it.
int fail(const Error& error);

/// One line each: "warning: where: what (todo)".
void print_problems(const std::vector<Problem>& problems);

/// Ends the program, in a release without tearing down what the kernel frees anyway: a tenth of a dump's time. Debug
/// builds return the status, so that the leak checker still looks.
int leave(int status);

/// Everything to stdout; false if it could not be written (a full disk), which is said on stderr.
bool print(std::string_view text);

}  // namespace nodescout::cli
