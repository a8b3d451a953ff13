// The readiness gate: a node registers with a startup taint, so that no Pod is bound to it, and the agent removes the
// taint from its own Node once it knows the machine and the labels are there. The condition NodescoutReady shows the
// same to people. decide() is pure; ReadinessGate reads and writes the Node.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "document/value.h"
#include "kube/api.h"
#include "nodescout/plan.h"
#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

inline constexpr const char* kReadyCondition = "NodescoutReady";

/// Pauses between two looks for labels that are missing though the agent has done its part: before the deadline, and
/// after it.
inline constexpr std::chrono::seconds kGateLook{5}, kLateGateLook{60};

struct GateTerms {
  std::string taint;                   // its key; empty: no gate
  std::chrono::seconds deadline{300};  // after the agent's start, or a new registration of the Node
  std::vector<std::string> required;   // keys of labels
  bool is_taint_removed_at_deadline = false;
};

struct GateCondition {
  std::string status, reason, message;

  friend bool operator==(const GateCondition&, const GateCondition&) = default;
};

struct GateView {
  const NodeState& node;
  bool answered = false;  // every probe has answered, and what it found is published
  std::string error;      // why the last attempt to publish failed; empty: it did not
  SteadyTime since;       // the deadline counts from here
};

struct GateStep {
  bool remove_taint = false;
  std::optional<GateCondition> condition;  // to be on the Node; empty: as it is
  std::optional<SteadyTime> next;          // when to decide again, if nothing else happens; empty: never
  bool open = false;                       // the gate's work is done
};

GateStep decide(const GateTerms& terms, const GateView& view, SteadyTime now);

/// The condition as it is on the Node.
std::optional<GateCondition> gate_condition_of(const Value& node);

/// Strategic merge patch of nodes/NAME/status: no other condition changes.
Value condition_patch(const GateCondition& condition, std::chrono::system_clock::time_point now);

class ReadinessGate {
 public:
  ReadinessGate(Api& api, const Clock& clock, std::string node, GateTerms terms);

  /// After each attempt to publish; does nothing once the gate of the Node with this uid is open. An empty uid: not
  /// known. True: the Node was written.
  Result<bool> pass(const std::string& uid, bool answered, const std::string& error, const std::stop_token& stop);

  /// When to call pass() again, if there is no attempt before.
  std::optional<SteadyTime> next() const { return next_; }

 private:
  Api& api_;
  const Clock& clock_;
  const std::string node_;
  const GateTerms terms_;
  std::string uid_;
  SteadyTime since_;
  bool open_ = false;
  std::optional<SteadyTime> next_;
};

}  // namespace nodescout
