// How long the conditions that probes noted (Observation::ongoing) have lasted, and when a probe must check them again.
// Pure: time is an argument.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "nodescout/probes.h"
#include "system/clock.h"

namespace nodescout {

class Conditions {
 public:
  /// Takes the conditions of the probes that just ran; those no longer noted are over. Other probes' conditions
  /// continue.
  void absorb(const Discovery& seen, SteadyTime now);

  /// For Moment::lasting.
  std::map<std::string, std::chrono::milliseconds, std::less<>> lasting(SteadyTime now) const;

  /// Names of probes that wait for a condition to have lasted long enough, with the time when it will have.
  std::map<std::string, SteadyTime> pending() const;

 private:
  struct Ongoing {
    SteadyTime since;
    std::optional<SteadyTime> due;  // empty: it has lasted long enough
  };
  std::map<std::string, std::map<std::string, Ongoing>, std::less<>> of_probe_;  // probe -> condition
};

}  // namespace nodescout
