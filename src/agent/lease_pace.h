// When the next renewal of the agent's Lease is due. Pure: time is an argument.
//
// One in each period; a new content comes sooner, but no more often than every few seconds; after a failure several
// tries fit before the Lease is stale.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "kube/backoff.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

class LeasePace {
 public:
  static constexpr std::chrono::milliseconds kChangeInterval{5000};

  LeasePace(std::chrono::seconds period, std::uint_fast32_t seed)
      : period_(period), backoff_(kFirst, std::min<std::chrono::milliseconds>(period, kLongest), seed) {}

  /// There is a Node that the Lease belongs to. Nothing is due before this.
  void start() { started_ = true; }
  /// There may no longer be one.
  void stop();
  /// The content is new.
  void change() { changed_ = true; }

  /// Empty: nothing is due until start().
  std::optional<SteadyTime> due() const;

  void begin() { changed_ = false; }
  void succeeded(SteadyTime now);
  /// Without the right to renew, the next try is in a period.
  void failed(Errc error, SteadyTime now);

 private:
  static constexpr std::chrono::milliseconds kFirst{1000};
  static constexpr std::chrono::milliseconds kLongest{10'000};

  const std::chrono::milliseconds period_;
  Backoff backoff_;
  bool started_ = false;
  bool changed_ = false;
  std::optional<SteadyTime> last_, next_, not_before_;
};

}  // namespace nodescout
