#include "config/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "config/config_keys.h"
#include "config/enclosed.h"
#include "config/gpu_config.h"
#include "document/yaml.h"
#include "host/named_file.h"
#include "nodescout/host.h"

namespace nodescout {

std::vector<std::string> default_write_prefixes() {
  return {std::string(kFeaturePrefix), "profile.node.kubernetes.io", "nvidia.com", "amd.com", "intel.com",
          "nfd.node.kubernetes.io"};
}

PrefixDefect defect_of_prefix(std::string_view prefix) {
  std::string_view meant = prefix;
  if (meant.starts_with("*.")) meant.remove_prefix(2);
  meant = meant.substr(0, meant.find('/'));
  const std::string lower = lower_ascii(meant);
  if (object_name_defect(prefix).empty()) return {};
  if (prefix == "*" || prefix.empty())
    return {" is not a namespace: there is no wildcard for all of them", "name each namespace that rules write below",
            ""};
  if (!object_name_defect(lower).empty())
    return {" is not a namespace: it " + object_name_defect(lower).substr(3), "write a domain such as vendor.example",
            ""};
  const std::string_view why = prefix.starts_with("*.") ? " covers its sub-domains without a *"
                               : meant != prefix        ? " is a namespace followed by something else"
                                                        : " is not in lower case";
  return {std::string(why) + ", and is taken for " + quote(lower), "write " + quote(lower), lower};
}

std::vector<std::string> write_prefixes_of_policy(const Root& system, std::vector<Problem>& problems) {
  constexpr std::string_view kPolicy = "/etc/nodescout/policy/writePrefixes";
  const auto text = system.read(kPolicy);
  if (!text) {
    if (text.error().code != Errc::absent) problems.push_back(problem_of(text.error()));
    return default_write_prefixes();
  }
  std::vector<std::string> prefixes;
  int number = 0;
  for (const std::string_view line : split(*text, '\n')) {
    ++number;
    const std::string_view prefix = trim(line);
    if (prefix.empty()) continue;
    // The policy itself ignores such a line.
    if (const PrefixDefect defect = defect_of_prefix(prefix); !defect.what.empty())
      problems.push_back({"malformed-config", place(kPolicy, {number, 1}), quote(prefix) + defect.what,
                          defect.todo + " in the ConfigMap nodescout-policy"});
    else
      prefixes.emplace_back(prefix);
  }
  return prefixes.empty() ? default_write_prefixes() : prefixes;
}

namespace {

/// What is given replaces the default; extra namespaces are added to either, and so are those that NFD's extraLabelNs
/// allows.
void settle_prefixes(Config& config) {
  const auto& base = config.prefixes.given.empty() ? config.prefixes.fallback : config.prefixes.given;
  if (base.empty()) return;  // everywhere
  std::vector<std::string> all = base;
  const auto add = [&](std::string_view prefix) {
    if (prefix.starts_with("*.")) prefix.remove_prefix(2);
    if (std::none_of(all.begin(), all.end(), [&](const std::string& own) { return is_within(prefix, own); }))
      all.emplace_back(prefix);
  };
  for (const std::string& prefix : config.prefixes.extra) add(prefix);
  for (const std::string& name_space : config.labels.extra_namespaces) add(name_space);
  config.labels.write_prefixes = std::move(all);
}

/// A ConfigMap, Helm values or the like in place of the configuration: which text of it is meant. True if so.
bool is_inside_of_something(std::string_view text, std::string_view origin, std::vector<Problem>& problems) {
  EnclosedConfigs enclosed = find_configs(text, origin);
  std::erase_if(enclosed.found, [](const EnclosedConfig& config) { return config.name.empty(); });
  const bool has_object =
      enclosed.found.empty() && std::any_of(enclosed.problems.begin(), enclosed.problems.end(),
                                            [](const Problem& problem) { return problem.code == "no-config"; });
  if (enclosed.found.empty() && !has_object) return false;
  for (const EnclosedConfig& config : enclosed.found)
    problems.push_back({"malformed-config", place(origin, config.root.mark),
                        "the configuration is only a part of this file: it is " + config.name,
                        "write that into a file of its own; until then the defaults are used"});
  if (has_object)
    for (Problem& problem : enclosed.problems) problems.push_back(std::move(problem));
  return true;
}

}  // namespace

Status apply_config(Config& config, std::string_view text, std::string_view origin) {
  const std::vector<YamlDocument> documents = parse_yaml(text, origin);
  if (documents.empty()) {
    settle_prefixes(config);
    return ok();
  }
  const YamlDocument& document = documents.front();
  if (document.error)
    return Error{Errc::malformed, document.error->where,
                 document.error->what + (document.error->todo.empty() ? "" : ": " + document.error->todo)};
  if (!document.root.is(Value::Kind::map))
    return Error{Errc::malformed, place(origin, document.root.mark),
                 "a configuration must be a map, not " + describe(document.root)};
  for (const YamlRemark& remark : document.remarks) config.problems.push_back(remark.problem);
  if (document.root.find("kind") || !looks_like_config(document.root))
    if (is_inside_of_something(text, origin, config.problems)) {
      settle_prefixes(config);
      return ok();
    }
  KeyReport report{.origin = origin, .problems = config.problems, .after_a_mistake = "the default is used"};
  read_config_keys(config, document.root, report);
  settle_prefixes(config);
  return ok();
}

Result<Config> load_config(const std::string& path, const Root& system) {
  constexpr std::string_view kOwn = "/etc/nodescout/nodescout.conf";
  constexpr std::string_view kWorker = "/etc/kubernetes/node-feature-discovery/nfd-worker.conf";
  constexpr std::string_view kMaster = "/etc/kubernetes/node-feature-discovery/nfd-master.conf";
  Config config;
  config.prefixes.fallback = write_prefixes_of_policy(system, config.problems);
  settle_prefixes(config);
  config.labels.taints = false;
  apply_gfd(config.probes.gpu, process_environment());
  if (!path.empty()) {
    const std::string absolute = std::filesystem::absolute(path).string();
    const auto text = read_named_file(absolute);
    if (!text) return text.error();
    if (const Status applied = apply_config(config, *text, absolute); !applied) return applied.error();
    return config;
  }
  const auto apply = [&](std::string_view file) -> Result<bool> {
    const auto text = system.read(file);
    if (!text && text.error().code == Errc::absent) return false;
    if (!text) return text.error();
    if (const Status applied = apply_config(config, *text, file); !applied) return applied.error();
    return true;
  };
  const auto own = apply(kOwn);
  if (!own) return own.error();
  if (*own) return config;
  for (const std::string_view file : {kWorker, kMaster})
    if (const auto read = apply(file); !read) {
      config.unread = read.error();
      config.problems.push_back({"configuration-refused", read.error().where, read.error().what,
                                 "correct it; until then its keys have their defaults, and no label is removed"});
    }
  return config;
}

std::vector<std::string> select_sources(const std::vector<std::string>& wanted,
                                        const std::vector<std::string_view>& known,
                                        const std::vector<std::string_view>& off_by_default, std::string_view key,
                                        std::vector<Problem>& problems, const Places& places) {
  std::set<std::string_view> selected;
  const auto is_in = [](const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& entry : wanted) {
    const std::string_view name = std::string_view(entry).substr(entry.starts_with('-') ? 1 : 0);
    if (entry == "all") {
      for (const std::string_view each : known)
        if (!is_in(off_by_default, each)) selected.insert(each);
    } else if (!is_in(known, name)) {
      std::vector<std::string_view> names = known;
      if (!entry.starts_with('-')) names.push_back("all");
      const std::string_view guess = closest(name, names);
      const auto at = places.find(entry);
      problems.push_back({"unknown-source", at == places.end() ? std::string(key) : at->second,
                          "unknown source " + quote(name),
                          guess.empty() ? "known names are " + join({known.begin(), known.end()}, ", ")
                                        : "did you mean " + std::string(guess) + "?"});
    } else if (entry.starts_with('-')) {
      selected.erase(*std::find(known.begin(), known.end(), name));
    } else {
      selected.insert(*std::find(known.begin(), known.end(), name));
    }
  }
  std::vector<std::string> out;
  for (const std::string_view name : known)
    if (selected.contains(name)) out.emplace_back(name);
  return out;
}

}  // namespace nodescout
