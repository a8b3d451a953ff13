#include "agent/conditions.h"

#include <algorithm>

namespace nodescout {

void Conditions::absorb(const Discovery& seen, SteadyTime now) {
  for (const ProbeReport& report : seen.reports) {
    const auto before = of_probe_.find(report.name);
    std::map<std::string, Ongoing> ongoing;
    for (const auto& [condition, enough] : report.ongoing) {
      SteadyTime since = now;
      if (before != of_probe_.end())
        if (const auto earlier = before->second.find(condition); earlier != before->second.end())
          since = earlier->second.since;
      const SteadyTime due = since + enough;
      ongoing.emplace(condition, Ongoing{since, due > now ? std::optional(due) : std::nullopt});
    }
    of_probe_.insert_or_assign(std::string(report.name), std::move(ongoing));
  }
}

std::map<std::string, std::chrono::milliseconds, std::less<>> Conditions::lasting(SteadyTime now) const {
  std::map<std::string, std::chrono::milliseconds, std::less<>> lasting;
  for (const auto& [probe, conditions] : of_probe_)
    for (const auto& [condition, ongoing] : conditions)
      lasting.insert_or_assign(condition, std::chrono::duration_cast<std::chrono::milliseconds>(now - ongoing.since));
  return lasting;
}

std::map<std::string, SteadyTime> Conditions::pending() const {
  std::map<std::string, SteadyTime> pending;
  for (const auto& [probe, conditions] : of_probe_)
    for (const auto& [condition, ongoing] : conditions) {
      if (!ongoing.due) continue;
      const auto [at, is_new] = pending.try_emplace(probe, *ongoing.due);
      if (!is_new) at->second = std::min(at->second, *ongoing.due);
    }
  return pending;
}

}  // namespace nodescout
