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

/// Labels that other agents' NodeFeature objects ask for, as an outcome of their own.
Outcome labels_of(const std::vector<NodeFeatureObject>& objects) {
  Outcome outcome;
  for (const NodeFeatureObject& object : objects)
    for (const auto& [key, value] : object.labels) outcome.labels.insert_or_assign(key, Made{value, 0});
  return outcome;
}

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
    walked.rule_problems.insert(walked.rule_problems.end(), outcome.problems.begin(), outcome.problems.end());
  }
  if (!requested.labels.empty() && (layers_.empty() || layers_.back().layer != Layer::rules))
    outcomes.push_back({Layer::objects, nullptr, &requested});
  Built built = build(outcomes, all, config_.labels);
  rule_memory_.settle(outcomes, built);
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
  for (const Layered& layer : layers_)
    for (const Rule& rule : layer.rules.rules().rules()) {
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
      for (const Taint& taint : rule.taints) doubt.keys.insert(taint.key + ":" + taint.effect);
    }
  return doubt;
}

}  // namespace nodescout
