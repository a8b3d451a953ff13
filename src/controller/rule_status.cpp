#include "controller/rule_status.h"

#include <algorithm>

#include "base/excerpt.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/node_client.h"
#include "kube/resource.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestText = 400;
constexpr const char* kEventSpace = "default";  // of objects without a namespace

}  // namespace

bool RuleMistakes::reject(const std::string& entry, const std::string& why) {
  return rejected.size() < kMost && rejected.try_emplace(entry, excerpt(entry + ": " + why, kLongestText)).second;
}

bool RuleMistakes::fail(const std::string& text) {
  std::string next = excerpt(text, kLongestText);
  if (error == next) return false;
  error = std::move(next);
  return true;
}

std::string rule_status_text(std::size_t nodes, std::size_t matched, const RuleMistakes& mistakes) {
  Value status = Value::map();
  status.add("nodes", Value::integer(static_cast<std::int64_t>(nodes)));
  status.add("matched", Value::integer(static_cast<std::int64_t>(matched)));
  if (!mistakes.rejected.empty()) {
    Value rejected = Value::list();
    for (const auto& [entry, text] : mistakes.rejected) rejected.items.push_back(Value::string(text));
    status.add("rejected", std::move(rejected));
  }
  if (!mistakes.error.empty()) status.add("error", Value::string(mistakes.error));
  return to_json(status);
}

Value rule_status_patch(const std::string& text) {
  Value patch = Value::map();
  patch.add("metadata", Value::map()).add("annotations", Value::map()).add(kRuleStatus, Value::string(text));
  return patch;
}

std::string space_of(const ObjectEvent& event) { return event.space.empty() ? kEventSpace : event.space; }

Value event_of_object(const ObjectEvent& event, const std::string& reporter,
                      std::chrono::system_clock::time_point now) {
  // Made as an Event of a Node; what it is about is another object.
  Value object = event_object({event.object, true, event.reason, "Evaluating", event.note}, reporter, now);
  Value metadata = Value::map();
  metadata.add("generateName", Value::string(event.object + "-"));
  metadata.add("namespace", Value::string(space_of(event)));
  replace(object, "metadata", std::move(metadata));
  Value regarding = Value::map();
  regarding.add("apiVersion", Value::string(api_version(resources::kNodeFeatures)));  // all have it
  regarding.add("kind", Value::string(event.kind));
  regarding.add("name", Value::string(event.object));
  if (!event.space.empty()) regarding.add("namespace", Value::string(event.space));
  regarding.add("uid", Value::string(event.uid));
  replace(object, "regarding", std::move(regarding));
  replace(object, "reportingController", Value::string("nodescout.dev/controller"));
  return object;
}

void StatusPace::has(const std::string& object, const std::string& text) { objects_[object].has = text; }

void StatusPace::forget(const std::string& object) { objects_.erase(object); }

void StatusPace::wants(const std::string& object, const std::string& text, SteadyTime now) {
  Object& known = objects_[object];
  known.wants = text;
  if (known.wants == known.has)
    known.due.reset();
  else if (!known.due)
    known.due = std::max(now + kFirst, known.not_before.value_or(now));
}

std::map<std::string, std::string> StatusPace::take(SteadyTime now) {
  std::map<std::string, std::string> texts;
  for (auto& [name, object] : objects_) {
    if (!object.due || *object.due > now) continue;
    object.due.reset();
    object.not_before = now + kPause;
    texts.emplace(name, object.wants);
  }
  return texts;
}

std::optional<SteadyTime> StatusPace::next() const {
  std::optional<SteadyTime> earliest;
  for (const auto& [name, object] : objects_)
    if (object.due && (!earliest || *object.due < *earliest)) earliest = object.due;
  return earliest;
}

}  // namespace nodescout
