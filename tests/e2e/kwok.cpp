#include "e2e/kwok.h"

#include <stdexcept>

#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "kube/resource.h"

namespace nodescout::test {
namespace {

constexpr const char* kKept = "tests.nodescout.dev/kept-by";

}  // namespace

std::string Kwok::why_not() {
  if (!is_long()) return "only in the long form of the tests";
  return programs("kwok").why_not;
}

Kwok::Kwok(ControlPlane& cluster, const std::vector<std::string>& nodes,
           const std::map<std::string, std::string>& labels) {
  if (nodes.empty()) throw std::runtime_error("kwok without Nodes");
  const std::string group = nodes.front();
  for (const std::string& name : nodes) {
    Value node = json(R"({"apiVersion":"v1","kind":"Node"})");
    Value& metadata = node.add("metadata", Value::map());
    metadata.add("name", Value::string(name));
    Value& all = metadata.add("labels", Value::map());
    all.add(kKept, Value::string(group));
    all.add("kubernetes.io/os", Value::string("linux"));
    all.add("kubernetes.io/arch", Value::string("amd64"));
    for (const auto& [key, value] : labels) all.add(key, Value::string(value));
    must(cluster.admin().create(collection_path(resources::kNodes), node));
  }
  // A Lease lasts for less than the controller manager's patience with a Node (ControlPlane::start_controller_manager).
  process_ = std::make_unique<Process>(
      std::vector<std::string>{
          (programs("kwok").folder / "kwok").string(), "--kubeconfig=" + cluster.admin_kubeconfig().string(),
          "--config=" NODESCOUT_SOURCE_DIR "/tests/e2e/kwok/stages.yaml", "--manage-all-nodes=false",
          "--manage-nodes-with-label-selector=" + std::string(kKept) + "=" + group, "--cidr=10.99.0.0/16",
          "--node-ip=10.98.0.1", "--node-port=0",
          "--node-lease-duration-seconds=" + std::string(nodes.size() > 200 ? "40" : "10")},
      cluster.folder() / ("kwok-" + group + ".log"));
}

std::string Kwok::log() const { return process_->end_of_log(); }

std::vector<std::string> numbered(const std::string& prefix, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(prefix + "-" + std::to_string(i));
  return names;
}

int ready_nodes(ControlPlane& cluster) {
  int ready = 0;
  must(cluster.admin().list(collection_path(resources::kNodes), {}, [&](const Value& node) {
    if (const Value* conditions = at(node, {"status", "conditions"}))
      for (const Value& each : conditions->items)
        ready += text_at(each, {"type"}) == "Ready" && text_at(each, {"status"}) == "True";
  }));
  return ready;
}

}  // namespace nodescout::test
