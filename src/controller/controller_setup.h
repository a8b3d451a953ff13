// The controller's configuration: the files, what the command line says over them, and what nfd-master's keys mean
// here.
#pragma once

#include <chrono>
#include <vector>

#include "controller/options.h"
#include "corridor/setup.h"
#include "nodescout/result.h"

namespace nodescout {

struct ControllerSetup : Setup {
  LeaderTimes times;                 // leaderElection
  std::chrono::milliseconds resync;  // resyncPeriod; 0: never
};

/// As set_up(). Errors: malformed as well for `more_config`, and for an instance that is not a name; and why one of
/// NFD's files cannot be read (`needs_files`): it may name an instance, or restrict what may be written. An agent
/// starts without such a file, because it keeps what is on its own Node; a controller would act on all Nodes.
Result<ControllerSetup> set_up_controller(const ControllerOptions& options, bool needs_files = true);

/// A key without a meaning for agents may have one for the controller, or another reason.
void reword_for_controller(std::vector<Problem>& problems);

}  // namespace nodescout
