// Which of several controllers writes: the holder of a Lease, as client-go's leader election decides it, with NFD's
// name and timings, so that nfd-master takes part as well. Pure: time is an argument.
//
// Clocks of machines differ, so no time stamp is compared with the own clock: a Lease that was not seen to change for
// its duration, by a clock that never jumps and goes on while the process is stopped (SIGSTOP), is free. The holder
// begins a write only until its renew deadline after the *start* of its last successful renewal, and gives it up when
// another may take the Lease.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "document/value.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

struct LeaderTimes {
  std::chrono::milliseconds lease{15'000};  // leaseDuration
  std::chrono::milliseconds renew{10'000};  // renewDeadline
  std::chrono::milliseconds retry{2'000};   // retryPeriod

  friend bool operator==(const LeaderTimes&, const LeaderTimes&) = default;
};

/// What is wrong with them: lease > renew > 1.2 × retry > 0. Empty: nothing.
std::string defect_of(const LeaderTimes& times);

/// How long a write may take that begins now, so that it ends before another process can take the Lease. Nothing: none
/// may begin. `until`: the end of the renew deadline; SteadyTime::max() where no Lease is needed.
std::optional<std::chrono::milliseconds> time_for_write(SteadyTime until, const LeaderTimes& times, SteadyTime now);

/// What a Lease object says.
struct LeaseRecord {
  std::string resource_version;
  std::string holder;  // empty: released
  std::string acquired, renewed;
  std::chrono::seconds duration{0};
  int transitions = 0;

  static LeaseRecord read(const Value& lease);
};

class Leadership {
 public:
  Leadership(std::string identity, LeaderTimes times) : identity_(std::move(identity)), times_(times) {}

  /// The Lease was read (nothing: it does not exist). Whether to try to write it now.
  bool observed(const std::optional<LeaseRecord>& record, SteadyTime now);
  /// The Lease to be written: acquired, renewed, or released.
  Value lease(const std::string& name, const std::string& space, std::chrono::system_clock::time_point today) const;
  Value released(const std::string& name, const std::string& space, std::chrono::system_clock::time_point today) const;
  /// The write that was begun at that time succeeded.
  void renewed(const LeaseRecord& record, SteadyTime begun);

  /// Whether this process may write to the cluster at this moment.
  bool may_write(SteadyTime now) const { return leads_until_ && now < *leads_until_; }
  /// Whether it holds the Lease, as far as it knows.
  bool holds() const { return leads_until_.has_value(); }
  const std::string& identity() const { return identity_; }
  const LeaderTimes& times() const { return times_; }

 private:
  Value object(const std::string& name, const std::string& space, std::chrono::system_clock::time_point today,
               bool release) const;

  const std::string identity_;
  const LeaderTimes times_;
  std::optional<LeaseRecord> seen_;
  SteadyTime changed_at_{};
  std::optional<SteadyTime> leads_until_;
};

}  // namespace nodescout
