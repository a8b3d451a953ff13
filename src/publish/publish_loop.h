// The thread that publishes: the latest report wins, at the pace of publish/pace.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "publish/pace.h"
#include "publish/publisher.h"
#include "system/clock.h"

namespace nodescout {

class PublishLoop {
 public:
  struct Attempt {
    Result<Published> result;
    std::chrono::nanoseconds duration;
    bool recheck = false;  // no new report: recheck what is published
  };

  /// `recheck` as for Pace. On this loop's thread, `prepare` is called first of all, and `done` after every attempt.
  PublishLoop(Publisher& publisher, std::chrono::seconds recheck, std::uint_fast32_t seed,
              std::function<void(const std::stop_token&)> prepare,
              std::function<void(const Attempt&, const std::stop_token&)> done);
  ~PublishLoop();

  /// Publishes this as soon as possible; drops an earlier offer that is not yet published.
  void offer(Report report);
  /// Publishes the last report again (the Node changed, a connection came back).
  void again();
  void set_recheck(std::chrono::seconds recheck);

 private:
  void run(const std::stop_token& stop);

  Publisher& publisher_;
  const std::function<void(const std::stop_token&)> prepare_;
  const std::function<void(const Attempt&, const std::stop_token&)> done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Pace pace_;
  Report report_;        // the last that was offered
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace nodescout
