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

#include "agent/memory.h"
#include "kube/backoff.h"
#include "nodescout/publish.h"

namespace nodescout {

class PublishLoop {
 public:
  static constexpr std::chrono::milliseconds kInterval{1000};

  struct Attempt {
    Result<Published> result;
    std::chrono::nanoseconds duration;
    bool recheck = false;  // nothing new to say: a look at what is published
  };

  /// `recheck` give or take a fifth; 0: never. `done` is called after every attempt, on this loop's thread.
  PublishLoop(Publisher& publisher, std::chrono::seconds recheck, std::uint_fast32_t seed,
              std::function<void(const Attempt&)> done);
  ~PublishLoop();

  /// Publishes this as soon as may be; what was offered before and not yet published is forgotten.
  void offer(Report report);
  /// Publishes the last report again (the Node changed, a connection came back).
  void again();
  /// Waits until the last report offered is published, or `until`. True if it is.
  bool drained(SteadyTime until);

 private:
  void run(const std::stop_token& stop);
  std::optional<SteadyTime> due() const;
  void plan_recheck(SteadyTime now);

  Publisher& publisher_;
  const std::chrono::seconds recheck_;
  const std::function<void(const Attempt&)> done_;
  Backoff backoff_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Report> report_;
  bool fresh_ = false;  // report_ is not published yet
  bool publishing_ = false;
  std::optional<SteadyTime> last_write_, next_recheck_, not_before_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace nodescout
