// Who writes a Node: one controller after another, an agent, or NFD before and afterwards.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "e2e/controller_fixture.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

TEST_F(ControllerTest, AnAgentsNodeIsLeftAlone) {
  label_rule();
  cluster->create_node("cn-f",
                       json(R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/nodescout-agent":"1.0"}}})"));
  cluster->create_node("cn-g");
  node_feature("cn-f");
  node_feature("cn-g");
  start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-g", kLabel, "true"));
  EXPECT_TRUE(eventually([&] { return log_has(*processes[0], "all Nodes are up to date"); }));
  EXPECT_EQ(label_of(*cluster, "cn-f", kLabel), std::nullopt);
}

TEST_F(ControllerTest, AStandbyTakesOverAtOnceFromOneThatStopsAndLaterFromOneThatDies) {
  label_rule();
  Process& first = start({"--enable-leader-election"});
  ASSERT_TRUE(eventually([&] { return log_has(first, "msg=leading"); }));
  Process& second = start({"--enable-leader-election"});
  ASSERT_TRUE(eventually([&] { return log_has(second, "msg=started"); }));
  cluster->create_node("cn-k");
  node_feature("cn-k");
  ASSERT_TRUE(wait_for_label(*cluster, "cn-k", kLabel, "true"));
  EXPECT_FALSE(log_has(second, "msg=leading"));

  auto since = std::chrono::steady_clock::now();
  first.stop();
  EXPECT_TRUE(eventually([&] { return log_has(second, "msg=leading"); }));
  EXPECT_LT(std::chrono::steady_clock::now() - since, 3s);

  Process& third = start({"--enable-leader-election"});
  ASSERT_TRUE(eventually([&] { return log_has(third, "msg=started"); }));
  since = std::chrono::steady_clock::now();
  second.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return log_has(third, "msg=leading"); }, 30s));
  EXPECT_LT(std::chrono::steady_clock::now() - since, 20s);
  cluster->create_node("cn-l");
  node_feature("cn-l");
  EXPECT_TRUE(wait_for_label(*cluster, "cn-l", kLabel, "true"));
}

TEST_F(ControllerTest, AProcessThatWasStoppedWritesNothingOnceAnotherLeads) {
  label_rule();
  cluster->create_node("cn-m");
  Process& first = start({"--enable-leader-election"});
  ASSERT_TRUE(eventually([&] { return log_has(first, "msg=leading"); }));
  first.pause();
  Process& second = start({"--enable-leader-election"});
  ASSERT_TRUE(eventually([&] { return log_has(second, "msg=leading"); }, 30s));
  node_feature("cn-m");
  ASSERT_TRUE(wait_for_label(*cluster, "cn-m", kLabel, "true"));
  // It now learns of an object that it would label, before it learns that it leads no more.
  second.pause();
  cluster->create_node("cn-n");
  node_feature("cn-n");
  const auto point = cluster->now_in_audit_log();
  first.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return log_has(first, "not leading"); }));
  for (const AuditEntry& entry : cluster->audit(point)) EXPECT_FALSE(entry.verb == "patch" && entry.name == "cn-n");
  second.signal(SIGCONT);
  EXPECT_TRUE(wait_for_label(*cluster, "cn-n", kLabel, "true", 40s));
}

TEST_F(ControllerTest, WhereAnAgentsLeaseIsFreshTheNodeIsItsOwn) {
  label_rule();
  for (const char* name : {"cn-p", "cn-q", "cn-r"}) {
    node_with_old_label(name);
    node_feature(name);
  }
  lease("cn-p", 0s);
  lease("cn-q", 300s);
  start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-r", "feature.node.kubernetes.io/old", std::nullopt)) << "no agent";
  EXPECT_TRUE(wait_for_label(*cluster, "cn-q", kLabel, "true")) << "its agent is gone";
  EXPECT_EQ(label_of(*cluster, "cn-q", "feature.node.kubernetes.io/old"), "true") << "and may have made this";
  EXPECT_EQ(label_of(*cluster, "cn-p", kLabel), std::nullopt);
  EXPECT_EQ(label_of(*cluster, "cn-p", "feature.node.kubernetes.io/old"), "true");
}

TEST_F(ControllerTest, WithoutTheLeaseOfAnAgentThatIsGoneItsNodeIsTakenOver) {
  label_rule();
  node_with_old_label("cn-gone");
  node_feature("cn-gone");
  lease("cn-gone", 300s);
  start({"-resync-period", "1s"});
  ASSERT_TRUE(wait_for_label(*cluster, "cn-gone", kLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "cn-gone", "feature.node.kubernetes.io/old"), "true");
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kLeases, "default", "cn-gone")));
  EXPECT_TRUE(wait_for_label(*cluster, "cn-gone", "feature.node.kubernetes.io/old", std::nullopt, 60s));
}

