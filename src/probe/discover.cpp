#include <exception>

#include "nodescout/probes.h"

namespace nodescout {
namespace {

Observation guarded(const Probe& probe, const Host& host, const ProbeConfig& config) {
  std::string what;
  try {
    return probe.run(host, config);
  } catch (const std::exception& error) {
    what = error.what();
  }
  Observation failed;
  for (const FeatureSpec& spec : probe.produces) failed.incomplete.emplace(spec.key);
  failed.problems.push_back({"probe-failed", std::string(probe.name), "the probe stopped: " + what,
                             "report it with the output of `nodescout record`; its last good facts are kept"});
  return failed;
}

}  // namespace

Discovery discover(const Host& host, std::span<const Probe* const> probes, const ProbeConfig& config) {
  Discovery discovery;
  for (const Probe* probe : probes) {
    const auto start = std::chrono::steady_clock::now();
    Observation seen = guarded(*probe, host, config);
    const auto duration = std::chrono::steady_clock::now() - start;
    discovery.features.flags.merge(seen.features.flags);
    discovery.features.attributes.merge(seen.features.attributes);
    discovery.features.instances.merge(seen.features.instances);
    discovery.origins.merge(seen.origins);
    discovery.reports.push_back(
        {probe->name, duration, std::move(seen.problems), std::move(seen.incomplete), std::move(seen.unsettled)});
  }
  return discovery;
}

std::set<std::string, std::less<>> readable_anchors(const Root& files, std::span<const Probe* const> probes) {
  std::set<std::string, std::less<>> readable;
  for (const Probe* probe : probes)
    for (const FeatureSpec& spec : probe->produces) {
      if (spec.anchor.empty() || readable.contains(spec.anchor)) continue;
      const auto status = files.status(spec.anchor);
      if (!status) continue;
      const bool can_be_read = status->type == Root::FileType::directory ? files.list(spec.anchor).has_value()
                                                                         : files.read_head(spec.anchor, 1).has_value();
      if (can_be_read) readable.emplace(spec.anchor);
    }
  return readable;
}

}  // namespace nodescout
