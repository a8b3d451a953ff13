// What the author of an object finds on it. Pure.
//
// On a NodeFeatureRule: on how many Nodes its rules match, which entries are refused and why, and the last error. The
// kind has no status, so this is an annotation. It is written rarely, since every agent and controller of the cluster
// watches these objects: at most once in kPause for each object, and only if the text changed.
//
// On a NodeFeatureRule, NodeFeature or NodeFeatureGroup: Events.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
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

  std::map<std::string, std::string> rejected;  // by entry, "label a.b/c": the first reason
  std::string error;                            // the last one

  /// True if that is new.
  bool reject(const std::string& entry, const std::string& why);
  bool fail(const std::string& text);
};

/// {"nodes":40,"matched":12,"rejected":["..."],"error":"..."}
std::string rule_status_text(std::size_t nodes, std::size_t matched, const RuleMistakes& mistakes);
/// A merge patch with that annotation.
Value rule_status_patch(const std::string& text);

/// As `kubectl describe nodefeaturerule NAME` shows it.
struct ObjectEvent {
  const char* kind;   // "NodeFeatureRule", "NodeFeature" or "NodeFeatureGroup"
  std::string space;  // empty for objects without a namespace
  std::string object, uid;
  std::string reason, note;
};
/// The namespace in which the API server takes that Event.
std::string space_of(const ObjectEvent& event);
Value event_of_object(const ObjectEvent& event, const std::string& reporter, std::chrono::system_clock::time_point now);

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
