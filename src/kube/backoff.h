// How long to wait after each of several failures in a row: twice as long each time up to a cap, and then some time at
// random between half of that and all of it, so that a thousand agents do not come back in step.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace nodescout {

class Backoff {
 public:
  using Duration = std::chrono::milliseconds;

  Backoff(Duration first, Duration most, std::uint_fast32_t seed) : first_(first), most_(most), random_(seed) {}

  /// The wait before the next try.
  Duration next() {
    const Duration whole = std::min(most_, first_ * (Duration::rep{1} << std::min(failures_, 20)));
    ++failures_;
    return between(whole / 2, whole);
  }
  void reset() { failures_ = 0; }
  bool failing() const { return failures_ > 0; }

  Duration between(Duration least, Duration most) {
    return Duration(std::uniform_int_distribution<Duration::rep>(least.count(), most.count())(random_));
  }

 private:
  const Duration first_;
  const Duration most_;
  std::minstd_rand random_;
  int failures_ = 0;
};

}  // namespace nodescout
