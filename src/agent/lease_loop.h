// The thread that renews the agent's Lease, and the watch of that one object. The garbage collector deletes a Lease
// with the Node that owns it, so a Lease that is gone means: the Node was deleted, and may have been registered again
// without our labels.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/lease_pace.h"
#include "kube/api.h"
#include "kube/lease.h"
#include "kube/watch.h"
#include "nodescout/plan.h"
#include "plan/made_by.h"
#include "system/clock.h"

namespace nodescout {

class LeaseLoop {
 public:
  struct Hooks {
    std::function<void()> gone;                           // the Lease is gone; only with `is_own_node`
    std::function<void(const Status&)> renewed;           // after each attempt
    std::function<void(const Error*)> watched = nullptr;  // the watch fails with this, or no longer fails
  };

  /// `is_own_node`: the agent writes the Node. Then a Lease that is gone is reported. Hooks are called on the threads of
  /// this object.
  LeaseLoop(Api& api, Clock& clock, LeaseTerms terms, bool is_own_node, std::uint_fast32_t seed, Hooks hooks);
  ~LeaseLoop();

  /// An attempt to publish is over; the first one starts the renewals, so that they never delay it. An empty argument
  /// is unknown now, and what was known of it stays. `made_by`: of everything that we own on the Node, its maker or
  /// empty; `changes`: what this attempt wrote of it. Any thread.
  void published(const std::string& node_uid, const std::string& digest,
                 const std::map<EntryKey, std::string>& made_by = {}, const std::vector<Change>& changes = {});
  /// Ends the threads; no hook is called afterwards.
  void stop();

 private:
  void run(const std::stop_token& stop);
  void note_makers(const std::map<EntryKey, std::string>& made_by, const std::vector<Change>& changes);
  Status renew(LeaseContent content, std::map<EntryKey, MadeBy> made_by, const std::stop_token& stop);
  void watch();
  void take(const WatchEvent& event);
  void lost();

  Api& api_;
  Clock& clock_;
  const LeaseTerms terms_;
  const bool is_own_node_;
  const Hooks hooks_;
  OwnLease lease_;  // of this object's thread

  std::mutex mutex_;  // of the following
  std::condition_variable_any changed_;
  LeasePace pace_;
  LeaseContent content_;
  std::map<EntryKey, MadeBy> made_by_;
  bool forget_ = false;  // what the server had

  std::unique_ptr<Watch> lease_watch_;
  std::jthread watch_thread_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace nodescout
