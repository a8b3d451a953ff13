// Problems, told once each: in the log, and, where they are somebody's rule or key, as Kubernetes Events on the Node
// ("kubectl describe node"), a few at a time.
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

class Notices {
 public:
  static constexpr std::size_t kBurst = 10;             // Events at once
  static constexpr std::chrono::minutes kPause{1};      // then one in so much time
  static constexpr std::size_t kMostRemembered = 2000;  // problems

  explicit Notices(Log& log) : log_(log) {}

  /// All problems of this kind that there are now; new ones are logged, gone ones may be told again when they come
  /// back. `on_node`: their authors look at the Node. Any thread.
  void tell(const std::string& kind, const std::vector<Problem>& problems, bool on_node);

  /// Posts what waits. Called where a request may take its time.
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
