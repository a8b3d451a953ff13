// The readiness gate on a real API server, with the real scheduler.
#include <gtest/gtest.h>

#include <thread>

#include "agent/readiness_gate.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTaint = "startup-taint.cluster-autoscaler.kubernetes.io/nodescout";
constexpr const char* kRequired = "feature.node.kubernetes.io/e2e-gate";

class AgentGateTest : public AgentFixture {
 protected:
  std::string config(const std::string& more = "") {
    return kQuiet + "readinessGate: {taint: " + kTaint + ", requires: [" + kRequired + "]" + more + "}\n";
  }
  void create(const std::string& node) {
    cluster->create_ready_node(
        node, json(R"({"metadata":{"labels":{"e2e-gate":")" + node + R"("}},"spec":{"taints":[{"key":")" + kTaint +
                   R"(","effect":"NoSchedule"},{"key":"other.example/x","effect":"PreferNoSchedule"}]}})"));
  }
  /// A Pod for this node only.
  void create_pod(const std::string& node) {
    cluster->create_namespace("gate");
    must(cluster->admin().create(
        collection_path(resources::kPods, "gate"),
        json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + node +
             R"("},"spec":{"nodeSelector":{"e2e-gate":")" + node +
             R"("},"automountServiceAccountToken":false,"containers":[{"name":"x","image":"x"}]}})")));
  }
  Value pod(const std::string& name) { return must(cluster->admin().get(object_path(resources::kPods, "gate", name))); }
  std::string taints(const std::string& node) {
    const Value object = node_object(*cluster, node);
    const Value* list = at(object, {"spec", "taints"});
    return list ? to_json(*list) : "";
  }
  std::string condition(const std::string& node) {
    const auto found = gate_condition_of(node_object(*cluster, node));
    return found ? found->status + " " + found->reason : "";
  }
  std::string is_ready(const std::string& node) {
    const Value object = node_object(*cluster, node);
    for (const Value& each : at(object, {"status", "conditions"})->items)
      if (text_at(each, {"type"}) == "Ready") return text_at(each, {"status"});
    return "";
  }
};

TEST_F(AgentGateTest, NoPodIsBoundBeforeTheLabelsAreThere) {
  cluster->start_scheduler();
  create("gated");
  create_pod("gated");
  start({.node = "gated", .config = config()});
  ASSERT_TRUE(wait_for_label(*cluster, "gated", kGpuLabel, "true"));
  // The scheduler has tried and says why not.
  ASSERT_TRUE(eventually([&] { return to_json(pod("gated")).find("untolerated taint") != std::string::npos; }));
  EXPECT_EQ(text_at(pod("gated"), {"spec", "nodeName"}), "");
  EXPECT_NE(taints("gated").find(kTaint), std::string::npos);

  const auto since = cluster->now_in_audit_log();
  write_file(agent->rules() / "a.yaml",
             "- name: a\n  labels: {e2e-gate: \"1\"}\n  matchFeatures:\n    - feature: kernel.version\n"
             "      matchExpressions: {full: {op: Exists}}\n");
  ASSERT_TRUE(eventually([&] { return text_at(pod("gated"), {"spec", "nodeName"}) == "gated"; }));
  EXPECT_EQ(label_of(*cluster, "gated", kRequired), "1");
  EXPECT_EQ(taints("gated"), R"([{"key":"other.example/x","effect":"PreferNoSchedule"}])");
  EXPECT_TRUE(eventually([&] { return condition("gated") == "True LabelsPublished"; }));
  EXPECT_EQ(is_ready("gated"), "True") << "other conditions stay";
  // The label is written before the taint goes.
  int labelled = -1, untainted = -1, place = 0;
  for (const AuditEntry& entry : of_agent(cluster->audit(since), "gated")) {
    if (entry.verb == "patch" && entry.resource == "nodes")
      (nodescout::at(entry.request, {"metadata", "labels"}) ? labelled : untainted) = place;
    ++place;
  }
  EXPECT_GE(labelled, 0);
  EXPECT_GT(untainted, labelled);
}

TEST_F(AgentGateTest, AtTheDeadlineTheTaintStaysAndTheConditionSaysWhy) {
  create("late");
  start({.node = "late", .config = config(", deadline: 2s")});
  ASSERT_TRUE(eventually([&] { return condition("late") == "False LabelsMissing"; })) << agent->log();
  EXPECT_NE(taints("late").find(kTaint), std::string::npos);
  EXPECT_EQ(is_ready("late"), "True");
}

TEST_F(AgentGateTest, AtTheDeadlineTheTaintGoesWhereThatIsWanted) {
  create("hasty");
  start({.node = "hasty", .config = config(", deadline: 2s, onDeadline: remove")});
  ASSERT_TRUE(eventually([&] { return condition("hasty") == "False LabelsMissing"; })) << agent->log();
  EXPECT_EQ(taints("hasty").find(kTaint), std::string::npos) << taints("hasty");
}

}  // namespace
}  // namespace nodescout::test
