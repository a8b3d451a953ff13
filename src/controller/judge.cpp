#include "controller/judge.h"

#include <algorithm>

#include "base/text.h"
#include "corridor/walk.h"
#include "feature/json.h"
#include "keep/keeper.h"
#include "kube/lease.h"
#include "plan/ownership.h"

namespace nodescout {

void read_object(const KeptObject& object, const Value& content, ReadObjects& into) {
  into.any_vanished = into.any_vanished || object.has_vanished;
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

bool may_count(std::string_view space, const JudgeOptions& options) {
  return space == options.own_space || options.objects.lists(space);
}

bool judges_by_namespace(const ObjectPolicy& policy) { return policy.selector && policy.selector->needs_labels(); }

std::optional<std::size_t> RulesInUse::object_of(std::size_t rule) const {
  const RuleSet* const set = layers.find(Layer::rules);
  if (!set || !set->rules()[rule].origin.starts_with(kRuleOrigin)) return std::nullopt;
  const std::string_view name = std::string_view(set->rules()[rule].origin).substr(kRuleOrigin.size());
  const auto at = std::lower_bound(objects.begin(), objects.end(), name);
  if (at == objects.end() || *at != name) return std::nullopt;
  return static_cast<std::size_t>(at - objects.begin());
}

namespace {

/// For the controller's administrator: no agent writes there, and the agents' admission policy does not concern it.
std::string reworded(std::string_view what) { return replace_all(what, "this agent ", "the controller "); }
Problem reworded(const Problem& problem) {
  return {problem.code, problem.where, reworded(problem.what),
          replace_all(problem.todo, " and to writePrefixes in the ConfigMap nodescout-policy", "")};
}

/// What the authors of rule objects find on them.
void note_of_objects(const Walk& walk, const RulesInUse& rules, Judged& judged) {
  judged.matches.assign(rules.objects.size(), false);
  for (const LayerOutcome& layer : walk.layers) {
    if (layer.layer != Layer::rules) continue;
    for (const std::size_t rule : layer.outcome->matching)
      if (const auto object = rules.object_of(rule)) judged.matches[*object] = true;
    for (std::size_t i = 0; i < layer.outcome->failing.size() && i < layer.outcome->problems.size(); ++i)
      if (const auto object = rules.object_of(layer.outcome->failing[i]))
        judged.errors.emplace_back(*object, layer.outcome->problems[i].where + ": " + layer.outcome->problems[i].what);
  }
  for (const Rejection& rejection : walk.built.rejected)
    if (rejection.from.layer == Layer::rules)
      if (const auto object = rules.object_of(rejection.from.rule))
        judged.rejections.push_back(
            {*object, std::string(name_of(rejection.kind)) + " " + rejection.key, reworded(rejection.problem.what)});
}

void find_groups(const RulesInUse& rules, const Features& features, bool has_objects, Judged& judged) {
  judged.groups.assign(rules.groups.size(), false);
  if (!has_objects) return;
  for (std::size_t i = 0; i < rules.groups.size(); ++i) {
    Outcome outcome = rules.groups[i].rules.evaluate(features);
    judged.groups[i] = !outcome.matching.empty();
    for (Problem& problem : outcome.problems) judged.group_problems.emplace_back(i, std::move(problem));
  }
}

}  // namespace

Judged judge(const NodeSnapshot& node, const ReadObjects& objects, const RulesInUse& rules, const JudgeOptions& options,
             const ClusterKnowledge& cluster, SteadyTime now) {
  // The node's own features come in an object as well, and anyone who may create one in a namespace that counts may
  // create that one: so no set is protected from others.
  const Features nothing_of_its_own;
  const FeatureSets no_own_sets;
  const Trusted trusted =
      trust(options.objects, {node.name, options.own_space, cluster.namespaces, no_own_sets, TrustedBy::controller},
            objects.objects);
  const View view{nothing_of_its_own, trusted.objects, nullptr, true, options.objects.may_override};
  Walk walk = nodescout::walk(rules.layers, view, options.labels);
  Keeper keeper;
  keeper.trust_lists();
  keeper.keep_made(walk.layers, walk.built);

  Judged judged;
  for (const auto& [layer, rule] : rules_beyond(rules.wanted, walk.layers)) {
    judged.refers_beyond = true;
    judged.problems.push_back(
        {std::string(kReadsWhole), place_of(rules.layers.find(layer)->rules()[rule]),
         "its template makes a reference to a feature that no rule names, so every NodeFeature object of a Node is "
         "fetched and read whole each time that the Node is evaluated",
         "name the feature in the rule, for example in matchFeatures with \"op: Exists\""});
  }
  judged.failed_rules = walk.failed_rules;
  for (const Problem& problem : walk.problems) judged.problems.push_back(reworded(problem));
  judged.problems.insert(judged.problems.end(), objects.problems.begin(), objects.problems.end());
  judged.problems.insert(judged.problems.end(), trusted.problems.begin(), trusted.problems.end());
  if (!node.beyond.empty())
    judged.problems.push_back(
        {"over-limit", "NodeFeature/" + node.beyond.front(),
         "left out, with " + std::to_string(node.beyond.size() - 1) + " others: more than limits.nodeFeatureObjects (" +
             std::to_string(options.plan.limits.node_feature_objects) + ") or limits.nodeFeatureBytes (" +
             std::to_string(options.plan.limits.node_feature_bytes) + ") for node " + node.name,
         "delete objects that nothing needs, or raise the limit in nodescout.conf"});
  for (const Rejection& rejection : walk.built.rejected) ++judged.rejected[rejection.kind];
  note_of_objects(walk, rules, judged);
  find_groups(rules, walk.sight.of(Layer::rules), !trusted.objects.empty(), judged);
  judged.report.options = options.plan;
  judged.report.options.requested_by = requested_labels(walk, options.labels);
  judged.report.desired = std::move(walk.built.desired);

  RulesInForce in_force{{}, rules.any_unreadable, cluster.complete};
  judged.report.left_out = entries_left_out(rules.layers, view, trusted, judged.report.desired, options.labels);
  for (const auto& [entry, object] : judged.report.left_out) in_force.left_out.insert(entry);
  for (const auto& [layer, set] : rules.layers.layers) in_force.sets.push_back(&set);
  const bool is_blind = trusted.objects.empty() && !node.lost_objects && !trusted.are_all_deselected;
  // Objects of other namespaces are not read, so what they make is unknown, until the administrator lists namespaces.
  const bool is_undecided = node.has_left_out && !options.objects.namespaces;
  const bool is_kind_missing = cluster.is_kind_missing || objects.any_vanished;
  judged.report.may_go =
      [may_go = keeper.may_go(judged.report.desired, in_force, now), is_blind, is_undecided, is_kind_missing,
       unreadable = objects.any_unreadable || !node.beyond.empty()](const Change& change) -> std::optional<Kept> {
    if (const auto why = may_go(change)) return why;
    if (unreadable) return Kept::facts_stale;
    if (is_kind_missing) return Kept::kind_missing;
    if (is_undecided) return Kept::object_unread;
    if (is_blind) return Kept::no_object;
    return std::nullopt;
  };
  judged.from = std::move(walk.built.from);
  return judged;
}

std::string rule_of(const EntryKey& entry, const std::map<EntryKey, Provenance>& from, const RulesInUse& rules) {
  const auto at = from.find(entry);
  const RuleSet* const set = at == from.end() ? nullptr : rules.layers.find(at->second.layer);
  return set ? place_of(set->rules()[at->second.rule]) : "";
}

bool is_of_node(const Problem& problem) {
  for (const char* subject : {"node ", "NodeFeature ", "NodeFeature/"})
    if (problem.where.starts_with(subject)) return true;
  return false;
}

const KeptObject* object_named(const Problem& problem, const std::vector<KeptObject>& objects) {
  constexpr std::string_view kKind = "NodeFeature";
  const std::string_view where = problem.where;
  if (!where.starts_with(kKind) || where.size() == kKind.size()) return nullptr;
  const char separator = where[kKind.size()];
  if (separator != ' ' && separator != '/') return nullptr;
  const std::string_view place = where.substr(kKind.size() + 1);
  for (const KeptObject& object : objects) {
    const std::string name = object.space + "/" + object.name;
    if (!place.starts_with(name)) continue;
    const std::string_view rest = place.substr(name.size());  // a position
    if (rest.empty() || rest.front() == ':' || rest.front() == ' ') return &object;
  }
  return nullptr;
}

bool needs_whole_node(const NodeState& metadata, const Desired& desired, const std::string& instance) {
  if (!desired.taints.empty() || !desired.extended_resources.empty()) return true;
  return metadata.annotations.contains(ownership_key(EntryKind::taint, instance)) ||
         metadata.annotations.contains(ownership_key(EntryKind::extended_resource, instance));
}

bool has_agent(const NodeState& node) { return node.annotations.contains(kAgentAnnotation); }

/// Most Nodes have none, and then nothing needs to be parsed.
bool has_agent(const NodeSnapshot& node) {
  return node.metadata->find(kAgentAnnotation) != std::string::npos && has_agent(state_of(node));
}

}  // namespace nodescout
