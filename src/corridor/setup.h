// Configuration made ready: what the command line adds to it, and which probes it leaves.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "nodescout/probes.h"
#include "nodescout/result.h"

namespace nodescout {

struct Setup {
  Config config;  // its label sources are plain names
  std::vector<const Probe*> probes;
  std::vector<Problem> problems;
};

/// `config_path` empty: the usual files. `only`: probes instead of the configured ones. Errors: as load_config;
/// malformed if no probe is left,
/// unsupported if `only` names none.
Result<Setup> set_up(const std::string& config_path, bool nfd_compat, const std::vector<std::string>& only);

}  // namespace nodescout
