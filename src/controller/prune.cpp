#include "controller/prune.h"

#include "controller/controller_setup.h"
#include "controller/wanted_features.h"
#include "document/value_path.h"
#include "kube/connection.h"
#include "publish/node_publisher.h"

namespace nodescout {
namespace {

constexpr int kMostTries = 5;  // others write Nodes as well

}  // namespace

Result<std::vector<Problem>> prune_all(const ControllerOptions& options, bool dry_run,
                                       const std::function<void(const std::string&, const Change&)>& removed) {
  const auto setup = set_up_controller(options, !options.instance);  // a file counts only for the instance
  if (!setup) return setup.error();
  if (!options.publishes || !setup->config.publish) return std::vector<Problem>{};  // as nfd-master does
  const auto connection = ApiConnection::open(options.kubeconfig);
  if (!connection) return connection.error();
  std::vector<std::string> names;
  const auto listed = (*connection)
                          ->api()
                          .list(collection_path(resources::kNodes), {{"limit", "500"}},
                                [&](const Value& node) {
                                  names.push_back(text_at(node, {"metadata", "name"}));
                                },
                                {}, {true, keeps_of_node});
  if (!listed) return listed.error();
  std::vector<Problem> problems;
  for (const std::string& name : names) {
    NodePublisher publisher(NodeClient((*connection)->api()), (*connection)->clock(), name);
    auto pruned = publisher.remove(setup->config.instance, dry_run, {});
    for (int tries = 1; tries < kMostTries && !pruned && pruned.error().code == Errc::conflict; ++tries)
      pruned = publisher.remove(setup->config.instance, dry_run, {});
    if (!pruned) {
      if (pruned.error().code != Errc::absent) problems.push_back(problem_of(pruned.error()));
      continue;
    }
    for (const Change& change : pruned->changes)
      if (change.action == Change::Action::remove) removed(name, change);
    problems.insert(problems.end(), pruned->problems.begin(), pruned->problems.end());
  }
  return problems;
}

}  // namespace nodescout
