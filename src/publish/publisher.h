// Where the agent's result goes: the own Node, a NodeFeature object, a file, or nowhere.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "keep/kept.h"
#include "nodescout/features.h"
#include "nodescout/labels.h"
#include "nodescout/plan.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

/// One result of the corridor.
struct Report {
  Features features;
  Desired desired;
  PlanOptions options;
  std::set<std::string, std::less<>>
      stale;  // feature keys that were not read whole: entries missing from them may still exist
  /// Whether something that is published and no longer desired may be removed, or why not.
  MayGo may_go = [](const Change&) { return std::nullopt; };
  bool prompt = false;  // a person made an edit and is waiting: the pause between two writes is short
};

struct Published {
  std::vector<Change> changes;       // that were written
  std::vector<Problem> problems;     // foreign keys, entries that the server refused
  std::map<Kept, std::size_t> held;  // number of entries that may not be removed yet, by reason
  std::optional<SteadyTime> later;   // when to publish again what changes too often to be written now
  Attributes node_labels;            // all of the Node's, as they were read before

  std::size_t held_in_all() const {
    std::size_t sum = 0;
    for (const auto& [why, count] : held) sum += count;
    return sum;
  }
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Makes the published state match the report; writes nothing if it already does. Errors: as the API client's; safe
  /// to call again.
  virtual Result<Published> publish(const Report& report, const std::stop_token& stop) = 0;
};

}  // namespace nodescout
