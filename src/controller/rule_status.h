// What the author of a NodeFeatureRule finds on the object itself: on how many Nodes its rules match, which entries are
// refused and why, and the last error. Pure.
//
// The kind has no status, so this is an annotation. It is written rarely, since every agent and controller of the
// cluster watches these objects: at most once in kPause for each object, and only if the text changed.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "document/value.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

inline constexpr const char* kRuleStatus = "nodescout.dev/status";

/// Mistakes that a rule object makes on some Node.
struct RuleMistakes {
  static constexpr std::size_t kMost = 8;  // of each kind: an annotation is for people

  std::set<std::string> rejected;  // "label a.b/c: why"
  std::string error;               // the last one

  /// True if that is new.
  bool reject(const std::string& text);
  bool fail(const std::string& text);
};

/// {"nodes":40,"matched":12,"rejected":["..."],"error":"..."}
std::string rule_status_text(std::size_t nodes, std::size_t matched, const RuleMistakes& mistakes);
/// A merge patch with that annotation.
Value rule_status_patch(const std::string& text);

/// An Event of that object, as `kubectl describe nodefeaturerule NAME` shows it. `failed`: a rule could not be
/// evaluated; else an entry is refused.
struct RuleEvent {
  std::string object, uid;
  bool failed = false;
  std::string note;
};
Value event_of_rule(const RuleEvent& event, const std::string& reporter, std::chrono::system_clock::time_point now);

/// When the status of which object is written.
class StatusPace {
 public:
  static constexpr std::chrono::seconds kFirst{2};  // after a change: others may follow
  static constexpr std::chrono::minutes kPause{1};

  /// The text that the object has; from the watch.
  void has(const std::string& object, const std::string& text);
  void forget(const std::string& object);
  /// The text that it should have.
  void wants(const std::string& object, const std::string& text, SteadyTime now);
  /// An object whose time has come, with its text; it counts as written.
  std::map<std::string, std::string> take(SteadyTime now);
  /// The earliest of them; nothing if no object waits.
  std::optional<SteadyTime> next() const;

 private:
  struct Object {
    std::string has, wants;
    std::optional<SteadyTime> due;
    std::optional<SteadyTime> not_before;
  };
  std::map<std::string, Object, std::less<>> objects_;
};

}  // namespace nodescout
