#include "system/clock.h"

#include <condition_variable>
#include <mutex>

namespace nodescout {

std::chrono::steady_clock::time_point RealClock::now() const { return std::chrono::steady_clock::now(); }

std::chrono::system_clock::time_point RealClock::today() const { return std::chrono::system_clock::now(); }

bool RealClock::sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace nodescout
