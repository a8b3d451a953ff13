// Limits how often something that changes again and again is written: an entry that a flapping object or device makes,
// or the Node as a whole. Pure: time is an argument.
//
// The first changes are free, since a person who edits a rule waits for each of them. From then on every change doubles
// the wait before the next. Changes are forgiven one at a time, so that something that never settles ends at one change
// for each `relief`.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "system/clock.h"

namespace nodescout {

class Damper {
 public:
  Damper(std::uint32_t free, std::chrono::seconds relief) : free_(free), relief_(relief) {}

  void changed(SteadyTime now) {
    load_ = load(now) + 1;
    last_ = now;
  }

  /// When it may change again; not later than `now` if it may at once.
  SteadyTime not_before(SteadyTime now) const {
    const double excess = load(now) - free_;
    if (excess <= 0) return now;
    const double seconds = std::min(std::exp2(excess), static_cast<double>(relief_.count()));
    return last_ + std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }

  /// Whether it may still change at once.
  bool is_free(SteadyTime now) const { return load(now) <= free_; }

  bool is_at_rest(SteadyTime now) const { return load(now) <= 0; }

 private:
  double load(SteadyTime now) const {
    const std::chrono::duration<double> rest = now - last_;
    return std::max(0.0, load_ - rest / relief_);
  }

  std::uint32_t free_;
  std::chrono::seconds relief_;
  double load_ = 0;  // changes that are not forgiven yet, at the time `last_`
  SteadyTime last_{};
};

}  // namespace nodescout
