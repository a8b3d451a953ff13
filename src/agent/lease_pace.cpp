#include "agent/lease_pace.h"

#include <algorithm>

namespace nodescout {

void LeasePace::stop() {
  started_ = false;
  last_.reset();
  next_.reset();
}

std::optional<SteadyTime> LeasePace::due() const {
  if (!started_) return std::nullopt;
  SteadyTime at = next_.value_or(SteadyTime{});
  if (changed_ && last_) at = std::min(at, *last_ + kChangeInterval);
  return not_before_ ? std::max(at, *not_before_) : at;
}

void LeasePace::succeeded(SteadyTime now) {
  backoff_.reset();
  not_before_.reset();
  last_ = now;
  // Agents that were started by one rollout drift apart.
  next_ = now + backoff_.between(period_ * 9 / 10, period_);
}

void LeasePace::failed(Errc error, SteadyTime now) {
  changed_ = true;
  next_ = now;
  const auto wait = backoff_.next();
  not_before_ = now + (error == Errc::denied ? std::max(wait, period_) : wait);
}

}  // namespace nodescout
