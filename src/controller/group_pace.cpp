#include "controller/group_pace.h"

#include <algorithm>

namespace nodescout {

SteadyTime GroupPace::due(const std::string& group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? SteadyTime{} : at->second.not_before;
}

void GroupPace::written(const std::string& group, std::size_t bytes, SteadyTime now) {
  const auto pause = std::chrono::milliseconds(1000 * bytes / kBytesPerSecond);
  groups_[group] = {now + std::max<std::chrono::milliseconds>(kLeastPause, pause), 0};
}

void GroupPace::failed(const std::string& group, SteadyTime now) {
  Group& known = groups_[group];
  known.not_before = now + std::min<std::chrono::seconds>(kLongestRetry, kFirstRetry * (1LL << known.failures));
  known.failures = std::min(known.failures + 1, 20);
}

}  // namespace nodescout
