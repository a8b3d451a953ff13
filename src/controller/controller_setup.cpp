#include "controller/controller_setup.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "config/key_table.h"
#include "document/json.h"
#include "document/yaml.h"
#include "system/file.h"

namespace nodescout {
namespace {

constexpr std::string_view kFlag = "the command line";
constexpr std::size_t kMostConfig = 1 << 20;
constexpr std::chrono::hours kResync{1};  // NFD's

/// Keys that agents have no use for, and what they mean here; empty: they count.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKeys{{
    {"leaderElection", ""},
    {"resyncPeriod", ""},
    {"nfdApiParallelism", "the number of parallel requests adapts to the API server"},
    {"informerPageSize", "NodeFeature objects are read 20 at a time"},
}};

/// Keys whose defaults write more than the administrator allows, or take away what rules make, such as all taints.
constexpr std::array<std::string_view, 14> kDecisive{
    "noPublish",      "enableTaints", "denyLabelNs",  "extraLabelNs",  "labelWhiteList",
    "leaderElection", "restrictions", "nodeFeatures", "writePrefixes", "extraWritePrefixes",
    "autoPrefix",     "instance",     "core.compat",  "resyncPeriod"};

/// A value of those that cannot be read; null: none.
const Problem* unreadable_key(const std::vector<Problem>& problems) {
  const auto decides = [](const Problem& problem) {
    return problem.code == "malformed-config" &&
           std::any_of(kDecisive.begin(), kDecisive.end(), [&](std::string_view key) {
             return problem.what.starts_with(key) && problem.what.size() > key.size() &&
                    std::string_view(" .:").find(problem.what[key.size()]) != std::string_view::npos;
           });
  };
  const auto at = std::find_if(problems.begin(), problems.end(), decides);
  return at == problems.end() ? nullptr : &*at;
}

Value texts(const std::vector<std::string>& values) {
  Value list = Value::list();
  for (const std::string& value : values) list.items.push_back(Value::string(value));
  return list;
}

/// The file that set_up() has read and checked: only the controller has a use for these keys.
std::string text_of_config(const std::string& named) {
  std::vector<std::string> paths{named};
  if (named.empty())
    paths = {"/etc/nodescout/nodescout.conf", "/etc/kubernetes/node-feature-discovery/nfd-master.conf"};
  for (const std::string& path : paths)
    if (auto text = read_whole_file(path, kMostConfig)) return *std::move(text);
  return "";
}

void read_times(const std::string& text, ControllerSetup& setup) {
  for (const YamlDocument& document : parse_yaml(text, "leaderElection")) {
    const auto take = [&](const Value* map, std::string_view name, std::chrono::milliseconds& into) {
      const Value* const value = map ? map->find_ignoring_case(name) : nullptr;
      if (const auto duration = value ? parse_duration(*value) : std::nullopt)
        into = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
    };
    const Value* const chosen = document.root.find_ignoring_case("leaderElection");
    take(chosen, "leaseDuration", setup.times.lease);
    take(chosen, "renewDeadline", setup.times.renew);
    take(chosen, "retryPeriod", setup.times.retry);
    take(&document.root, "resyncPeriod", setup.resync);
    break;
  }
}

/// NFD's rule: ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool is_instance(std::string_view name) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && is_alnum(name.front()) && is_alnum(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

void reword_for_controller(std::vector<Problem>& problems) {
  std::erase_if(problems, [](Problem& problem) {
    if (problem.code != "meaningless-config-key") return false;
    const auto key = std::find_if(kKeys.begin(), kKeys.end(), [&](const auto& each) {
      return problem.what.starts_with(std::string(each.first) + " ");
    });
    if (key == kKeys.end()) return false;
    if (key->second.empty()) return true;
    problem.what = std::string(key->first) + " has no meaning here: " + std::string(key->second);
    return false;
  });
}

Result<ControllerSetup> set_up_controller(const ControllerOptions& options, bool needs_files) {
  auto common = set_up(options);
  if (!common) return common.error();
  if (needs_files && common->config.unread) return *common->config.unread;
  std::optional<ControllerSetup> setup{ControllerSetup{*std::move(common), options.times, kResync}};
  Config& config = setup->config;
  read_times(text_of_config(options.config), *setup);
  read_times(options.more_config, *setup);
  if (options.resync) setup->resync = *options.resync;
  const auto apply = [&](const std::string& text, std::string_view origin) -> Status {
    config.problems.clear();
    if (const Status applied = apply_config(config, text, origin); !applied) return applied;
    setup->problems.insert(setup->problems.end(), config.problems.begin(), config.problems.end());
    return ok();
  };
  if (!options.more_config.empty())
    if (const Status applied = apply(options.more_config, "--options"); !applied) return applied.error();
  Value flags = Value::map();
  if (options.extra_label_namespaces) {
    config.labels.extra_namespaces.clear();
    flags.add("extraLabelNs", texts(*options.extra_label_namespaces));
  }
  if (options.denied_label_namespaces) {
    config.labels.denied_namespaces.clear();
    flags.add("denyLabelNs", texts(*options.denied_label_namespaces));
  }
  if (options.label_white_list) flags.add("labelWhiteList", Value::string(*options.label_white_list));
  if (options.enables_taints) flags.add("enableTaints", Value::boolean(true));
  if (options.no_auto_prefix) flags.add("autoPrefix", Value::boolean(false));
  if (!flags.members.empty())
    if (const Status applied = apply(to_json(flags), kFlag); !applied) return applied.error();
  if (const Problem* const bad = unreadable_key(setup->problems); bad && needs_files)
    return Error{Errc::malformed, bad->where.starts_with(kFlag) ? std::string(kFlag) : bad->where, bad->what};
  if (options.instance) config.instance = *options.instance;
  if (!config.instance.empty() && !is_instance(config.instance))
    return Error{Errc::malformed, "instance",
                 "\"" + config.instance + "\" is not a name: letters, digits, -, _ and ., not at its ends"};
  if (config.nfd_compat) config.labels.write_prefixes.clear();
  reword_for_controller(setup->problems);
  return *std::move(setup);
}

}  // namespace nodescout
