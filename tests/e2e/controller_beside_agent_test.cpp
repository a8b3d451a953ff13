// `nodescout controller` beside a real `nodescout agent` with other rules: who writes which Node, and that they do not
// write for ever.
#include <algorithm>

#include "e2e/controller_fixture.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kMaker = "feature.node.kubernetes.io/maker";  // both make it, with different values

class ControllerBesideAgentTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    if (IsSkipped()) return;
    write_gpu_machine(machine);
    label_rule();
  }
  void TearDown() override {
    if (HasFailure() && agent) std::cerr << "the agent's log:\n" << agent->log() << "\n";
    agent.reset();
    ControllerTest::TearDown();
  }
  /// A folder with a rule that labels every Node as made by `who`.
  std::string rules_of(const std::string& who) {
    const fs::path at = folder.path() / ("rules-of-" + who);
    fs::create_directories(at);
    write_file(at / "maker.yaml",
               "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: maker}\nspec: {rules: "
               "[{name: maker, labels: {maker: " +
                   who + "}, matchFeatures: []}]}\n");
    return at.string();
  }
  AgentProcess& start_agent(const std::string& node, const std::string& config) {
    agent = std::make_unique<AgentProcess>(
        *cluster, machine, AgentSetup{.node = node, .config = config, .arguments = {"--rules=" + rules_of("agent")}});
    return *agent;
  }
  Process& start_controller(const std::string& who = "controller") {
    return start({"--rules", rules_of(who), "--resync-period", "2s"});
  }
  std::string renewed(const std::string& node) {
    const auto lease = cluster->admin().get(object_path(resources::kLeases, "default", node));
    return lease ? text_at(*lease, {"spec", "renewTime"}) : "";
  }
  /// The agent lives, and has seen what others wrote so far.
  bool renews_twice(const std::string& node) {
    const auto renews = [&, before = renewed(node)] { return !renewed(node).empty() && renewed(node) != before; };
    return eventually(renews) && eventually([&, before = renewed(node)] { return renewed(node) != before; });
  }
  /// Writes of one user to a Node since then.
  int writes(std::uintmax_t since, const std::string& node, const std::string& user = "controller") {
    const auto audit = cluster->audit(since);
    return static_cast<int>(std::count_if(audit.begin(), audit.end(), [&](const AuditEntry& entry) {
      return entry.verb == "patch" && entry.resource.starts_with("nodes") && entry.name == node &&
             (user.empty() || entry.user == user);
    }));
  }

  TempHost machine;
  std::unique_ptr<AgentProcess> agent;
};

