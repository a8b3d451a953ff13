// When which probe runs. Pure: time is an argument.
//
// An event makes its probes due a moment later, so that the events of one action are one pass; under a storm there are
// four passes a second. After a rest the kernel's events are followed at once, and by a second pass for what comes a
// little later. A slow poll covers facts without events.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "system/clock.h"

namespace nodescout {

class Schedule {
 public:
  static constexpr std::chrono::milliseconds kAtOnce{5};      // after the kernel's first event since a rest
  static constexpr std::chrono::milliseconds kSettle{50};     // after any other event, for its companions
  static constexpr std::chrono::milliseconds kInterval{250};  // between two passes; writes have their own pace

  /// `poll`: time between two slow polls, ± a fifth; 0: never.
  Schedule(std::chrono::seconds poll, std::uint_fast32_t seed);

  /// An event concerns this probe; an empty name: every probe.
  void touch(std::string_view probe, SteadyTime now);
  /// The same for an event of the kernel: what it announces is already there, whole, unlike a file that is written.
  void touch_by_kernel(std::string_view probe, SteadyTime now);
  /// This probe is wanted at that time (a fact waits for its proof); an empty name: every probe. Replaces what was
  /// wanted before.
  void want(std::map<std::string, SteadyTime> probes) { proofs_ = std::move(probes); }
  /// An answer that this probe waits for has arrived.
  void touch_answered(const std::string& probe, SteadyTime now);
  void set_poll(std::chrono::seconds poll, SteadyTime now);
  /// Rules or configuration changed: evaluate again, without any probe.
  void touch_rules(SteadyTime now);

  /// When the next pass is due; empty: at the next event.
  std::optional<SteadyTime> next() const;

  struct Pass {
    bool all = false;
    std::set<std::string, std::less<>> probes;
    std::set<std::string, std::less<>> touched;   // those of them that an event concerns; an empty name: all
    std::set<std::string, std::less<>> answered;  // probes whose awaited answer has arrived

    bool runs(std::string_view probe) const { return all || probes.contains(probe) || answered.contains(probe); }
    bool empty() const { return !all && probes.empty() && answered.empty(); }
  };
  /// Removes and returns the pass that is due now.
  Pass take(SteadyTime now);

 private:
  void plan_poll(SteadyTime now);

  std::chrono::seconds poll_;
  std::minstd_rand random_;
  std::optional<SteadyTime> first_event_;  // of those not yet taken
  std::optional<SteadyTime> last_event_;
  bool only_kernel_ = false;  // those of that time are all the kernel's
  std::optional<SteadyTime> last_pass_;
  std::optional<SteadyTime> next_poll_;
  bool all_ = false;
  std::set<std::string, std::less<>> touched_;
  std::set<std::string, std::less<>> answered_;
  std::map<std::string, SteadyTime> proofs_;
  std::set<std::string, std::less<>> again_;  // probes of a pass that did not wait for companions
  SteadyTime again_at_{};
};

}  // namespace nodescout
