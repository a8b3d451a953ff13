// What the events of a watch say about its collection as a whole, not about a single object.
#pragma once

#include <optional>
#include <string>

#include "kube/watch.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

struct WatchedCollection {
  std::string resource;   // "nodefeatures"
  bool synced = false;    // everything there is has been reported
  bool missing = false;   // the server has no such collection
  bool troubled = false;  // the last connection failed; what is known is still used
  std::string trouble = {};
  std::optional<SteadyTime> heard = {};  // when the server last said something about it

  /// True if the event was about the collection and not about an object.
  bool take(const WatchEvent& event, SteadyTime now = {});

  /// An object that was not reported does not exist.
  bool is_known() const { return synced || missing; }
  /// Known as it was at that time or later. A connection may be dead for minutes before anybody notices.
  bool is_known_since(SteadyTime time) const { return is_known() && heard && *heard >= time; }
  /// Known, or failing: waiting longer does not help.
  bool is_settled() const { return is_known() || troubled; }

  /// None unless troubled.
  std::optional<Problem> problem() const;
};

}  // namespace nodescout