TEST_F(ControllerTest, WhatAnAgentWroteBeforeItHadALeaseStays) {
  label_rule();
  cluster->create_node("cn-s");
  node_feature("cn-s");
  start();
  ASSERT_TRUE(wait_for_label(*cluster, "cn-s", kLabel, "true"));
  const auto point = cluster->now_in_audit_log();
  must(cluster->admin().patch(object_path(resources::kNodes, "", "cn-s"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/agents":"1"},"annotations":)"
                                   R"({"nfd.node.kubernetes.io/feature-labels":"agents,from-rule,from-worker"}}})")));
  std::this_thread::sleep_for(2s);
  lease("cn-s", 0s);
  std::this_thread::sleep_for(8s);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerTest, NfdsCommandLineAndPruning) {
  label_rule();
  cluster->create_node("cn-1");
  node_feature("cn-1");
  Process& process = start({"-nfd-api-parallelism", "5", "-v=2", "-instance", "x"});
  ASSERT_TRUE(wait_for_label(*cluster, "cn-1", kLabel, "true"));
  EXPECT_TRUE(log_has(process, "-nfd-api-parallelism has no meaning here"));
  EXPECT_TRUE(
      at(node_object(*cluster, "cn-1"), {"metadata", "annotations", "x.nfd.node.kubernetes.io/feature-labels"}));
  process.stop();
  EXPECT_EQ(run_program({nodescout_program(), "controller", "--kubeconfig", admin().string(), "-prune", "-instance=x"})
                .status,
            0);
  EXPECT_EQ(label_of(*cluster, "cn-1", kLabel), std::nullopt);
}

/// As nfd-master leaves it: two labels and its annotations. Objects are those of NFD's workers.
TEST_F(ControllerTest, TakesOverFromNfdAndGivesBack) {
  const std::string space = "node-feature-discovery";
  cluster->create_namespace(space);
  label_rule();
  const char* const left_by_nfd =
      R"({"metadata":{"labels":{"feature.node.kubernetes.io/from-rule":"true","feature.node.kubernetes.io/from-worker":)"
      R"("true"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"from-rule,from-worker"}}})";
  for (const char* name : {"mn-a", "mn-b"}) {
    cluster->create_node(name, json(left_by_nfd));
    node_feature(name, space);
  }
  const auto point = cluster->now_in_audit_log();
  // The administrator forgot the namespace: no object counts, and nothing goes.
  Process& without_objects = start();
  EXPECT_TRUE(eventually([&] { return log_has(without_objects, "all Nodes are up to date"); }));
  EXPECT_TRUE(log_has(without_objects, space));
  without_objects.stop();
  Process& central = start({"--namespaces", space});
  EXPECT_TRUE(eventually([&] { return log_has(central, "all Nodes are up to date"); }));
  std::this_thread::sleep_for(7s);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  // Mixed: an agent comes to one Node, writes more, and the workers' object of this Node goes.
  lease("mn-a", 0s);
  must(cluster->admin().patch(object_path(resources::kNodes, "", "mn-a"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/agents":"1"},"annotations":)"
                                   R"({"nfd.node.kubernetes.io/feature-labels":"agents,from-rule,from-worker"}}})")));
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, space, "mn-a")));
  std::this_thread::sleep_for(8s);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  // Back: what nfd-master needs is on the Nodes.
  central.stop();
  for (const char* name : {"mn-a", "mn-b"}) {
    const std::string owned =
        text_at(node_object(*cluster, name), {"metadata", "annotations", "nfd.node.kubernetes.io/feature-labels"});
    EXPECT_NE(owned.find("from-rule,from-worker"), std::string::npos) << owned;
    EXPECT_EQ(label_of(*cluster, name, kLabel), "true");
  }
}

TEST_F(ControllerTest, NfdsOwnMasterBeforeAndAfter) {
  const char* peer = std::getenv("NODESCOUT_PEER");
  if (!peer) GTEST_SKIP() << "skipped: name a folder with nfd-master in NODESCOUT_PEER";
  label_rule();
  cluster->create_ready_node("mn-c", json(R"({"metadata":{"labels":{"kubernetes.io/hostname":"mn-c"},)"
                                          R"("annotations":{"node.alpha.kubernetes.io/ttl":"0"}}})"));
  node_feature("mn-c");
  const auto start_master = [&](const std::string& log) {
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/env", "NODE_NAME=mn-c", "KUBERNETES_NAMESPACE=default",
                                 (fs::path(peer) / "nfd-master").string(), "-kubeconfig=" + admin().string(),
                                 "-port=" + std::to_string(free_port())},
        folder.path() / log);
  };
  auto master = start_master("before");
  ASSERT_TRUE(wait_for_label(*cluster, "mn-c", kLabel, "true", 60s)) << master->end_of_log();
  master->stop();
  const auto point = cluster->now_in_audit_log();
  Process& controller = start();
  EXPECT_TRUE(eventually([&] { return log_has(controller, "all Nodes are up to date"); }));
  std::this_thread::sleep_for(7s);
  controller.stop();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  master = start_master("after");
  std::this_thread::sleep_for(10s);
  EXPECT_EQ(label_of(*cluster, "mn-c", kLabel), "true");
  EXPECT_EQ(label_of(*cluster, "mn-c", kWorkerLabel), "true");
  for (const AuditEntry& entry : cluster->audit(point))
    if (entry.verb == "patch" && entry.name == "mn-c") {
      EXPECT_EQ(to_json(entry.request).find(R"("op":"remove","path":"/metadata/labels)"), std::string::npos);
    }
}

}  // namespace
}  // namespace nodescout::test
