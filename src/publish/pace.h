// When the next attempt to publish is due. Pure: time is an argument.
//
// After a rest two writes may follow each other closely, because what is plugged into a machine often comes in steps; a
// storm costs one write a second. Failures are retried with backoff, and the published state is rechecked
// periodically, which restores deleted labels.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "kube/backoff.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

class Pace {
 public:
  static constexpr std::chrono::milliseconds kInterval{1000};         // between two writes, on average
  static constexpr std::chrono::milliseconds kAhead{1000};            // how far they may be ahead of that
  static constexpr std::chrono::milliseconds kShortestInterval{200};  // between two; and when a person is waiting

  /// `recheck`: ± a fifth; 0: never.
  Pace(std::chrono::seconds recheck, std::uint_fast32_t seed) : recheck_(recheck), backoff_(kFirst, kLongest, seed) {}

  /// There is something new to publish.
  void offer(bool prompt);
  /// Publish the last offer again, if there was one.
  void again() { fresh_ = offered_; }
  void set_recheck(std::chrono::seconds recheck, SteadyTime now);

  /// When the next attempt is due; empty: when something is offered.
  std::optional<SteadyTime> due() const;

  /// An attempt begins. False: only to recheck what is published.
  bool begin(SteadyTime now);
  /// The attempt succeeded. `wrote`: it changed something.
  void succeeded(bool wrote, SteadyTime now);
  /// After a success: publish again at that time at the latest.
  void again_at(SteadyTime at) { next_recheck_ = next_recheck_ ? std::min(*next_recheck_, at) : at; }
  /// The attempt failed with this and will be retried. A conflict: another client changed the object meanwhile. Absent:
  /// there is no Node, yet or any more; it may be registered at any time, so the waits stay short.
  void failed(Errc error, SteadyTime now);

 private:
  static constexpr std::chrono::milliseconds kFirst{500};  // wait after failures
  static constexpr std::chrono::milliseconds kLongest{30'000};
  static constexpr std::chrono::milliseconds kLongestAbsent{5'000};

  void plan_recheck(SteadyTime now);

  std::chrono::seconds recheck_;
  Backoff backoff_;
  bool offered_ = false;  // at some time
  bool fresh_ = false;    // and not published yet
  bool prompt_ = false;
  SteadyTime begun_{};
  std::optional<SteadyTime> last_write_, next_recheck_, not_before_;
  SteadyTime paid_until_{};  // each write pays for kInterval
};

}  // namespace nodescout
