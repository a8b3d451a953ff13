#include "controller/concurrency.h"

#include <algorithm>

namespace nodescout {

bool Concurrency::may_begin(SteadyTime now) const {
  return now >= not_before_ && under_way_ < static_cast<int>(limit_);
}

std::optional<SteadyTime> Concurrency::pause_ends(SteadyTime now) const {
  if (now >= not_before_) return std::nullopt;
  return not_before_;
}

/// What was under way when the last reduction was made says nothing about its effect.
void Concurrency::reduce(double factor, SteadyTime now, Duration latency) {
  if (now < no_reduction_before_) return;
  limit_ = std::max(1.0, limit_ * factor);
  no_reduction_before_ = now + latency;
}

void Concurrency::end(const Outcome& outcome, SteadyTime now) {
  const bool was_full = under_way_ >= static_cast<int>(limit_);
  --under_way_;
  if (outcome.refused) {
    reduce(0.5, now, outcome.latency);
    const Duration pause = outcome.retry_after
                               ? Duration(std::clamp<std::chrono::seconds>(*outcome.retry_after, {}, kLongestPause))
                               : kLeastPause;
    not_before_ = std::max(not_before_, now + pause);
    return;
  }
  if (outcome.failed) return reduce(0.5, now, outcome.latency);
  if (outcome.is_long) return;
  if (!fastest_ || outcome.latency <= *fastest_ || now - fastest_at_ > kForget) {
    fastest_ = outcome.latency;
    fastest_at_ = now;
  }
  if (outcome.latency > 4 * *fastest_ + kSlack) return reduce(0.9, now, outcome.latency);
  // A limit that is not reached was not tried.
  if (was_full) limit_ = std::min<double>(most_, limit_ + 1 / limit_);
}

}  // namespace nodescout
