#include "corridor/rule_layers.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "corridor/builtin_rules.h"
#include "host/named_file.h"
#include "nodescout/host.h"
#include "nodescout/probes.h"
#include "rule/shipped.h"

namespace nodescout {
namespace {

constexpr const char* kRulesDirectory = "/etc/nodescout/rules.d";
constexpr const char* kCustomDirectory = "/etc/kubernetes/node-feature-discovery/custom.d";

bool is_rule_file(const std::string& name) {
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

/// Files of NFD's custom.d: any name, one level of sub-directories. "..<time>" is a ConfigMap's own machinery, whose
/// files are linked beside it; NFD reads them twice.
Result<std::vector<std::string>> custom_files(const Root& files) {
  std::vector<std::string> found;
  const auto names = files.list(kCustomDirectory);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const std::string path = std::string(kCustomDirectory) + "/" + name;
    const auto status = files.status(path);
    if (name.starts_with("..") || !status) continue;
    if (status->type == Root::FileType::regular) {
      if (!name.starts_with('.')) found.push_back(path);
      continue;
    }
    const auto inner = files.list(path);
    if (!inner) continue;
    for (const std::string& entry : *inner)
      if (!entry.starts_with('.')) found.push_back(path + "/" + entry);
  }
  return found;
}

/// Those that rules.shipped names. Names that do not exist are reported with the configuration.
std::vector<Rule> named_shipped_rules(const std::vector<std::string>& names) {
  std::vector<Rule> rules = shipped_rules("");
  const auto is_named = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::erase_if(rules, [&](const Rule& rule) { return !is_named(rule.name) && !is_named(file_of_shipped(rule)); });
  return rules;
}

/// Sources of labels that the configuration leaves out.
std::set<std::string_view> missing_sources(const Config& config) {
  std::set<std::string_view> missing;
  for (const Probe* probe : all_probes())
    if (!probe->off_by_default &&
        std::find(config.label_sources.begin(), config.label_sources.end(), probe->name) == config.label_sources.end())
      missing.insert(probe->name);
  return missing;
}

/// The shipped rules that are used: those that rules.shipped names; without it those all of whose features are of
/// sources that core.labelSources has.
std::vector<Rule> chosen_shipped_rules(const Config& config) {
  if (!config.shipped_rules) return {};
  if (config.shipped_names) return named_shipped_rules(*config.shipped_names);
  std::vector<Rule> rules = shipped_rules("");
  if (config.labels.shipped_pass_white_lists) return rules;
  const std::set<std::string_view> missing = missing_sources(config);
  if (missing.empty()) return rules;
  std::set<std::string_view> features;
  for (const Probe* probe : all_probes())
    if (missing.contains(probe->name))
      for (const FeatureSpec& spec : probe->produces) features.insert(spec.key);
  const auto looks_at_missing = [&](const Matcher& terms) {
    return std::any_of(terms.begin(), terms.end(),
                       [&](const Term& term) { return features.contains(lower_ascii(term.feature)); });
  };
  std::erase_if(rules, [&](const Rule& rule) {
    return looks_at_missing(rule.match_features) ||
           std::any_of(rule.match_any.begin(), rule.match_any.end(), looks_at_missing);
  });
  return rules;
}

void add_rules(std::vector<Rule>& into, std::vector<Rule> rules) {
  std::move(rules.begin(), rules.end(), std::back_inserter(into));
}

/// Sorts the documents of one place into the layers: bare lists are the worker's, objects the master's.
struct Collected {
  std::vector<Rule> custom;
  std::vector<RuleDocument> documents;
  std::vector<RuleDocument> groups;
  std::vector<Problem> problems;
  std::set<std::string, std::less<>> broken;

  void add(ParsedRules parsed, const std::string& path) {
    for (RuleDocument& document : parsed.documents) {
      if (document.kind == RuleDocument::Kind::list)
        add_rules(custom, std::move(document.rules));
      else if (document.kind == RuleDocument::Kind::group)
        groups.push_back(std::move(document));
      else
        documents.push_back(std::move(document));
    }
    for (Finding& finding : parsed.findings) {
      if (finding.severity == Severity::error) broken.insert(path);
      problems.push_back(std::move(finding.problem));
    }
  }

  void unreadable(const std::string& path, const Error& error) {
    if (error.code == Errc::absent) return;
    broken.insert(path);
    problems.push_back(problem_of(error));
  }

