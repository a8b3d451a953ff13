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

/// Of a status, without the total of Nodes. One that another program wrote is all mistakes, so it is replaced.
struct Parts {
  std::string_view matched, mistakes;
};
Parts parts_of(std::string_view text) {
  constexpr std::string_view kNodes = R"({"nodes":)", kMatched = R"(,"matched":)", kDigits = "0123456789";
  if (!text.starts_with(kNodes)) return {"", text};
  const std::size_t end = text.find_first_not_of(kDigits, kNodes.size());
  if (end == std::string_view::npos || !text.substr(end).starts_with(kMatched)) return {"", text};
  const std::string_view matched = text.substr(end + kMatched.size());
  const std::size_t digits = std::min(matched.find_first_not_of(kDigits), matched.size());
  return {matched.substr(0, digits), matched.substr(digits)};
}

}  // namespace

void RuleMistakes::note(const std::string& node, Mistake& mistake) {
  if (mistake.nodes.size() < kMostNodes) mistake.nodes.insert(node);
}

void RuleMistakes::begin(const std::string& node, Stage stage) {
  for (auto& [entry, mistake] : rejected_)
    if (mistake.stage == stage) mistake.nodes.erase(node);
  if (error_.stage == stage) error_.nodes.erase(node);
}

bool RuleMistakes::reject(const std::string& node, Stage stage, const std::string& entry, const std::string& why) {
  const auto known = rejected_.find(entry);
  if (known == rejected_.end() && rejected_.size() >= kMost) return false;
  Mistake& mistake = rejected_[entry];
  if (known == rejected_.end()) mistake = {excerpt(entry + ": " + why, kLongestText), stage, {}};
  note(node, mistake);
  return known == rejected_.end();
}

bool RuleMistakes::fail(const std::string& node, Stage stage, const std::string& text) {
  std::string next = excerpt(text, kLongestText);
  const bool is_new = error_.text.empty();
  if (is_new)
    error_ = {std::move(next), stage, {}};
  else if (error_.text != next)
    return false;
  note(node, error_);
  return is_new;
}

bool RuleMistakes::finish() {
  const auto is_gone = [](const Mistake& mistake) { return mistake.stage != Stage::reading && mistake.nodes.empty(); };
  bool any = std::erase_if(rejected_, [&](const auto& each) { return is_gone(each.second); }) > 0;
  if (!error_.text.empty() && is_gone(error_)) {
    error_ = {};
    any = true;
  }
  return any;
}

std::vector<std::string> RuleMistakes::rejected() const {
  std::vector<std::string> texts;
  for (const auto& [entry, mistake] : rejected_) texts.push_back(mistake.text);
  return texts;
}

std::string rule_status_text(std::size_t nodes, std::size_t matched, const RuleMistakes& mistakes) {
  Value status = Value::map();
  status.add("nodes", Value::integer(static_cast<std::int64_t>(nodes)));
  status.add("matched", Value::integer(static_cast<std::int64_t>(matched)));
  if (const auto texts = mistakes.rejected(); !texts.empty()) {
    Value rejected = Value::list();
    for (const std::string& text : texts) rejected.items.push_back(Value::string(text));
    status.add("rejected", std::move(rejected));
  }
  if (!mistakes.error().empty()) status.add("error", Value::string(mistakes.error()));
  return to_json(status);
}

Value rule_status_patch(const std::string& text, const std::string& resource_version) {
  Value metadata = Value::map();
  metadata.add("annotations", Value::map()).add(kRuleStatus, Value::string(text));
  if (!resource_version.empty()) metadata.add("resourceVersion", Value::string(resource_version));
  Value patch = Value::map();
  patch.add("metadata", std::move(metadata));
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

void StatusPace::has(const std::string& object, const std::string& text, const std::string& resource_version) {
  Object& known = objects_[object];
  known.has = text;
  known.resource_version = resource_version;
}

void StatusPace::forget(const std::string& object) { objects_.erase(object); }

void StatusPace::wants(const std::string& object, const std::string& text, SteadyTime now) {
  Object& known = objects_[object];
  known.wants = text;
  const Parts has = parts_of(known.has), wants = parts_of(text);
  if (has.matched == wants.matched && has.mistakes == wants.mistakes) return known.due.reset();
  SteadyTime due = now + kFirst;
  if (known.written) due = std::max(due, *known.written + (has.mistakes == wants.mistakes ? known.pause : kPause));
  known.due = std::min(due, known.due.value_or(due));
}

std::map<std::string, std::string> StatusPace::take(SteadyTime now) {
  std::map<std::string, std::string> texts;
  for (auto& [name, object] : objects_) {
    if (!object.due || *object.due > now) continue;
    object.due.reset();
    const bool was_quiet = !object.written || now - *object.written > 2 * object.pause;
    object.pause =
        was_quiet ? std::chrono::seconds(kPause) : std::min<std::chrono::seconds>(2 * object.pause, kLongestPause);
    object.written = now;
    texts.emplace(name, object.wants);
  }
  return texts;
}

void StatusPace::missed(const std::string& object, SteadyTime now) {
  const auto known = objects_.find(object);
  if (known != objects_.end()) known->second.due = now + kFirst;
}

std::string StatusPace::version_of(const std::string& object) const {
  const auto known = objects_.find(object);
  return known == objects_.end() ? "" : known->second.resource_version;
}

std::optional<SteadyTime> StatusPace::next() const {
  std::optional<SteadyTime> earliest;
  for (const auto& [name, object] : objects_)
    if (object.due && (!earliest || *object.due < *earliest)) earliest = object.due;
  return earliest;
}

}  // namespace nodescout
