#include "config/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "config/config_keys.h"
#include "config/gpu_config.h"
#include "document/yaml.h"
#include "nodescout/host.h"

namespace nodescout {

std::vector<std::string> default_write_prefixes() {
  return {std::string(kFeaturePrefix), "profile.node.kubernetes.io", "nvidia.com", "amd.com", "intel.com",
          "nfd.node.kubernetes.io"};
}

Status apply_config(Config& config, std::string_view text, std::string_view origin) {
  const std::vector<YamlDocument> documents = parse_yaml(text, origin);
  if (documents.empty()) return ok();
  const YamlDocument& document = documents.front();
  if (document.error) return Error{Errc::malformed, document.error->where, document.error->what};
  if (!document.root.is(Value::Kind::map))
    return Error{Errc::malformed, place(origin, document.root.mark),
                 "a configuration must be a map, not " + describe(document.root)};
  KeyReport report{.origin = origin, .problems = config.problems, .after_a_mistake = "the default is used"};
  read_config_keys(config, document.root, report);
  return ok();
}

Result<Config> load_config(const std::string& path) {
  constexpr std::string_view kOwn = "/etc/nodescout/nodescout.conf";
  constexpr std::string_view kWorker = "/etc/kubernetes/node-feature-discovery/nfd-worker.conf";
  constexpr std::string_view kMaster = "/etc/kubernetes/node-feature-discovery/nfd-master.conf";
  Config config;
  config.labels.write_prefixes = default_write_prefixes();
  config.labels.taints = false;
  apply_gfd(config.probes.gpu, [](const char* name) { return static_cast<const char*>(std::getenv(name)); });
  const Root files = Root::at("/");
  const auto apply = [&](std::string_view file, bool required) -> Result<bool> {
    const auto text = files.read(file);
    if (!text) {
      if (!required && text.error().code == Errc::absent) return false;
      return text.error();
    }
    const Status applied = apply_config(config, *text, file);
    if (!applied) return applied.error();
    return true;
  };
  if (!path.empty()) {
    const std::string absolute = std::filesystem::absolute(path).string();
    const auto named = apply(absolute, true);
    if (!named) return named.error();
    return config;
  }
  const auto own = apply(kOwn, false);
  if (!own) return own.error();
  if (*own) return config;
  for (const std::string_view file : {kWorker, kMaster}) {
    const auto read = apply(file, false);
    if (!read) return read.error();
  }
  return config;
}

std::vector<std::string> select_sources(const std::vector<std::string>& wanted,
                                        const std::vector<std::string_view>& known,
                                        const std::vector<std::string_view>& off_by_default, std::string_view key,
                                        std::vector<Problem>& problems) {
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
      const std::string_view guess = closest(name, known);
      problems.push_back({"unknown-source", std::string(key), "unknown source " + quote(name),
                          guess.empty() ? "see `nodescout features`" : "did you mean " + std::string(guess) + "?"});
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
