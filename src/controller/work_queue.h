// Names that need work: each once, none twice at the same time, and one that failed only after a wait. Pure: time is an
// argument.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "system/clock.h"

namespace nodescout {

class WorkQueue {
 public:
  static constexpr std::chrono::milliseconds kFirstWait{250};
  static constexpr std::chrono::milliseconds kLongestWait{100'000};

  /// Work that arrives while the name is being worked on is done afterwards.
  void add(const std::string& name, SteadyTime now);
  /// The name that has waited longest, or nothing if none is due. It is then in work until done().
  std::optional<std::string> take(SteadyTime now);
  /// The work succeeded, or has to be tried again later.
  void done(const std::string& name, bool succeeded, SteadyTime now);
  /// The name needs no work and is forgotten: its Node is gone.
  void forget(const std::string& name);
  void clear();

  /// When the next name is due; nothing if none waits.
  std::optional<SteadyTime> next() const;
  std::size_t waiting() const { return due_.size(); }
  bool is_idle() const { return due_.empty() && in_work_.empty(); }
  /// Nothing is due, in work, or waits after a failure.
  bool is_caught_up(SteadyTime now) const {
    return in_work_.empty() && failures_.empty() && (due_.empty() || due_.begin()->first > now);
  }
  /// How often the work on this name has failed in a row.
  int failures(const std::string& name) const;

 private:
  void wait_until(const std::string& name, SteadyTime due);

  std::set<std::pair<SteadyTime, std::string>> due_;
  std::map<std::string, SteadyTime, std::less<>> waits_;  // the same by name
  std::map<std::string, bool, std::less<>> in_work_;      // whether more work arrived meanwhile
  std::map<std::string, int, std::less<>> failures_;
};

}  // namespace nodescout
