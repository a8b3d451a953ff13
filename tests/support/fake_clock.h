// A clock that moves only when a thread sleeps on it, or when the test moves it.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "system/clock.h"

namespace nodescout::test {

class FakeClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  std::chrono::system_clock::time_point today() const override {
    const std::lock_guard lock(mutex_);
    return today_;
  }
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override {
    advance(duration);
    {
      const std::lock_guard lock(mutex_);
      slept_.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
    }
    if (meanwhile_) meanwhile_();
    return !stop.stop_requested();
  }
  /// Called during each sleep: to change something, or to stop the loop that sleeps.
  void meanwhile(std::function<void()> happening) { meanwhile_ = std::move(happening); }

  void advance(std::chrono::nanoseconds duration) {
    const std::lock_guard lock(mutex_);
    now_ += duration;
    today_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(duration);
  }
  void set_today(std::chrono::system_clock::time_point today) {
    const std::lock_guard lock(mutex_);
    today_ = today;
  }
  /// Every sleep so far.
  std::vector<std::chrono::milliseconds> slept() const {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1000)};
  std::chrono::system_clock::time_point today_{std::chrono::hours(500'000)};
  std::vector<std::chrono::milliseconds> slept_;
  std::function<void()> meanwhile_;
};

}  // namespace nodescout::test
