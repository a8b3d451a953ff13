// How long a test waits for something before it says that it will not come.
#pragma once

#include <algorithm>
#include <chrono>

namespace nodescout::test {

/// Tasks that want a processor, per processor (the average of the last minute); never less than 1.
double load_per_processor();

/// An idle machine's time, times the load of this one: a time that is enough on an idle machine is then enough on a
/// busy one, where each process gets a part of a processor. Made when the wait begins.
class Patience {
 public:
  explicit Patience(std::chrono::milliseconds when_idle) : when_idle_(when_idle) {}

  bool is_over() {
    const auto waited = std::chrono::steady_clock::now() - start_;
    if (waited <= when_idle_ * load_) return false;
    load_ = std::max(load_, load_per_processor());
    return waited > when_idle_ * load_;
  }

 private:
  std::chrono::duration<double, std::milli> when_idle_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double load_ = 1;
};

}  // namespace nodescout::test
