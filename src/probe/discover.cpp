#include <algorithm>
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
  into.origins.merge(seen.origins);
  into.reports.push_back({probe.name, duration, std::move(seen.problems), std::move(seen.incomplete),
                          std::move(seen.unsettled), std::move(seen.ongoing), std::move(seen.awaited)});
}

Discovery discover(const Host& host, std::span<const Probe* const> probes, const ProbeConfig& config,
                   const Moment& moment) {
  Discovery discovery;
  for (const Probe* probe : probes) run_probe(*probe, host, config, moment, discovery);
  return discovery;
}

std::vector<Problem> problems_of(const Discovery& discovery) {
  std::vector<Problem> problems;
  for (const ProbeReport& report : discovery.reports)
    for (const Problem& problem : report.problems)
      if (std::find(problems.begin(), problems.end(), problem) == problems.end()) problems.push_back(problem);
  return problems;
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
