#include "agent/readiness_gate.h"

#include <algorithm>
#include <utility>

#include "base/excerpt.h"
#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "plan/node_state.h"
#include "plan/startup_taint.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestMessage = 1000;  // the admission policy allows a little more

std::vector<std::string> missing_labels(const GateTerms& terms, const NodeState& node) {
  std::vector<std::string> missing;
  for (const std::string& key : terms.required)
    if (!node.labels.contains(key)) missing.push_back(key);
  return missing;
}

/// What keeps the gate closed.
GateCondition closed(const GateView& view, const std::vector<std::string>& missing) {
  if (!view.error.empty()) return {"False", "NotPublished", excerpt(view.error, kLongestMessage)};
  if (!view.answered)
    return {"False", "ProbesPending", "a probe is still waiting for an answer, such as the GPU driver's"};
  return {"False", "LabelsMissing", excerpt("not on the Node: " + join(missing, ", "), kLongestMessage)};
}

}  // namespace

GateStep decide(const GateTerms& terms, const GateView& view, SteadyTime now) {
  const bool has_taint = std::any_of(view.node.taints.begin(), view.node.taints.end(),
                                     [&](const Taint& taint) { return taint.key == terms.taint; });
  const auto missing = missing_labels(terms, view.node);
  GateStep step;
  if (view.answered && missing.empty()) {
    step.open = true;
    step.remove_taint = has_taint;
    step.condition =
        GateCondition{"True", "LabelsPublished", "every probe has answered, and the labels are on the Node"};
    return step;
  }
  const SteadyTime deadline = view.since + terms.deadline;
  // What is missing may be another's to write, and nothing reports that to the gate.
  const bool waits_for_others = view.answered && view.error.empty();
  if (now < deadline) {
    step.next = waits_for_others ? std::min(deadline, now + kGateLook) : deadline;
    return step;
  }
  if (waits_for_others) step.next = now + kLateGateLook;
  step.remove_taint = has_taint && terms.is_taint_removed_at_deadline;
  step.condition = closed(view, missing);
  return step;
}

std::optional<GateCondition> gate_condition_of(const Value& node) {
  if (const Value* conditions = at(node, {"status", "conditions"}))
    for (const Value& each : conditions->items)
      if (text_at(each, {"type"}) == kReadyCondition)
        return GateCondition{text_at(each, {"status"}), text_at(each, {"reason"}), text_at(each, {"message"})};
  return std::nullopt;
}

Value condition_patch(const GateCondition& condition, std::chrono::system_clock::time_point now) {
  const std::string time = rfc3339_micro(now).substr(0, 19) + "Z";  // seconds, as metav1.Time
  Value entry = Value::map();
  entry.add("type", Value::string(kReadyCondition));
  entry.add("status", Value::string(condition.status));
  entry.add("reason", Value::string(condition.reason));
  entry.add("message", Value::string(condition.message));
  entry.add("lastHeartbeatTime", Value::string(time));
  entry.add("lastTransitionTime", Value::string(time));
  Value status = Value::map();
  status.add("conditions", Value::list({std::move(entry)}));
  Value patch = Value::map();
  patch.add("status", std::move(status));
  return patch;
}

ReadinessGate::ReadinessGate(Api& api, const Clock& clock, std::string node, GateTerms terms)
    : api_(api), clock_(clock), node_(std::move(node)), terms_(std::move(terms)), since_(clock.now()) {}

Result<bool> ReadinessGate::pass(const std::string& uid, bool answered, const std::string& error,
                                 const std::stop_token& stop) {
  if (open_ && (uid.empty() || uid == uid_)) return false;
  const auto node = api_.get(object_path(resources::kNodes, "", node_), stop);
  if (!node) return node.error();
  const auto state = node_state_from(*node, "node " + node_);
  if (!state) return state.error();
  if (!uid_.empty() && state->uid != uid_) since_ = clock_.now();  // registered again
  uid_ = state->uid;
  open_ = false;
  const GateStep step = decide(terms_, {*state, answered, error, since_}, clock_.now());
  next_ = step.next;
  bool wrote = false;
  if (step.remove_taint) {
    const auto removed = api_.patch(object_path(resources::kNodes, "", node_), PatchKind::merge,
                                    *parse_json(taint_removal_patch(*state, terms_.taint), "patch"), stop);
    if (!removed) return removed.error();
    wrote = true;
  }
  if (step.condition && step.condition != gate_condition_of(*node)) {
    const auto set = api_.patch(object_path(resources::kNodes, "", node_, "status"), PatchKind::strategic,
                                condition_patch(*step.condition, api_.server_time()), stop);
    if (!set) return set.error();
    wrote = true;
  }
  open_ = step.open;
  return wrote;
}

}  // namespace nodescout
