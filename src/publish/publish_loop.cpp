#include "publish/publish_loop.h"

namespace nodescout {
namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

PublishLoop::PublishLoop(Publisher& publisher, std::chrono::seconds recheck, std::uint_fast32_t seed,
                         std::function<void(const std::stop_token&)> prepare,
                         std::function<void(const Attempt&, const std::stop_token&)> done)
    : publisher_(publisher),
      prepare_(std::move(prepare)),
      done_(std::move(done)),
      pace_(recheck, seed),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PublishLoop::~PublishLoop() {
  thread_.request_stop();
  changed_.notify_all();
}

void PublishLoop::offer(Report report) {
  {
    const std::lock_guard lock(mutex_);
    pace_.offer(report.prompt);
    report_ = std::move(report);
  }
  changed_.notify_all();
}

void PublishLoop::again() {
  {
    const std::lock_guard lock(mutex_);
    pace_.again();
  }
  changed_.notify_all();
}

void PublishLoop::set_recheck(std::chrono::seconds recheck) {
  {
    const std::lock_guard lock(mutex_);
    pace_.set_recheck(recheck, now());
  }
  changed_.notify_all();
}

void PublishLoop::run(const std::stop_token& stop) {
  if (prepare_) prepare_(stop);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto at = pace_.due();
    if (!at) {
      changed_.wait(lock, stop, [&] { return pace_.due().has_value(); });
      continue;
    }
    if (*at > now()) {
      changed_.wait_until(lock, stop, *at, [&] { return pace_.due() != at; });
      continue;
    }
    const Report report = report_;
    const SteadyTime start = now();
    const bool recheck = !pace_.begin(start);
    lock.unlock();
    const Attempt attempt{publisher_.publish(report, stop), now() - start, recheck};
    if (!stop.stop_requested()) done_(attempt, stop);
    lock.lock();
    if (!attempt.result) {
      pace_.failed(attempt.result.error().code, now());
      continue;
    }
    pace_.succeeded(!attempt.result->changes.empty(), now());
    if (attempt.result->later) pace_.again_at(*attempt.result->later);
  }
}

}  // namespace nodescout
