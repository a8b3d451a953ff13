#include "agent/corridor.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "corridor/setup.h"

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

bool makes(const Rule& rule, const std::string& key) {
  return std::any_of(rule.labels.begin(), rule.labels.end(), [&](const auto& label) {
    return label.first == key || std::string(kFeaturePrefix) + "/" + label.first == key;
  });
}

}  // namespace

Result<AgentCorridor> AgentCorridor::open(const AgentOptions& options) {
  AgentCorridor corridor;
  corridor.options_ = options;
  if (const Status loaded = corridor.reload(); !loaded) return loaded.error();
  return corridor;
}

Status AgentCorridor::reload() {
  auto setup = set_up(options_.config, options_.nfd_compat, options_.only);
  if (!setup) return setup.error();
  auto loaded = load_rules(setup->config, {options_.rules, options_.shipped_rules, true, {}});
  if (!loaded) return loaded.error();
  config_ = std::move(setup->config);
  // As GFD has it: when the process started or read its configuration again.
  config_.probes.gpu.timestamp =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  probes_ = std::move(setup->probes);
  load_problems_ = std::move(setup->problems);
  std::move(loaded->problems.begin(), loaded->problems.end(), std::back_inserter(load_problems_));
  documents_ = std::move(loaded->documents);
  layers_.clear();
  const auto put = [&](Layer layer, std::vector<Rule> rules) {
    if (!rules.empty()) layers_.push_back({layer, IncrementalRules(RuleSet(std::move(rules)))});
  };
  put(Layer::builtin, std::move(loaded->builtin));
  put(Layer::shipped, std::move(loaded->shipped));
  put(Layer::custom, std::move(loaded->custom));
  put(Layer::local, std::move(loaded->local));
  compiled_generation_ = static_cast<std::size_t>(-1);
  return ok();
}

std::vector<std::string> AgentCorridor::watched_paths() const {
  std::vector<std::string> paths{"/etc/nodescout", "/etc/nodescout/nodescout.conf", "/etc/nodescout/rules.d",
                                 "/etc/kubernetes/node-feature-discovery",
                                 "/etc/kubernetes/node-feature-discovery/custom.d"};
  if (!options_.config.empty()) paths.push_back(std::filesystem::absolute(options_.config).string());
  for (const std::string& rules : options_.rules) paths.push_back(std::filesystem::absolute(rules).string());
  const Root files = Root::at(options_.root);
  paths.push_back(files.real_path(kFeaturesDirectory));
  paths.push_back(files.real_path("/etc/os-release"));
  for (const std::string& path : gpu_watched_paths()) paths.push_back(files.real_path(path));
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
  memory_.absorb(found, probes, readable_anchors(host->files(), probes), now);
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

Walked AgentCorridor::evaluate(const ClusterView& cluster) {
  compile(cluster);
  Walked walked;
  Features without_gfd;
  const bool yields = gfd_claims_labels(cluster.objects) && memory_.features().attributes.contains("gpu.gfd");
  if (yields) {
    without_gfd = memory_.features();
    without_gfd.attributes.erase("gpu.gfd");
    without_gfd.attributes.erase("gpu.vgpu");
    walked.problems.push_back({"gfd-present", "nvidia.com",
                               "NVIDIA's gpu-feature-discovery labels this node as well; its labels are taken",
                               "switch it off (gfd.enabled=false) and delete its NodeFeature object"});
  }
  const Features& own = yields ? without_gfd : memory_.features();
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
    walked.problems.insert(walked.problems.end(), outcome.problems.begin(), outcome.problems.end());
  }
  if (!requested.labels.empty() && (layers_.empty() || layers_.back().layer != Layer::rules))
    outcomes.push_back({Layer::objects, nullptr, &requested});
  Built built = build(outcomes, all, config_.labels);
  walked.desired = std::move(built.desired);
  for (Problem& problem : built.rejected) {
    walked.rejected_labels += problem.code == "rejected-label" ? 1 : 0;
    walked.rejected_annotations += problem.code == "rejected-annotation" ? 1 : 0;
    walked.rejected_resources += problem.code == "rejected-extended-resource" ? 1 : 0;
    walked.rejected_taints += problem.code == "rejected-taint" ? 1 : 0;
    walked.problems.push_back(std::move(problem));
  }
  const auto add = [&](const std::vector<Problem>& problems) {
    walked.problems.insert(walked.problems.end(), problems.begin(), problems.end());
  };
  add(load_problems_);
  add(cluster.problems);
  for (const auto& [probe, problems] : probe_problems_) add(problems);
  std::sort(walked.problems.begin(), walked.problems.end());
  walked.problems.erase(std::unique(walked.problems.begin(), walked.problems.end()), walked.problems.end());
  return walked;
}

std::set<std::string, std::less<>> AgentCorridor::inputs_that_make(const std::string& key) const {
  std::set<std::string, std::less<>> inputs;
  for (const Layered& layer : layers_)
    for (const Rule& rule : layer.rules.rules().rules()) {
      // What a template makes is known only when it runs, so each of them may have made the key.
      if (!makes(rule, key) && rule.labels_template.empty()) continue;
      for (const Matcher& matcher : rule.match_any)
        for (const Term& term : matcher) inputs.insert(lower_ascii(term.feature));
      for (const Term& term : rule.match_features) inputs.insert(lower_ascii(term.feature));
    }
  return inputs;
}

bool AgentCorridor::could_still_be_true(const std::string& key) const {
  const auto inputs = inputs_that_make(key);
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const std::string& input) { return memory_.stale().contains(input); });
}

}  // namespace nodescout
