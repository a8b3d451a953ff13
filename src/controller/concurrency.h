// How many requests may be under way at once: as many as the server answers without strain. Additive increase,
// multiplicative decrease, as TCP does it. Pure: time is an argument.
//
// - An answer in good time adds a little, so that the number grows by one for each round of answers.
// - 429 halves it, at most once a round, and nothing is sent before Retry-After has passed, or kLongestPause: a proxy
// may
//   name a day.
// - An answer that took much longer than the fastest of late takes a tenth off: API priority and fairness queues
//   requests before it refuses any, and other clients wait in the same queues.
#pragma once

#include <chrono>
#include <optional>

#include "system/clock.h"

namespace nodescout {

class Concurrency {
 public:
  using Duration = std::chrono::nanoseconds;
  static constexpr double kFirst = 4;
  static constexpr Duration kLeastPause = std::chrono::milliseconds(250);  // after a 429 without Retry-After
  static constexpr std::chrono::seconds kLongestPause{30};                 // whatever Retry-After says
  static constexpr Duration kSlack = std::chrono::milliseconds(25);        // an answer may take so much longer
  static constexpr std::chrono::seconds kForget{30};                       // the fastest answer counts so long

  explicit Concurrency(int most) : most_(most) {}

  bool may_begin(SteadyTime now) const;
  /// When to ask again, if time alone may change the answer.
  std::optional<SteadyTime> pause_ends(SteadyTime now) const;
  void begin() { ++under_way_; }
  /// What was begun is not sent after all.
  void give_back() { --under_way_; }

  struct Outcome {
    bool refused = false;  // 429
    bool failed = false;   // no answer, or 5xx
    bool is_long = false;  // megabytes take their time on an idle server, too: the latency says nothing
    std::optional<std::chrono::seconds> retry_after;
    Duration latency{};
  };
  void end(const Outcome& outcome, SteadyTime now);

  double limit() const { return limit_; }
  int under_way() const { return under_way_; }

 private:
  void reduce(double factor, SteadyTime now, Duration latency);

  const int most_;
  double limit_ = kFirst;
  int under_way_ = 0;
  std::optional<Duration> fastest_;
  SteadyTime fastest_at_{};
  SteadyTime no_reduction_before_{}, not_before_{};
};

}  // namespace nodescout
