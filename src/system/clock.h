// Time as an argument: loops that wait get a Clock, so that tests run them without sleeping.
#pragma once

#include <chrono>
#include <stop_token>

namespace nodescout {

using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;

  /// Never jumps: for intervals.
  virtual std::chrono::steady_clock::time_point now() const = 0;
  /// Calendar time: for time stamps, and for expiry dates in files.
  virtual std::chrono::system_clock::time_point today() const = 0;
  /// Returns early, and false, when stop is asked for.
  virtual bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) = 0;
};

/// The machine's own clock. Any number of threads may sleep on it.
class RealClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point now() const override;
  std::chrono::system_clock::time_point today() const override;
  bool sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) override;
};

}  // namespace nodescout