TEST_F(ControllerBesideAgentTest, WhileTheAgentLivesItsNodeIsItsOwn) {
  for (const char* node : {"beside-a", "beside-b"}) {
    cluster->create_node(node);
    node_feature(node);  // as NFD's workers left them
  }
  start_agent("beside-a", kQuiet + "lease: {period: 1s}\n");
  ASSERT_TRUE(wait_for_label(*cluster, "beside-a", kMaker, "agent"));
  ASSERT_TRUE(eventually([&] { return !renewed("beside-a").empty(); }));
  const auto point = cluster->now_in_audit_log();
  Process& controller = start_controller();
  EXPECT_TRUE(wait_for_label(*cluster, "beside-b", kMaker, "controller"));
  EXPECT_EQ(label_of(*cluster, "beside-b", kLabel), "true");
  EXPECT_TRUE(eventually([&] { return log_has(controller, "all Nodes are up to date"); }));
  // Another program writes the Node, and its objects and rules change.
  must(cluster->admin().patch(object_path(resources::kNodes, "", "beside-a"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"theirs":"1"}}})")));
  object_with_labels("more-a", "beside-a", R"({"more":"1"})");
  object_with_labels("more-b", "beside-b", R"({"more":"1"})");
  EXPECT_TRUE(wait_for_label(*cluster, "beside-b", "feature.node.kubernetes.io/more", "1"));
  EXPECT_TRUE(renews_twice("beside-a"));
  EXPECT_EQ(label_of(*cluster, "beside-a", kMaker), "agent");
  EXPECT_EQ(label_of(*cluster, "beside-a", kGpuLabel), "true");
  EXPECT_EQ(writes(point, "beside-a"), 0);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerBesideAgentTest, AnAgentThatComesTakesItsNodeOverAndBothComeToRest) {
  cluster->create_node("beside-c");
  node_feature("beside-c");
  start_controller();
  ASSERT_TRUE(wait_for_label(*cluster, "beside-c", kMaker, "controller"));
  ASSERT_TRUE(wait_for_label(*cluster, "beside-c", kLabel, "true"));
  start_agent("beside-c", "nodeRecheck: 2s\nprobePoll: 0\nstateFile: \"\"\nlease: {period: 1s}\n");
  ASSERT_TRUE(wait_for_label(*cluster, "beside-c", kGpuLabel, "true"));
  ASSERT_TRUE(eventually([&] { return !renewed("beside-c").empty(); }));
  // The controller lists Leases at most every 20 s; until then it may write the Node as well, and the agent, which
  // looks at its Node again and again, corrects that.
  EXPECT_TRUE(eventually(
      [&] {
        const auto point = cluster->now_in_audit_log();
        return renews_twice("beside-c") && label_of(*cluster, "beside-c", kMaker) == "agent" &&
               writes(point, "beside-c", "") == 0;
      },
      60s))
      << label_of(*cluster, "beside-c", kMaker).value_or("");
  const auto point = cluster->now_in_audit_log();
  object_with_labels("more-c", "beside-c", R"({"more":"1"})");
  EXPECT_TRUE(wait_for_label(*cluster, "beside-c", "feature.node.kubernetes.io/more", "1")) << "by the agent";
  EXPECT_TRUE(renews_twice("beside-c"));
  EXPECT_EQ(writes(point, "beside-c"), 0);
}

TEST_F(ControllerBesideAgentTest, AnAgentWithoutALeaseMarksItsNode) {
  for (const char* node : {"beside-d", "beside-e"}) {
    cluster->create_node(node);
    node_feature(node);
  }
  start_agent("beside-d", kQuiet + "lease: {enabled: false}\n");
  ASSERT_TRUE(wait_for_label(*cluster, "beside-d", kMaker, "agent"));
  ASSERT_TRUE(eventually([&] {
    return !text_at(node_object(*cluster, "beside-d"), {"metadata", "annotations", kAgentAnnotation}).empty();
  }));
  const auto point = cluster->now_in_audit_log();
  Process& controller = start_controller();
  EXPECT_TRUE(wait_for_label(*cluster, "beside-e", kMaker, "controller"));
  EXPECT_TRUE(eventually([&] { return log_has(controller, "all Nodes are up to date"); }));
  EXPECT_EQ(writes(point, "beside-d"), 0);
  EXPECT_EQ(label_of(*cluster, "beside-d", kMaker), "agent");
}

TEST_F(ControllerBesideAgentTest, WhatAnAgentLeavesStaysUntilItsLeaseIsDeleted) {
  cluster->create_node("beside-f");
  start_agent("beside-f", kQuiet + "lease: {period: 1s}\n");
  ASSERT_TRUE(wait_for_label(*cluster, "beside-f", kGpuLabel, "true"));
  ASSERT_TRUE(eventually([&] { return !renewed("beside-f").empty(); }));
  start_controller();
  agent->process().signal(SIGKILL);
  node_feature("beside-f");
  EXPECT_TRUE(wait_for_label(*cluster, "beside-f", kLabel, "true", 60s)) << "once the Lease is stale";
  EXPECT_EQ(label_of(*cluster, "beside-f", kGpuLabel), "true");
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kLeases, "default", "beside-f")));
  EXPECT_TRUE(wait_for_label(*cluster, "beside-f", kGpuLabel, std::nullopt, 60s));
  EXPECT_EQ(label_of(*cluster, "beside-f", kLabel), "true");
}

}  // namespace
}  // namespace nodescout::test
