// From what happens on a machine to the probes that it concerns, by what they declare.
#include <algorithm>

#include "nodescout/probes.h"

namespace nodescout {
namespace {

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view value_of(const Attributes& labels, std::string_view key) {
  const auto at = labels.find(key);
  return at == labels.end() ? std::string_view() : std::string_view(at->second);
}

}  // namespace

std::vector<std::string_view> woken_by_uevent(std::span<const Probe* const> probes, std::string_view subsystem) {
  std::vector<std::string_view> woken;
  for (const Probe* probe : probes)
    if (contains(probe->wakes.subsystems, subsystem)) woken.push_back(probe->name);
  return woken;
}

std::vector<std::string_view> woken_by_labels(std::span<const Probe* const> probes, const Attributes& before,
                                              const Attributes& now) {
  std::vector<std::string_view> woken;
  for (const Probe* probe : probes) {
    const auto& keys = probe->wakes.node_labels;
    if (std::any_of(keys.begin(), keys.end(),
                    [&](std::string_view key) { return value_of(before, key) != value_of(now, key); }))
      woken.push_back(probe->name);
  }
  return woken;
}

std::map<std::string, std::set<std::string>> watched_paths(std::span<const Probe* const> probes, const Root& files) {
  std::map<std::string, std::set<std::string>> watched;
  for (const Probe* probe : probes) {
    if (probe->wakes.paths.empty() || (probe->wakes.watches_paths && !probe->wakes.watches_paths(files))) continue;
    for (const std::string_view path : probe->wakes.paths) watched[std::string(path)].emplace(probe->name);
  }
  return watched;
}

}  // namespace nodescout
