// When the status of which NodeFeatureGroup is written. It lists the names of all members, so that one Node that joins
// writes all of them again: a large status is written rarely, and one that failed more and more rarely. An object that
// would exceed what etcd takes is not sent. Pure: time is an argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "system/clock.h"

namespace nodescout {

class GroupPace {
 public:
  static constexpr std::chrono::seconds kLeastPause{1};   // between two writes of a group
  static constexpr std::size_t kBytesPerSecond = 25'000;  // of a group's status, in the long run
  static constexpr std::size_t kMostBytes = 1'400'000;    // etcd takes 1.5 MiB for the whole object
  static constexpr std::chrono::seconds kFirstRetry{2};
  static constexpr std::chrono::minutes kLongestRetry{10};

  /// When it may be written again; before now: at once.
  SteadyTime due(const std::string& group) const;
  void written(const std::string& group, std::size_t bytes, SteadyTime now);
  void failed(const std::string& group, SteadyTime now);
  void forget(const std::string& group) { groups_.erase(group); }

 private:
  struct Group {
    SteadyTime not_before{};
    int failures = 0;
  };
  std::map<std::string, Group, std::less<>> groups_;
};

}  // namespace nodescout
