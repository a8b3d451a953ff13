#include "e2e/node_witness.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "document/json.h"
#include "document/value_path.h"
#include "kube/resource.h"
#include "support/patience.h"

namespace nodescout::test {

using namespace std::chrono_literals;

namespace {
constexpr const char* kMark = "witness.example/mark";
}  // namespace

NodeWitness::NodeWitness(ControlPlane& cluster, std::string node)
    : cluster_(cluster), node_(std::move(node)), connection_(cluster.endpoint_as("witness", {"system:masters"})) {
  add(must(cluster_.admin().get(object_path(resources::kNodes, "", node_))));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void NodeWitness::add(const Value& state) {
  const std::lock_guard lock(mutex_);
  version_ = text_at(state, {"metadata", "resourceVersion"});
  states_.push_back(state);
}

void NodeWitness::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool is_lost = false;
    const auto line = [&](std::string_view text) {
      const auto event = parse_json(text, "a watch event");
      const Value* object = event ? event->find("object") : nullptr;
      is_lost = !object || text_at(*event, {"type"}) == "ERROR";
      if (!is_lost) add(*object);
      return !is_lost;
    };
    // Only this thread changes version_ from here on.
    const std::string path =
        with_query(collection_path(resources::kNodes),
                   {{"watch", "true"}, {"resourceVersion", version_}, {"fieldSelector", "metadata.name=" + node_}});
    const auto answer = connection_.api.stream(path, 600s, line, stop);
    if (stop.stop_requested() || (answer && answer->status == 200 && !is_lost)) continue;
    // The server is away, or was restarted and no longer knows this version.
    std::this_thread::sleep_for(50ms);
    const bool is_too_old = is_lost || (answer && answer->status == 410);
    if (!is_too_old) continue;
    if (const auto now = connection_.api.get(object_path(resources::kNodes, "", node_), stop)) add(*now);
  }
}

std::vector<Value> NodeWitness::states() {
  const std::string mark = std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  must(cluster_.admin().patch(
      object_path(resources::kNodes, "", node_), PatchKind::merge,
      json(R"({"metadata":{"annotations":{")" + std::string(kMark) + R"(":")" + mark + "\"}}}")));
  for (Patience patience(60s); !patience.is_over();) {
    {
      const std::lock_guard lock(mutex_);
      if (text_at(states_.back(), {"metadata", "annotations", kMark}) == mark) return states_;
    }
    std::this_thread::sleep_for(20ms);
  }
  throw std::runtime_error("the watch of " + node_ + " did not show a write within a minute");
}

}  // namespace nodescout::test
