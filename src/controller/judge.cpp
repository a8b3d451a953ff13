#include "controller/judge.h"

#include <algorithm>

#include "corridor/walk.h"
#include "feature/json.h"
#include "keep/keeper.h"
#include "plan/ownership.h"

namespace nodescout {

void read_object(const KeptObject& object, const Value& content, ReadObjects& into) {
  auto read = features_from_value(content, "NodeFeature/" + object.space + "/" + object.name);
  if (!read) {
    into.problems.push_back(problem_of(read.error()));
    into.any_unreadable = true;
    return;
  }
  into.any_unreadable = into.any_unreadable || !read->problems.empty();
  into.problems.insert(into.problems.end(), read->problems.begin(), read->problems.end());
  into.objects.push_back({object.space, object.name, std::move(read->features), std::move(read->labels)});
}

bool counts(std::string_view space, const std::vector<std::string>& namespaces) {
  return std::any_of(namespaces.begin(), namespaces.end(),
                     [&](const std::string& each) { return each == "*" || each == space; });
}

Judged judge(const NodeSnapshot& node, const ReadObjects& objects, const RulesInUse& rules, const JudgeOptions& options,
             bool complete, SteadyTime now) {
  const Features nothing_of_its_own;
  const View view{nothing_of_its_own, objects.objects};
  Walk walk = nodescout::walk(rules.layers, view, options.labels);
  Keeper keeper;
  keeper.trust_lists();
  keeper.keep_made(walk.layers, walk.built);

  Judged judged;
  judged.refers_beyond = refers_beyond(rules.wanted, walk.layers);
  judged.failed_rules = walk.failed_rules;
  judged.problems = std::move(walk.problems);
  judged.problems.insert(judged.problems.end(), objects.problems.begin(), objects.problems.end());
  for (const Rejection& rejection : walk.built.rejected) ++judged.rejected[rejection.kind];
  judged.report.options = options.plan;
  judged.report.desired = std::move(walk.built.desired);

  RulesInForce in_force{{}, rules.any_unreadable, complete};
  for (const auto& [layer, set] : rules.layers.layers) in_force.sets.push_back(&set);
  const bool is_blind = objects.objects.empty() && !node.lost_objects;
  judged.report.may_go = [may_go = keeper.may_go(judged.report.desired, in_force, now), is_blind,
                          unreadable = objects.any_unreadable](const Change& change) -> std::optional<Kept> {
    if (const auto why = may_go(change)) return why;
    if (unreadable) return Kept::facts_stale;
    if (is_blind) return Kept::no_object;
    return std::nullopt;
  };
  return judged;
}

bool needs_whole_node(const NodeState& metadata, const Desired& desired, const std::string& instance) {
  if (!desired.taints.empty() || !desired.extended_resources.empty()) return true;
  return metadata.annotations.contains(ownership_key(EntryKind::taint, instance)) ||
         metadata.annotations.contains(ownership_key(EntryKind::extended_resource, instance));
}

bool has_agent(const NodeState& node) { return node.annotations.contains(kAgentAnnotation); }

}  // namespace nodescout
