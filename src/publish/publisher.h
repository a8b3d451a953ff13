// Where the agent's result goes: the own Node, a NodeFeature object, a file, or nowhere.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "nodescout/result.h"

namespace nodescout {

/// One result of the corridor.
struct Report {
  Features features;
  Desired desired;
  PlanOptions options;
  std::set<std::string, std::less<>> stale;  // feature keys that were not read whole: what lacks in them may be there
  /// Whether something that is published and no longer desired may be removed: it is proved gone, not merely unseen.
  std::function<bool(const Change&)> may_remove = [](const Change&) { return true; };
  bool prompt = false;  // somebody edited something and looks at it: the pause between two writes is short
};

struct Published {
  std::vector<Change> changes;    // that were written
  std::vector<Problem> problems;  // foreign keys, entries that the server refused
  std::size_t held = 0;           // removals that wait for their proof
  Attributes node_labels;         // all of the Node's, as they were read before
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Brings the world in line with the report; writes nothing if it is already. Errors: as the API client's; nothing is
  /// lost by calling again.
  virtual Result<Published> publish(const Report& report, const std::stop_token& stop) = 0;
};

}  // namespace nodescout
