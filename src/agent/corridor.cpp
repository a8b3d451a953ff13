#include "agent/corridor.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "config/gpu_config.h"
#include "corridor/setup.h"
#include "keep/last_good.h"

namespace nodescout {
namespace {

constexpr const char* kFeaturesDirectory = "/etc/kubernetes/node-feature-discovery/features.d";

/// Labels that other agents' NodeFeature objects ask for, as an outcome of their own.
Outcome labels_of(const std::vector<NodeFeatureObject>& objects) {
  Outcome outcome;
  for (const NodeFeatureObject& object : objects)
    for (const auto& [key, value] : object.labels) outcome.labels.insert_or_assign(key, Made{value, 0});
  return outcome;
}

/// Who made an entry, for people.
std::string maker(const std::vector<LayerOutcome>& outcomes, const Provenance& from) {
  if (from.layer == Layer::objects) return "a label of another agent's NodeFeature object";
  for (const LayerOutcome& outcome : outcomes)
    if (outcome.layer == from.layer && outcome.rules) return place_of((*outcome.rules)[from.rule]);
  return "";
}

}  // namespace

Result<AgentCorridor> AgentCorridor::open(const AgentOptions& options) {
  AgentCorridor corridor;
  corridor.options_ = options;
  if (options.publish == PublishTo::file) corridor.gpus_.assume_operator();
  if (const Status loaded = corridor.reload(); !loaded) return loaded.error();
  return corridor;
}

Status AgentCorridor::reload() {
  auto setup = set_up(options_.config, options_.nfd_compat, options_.only);
  if (!setup) return setup.error();
  auto loaded = load_rules(setup->config, {options_.rules, options_.shipped_rules, true, {}});
  if (!loaded) return loaded.error();
  std::vector<Rule> custom = std::move(loaded->custom);
  for (const Layered& layer : layers_)
    if (layer.layer == Layer::custom) keep_last_good(layer.rules.rules().rules(), loaded->broken, custom);
  keep_last_good(documents_, loaded->broken, loaded->documents);
  config_ = std::move(setup->config);
  // As GFD has it: when the process started or read its configuration again.
  config_.probes.gpu.timestamp =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  probes_ = std::move(setup->probes);
  load_problems_ = std::move(setup->problems);
  std::move(loaded->problems.begin(), loaded->problems.end(), std::back_inserter(load_problems_));
  documents_ = std::move(loaded->documents);
  broken_rules_ = !loaded->broken.empty();
  layers_.clear();
  const auto put = [&](Layer layer, std::vector<Rule> rules) {
    if (!rules.empty()) layers_.push_back({layer, IncrementalRules(RuleSet(std::move(rules)))});
  };
  put(Layer::builtin, std::move(loaded->builtin));
  put(Layer::shipped, std::move(loaded->shipped));
  put(Layer::custom, std::move(custom));
  put(Layer::local, std::move(loaded->local));
  compiled_generation_ = static_cast<std::size_t>(-1);
  return ok();
}

std::vector<std::string> AgentCorridor::watched_paths() const {
  std::vector<std::string> paths{"/etc/nodescout", "/etc/nodescout/nodescout.conf", "/etc/nodescout/rules.d",
                                 "/etc/kubernetes/node-feature-discovery",
                                 "/etc/kubernetes/node-feature-discovery/custom.d"};
  if (!options_.config.empty()) paths.push_back(std::filesystem::absolute(options_.config).string());
  paths.push_back(gfd_config_file([](const char* name) { return static_cast<const char*>(std::getenv(name)); }));
  for (const std::string& rules : options_.rules) paths.push_back(std::filesystem::absolute(rules).string());
  const Root files = Root::at(options_.root);
  paths.push_back(files.real_path(kFeaturesDirectory));
  paths.push_back(files.real_path("/etc/os-release"));
  for (const std::string& path : gpu_watched_paths(files)) paths.push_back(files.real_path(path));
  return paths;
}

Result<Discovery> AgentCorridor::look(const Schedule::Pass& pass, SteadyTime now) {
  HostOptions host_options;
  host_options.root = options_.root;
  host_options.ask_machine = options_.ask_machine;
  host_options.scanner = options_.scanner;
  host_options.trusts_root = options_.trusts_root;
  const auto host = Host::open(host_options);
  if (!host) return host.error();
  std::vector<const Probe*> probes;
  for (const Probe* probe : probes_)
    if (pass.all || pass.probes.contains(probe->name)) probes.push_back(probe);
  gpus_.prepare(config_.probes.gpu, now);
  Discovery found = discover(*host, probes, config_.probes);
  gpus_.see_features(found.features, now);
  keeper_.facts().absorb(found, probes, readable_anchors(host->files(), probes), now);
  if (pass.all) keeper_.looked_at_all(now);
  for (const ProbeReport& report : found.reports)
    probe_problems_.insert_or_assign(std::string(report.name), report.problems);
  return found;
}

/// The layer of NodeFeatureRules: files and objects together, in byte order of their names as nfd-master takes them.
void AgentCorridor::compile(const ClusterView& cluster) {
  if (compiled_generation_ == cluster.rules_generation) return;
  compiled_generation_ = cluster.rules_generation;
  std::vector<RuleDocument> documents = documents_;
  documents.insert(documents.end(), cluster.rules.begin(), cluster.rules.end());
  if (!layers_.empty() && layers_.back().layer == Layer::rules) layers_.pop_back();
  std::vector<Rule> rules = rules_in_order(std::move(documents));
  if (!rules.empty()) layers_.push_back({Layer::rules, IncrementalRules(RuleSet(std::move(rules)))});
}

Walked AgentCorridor::evaluate(const ClusterView& cluster, bool explain) {
  compile(cluster);
  Walked walked;
  Features without_gfd;
  const bool yields = gfd_claims_labels(cluster.objects) && keeper_.facts().features().attributes.contains("gpu.gfd");
  if (yields) {
    without_gfd = keeper_.facts().features();
    without_gfd.attributes.erase("gpu.gfd");
    without_gfd.attributes.erase("gpu.vgpu");
    walked.problems.push_back({"gfd-present", "nvidia.com",
                               "NVIDIA's gpu-feature-discovery labels this node as well; its labels are taken",
                               "switch it off (gfd.enabled=false) and delete its NodeFeature object"});
  }
  const Features& own = yields ? without_gfd : keeper_.facts().features();
  Features merged;
  if (!cluster.objects.empty()) {
    merged = own;
    for (const NodeFeatureObject& object : cluster.objects) merge(merged, object.features);
  }
  const Features& all = cluster.objects.empty() ? own : merged;

  const Outcome requested = labels_of(cluster.objects);
  std::vector<LayerOutcome> outcomes;
  for (Layered& layer : layers_) {
    // NFD's worker sees its own features, its master those of all objects.
    const bool is_workers =
        layer.layer == Layer::builtin || layer.layer == Layer::custom || layer.layer == Layer::local;
    if (layer.layer == Layer::rules && !requested.labels.empty())
      outcomes.push_back({Layer::objects, nullptr, &requested});
    const Outcome& outcome = layer.rules.evaluate(is_workers ? own : all);
    outcomes.push_back({layer.layer, &layer.rules.rules().rules(), &outcome});
    walked.rules_evaluated += layer.rules.last_evaluated();
    walked.failed_rules += outcome.problems.size();
    walked.rule_problems.insert(walked.rule_problems.end(), outcome.problems.begin(), outcome.problems.end());
  }
  if (!requested.labels.empty() && (layers_.empty() || layers_.back().layer != Layer::rules))
    outcomes.push_back({Layer::objects, nullptr, &requested});
  Built built = build(outcomes, all, config_.labels);
  keeper_.keep_made(outcomes, built);
  if (explain) {
    const auto note = [&](Change::Kind kind, const auto& made) {
      for (const auto& [key, from] : made) walked.made_by[{kind, key}] = maker(outcomes, from);
    };
    note(Change::Kind::label, built.labels);
    note(Change::Kind::annotation, built.annotations);
    note(Change::Kind::extended_resource, built.extended_resources);
  }
  walked.desired = std::move(built.desired);
  for (Problem& problem : built.rejected) {
    walked.rejected_labels += problem.code == "rejected-label" ? 1 : 0;
    walked.rejected_annotations += problem.code == "rejected-annotation" ? 1 : 0;
    walked.rejected_resources += problem.code == "rejected-extended-resource" ? 1 : 0;
    walked.rejected_taints += problem.code == "rejected-taint" ? 1 : 0;
    walked.rule_problems.push_back(std::move(problem));
  }
  const auto settle = [](std::vector<Problem>& problems) {
    std::sort(problems.begin(), problems.end());
    problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  };
  const auto add = [](std::vector<Problem>& into, const std::vector<Problem>& problems) {
    into.insert(into.end(), problems.begin(), problems.end());
  };
  add(walked.rule_problems, load_problems_);
  for (const Problem& problem : cluster.problems)
    (problem.code == "watch-in-trouble" ? walked.problems : walked.rule_problems).push_back(problem);
  for (const auto& [probe, problems] : probe_problems_) add(walked.problems, problems);
  settle(walked.problems);
  settle(walked.rule_problems);
  return walked;
}

MayGo AgentCorridor::may_go(const Desired& desired, const ClusterView& cluster, SteadyTime now) {
  RulesInForce rules{{}, broken_rules_ || cluster.broken_rules, cluster.complete};
  for (const Layered& layer : layers_) rules.sets.push_back(&layer.rules.rules());
  return keeper_.may_go(desired, rules, now);
}

}  // namespace nodescout
