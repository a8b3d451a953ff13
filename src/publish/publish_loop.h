// The thread that publishes: the latest report wins, writes are at least a second apart, failures are tried again with
// growing waits, and the own Node is looked at again now and then, which is how a label that somebody deleted comes
// back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "kube/backoff.h"
#include "publish/publisher.h"
#include "system/clock.h"

namespace nodescout {

class PublishLoop {
 public:
  static constexpr std::chrono::milliseconds kInterval{1000};       // between two writes: a storm costs one a second
  static constexpr std::chrono::milliseconds kPromptInterval{200};  // where somebody waits for it

  struct Attempt {
    Result<Published> result;
    std::chrono::nanoseconds duration;
    bool recheck = false;  // nothing new to say: a look at what is published
  };

  /// `recheck` give or take a fifth; 0: never. On this loop's thread, `prepare` is called first of all, and `done`
  /// after every attempt.
  PublishLoop(Publisher& publisher, std::chrono::seconds recheck, std::uint_fast32_t seed,
              std::function<void(const std::stop_token&)> prepare,
              std::function<void(const Attempt&, const std::stop_token&)> done);
  ~PublishLoop();

  /// Publishes this as soon as may be; what was offered before and not yet published is forgotten.
  void offer(Report report);
  /// Publishes the last report again (the Node changed, a connection came back).
  void again();
  void set_recheck(std::chrono::seconds recheck);

 private:
  void run(const std::stop_token& stop);
  std::optional<SteadyTime> due() const;
  void plan_recheck(SteadyTime now);

  Publisher& publisher_;
  std::chrono::seconds recheck_;
  const std::function<void(const std::stop_token&)> prepare_;
  const std::function<void(const Attempt&, const std::stop_token&)> done_;
  Backoff backoff_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Report> report_;
  bool fresh_ = false;  // report_ is not published yet
  std::optional<SteadyTime> last_write_, next_recheck_, not_before_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace nodescout
