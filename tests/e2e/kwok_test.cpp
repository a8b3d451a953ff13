// What many Nodes change: kwok's (kwok.h), with Kubernetes' own controllers and scheduler. In the long form only.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/kwok.h"
#include "kube/resource.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

const std::string kManifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";

class KwokTest : public AgentFixture {
 protected:
  void SetUp() override {
    AgentFixture::SetUp();
    if (IsSkipped()) return;
    if (const std::string why = Kwok::why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  }
};

// ---- what an agent costs --------------------------------------------------------------------------------------------

struct Cost {
  int requests_at_start = 0;
  int requests = 0, renewals = 0, watches = 0;  // requests: other than renewals of the Lease and of watches
  double cpu_seconds = 0;
  long anonymous = 0;  // KiB
};

/// An agent on a Node of its own: from its start to the end of its first minutes at rest.
class CostTest : public KwokTest {
 protected:
  static constexpr std::chrono::seconds kAtRest{120};

  std::map<std::string, Cost> measure(const std::string& when) {
    const std::map<std::string, std::string> configs{{"default", ""}, {"watchNode", "watchNode: true\n"}};
    std::map<std::string, std::unique_ptr<AgentProcess>> agents;
    const auto node = [&](const std::string& name) { return when + "-" + (name == "default" ? "plain" : "watching"); };
    const auto begin = cluster->now_in_audit_log();
    for (const auto& [name, config] : configs) {
      cluster->create_node(node(name));
      agents[name] = std::make_unique<AgentProcess>(
          *cluster, machine,
          AgentSetup{.node = node(name), .config = kQuiet + config, .program = release_program(), .root = "/"});
    }
    for (const auto& [name, process] : agents)
      EXPECT_TRUE(eventually([&] { return process->log().find("msg=added") != std::string::npos; })) << process->log();
    std::this_thread::sleep_for(10s);
    std::map<std::string, Cost> costs;
    const auto since = cluster->now_in_audit_log();
    for (const auto& [name, process] : agents) {
      costs[name].requests_at_start = static_cast<int>(of_agent(cluster->audit(begin), node(name)).size());
      costs[name].cpu_seconds = -process->process().cpu_seconds();
    }
    std::this_thread::sleep_for(kAtRest);
    for (const auto& [name, process] : agents) {
      costs[name].cpu_seconds += process->process().cpu_seconds();
      costs[name].anonymous = process->process().memory_kib("RssAnon");
    }
    const auto audit = cluster->audit(since);  // of many Nodes it is long: read once, as it is now
    for (const auto& [name, process] : agents) {
      Cost& cost = costs[name];
      for (const AuditEntry& entry : of_agent(audit, node(name)))
        ++(entry.verb == "update" && entry.resource == "leases" ? cost.renewals
           : entry.verb == "watch"                              ? cost.watches
                                                                : cost.requests);
      std::printf(
          "%s, %s: %d requests at the start; at rest for %d s: %d requests beside %d renewals of the Lease and %d "
          "renewed watches, %.3f s of CPU, RssAnon %ld KiB\n",
          when.c_str(), name.c_str(), cost.requests_at_start, static_cast<int>(kAtRest.count()), cost.requests,
          cost.renewals, cost.watches, cost.cpu_seconds, cost.anonymous);
    }
    return costs;
  }
};

TEST_F(CostTest, AThousandNodesDoNotChangeIt) {
  const auto alone = measure("alone");
  const auto nodes = numbered("many", 1000);
  const Kwok kwok(*cluster, nodes);
  ASSERT_TRUE(eventually([&] { return ready_nodes(*cluster) == static_cast<int>(nodes.size()); }, 300s)) << kwok.log();
  // Beside the heartbeats of the kubelets, there are the Leases of the other agents.
  cluster->create_namespace("nodescout-e2e");
  for (const std::string& node : nodes)
    must(cluster->admin().create(
        collection_path(resources::kLeases, "nodescout-e2e"),
        json(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":")" + node + "\"}}")));
  for (const auto& [name, many] : measure("among-a-thousand")) {
    const Cost& one = alone.at(name);
    EXPECT_EQ(many.requests_at_start, one.requests_at_start) << name;
    EXPECT_EQ(many.requests, 0) << name;
    EXPECT_EQ(one.requests, 0) << name;
    EXPECT_NEAR(many.renewals, one.renewals, 1) << name;
    EXPECT_NEAR(many.watches, one.watches, 3) << name;
    if (release_program().empty()) continue;
    EXPECT_LE(many.cpu_seconds, one.cpu_seconds + 0.05) << name;
    EXPECT_LE(many.anonymous, one.anonymous + 256) << name;
  }
}

// ---- a rollout ------------------------------------------------------------------------------------------------------

/// A Pod on a Node that is down never ends, and counts as unavailable for good.
TEST_F(KwokTest, ARolloutGoesOnWhereAFifthOfTheNodesAreDown) {
  ControlPlane fleet;
  fleet.start_controller_manager();
  fleet.start_scheduler();
  const auto up = numbered("up", 40), down = numbered("down", 10);
  const Kwok kept(fleet, up);
  auto lost = std::make_unique<Kwok>(fleet, down);
  ASSERT_TRUE(eventually([&] { return ready_nodes(fleet) == 50; }, 120s)) << kept.log();
  fleet.install_crds();
  fleet.kubectl({"apply", "-k", kManifests + "base"});
  fleet.kubectl({"-n", "nodescout", "rollout", "status", "daemonset/nodescout", "--timeout=120s"});

  lost.reset();
  ASSERT_TRUE(eventually([&] { return ready_nodes(fleet) == 40; }, 120s));
  fleet.kubectl({"-n", "nodescout", "rollout", "restart", "daemonset/nodescout"});
  const auto start = std::chrono::steady_clock::now();
  std::set<std::string> renewed;  // Nodes with a Ready Pod of the new generation
  const bool is_done = eventually(
      [&] {
        renewed.clear();
        must(fleet.admin().list(collection_path(resources::kPods, "nodescout"), {}, [&](const Value& pod) {
          const bool is_new = text_at(pod, {"metadata", "labels", "pod-template-generation"}) == "2";
          const Value* conditions = at(pod, {"status", "conditions"});
          if (!is_new || !conditions) return;
          for (const Value& each : conditions->items)
            if (text_at(each, {"type"}) == "Ready" && text_at(each, {"status"}) == "True")
              renewed.insert(text_at(pod, {"spec", "nodeName"}));
        }));
        return renewed.size() == up.size();
      },
      180s);
  std::printf("rollout on 40 of 50 Nodes, 10 down: %.1f s\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  EXPECT_TRUE(is_done) << renewed.size() << " Nodes have the new Pod\n"
                       << fleet.kubectl({"-n", "nodescout", "get", "daemonset", "nodescout", "-o", "yaml"});
  EXPECT_EQ(renewed, std::set<std::string>(up.begin(), up.end()));
}

}  // namespace
}  // namespace nodescout::test
