#include "publish/pace.h"

#include <algorithm>
#include <utility>

namespace nodescout {

void Pace::offer(bool prompt) {
  prompt_ = prompt || (fresh_ && prompt_);
  offered_ = fresh_ = true;
}

void Pace::set_recheck(std::chrono::seconds recheck, SteadyTime now) {
  if (recheck_ == recheck) return;
  recheck_ = recheck;
  next_recheck_.reset();
  plan_recheck(now);
}

std::optional<SteadyTime> Pace::due() const {
  if (!offered_) return std::nullopt;
  SteadyTime at{};
  if (fresh_) {
    if (last_write_) at = *last_write_ + kShortestInterval;
    if (last_write_ && !prompt_) at = std::max(at, paid_until_ - kAhead);
  } else if (next_recheck_) {
    at = *next_recheck_;
  } else {
    return std::nullopt;
  }
  return not_before_ ? std::max(at, *not_before_) : at;
}

bool Pace::begin(SteadyTime now) {
  begun_ = now;
  return std::exchange(fresh_, false);
}

void Pace::succeeded(bool wrote, SteadyTime now) {
  backoff_.reset();
  not_before_.reset();
  if (wrote) {
    last_write_ = begun_;
    // A person's writes do not wait for that, and do not hold up those that follow for longer than one would.
    paid_until_ = std::min(std::max(paid_until_, begun_), begun_ + kAhead) + kInterval;
  }
  plan_recheck(now);
}

void Pace::failed(Errc error, SteadyTime now) {
  fresh_ = true;  // whatever was offered meanwhile, or the same again
  // A conflict is answered at once, but for several in a row.
  const bool at_once = error == Errc::conflict && !backoff_.failing();
  const auto wait = std::min(backoff_.next(), error == Errc::absent ? kLongestAbsent : kLongest);
  not_before_ = at_once ? now : now + wait;
}

void Pace::plan_recheck(SteadyTime now) {
  next_recheck_.reset();
  if (recheck_.count() == 0) return;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(recheck_);
  next_recheck_ = now + backoff_.between(whole * 4 / 5, whole * 6 / 5);
}

}  // namespace nodescout
