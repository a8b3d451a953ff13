#include "controller/leadership.h"

#include <charconv>

#include "base/time.h"
#include "document/value_path.h"
#include "kube/resource.h"

namespace nodescout {
namespace {

constexpr std::chrono::hours kUnlimited{1};  // more than any request takes

int number_at(const Value& value, std::initializer_list<std::string_view> path) {
  const std::string text = text_at(value, path);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string defect_of(const LeaderTimes& times) {
  if (times.lease <= times.renew) return "leaseDuration must be longer than renewDeadline";
  if (times.renew * 10 <= times.retry * 12) return "renewDeadline must be longer than 1.2 times retryPeriod";
  if (times.retry.count() < 1) return "retryPeriod must be longer than 0";
  if (times.lease < std::chrono::seconds(1)) return "leaseDuration must be at least a second";
  return "";
}

std::optional<std::chrono::milliseconds> time_for_write(SteadyTime until, const LeaderTimes& times, SteadyTime now) {
  if (now >= until) return std::nullopt;
  if (until == SteadyTime::max()) return kUnlimited;
  return std::chrono::duration_cast<std::chrono::milliseconds>(until - now) + (times.lease - times.renew);
}

LeaseRecord LeaseRecord::read(const Value& lease) {
  LeaseRecord record;
  record.resource_version = text_at(lease, {"metadata", "resourceVersion"});
  record.holder = text_at(lease, {"spec", "holderIdentity"});
  record.acquired = text_at(lease, {"spec", "acquireTime"});
  record.renewed = text_at(lease, {"spec", "renewTime"});
  record.duration = std::chrono::seconds(number_at(lease, {"spec", "leaseDurationSeconds"}));
  record.transitions = number_at(lease, {"spec", "leaseTransitions"});
  return record;
}

bool Leadership::observed(const std::optional<LeaseRecord>& record, SteadyTime now) {
  if (!record) {
    seen_.reset();
    leads_until_.reset();
    return true;
  }
  if (!seen_ || seen_->resource_version != record->resource_version) changed_at_ = now;
  seen_ = record;
  if (record->holder == identity_) return true;
  leads_until_.reset();
  return record->holder.empty() || now - changed_at_ >= record->duration;
}

Value Leadership::object(const std::string& name, const std::string& space, std::chrono::system_clock::time_point today,
                         bool release) const {
  const bool is_ours = seen_ && seen_->holder == identity_;
  const std::string now = rfc3339_micro(today);
  Value metadata = Value::map();
  metadata.add("name", Value::string(name));
  metadata.add("namespace", Value::string(space));
  if (seen_) metadata.add("resourceVersion", Value::string(seen_->resource_version));
  Value spec = Value::map();
  spec.add("acquireTime", Value::string(is_ours && !seen_->acquired.empty() ? seen_->acquired : now));
  spec.add("holderIdentity", Value::string(release ? "" : identity_));
  // Rounded up: another process waits that long.
  spec.add("leaseDurationSeconds",
           Value::integer(release ? 1 : std::chrono::ceil<std::chrono::seconds>(times_.lease).count()));
  spec.add("leaseTransitions", Value::integer(seen_ ? seen_->transitions + (is_ours ? 0 : 1) : 0));
  spec.add("renewTime", Value::string(now));
  Value lease = Value::map();
  lease.add("apiVersion", Value::string(api_version(resources::kLeases)));
  lease.add("kind", Value::string("Lease"));
  lease.add("metadata", std::move(metadata));
  lease.add("spec", std::move(spec));
  return lease;
}

Value Leadership::lease(const std::string& name, const std::string& space,
                        std::chrono::system_clock::time_point today) const {
  return object(name, space, today, false);
}

Value Leadership::released(const std::string& name, const std::string& space,
                           std::chrono::system_clock::time_point today) const {
  return object(name, space, today, true);
}

void Leadership::renewed(const LeaseRecord& record, SteadyTime begun) {
  seen_ = record;
  changed_at_ = begun;
  leads_until_ = begun + times_.renew;
}

}  // namespace nodescout
