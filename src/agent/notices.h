// Reports each problem once: in the log and, if it concerns a rule or key that a person wrote, as a Kubernetes Event on
// the Node ("kubectl describe node"), a few at a time.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/log.h"
#include "kube/api.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

/// "rejected-label" -> "RejectedLabel", as the reasons of Events are written.
std::string event_reason(const std::string& code);

class Notices {
 public:
  static constexpr std::size_t kBurst = 10;             // Events at once
  static constexpr std::chrono::minutes kPause{1};      // then one per pause
  static constexpr std::size_t kMostRemembered = 2000;  // problems

  explicit Notices(Log& log) : log_(log) {}

  /// All current problems of this kind: new ones are logged and returned; one that went away is reported again if it
  /// returns. `on_node`: also post them as Events. Any thread.
  std::vector<Problem> tell(const std::string& kind, const std::vector<Problem>& problems, bool on_node);

  /// Its subject is gone.
  void forget(const std::string& kind);

  /// As tell, but at debug level: only if the log has that level.
  void detail(const std::string& kind, const std::vector<Problem>& problems);

  /// Posts the queued Events. Call it where a request may block.
  void post(Api& api, Clock& clock, const std::string& node, const std::stop_token& stop);

 private:
  Log& log_;
  std::mutex mutex_;
  std::map<std::string, std::set<Problem>, std::less<>> known_;
  std::deque<Problem> waiting_;
  double allowance_ = kBurst;
  SteadyTime counted_{};
};

}  // namespace nodescout
