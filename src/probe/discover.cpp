#include <exception>

#include "nodescout/probes.h"

namespace nodescout {
namespace {

Observation guarded(const Probe& probe, const Host& host, const ProbeConfig& config, const Moment& moment) {
  std::string what;
  try {
    return probe.run(host, config, moment);
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

void run_probe(const Probe& probe, const Host& host, const ProbeConfig& config, const Moment& moment, Discovery& into) {
  const auto start = std::chrono::steady_clock::now();
  Observation seen = guarded(probe, host, config, moment);
  const auto duration = std::chrono::steady_clock::now() - start;
  into.features.flags.merge(seen.features.flags);
  into.features.attributes.merge(seen.features.attributes);
  into.features.instances.merge(seen.features.instances);
  into.reports.push_back({probe.name, duration, std::move(seen.problems), std::move(seen.incomplete),
                          std::move(seen.unsettled), std::move(seen.ongoing), std::move(seen.awaited)});
}

Discovery discover(const Host& host, std::span<const Probe* const> probes, const ProbeConfig& config,
                   const Moment& moment) {
  Discovery discovery;
  for (const Probe* probe : probes) run_probe(*probe, host, config, moment, discovery);
  return discovery;
}

}  // namespace nodescout