  void add_file(const std::string& path) {
    auto parsed = parse_rule_file(path);
    if (parsed)
      add(*std::move(parsed), path);
    else
      unreadable(path, parsed.error());
  }
};

}  // namespace

Result<std::vector<std::string>> rule_files(const std::string& path) {
  const Root files = Root::at("/");
  const std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  const auto status = files.status(absolute);
  if (!status) return Error{status.error().code, path, status.error().what};
  if (status->type != Root::FileType::directory) return std::vector<std::string>{path};
  const auto names = files.list(absolute);
  if (!names) return Error{names.error().code, path, names.error().what};
  std::vector<std::string> found;
  for (const std::string& name : *names)
    if (is_rule_file(name)) found.push_back(path + (path.ends_with('/') ? "" : "/") + name);
  return found;
}

Result<ParsedRules> parse_rule_file(const std::string& path) {
  const auto text = read_named_file(path);
  if (!text) return text.error();
  return parse_rules(*text, path);
}

std::vector<Rule> rules_in_order(std::vector<RuleDocument> documents) {
  std::stable_sort(documents.begin(), documents.end(),
                   [](const RuleDocument& a, const RuleDocument& b) { return a.name < b.name; });
  std::vector<Rule> rules;
  for (RuleDocument& document : documents)
    if (document.kind != RuleDocument::Kind::group) add_rules(rules, std::move(document.rules));
  return rules;
}

Result<LoadedRules> load_rules(const Config& config, const RuleOptions& options) {
  LoadedRules out;
  const auto has_source = [&](std::string_view source) {
    return std::find(config.label_sources.begin(), config.label_sources.end(), source) != config.label_sources.end();
  };

  std::vector<Rule> builtin = builtin_rules(config);
  Collected collected;
  collected.documents = options.others;
  for (Rule& rule : shipped_rules("builtin")) {
    const std::string source = rule.name.substr(0, rule.name.find('-'));
    if (has_source(source)) (source == "custom" ? collected.custom : builtin).push_back(std::move(rule));
  }

  if (config.unread) collected.broken.insert(config.unread->where);  // it may have rules, and rule out others
  if (options.drop_ins) {
    if (const auto found = rule_files(kRulesDirectory))
      for (const std::string& file : *found) collected.add_file(file);
    else
      collected.unreadable(kRulesDirectory, found.error());
  }
  if (has_source("custom")) {
    add_rules(collected.custom, config.custom_rules);
    if (!config.broken_custom.empty()) collected.broken.insert(config.broken_custom);
    if (options.drop_ins) {
      if (const auto found = custom_files(Root::at("/")))
        for (const std::string& file : *found) collected.add_file(file);
      else
        collected.unreadable(kCustomDirectory, found.error());
    }
  }
  for (const std::string& path : options.paths) {
    const auto found = rule_files(path);
    if (!found) return found.error();
    for (const std::string& file : *found) collected.add_file(file);
  }

  if (!options.replacing.empty()) {
    Collected replacement;
    for (const std::string& path : options.replacing) {
      const auto found = rule_files(path);
      if (!found) return found.error();
      for (const std::string& file : *found) replacement.add_file(file);
    }
    const auto is_replaced = [&](const RuleDocument& document) {
      return std::any_of(replacement.documents.begin(), replacement.documents.end(),
                         [&](const RuleDocument& other) { return other.name == document.name; });
    };
    std::erase_if(collected.documents, is_replaced);
    std::move(replacement.documents.begin(), replacement.documents.end(), std::back_inserter(collected.documents));
    add_rules(collected.custom, std::move(replacement.custom));
    std::move(replacement.problems.begin(), replacement.problems.end(), std::back_inserter(collected.problems));
  }

  out.rules[Layer::builtin] = std::move(builtin);
  if (options.shipped && !config.nfd_compat) out.rules[Layer::shipped] = chosen_shipped_rules(config);
  out.rules[Layer::custom] = std::move(collected.custom);
  if (has_source("local")) out.rules[Layer::local] = local_rules();
  out.documents = std::move(collected.documents);
  out.groups = std::move(collected.groups);
  out.problems = std::move(collected.problems);
  out.broken = std::move(collected.broken);
  return out;
}

Result<LoadedRules> load_rule_files(const std::vector<std::string>& paths, std::string_view standard_input) {
  Collected collected;
  for (const std::string& path : paths) {
    if (path == "-") {
      collected.add(parse_rules(standard_input, "<stdin>"), "<stdin>");
      continue;
    }
    const auto found = rule_files(path);
    if (!found) return found.error();
    for (const std::string& file : *found) {
      auto parsed = parse_rule_file(file);
      if (!parsed) return parsed.error();
      collected.add(*std::move(parsed), file);
    }
  }
  LoadedRules out;
  out.rules[Layer::custom] = std::move(collected.custom);
  out.documents = std::move(collected.documents);
  out.groups = std::move(collected.groups);
  out.problems = std::move(collected.problems);
  return out;
}

void RuleLayers::put(Layer layer, std::vector<Rule> rules) {
  if (rules.empty())
    layers.erase(layer);
  else
    layers.insert_or_assign(layer, RuleSet(std::move(rules)));
}

RuleLayers compile_layers(LoadedRules loaded) {
  RuleLayers out;
  for (auto& [layer, rules] : loaded.rules) out.put(layer, std::move(rules));
  out.put(Layer::rules, rules_in_order(std::move(loaded.documents)));
  out.groups = std::move(loaded.groups);
  out.problems = std::move(loaded.problems);
  return out;
}

}  // namespace nodescout
