#include "agent/schedule.h"

#include <algorithm>
#include <utility>

namespace nodescout {

Schedule::Schedule(std::chrono::seconds poll, std::uint_fast32_t seed) : poll_(poll), random_(seed) {}

void Schedule::touch(std::string_view probe, SteadyTime now) {
  touch_rules(now);
  if (probe.empty())
    all_ = true;
  else
    touched_.emplace(probe);
}

void Schedule::touch_by_kernel(std::string_view probe, SteadyTime now) {
  const bool only_kernel = !first_event_ || only_kernel_;
  touch(probe, now);
  only_kernel_ = only_kernel;
}

void Schedule::touch_rules(SteadyTime now) {
  if (!first_event_) first_event_ = now;
  last_event_ = now;
  only_kernel_ = false;
}

void Schedule::touch_answered(const std::string& probe, SteadyTime now) {
  touch_rules(now);
  answered_.insert(probe);
}

std::optional<SteadyTime> Schedule::next() const {
  std::optional<SteadyTime> next;
  const auto consider = [&](SteadyTime at) {
    if (!next || at < *next) next = at;
  };
  if (first_event_) {
    // Once events pause, at the latest one interval after the first of them, and one interval after the pass before.
    SteadyTime at = std::min(*last_event_ + kSettle, *first_event_ + kInterval);
    if (last_pass_ && *first_event_ < *last_pass_ + kInterval)
      at = std::max(at, *last_pass_ + kInterval);
    else if (only_kernel_)
      at = *first_event_ + kAtOnce;
    consider(at);
  }
  if (!again_.empty()) consider(again_at_);
  for (const auto& [probe, at] : proofs_) consider(at);
  if (next_poll_) consider(*next_poll_);
  return next;
}

void Schedule::plan_poll(SteadyTime now) {
  if (poll_.count() == 0) return;
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(poll_).count();
  std::uniform_int_distribution<std::chrono::milliseconds::rep> around(milliseconds * 4 / 5, milliseconds * 6 / 5);
  next_poll_ = now + std::chrono::milliseconds(around(random_));
}

void Schedule::set_poll(std::chrono::seconds poll, SteadyTime now) {
  if (poll == poll_) return;
  poll_ = poll;
  next_poll_.reset();
  plan_poll(now);
}

Schedule::Pass Schedule::take(SteadyTime now) {
  Pass pass;
  pass.all = all_ || (next_poll_ && *next_poll_ <= now);
  pass.touched = touched_;
  if (all_) pass.touched.emplace();
  pass.answered = std::exchange(answered_, {});
  if (again_at_ <= now) pass.probes = std::exchange(again_, {});
  if (first_event_ && only_kernel_ && now < *last_event_ + kSettle) {
    again_.insert(touched_.begin(), touched_.end());
    again_at_ = now + kInterval;
  }
  pass.probes.merge(std::exchange(touched_, {}));
  for (auto at = proofs_.begin(); at != proofs_.end();) {
    if (at->second > now) {
      ++at;
      continue;
    }
    if (at->first.empty())
      pass.all = true;
    else
      pass.probes.insert(at->first);
    at = proofs_.erase(at);
  }
  all_ = false;
  first_event_.reset();
  last_event_.reset();
  last_pass_ = now;
  if (pass.all || !next_poll_) plan_poll(now);
  return pass;
}

}  // namespace nodescout
