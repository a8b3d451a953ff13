// Whose features rules are tried on: this machine, a recording, files, or nodes of a cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/exit_status.h"
#include "config/config.h"
#include "corridor/setup.h"
#include "corridor/view.h"
#include "nodescout/features.h"
#include "nodescout/result.h"
#include "nodescout/rules.h"

namespace nodescout::cli {

/// A node with a display name: the file, the host, or the Node.
struct Subject {
  std::string name;
  Features own;
  std::vector<NodeFeatureObject> objects;  // as they are merged
  std::vector<Problem> problems;
  Origins origins;  // of labels from features.d
  bool objects_may_override = false;
  std::string node;  // of the cluster or the machine; empty if it is not known

  View view() const { return {own, objects, &origins, true, objects_may_override}; }
};

struct Subjects {
  std::vector<Subject> nodes;       // never empty
  std::vector<RuleDocument> rules;  // NodeFeatureRules of the cluster, where --nodes names it
  std::vector<Problem> problems;    // of these rules
};

struct SubjectOptions {
  std::vector<std::string> features;
  std::string node;   // explain: NodeFeature objects of this node
  std::string nodes;  // preview: label selector
  std::string kubeconfig;
  std::string output;  // of the command; empty: its default
  MachineOptions machine;
};

/// The subjects of --features, --node, --nodes, else --root; of NodeFeature objects those that count under this
/// configuration. An object missing from the cluster is not wrong usage; a file that cannot be opened is. For a --node
/// without NodeFeature objects, what its agent's Lease says is printed instead.
OrExit<Subjects> subjects_of(const SubjectOptions& options, const Config& config);

}  // namespace nodescout::cli
