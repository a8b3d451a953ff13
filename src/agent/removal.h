// Whether something on the Node that is not desired any more may be removed. Facts that this process has seen and that
// are gone have proved it already (agent/memory.h). This is about the rest: what was on the Node before we came.
//
// An early walk after a start may see less than there is: rule objects that are still to come, a driver that is still
// loading. So what this process has never made itself goes only once the cluster has told all that it has, three whole
// passes over at least three seconds agree, and nothing that might make it is unreadable.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "agent/corridor.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "system/clock.h"

namespace nodescout {

class Removal {
 public:
  /// A pass over all probes is done.
  void whole_pass(SteadyTime now);
  /// Whether there have been passes enough.
  bool is_proved(SteadyTime now) const;

  /// For a Report of this desired state.
  std::function<bool(const Change&)> gate(const Desired& desired, bool cluster_complete, AgentCorridor::Doubt doubt,
                                          SteadyTime now);

 private:
  using Keys = std::set<std::pair<Change::Kind, std::string>>;

  std::shared_ptr<const Keys> made_ = std::make_shared<const Keys>();  // by this process, at some time
  SteadyTime since_{};
  int passes_ = 0;
};

}  // namespace nodescout
