// Whose features rules are tried on: this machine, a recording, files, or nodes of a cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "corridor/view.h"
#include "nodescout/features.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout::cli {

/// A node with a name for people: the file, the host, or the Node.
struct Subject {
  std::string name;
  Features own;
  std::vector<NodeFeatureObject> objects;  // as they are merged
  std::vector<Problem> problems;

  View view() const { return {own, objects}; }
};

struct Subjects {
  std::vector<Subject> nodes;       // never empty
  std::vector<RuleDocument> rules;  // NodeFeatureRules of the cluster, where --nodes names it
  std::vector<Problem> problems;    // of these rules
};

/// What the options name: --features, --node, --nodes, else --root. Errors: as for opening files and hosts, and
/// conflict for nodes of which the cluster knows no features.
Result<Subjects> subjects_of(const RulesOptions& options);

}  // namespace nodescout::cli
