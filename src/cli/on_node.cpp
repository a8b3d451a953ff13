#include "cli/on_node.h"

#include "plan/limits.h"

namespace nodescout::cli {

OnNode on_node(const Walk& walk, const Config& config, const std::string& node, const Desired& before) {
  PlanOptions options;
  options.instance = config.instance;
  options.limits = config.limits;
  options.requested_by = requested_labels(walk, config.labels);
  const OwnEntries there = node_with(before, node);
  OnNode out;
  std::vector<Conflict> conflicts;
  out.desired = within_limits(there.node, there.owned, walk.built.desired, options, conflicts, &out.left_out);
  out.problems.assign(conflicts.begin(), conflicts.end());
  return out;
}

}  // namespace nodescout::cli
