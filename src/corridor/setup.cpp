#include "corridor/setup.h"

#include <algorithm>

namespace nodescout {

SourceNames source_names() {
  SourceNames names;
  for (const Probe* probe : all_probes()) {
    names.features.push_back(probe->name);
    if (probe->off_by_default) names.off_by_default.push_back(probe->name);
  }
  names.labels = names.features;
  names.labels.emplace_back("custom");
  return names;
}

Result<Setup> set_up(const MachineOptions& options) {
  const std::vector<std::string>& only = options.only;
  auto config = load_config(options.config);
  if (!config) return config.error();
  Setup setup{*std::move(config), {}, {}};
  Config& chosen = setup.config;
  setup.problems = std::move(chosen.problems);
  if (options.nfd_compat) chosen.nfd_compat = true;
  chosen.probes.nfd_compat = chosen.nfd_compat;
  if (chosen.nfd_compat) chosen.labels.write_prefixes.clear();

  const SourceNames sources = source_names();
  for (const std::string& name :
       select_sources(only.empty() ? chosen.feature_sources : only, sources.features, sources.off_by_default,
                      only.empty() ? "core.featureSources" : "--only", setup.problems))
    setup.probes.push_back(*std::find_if(all_probes().begin(), all_probes().end(),
                                         [&](const Probe* probe) { return probe->name == name; }));
  if (setup.probes.empty()) {
    if (only.empty())
      return Error{Errc::malformed, "core.featureSources", "no probe is left to run; see `nodescout features`"};
    std::string known;
    for (const std::string_view name : sources.features) known += (known.empty() ? "" : ", ") + std::string(name);
    return Error{Errc::unsupported, "--only", "none of these is a probe; there are " + known};
  }

  chosen.label_sources =
      select_sources(chosen.label_sources, sources.labels, sources.off_by_default, "core.labelSources", setup.problems);
  return setup;
}

}  // namespace nodescout
