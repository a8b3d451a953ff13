#include "corridor/setup.h"

#include <algorithm>

namespace nodescout {

Result<Setup> set_up(const std::string& config_path, bool nfd_compat, const std::vector<std::string>& only) {
  auto config = load_config(config_path);
  if (!config) return config.error();
  Setup setup{*std::move(config), {}, {}};
  Config& chosen = setup.config;
  setup.problems = std::move(chosen.problems);
  if (nfd_compat) chosen.nfd_compat = true;
  chosen.probes.nfd_compat = chosen.nfd_compat;
  if (chosen.nfd_compat) {
    chosen.labels.write_prefixes.clear();
    chosen.labels.annotation_references = false;
  }

  std::vector<std::string_view> probes;
  std::vector<std::string_view> off_by_default;
  for (const Probe* probe : all_probes()) {
    probes.push_back(probe->name);
    if (probe->off_by_default) off_by_default.push_back(probe->name);
  }
  for (const std::string& name : select_sources(only.empty() ? chosen.feature_sources : only, probes, off_by_default,
                                                only.empty() ? "core.featureSources" : "--only", setup.problems))
    setup.probes.push_back(*std::find_if(all_probes().begin(), all_probes().end(),
                                         [&](const Probe* probe) { return probe->name == name; }));
  if (setup.probes.empty()) {
    if (only.empty())
      return Error{Errc::malformed, "core.featureSources", "no probe is left to run; see `nodescout features`"};
    std::string known;
    for (const std::string_view name : probes) known += (known.empty() ? "" : ", ") + std::string(name);
    return Error{Errc::unsupported, "--only", "none of these is a probe; there are " + known};
  }

  std::vector<std::string_view> label_sources = probes;
  label_sources.emplace_back("custom");
  chosen.label_sources =
      select_sources(chosen.label_sources, label_sources, off_by_default, "core.labelSources", setup.problems);
  return setup;
}

}  // namespace nodescout
