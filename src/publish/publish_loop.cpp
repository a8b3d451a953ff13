#include "publish/publish_loop.h"

#include <algorithm>

namespace nodescout {
namespace {

constexpr std::chrono::milliseconds kFirstWait{500};
constexpr std::chrono::milliseconds kLongestWait{30'000};

}  // namespace

PublishLoop::PublishLoop(Publisher& publisher, std::chrono::seconds recheck, std::uint_fast32_t seed,
                         std::function<void(const std::stop_token&)> prepare,
                         std::function<void(const Attempt&, const std::stop_token&)> done)
    : publisher_(publisher),
      recheck_(recheck),
      prepare_(std::move(prepare)),
      done_(std::move(done)),
      backoff_(kFirstWait, kLongestWait, seed),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PublishLoop::~PublishLoop() {
  thread_.request_stop();
  changed_.notify_all();
}

void PublishLoop::offer(Report report) {
  {
    const std::lock_guard lock(mutex_);
    report.prompt = report.prompt || (fresh_ && report_->prompt);
    report_ = std::move(report);
    fresh_ = true;
  }
  changed_.notify_all();
}

void PublishLoop::again() {
  {
    const std::lock_guard lock(mutex_);
    fresh_ = report_.has_value();
  }
  changed_.notify_all();
}

void PublishLoop::set_recheck(std::chrono::seconds recheck) {
  {
    const std::lock_guard lock(mutex_);
    if (recheck_ == recheck) return;
    recheck_ = recheck;
    next_recheck_.reset();
    plan_recheck(std::chrono::steady_clock::now());
  }
  changed_.notify_all();
}

/// When the next attempt is due; empty: when something is offered.
std::optional<SteadyTime> PublishLoop::due() const {
  if (!report_) return std::nullopt;
  SteadyTime at{};
  if (fresh_) {
    if (last_write_) at = *last_write_ + (report_->prompt ? kPromptInterval : kInterval);
  } else if (next_recheck_) {
    at = *next_recheck_;
  } else {
    return std::nullopt;
  }
  return not_before_ ? std::max(at, *not_before_) : at;
}

void PublishLoop::plan_recheck(SteadyTime now) {
  if (recheck_.count() == 0) return;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(recheck_);
  next_recheck_ = now + backoff_.between(whole * 4 / 5, whole * 6 / 5);
}

void PublishLoop::run(const std::stop_token& stop) {
  if (prepare_) prepare_(stop);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto at = due();
    if (!at) {
      changed_.wait(lock, stop, [&] { return due().has_value(); });
      continue;
    }
    if (*at > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, stop, *at, [&] { return due() != at; });
      continue;
    }
    const Report report = *report_;
    const bool recheck = !fresh_;
    fresh_ = false;
    lock.unlock();
    const auto start = std::chrono::steady_clock::now();
    const Attempt attempt{publisher_.publish(report, stop), std::chrono::steady_clock::now() - start, recheck};
    if (!stop.stop_requested()) done_(attempt, stop);
    lock.lock();
    const auto now = std::chrono::steady_clock::now();
    if (!attempt.result) {
      fresh_ = true;  // whatever was offered meanwhile, or this again
      // Somebody else changed the Node: that is answered at once, the first few times.
      const bool conflict = attempt.result.error().code == Errc::conflict && !backoff_.failing();
      const auto wait = backoff_.next();
      not_before_ = conflict ? now : now + wait;
    } else {
      backoff_.reset();
      not_before_.reset();
      if (!attempt.result->changes.empty()) last_write_ = start;
      plan_recheck(now);
    }
  }
}

}  // namespace nodescout
