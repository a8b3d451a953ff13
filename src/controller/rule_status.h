// What the author of an object finds on it. Pure.
//
// On a NodeFeatureRule: on how many Nodes its rules match, which entries are refused and why, and an error. The kind
// has no status, so this is an annotation. It is written rarely, since every agent and controller of the cluster
// watches these objects: for each object at most once in kPause, and if only numbers of Nodes keep changing, at
// intervals that grow up to kLongestPause. Another total of Nodes alone is no reason to write.
//
// On a NodeFeatureRule, NodeFeature or NodeFeatureGroup: Events.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// Mistakes that a rule object makes on some Node, as long as a Node shows them: between begin() and finish() each
/// mistake is noted that a Node still shows. Of the Nodes that show one, some are remembered.
class RuleMistakes {
 public:
  static constexpr std::size_t kMost = 8;        // refused entries: an annotation is for people
  static constexpr std::size_t kMostNodes = 16;  // of each mistake
  enum class Stage : std::uint8_t {
    reading,     // of the object itself, with no Node: holds until the rule changes
    evaluation,  // of the rules on a Node
    writing,     // of what they make
  };

  void begin(const std::string& node, Stage stage);
  /// True if that is new. The first reason for an entry and the first error are kept.
  bool reject(const std::string& node, Stage stage, const std::string& entry, const std::string& why);
  bool fail(const std::string& node, Stage stage, const std::string& text);
  /// True if a mistake is gone.
  bool finish();

  /// By entry, "label a.b/c".
  std::vector<std::string> rejected() const;
  const std::string& error() const { return error_.text; }

 private:
  struct Mistake {
    std::string text;
    Stage stage = Stage::reading;
    std::set<std::string> nodes;
  };
  static void note(const std::string& node, Mistake& mistake);

  std::map<std::string, Mistake> rejected_;
  Mistake error_;  // text empty: none
};

/// {"nodes":40,"matched":12,"rejected":["..."],"error":"..."}
std::string rule_status_text(std::size_t nodes, std::size_t matched, const RuleMistakes& mistakes);
/// A merge patch with that annotation. It fails on any other version of the object.
Value rule_status_patch(const std::string& text, const std::string& resource_version);

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
  static constexpr std::chrono::hours kLongestPause{1};

  /// The text that the object has, and its version; from the watch.
  void has(const std::string& object, const std::string& text, const std::string& resource_version = "");
  void forget(const std::string& object);
  /// The text that it should have.
  void wants(const std::string& object, const std::string& text, SteadyTime now);
  /// Objects whose time has come, with their texts; they count as written.
  std::map<std::string, std::string> take(SteadyTime now);
  /// It was not written, because the object has changed: soon again.
  void missed(const std::string& object, SteadyTime now);
  std::string version_of(const std::string& object) const;
  /// The earliest of them; nothing if no object waits.
  std::optional<SteadyTime> next() const;

 private:
  struct Object {
    std::string has, wants, resource_version;
    std::optional<SteadyTime> due, written;
    std::chrono::seconds pause = kPause;
  };
  std::map<std::string, Object, std::less<>> objects_;
};

}  // namespace nodescout
