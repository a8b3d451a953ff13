#include "agent/corridor.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/path.h"
#include "base/text.h"
#include "config/gpu_config.h"
#include "corridor/setup.h"

namespace nodescout {
namespace {

constexpr const char* kFeaturesDirectory = "/etc/kubernetes/node-feature-discovery/features.d";

bool lies_in(const std::string& path, const std::set<std::string, std::less<>>& broken) {
  return std::any_of(broken.begin(), broken.end(), [&](const std::string& place) { return is_below(path, place); });
}

/// Those of `before` that stand in a broken place and have no successor in `now`.
void keep_last_good(const std::vector<Rule>& before, const std::set<std::string, std::less<>>& broken,
                    std::vector<Rule>& now) {
  for (const Rule& rule : before) {
    const auto is_same = [&](const Rule& other) { return other.name == rule.name && other.origin == rule.origin; };
    if (lies_in(rule.origin, broken) && std::none_of(now.begin(), now.end(), is_same)) now.push_back(rule);
  }
}

/// The same for documents.
void keep_last_good(const std::vector<RuleDocument>& before, const std::set<std::string, std::less<>>& broken,
                    std::vector<RuleDocument>& now) {
  for (const RuleDocument& document : before) {
    if (!lies_in(document.origin, broken)) continue;
    const auto successor = std::find_if(now.begin(), now.end(), [&](const RuleDocument& other) {
      return other.name == document.name && other.origin == document.origin;
    });
    if (successor == now.end())
      now.push_back(document);
    else
      keep_last_good(document.rules, broken, successor->rules);
  }
}

/// Who made an entry, for people.
std::string maker(const std::vector<LayerOutcome>& outcomes, const Provenance& from) {
  if (from.layer == Layer::objects) return "a label of another agent's NodeFeature object";
  for (const LayerOutcome& outcome : outcomes)
    if (outcome.layer == from.layer && outcome.rules) return place_of((*outcome.rules)[from.rule]);
  return "";
}

/// How the labels of a template begin, as full keys; nothing where that is known only when it runs. A template writes a
/// label a line.
std::optional<std::vector<std::string>> template_heads(std::string_view text) {
  if (text.find("\\n") != std::string_view::npos || text.find('`') != std::string_view::npos) return std::nullopt;
  constexpr std::string_view kSilent[] = {"range", "if", "else", "end", "with"};
  std::vector<std::string> heads;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    while (line.starts_with("{{")) {
      const std::size_t end = line.find("}}");
      if (end == std::string_view::npos) return std::nullopt;
      std::string_view action = line.substr(2, end - 2);
      if (action.starts_with('-')) action.remove_prefix(1);
      const auto words = fields(action);
      if (words.empty() || std::find(std::begin(kSilent), std::end(kSilent), words[0]) == std::end(kSilent))
        return std::nullopt;
      line = trim(line.substr(end + 2));
    }
    const std::string_view head = line.substr(0, std::min(line.find("{{"), line.find('=')));
    if (line.empty()) continue;
    if (head.empty()) return std::nullopt;
    heads.emplace_back(head);
    if (head.find('/') == std::string_view::npos)
      heads.push_back(std::string(kFeaturePrefix) + "/" + std::string(head));
  }
  return heads;
}

void add_key(const std::string& key, std::set<std::string, std::less<>>& keys) {
  keys.insert(key.find('/') == std::string::npos ? std::string(kFeaturePrefix) + "/" + key : key);
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
  if (const RuleSet* custom = rules_.find(Layer::custom))
    keep_last_good(custom->rules(), loaded->broken, loaded->rules[Layer::custom]);
  keep_last_good(documents_, loaded->broken, loaded->documents);
  config_ = std::move(setup->config);
  // As GFD has it: when the process started or read its configuration again.
  config_.probes.gpu.timestamp =
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

std::vector<std::string> AgentCorridor::watched_paths() const {
  std::vector<std::string> paths{"/etc/nodescout",
                                 "/etc/nodescout/nodescout.conf",
                                 "/etc/nodescout/rules.d",
                                 "/etc/nodescout/policy",
                                 "/etc/kubernetes/node-feature-discovery",
                                 "/etc/kubernetes/node-feature-discovery/custom.d"};
  if (!options_.config.empty()) paths.push_back(std::filesystem::absolute(options_.config).string());
  paths.push_back(gfd_config_file(process_environment()));
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
  memory_.absorb(found, probes, readable_anchors(host->files(), probes), now);
  // Only files of features.d have origins, and one probe reads them.
  if (std::any_of(probes.begin(), probes.end(), [](const Probe* probe) { return probe->name == "local"; }))
    origins_ = found.origins;
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
  rules_.put(Layer::rules, rules_in_order(std::move(documents)));
}

Walked AgentCorridor::evaluate(const ClusterView& cluster, bool explain) {
  compile(cluster);
  Walk walk = nodescout::walk(rules_, {memory_.features(), cluster.objects, &origins_}, config_.labels, &cache_);
  rule_memory_.settle(walk.layers, walk.built);
  Walked walked;
  if (explain) {
    const auto note = [&](EntryKind kind, const auto& made) {
      for (const auto& [key, from] : made) walked.made_by[{kind, key}] = maker(walk.layers, from);
    };
    note(EntryKind::label, walk.built.labels);
    note(EntryKind::annotation, walk.built.annotations);
    note(EntryKind::extended_resource, walk.built.extended_resources);
    note(EntryKind::taint, walk.built.taints);
  }
  walked.desired = std::move(walk.built.desired);
  for (const Rejection& rejection : walk.built.rejected) ++walked.rejected[rejection.kind];
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
  for (const Problem& problem : cluster.problems)
    (problem.code == "watch-in-trouble" ? walked.problems : walked.rule_problems).push_back(problem);
  for (const auto& [probe, problems] : probe_problems_) add(walked.problems, problems);
  settle(walked.problems);
  settle(walked.rule_problems);
  return walked;
}

AgentCorridor::Doubt AgentCorridor::doubt(const ClusterView& cluster) const {
  Doubt doubt;
  doubt.all = broken_rules_ || cluster.broken_rules || rule_memory_.any_failing();
  const auto& stale = memory_.stale();
  if (doubt.all || stale.empty()) return doubt;
  // What follows from a rule in doubt is in doubt, too; which labels a template makes is known only when it runs.
  const auto is_in_doubt = [&](const Term& term) {
    const std::string feature = lower_ascii(term.feature);
    return feature == "rule.matched" || stale.contains(feature);
  };
  const auto any_in_doubt = [&](const Matcher& matcher) {
    return std::any_of(matcher.begin(), matcher.end(), is_in_doubt);
  };
  for (const auto& [layer, set] : rules_.layers)
    for (const Rule& rule : set.rules()) {
      if (!any_in_doubt(rule.match_features) &&
          std::none_of(rule.match_any.begin(), rule.match_any.end(), any_in_doubt))
        continue;
      if (!rule.labels_template.empty()) {
        if (auto heads = template_heads(rule.labels_template))
          doubt.heads.insert(doubt.heads.end(), heads->begin(), heads->end());
        else
          doubt.all = true;
      }
      for (const PlacedMap* map : {&rule.labels, &rule.annotations, &rule.extended_resources})
        for (const auto& [key, value] : *map) add_key(key, doubt.keys);
      for (const Taint& taint : rule.taints) doubt.keys.insert(taint.name());
    }
  return doubt;
}

}  // namespace nodescout
