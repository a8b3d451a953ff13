// Whose features rules are tried on: this machine, a recording, files, or nodes of a cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "nodescout/features.h"
#include "nodescout/result.h"

namespace nodescout::cli {

/// Features with a name for people: the file, the host, or the node.
struct Subject {
  std::string name;
  Features features;
  std::vector<Problem> problems;
};

/// What the options name: --features, --node, --nodes, else --root. Never empty. Errors: as for opening files and
/// hosts, and conflict for nodes of which the cluster knows no features.
Result<std::vector<Subject>> subjects_of(const RulesOptions& options);

}  // namespace nodescout::cli
