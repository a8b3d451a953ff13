#include "controller/agents.h"

#include "base/text.h"
#include "base/time.h"
#include "document/value_path.h"
#include "kube/lease.h"

namespace nodescout {

void AgentLeases::add(const Value& lease) {
  if (!at(lease, {"metadata", "annotations", kLeaseVersion})) return;
  if (text_at(lease, {"metadata", "annotations", kLeaseElsewhere}) == "true") return;
  const auto renewed = parse_rfc3339(text_at(lease, {"spec", "renewTime"}));
  const auto duration = parse_int(text_at(lease, {"spec", "leaseDurationSeconds"}));
  const Time until = renewed && duration ? *renewed + std::chrono::seconds(*duration) : Time{};
  fresh_until_.insert_or_assign(text_at(lease, {"metadata", "name"}), until);
}

AgentLeases AgentLeases::unreadable() {
  AgentLeases leases;
  leases.is_readable_ = false;
  return leases;
}

AgentLeases::State AgentLeases::of(std::string_view node, Time server_time) const {
  if (!is_readable_) return State::unknown;
  const auto at = fresh_until_.find(node);
  if (at == fresh_until_.end()) return State::none;
  return server_time < at->second ? State::lives : State::gone;
}

bool AgentLeases::has_become_stale(std::string_view node, Time then, Time now) const {
  return of(node, then) == State::lives && of(node, now) == State::gone;
}

AgentLeases::Time AgentLeases::fresh_until(std::string_view node) const {
  const auto at = fresh_until_.find(node);
  return at == fresh_until_.end() ? Time{} : at->second;
}

}  // namespace nodescout
