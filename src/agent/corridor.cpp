#include "agent/corridor.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "config/gpu_config.h"
#include "corridor/setup.h"
#include "keep/last_good.h"

namespace nodescout {
namespace {

Errands::Reason reason_of(const Schedule::Pass& pass, std::string_view probe) {
  if (pass.touched.contains("") || pass.touched.contains(probe)) return Errands::Reason::event;
  return pass.all || pass.probes.contains(probe) ? Errands::Reason::time : Errands::Reason::answer;
}

}  // namespace

Result<AgentCorridor> AgentCorridor::open(const AgentOptions& options) {
  AgentCorridor corridor;
  corridor.options_ = options;
  corridor.moment_.is_node_hidden = options.publish->is_node_hidden;
  if (const Status loaded = corridor.reload(); !loaded) return loaded.error();
  return corridor;
}

Status AgentCorridor::reload() {
  auto setup = set_up(options_);
  if (!setup) return setup.error();
  // NFD's configuration never keeps an agent from starting; a running one continues with the previous configuration.
  if (setup->config.unread && !config_.unread && !probes_.empty()) return *setup->config.unread;
  if (setup->probes.empty() && !probes_.empty()) return Error{Errc::malformed, "core.featureSources", kNoProbes};
  auto loaded = load_rules(setup->config, options_.rules);
  if (!loaded) return loaded.error();
  if (const RuleSet* custom = rules_.find(Layer::custom))
    keep_last_good(custom->rules(), loaded->broken, loaded->rules[Layer::custom]);
  keep_last_good(documents_, loaded->broken, loaded->documents);
  config_ = std::move(setup->config);
  // As in GFD: when the process started or reread its configuration.
  moment_.is_only_look = options_.once;
  moment_.configured_at =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  probes_ = std::move(setup->probes);
  load_problems_ = std::move(setup->problems);
  std::move(loaded->problems.begin(), loaded->problems.end(), std::back_inserter(load_problems_));
  documents_ = std::move(loaded->documents);  // compiled with those of the cluster
  broken_rules_ = !loaded->broken.empty();
  rules_ = compile_layers(*std::move(loaded));
  compiled_generation_ = static_cast<std::size_t>(-1);
  return ok();
}

std::map<std::string, std::set<std::string>> AgentCorridor::watched_paths() const {
  std::vector<std::string> configuration{"/etc/nodescout",
                                         "/etc/nodescout/nodescout.conf",
                                         "/etc/nodescout/rules.d",
                                         "/etc/nodescout/policy",
                                         "/etc/kubernetes/node-feature-discovery",
                                         "/etc/kubernetes/node-feature-discovery/custom.d"};
  if (!options_.config.empty()) configuration.push_back(std::filesystem::absolute(options_.config).string());
  configuration.push_back(gfd_config_file(process_environment()));
  for (const std::string& rules : options_.rules.paths)
    configuration.push_back(std::filesystem::absolute(rules).string());
  std::map<std::string, std::set<std::string>> paths;
  for (const std::string& path : configuration) paths[path].emplace("");
  const Root files = Root::at(options_.root);
  for (auto& [path, probes] : nodescout::watched_paths(probes_, files)) paths[files.real_path(path)].merge(probes);
  return paths;
}

std::map<std::string, SteadyTime> AgentCorridor::pending() const {
  auto pending = keeper_.facts().pending();
  for (const auto& [probe, at] : conditions_.pending()) {
    const auto [entry, is_new] = pending.try_emplace(probe, at);
    if (!is_new) entry->second = std::min(entry->second, at);
  }
  for (const std::string& probe : waiting_) pending.erase(probe);
  return pending;
}

Result<Discovery> AgentCorridor::look(const Schedule::Pass& pass, SteadyTime now) {
  HostOptions host_options = options_;
  host_options.errands = errands_;
  const auto host = Host::open(host_options);
  if (!host) return host.error();
  std::vector<const Probe*> probes;
  for (const Probe* probe : probes_)
    if (pass.runs(probe->name)) probes.push_back(probe);
  moment_.lasting = conditions_.lasting(now);
  Discovery found;
  for (const Probe* probe : probes) {
    if (errands_) errands_->serve(probe->name, reason_of(pass, probe->name));
    run_probe(*probe, *host, config_.probes, moment_, found);
    if (errands_) errands_->withdraw_the_rest();
  }
  conditions_.absorb(found, now);
  keeper_.facts().absorb(found, probes, readable_anchors(host->files(), probes), now);
  if (pass.all && !probes_.empty()) keeper_.looked_at_all(now);  // without probes nothing is proved
  // Only files of features.d have origins, and one probe reads them.
  if (std::any_of(probes.begin(), probes.end(), [](const Probe* probe) { return probe->name == "local"; }))
    origins_ = found.origins;
  for (const ProbeReport& report : found.reports) {
    if (report.awaited.empty()) {
      waiting_.erase(std::string(report.name));
      probe_problems_.insert_or_assign(std::string(report.name), report.problems);
    } else {
      waiting_.emplace(report.name);
      probe_problems_.try_emplace(std::string(report.name), report.problems);  // earlier ones stay until it arrives
    }
  }
  return found;
}

/// The layer of NodeFeatureRules: files and objects together, in byte order of their names as nfd-master takes them.
void AgentCorridor::compile(const ClusterView& cluster) {
  if (compiled_generation_ == cluster.rules_generation) return;
  compiled_generation_ = cluster.rules_generation;
  std::vector<RuleDocument> documents = documents_;
  documents.insert(documents.end(), cluster.rules.begin(), cluster.rules.end());
  rules_.put(Layer::rules, rules_in_order(std::move(documents)));
}

Walked AgentCorridor::evaluate(const ClusterView& cluster, Makers makers) {
  compile(cluster);
  const Features& facts = keeper_.facts().features();
  const FeatureSets own = own_sets(probes_, facts);
  const Trusted trusted =
      trust(config_.objects, {options_.node, cluster.own_space, cluster.namespaces, own}, cluster.objects);
  const View view{facts, trusted.objects, &origins_, !config_.probes.gpu.insists_on("nvidia"),
                  config_.objects.may_override};
  Walk walk = nodescout::walk(rules_, view, config_.labels, &cache_);
  keeper_.keep_made(walk.layers, walk.built);
  Walked walked;
  if (makers != Makers::none)
    for (const auto& [entry, from] : walk.built.from)
      walked.made_by[entry] = makers == Makers::exact ? maker_of(walk.layers, from) : short_maker_of(walk.layers, from);
  walked.requested_by = requested_labels(walk, config_.labels);
  walked.desired = std::move(walk.built.desired);
  walked.left_out = entries_left_out(rules_, view, trusted, walked.desired, config_.labels, &cache_of_left_out_);
  for (const Rejection& rejection : walk.built.rejected) {
    ++walked.rejected[rejection.kind];
    if (!rejection.filter.empty()) walked.filtered.push_back(rejection.problem);
  }
  walked.failed_rules = walk.failed_rules;
  walked.rules_evaluated = walk.evaluated_rules;
  walked.rule_problems = std::move(walk.problems);
  walked.problems = std::move(walk.remarks);
  const auto settle = [](std::vector<Problem>& problems) {
    std::sort(problems.begin(), problems.end());
    problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  };
  const auto add = [](std::vector<Problem>& into, const std::vector<Problem>& problems) {
    into.insert(into.end(), problems.begin(), problems.end());
  };
  add(walked.rule_problems, load_problems_);
  add(walked.rule_problems, trusted.problems);
  for (const Problem& problem : cluster.problems)
    (problem.code == "watch-in-trouble" ? walked.problems : walked.rule_problems).push_back(problem);
  for (const auto& [probe, problems] : probe_problems_) add(walked.problems, problems);
  settle(walked.problems);
  settle(walked.rule_problems);
  return walked;
}

PlanOptions AgentCorridor::plan_options(Origins requested_by) const {
  return {config_.instance, config_.allow_overwrite, config_.labels.write_prefixes, config_.probes.gpu.shared_labels(),
          config_.limits,   GpuOptions::stamps(),    std::move(requested_by)};
}

MayGo AgentCorridor::may_go(const Walked& walked, const ClusterView& cluster, SteadyTime now) {
  RulesInForce rules{{}, broken_rules_ || cluster.broken_rules, cluster.complete, {}};
  for (const auto& [entry, object] : walked.left_out) rules.left_out.insert(entry);
  for (const auto& [layer, set] : rules_.layers) rules.sets.push_back(&set);
  return keeper_.may_go(walked.desired, rules, now);
}

}  // namespace nodescout
