// Where the agent publishes its result: its own Node, a NodeFeature object, a file, or nowhere.
#pragma once

#include <functional>
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
      stale;  // feature keys that were not read completely: entries missing from them may still exist
  /// Whether something that is published and no longer desired may be removed, or why not.
  MayGo may_go = [](const Change&) { return std::nullopt; };
  std::map<EntryKey, std::string> left_out;  // that NodeFeature objects make which do not count, and their names
  std::map<EntryKey, std::string> made_by;   // what made each desired entry, for messages; may be empty
  /// The same where made_by would cost too much for all entries; called only for entries that are not written.
  std::function<std::string(const EntryKey&)> maker;
  bool answered = true;  // every probe has answered: none waits for a driver
  bool prompt = false;   // a person made an edit and is waiting: the pause between two writes is short
};

/// A desired entry that is not on the Node, or not as desired: foreign, beyond a limit, refused by the server.
struct Unwritten {
  EntryKey entry;
  Problem problem;  // names who asks for the entry
};

struct Published {
  std::vector<Change> changes;       // that were written
  std::vector<Problem> problems;     // foreign keys, entries that the server refused
  std::vector<Unwritten> unwritten;  // those of the problems that are about an entry
  std::map<Kept, std::size_t> held;  // number of entries that may not be removed yet, by reason
  std::optional<SteadyTime> later;   // when to publish again what changes too often to be written now
  Attributes node_labels;            // all of the Node's, as they were read before
  std::string node_uid;              // of the Node that was read
  bool answered = true;              // as the report
  std::string digest;                // digest_of_owned of the Node as it is now
  /// Of the agent's own Node: everything that we own there now, with its maker from the report, or empty.
  std::map<EntryKey, std::string> made_by;

  std::size_t held_in_all() const {
    std::size_t sum = 0;
    for (const auto& [why, count] : held) sum += count;
    return sum;
  }
  /// Those that may be removed without a change from outside.
  std::size_t held_for_proof() const {
    const auto lasting = held.find(Kept::object_not_counted);
    return held_in_all() - (lasting == held.end() ? 0 : lasting->second);
  }
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Makes the published state match the report; writes nothing if it already does. Errors: as the API client's; safe
  /// to call again.
  virtual Result<Published> publish(const Report& report, const std::stop_token& stop) = 0;
  /// Removes everything of ours, and returns the removals; with `dry_run` only returns them. `instance`: as in
  /// PlanOptions. Nothing published is not an error.
  virtual Result<Published> remove(const std::string& instance, bool dry_run, const std::stop_token& stop) = 0;
  /// Called while the first report is being made, so that publish() need not wait for what it reads.
  virtual void prefetch(const std::stop_token&) {}
};

}  // namespace nodescout
