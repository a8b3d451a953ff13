// The agent among others: the scheduler that reads its labels, NFD before and after it, and a thousand of its kind.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "document/json.h"
#include "e2e/agent_process.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ClusterTest : public AgentFixture {
 protected:
  fs::path admin() const { return cluster->folder() / "admin.kubeconfig"; }
};

TEST_F(ClusterTest, TheSchedulerFindsTheNodeWithTheGpu) {
  cluster->start_scheduler();
  remove_gpu(machine);
  std::vector<std::unique_ptr<AgentProcess>> agents;
  for (const char* node : {"sched-a", "sched-b", "sched-c"}) {
    cluster->create_ready_node(node);
    AgentSetup setup{.node = node, .config = kQuiet};
    // A machine as it was recorded, with GPUs of three makers.
    if (node == std::string("sched-b")) setup.root = NODESCOUT_SOURCE_DIR "/tests/hosts/three-vendors-mig";
    agents.push_back(std::make_unique<AgentProcess>(*cluster, machine, setup));
    ASSERT_TRUE(wait_for_label(*cluster, node, kNicLabel, "true")) << agents.back()->log();
  }
  EXPECT_EQ(label_of(*cluster, "sched-b", kGpuLabel), "true");
  const auto bound_to = [&](const std::string& name) {
    const Value pod = must(cluster->admin().get(object_path(resources::kPods, "default", name)));
    const Value* node = pod.find("spec")->find("nodeName");
    return node ? node->text : "";
  };
  for (int i = 0; i < 3; ++i) {
    const std::string name = "wants-gpu-" + std::to_string(i);
    must(cluster->admin().create(
        collection_path(resources::kPods, "default"),
        json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
             R"("},"spec":{"nodeSelector":{"feature.node.kubernetes.io/pci-10de.present":"true"},)"
             R"("containers":[{"name":"c","image":"none"}]}})")));
    EXPECT_TRUE(eventually([&] { return !bound_to(name).empty(); }));
    EXPECT_EQ(bound_to(name), "sched-b");
  }
}

// ---- NFD before and after -------------------------------------------------------------------------------------------

TEST_F(ClusterTest, TakesOverANodeThatNfdLabelled) {
  // As nfd-master leaves it: its labels, its ownership annotation, and one label that is not true.
  const Ran dumped = run_program(
      {nodescout_program(), "dump", "--root", machine.path().string(), "--compat", "nfd", "--no-live", "-o", "labels"});
  std::string labels, owned = "cpu-cpuid.WRONG";
  for (const std::string_view line : split(dumped.out, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key(line.substr(0, equals));
    const std::string full = key.find('/') == std::string::npos ? "feature.node.kubernetes.io/" + key : key;
    labels += json_string(full) + ":" + json_string(line.substr(equals + 1)) + ",";
    owned += "," + replace_all(full, "feature.node.kubernetes.io/", "");
  }
  ASSERT_NE(labels.find("pci-0302_10de.present"), std::string::npos) << dumped.err;
  cluster->create_node("taken", json(R"({"metadata":{"labels":{)" + labels +
                                     R"("feature.node.kubernetes.io/cpu-cpuid.WRONG":"true"},"annotations":{)"
                                     R"("nfd.node.kubernetes.io/feature-labels":)" +
                                     json_string(owned) + "}}}"));
  const auto since = cluster->now_in_audit_log();
  start({.node = "taken", .config = kQuiet});
  EXPECT_TRUE(wait_for_label(*cluster, "taken", kGpuLabel, "true")) << "what the shipped rules add";
  EXPECT_TRUE(wait_for_label(*cluster, "taken", "feature.node.kubernetes.io/cpu-cpuid.WRONG", std::nullopt));
  EXPECT_EQ(removals(cluster->audit(since), "taken"),
            std::vector<std::string>{"label feature.node.kubernetes.io/cpu-cpuid.WRONG"});
}

TEST_F(ClusterTest, NfdsOwnProgramsBeforeAndAfter) {
  const char* peer = std::getenv("NODESCOUT_PEER");
  if (!peer) GTEST_SKIP() << "skipped: name a folder with nfd-master and nfd-worker in NODESCOUT_PEER";
  const fs::path folder = peer;
  TempDirectory logs;
  // As a kubelet makes it: on a Node without labels or annotations NFD's patches fail.
  cluster->create_ready_node("peer", json(R"({"metadata":{"labels":{"kubernetes.io/hostname":"peer"},)"
                                          R"("annotations":{"node.alpha.kubernetes.io/ttl":"0"}}})"));
  const auto start_peer = [&](const std::string& program, const std::string& port) {
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/env", "NODE_NAME=peer", "KUBERNETES_NAMESPACE=default",
                                 (folder / program).string(), "-kubeconfig=" + admin().string(), "-port=" + port},
        logs.path() / program);
  };
  const std::string key = "feature.node.kubernetes.io/kernel-version.full";
  auto master = start_peer("nfd-master", std::to_string(free_port()));
  auto worker = start_peer("nfd-worker", std::to_string(free_port()));
  const auto labels_of = [&] {
    std::map<std::string, std::string> labels;
    const Value node = node_object(*cluster, "peer");
    if (const Value* map = node.find("metadata")->find("labels"))
      for (const Member& member : map->members) labels[member.key] = member.value.text;
    return labels;
  };
  ASSERT_TRUE(eventually([&] { return labels_of().contains(key); }, 90s)) << master->end_of_log();
  std::this_thread::sleep_for(2s);
  const auto of_nfd = labels_of();
  master->stop();

  const auto since = cluster->now_in_audit_log();
  start({.node = "peer", .config = kQuiet + "core: {compat: nfd}\n", .root = "/", .live = true});
  ASSERT_TRUE(eventually([&] { return agent->log().find("msg=started") != std::string::npos; }));
  std::this_thread::sleep_for(8s);
  worker->stop();
  const auto of_agent_now = labels_of();
  for (const auto& [label, value] : of_nfd)
    if (const auto now = of_agent_now.find(label); now == of_agent_now.end() || now->second != value)
      ADD_FAILURE() << label << "=" << value << " of NFD became "
                    << (now == of_agent_now.end() ? "nothing" : now->second);
  EXPECT_EQ(removals(cluster->audit(since), "peer"), std::vector<std::string>());

  // And back: workers first, then the agent goes, then the master comes.
  worker = start_peer("nfd-worker", std::to_string(free_port()));
  std::this_thread::sleep_for(3s);
  agent->process().stop();
  const auto back = cluster->now_in_audit_log();
  master = start_peer("nfd-master", std::to_string(free_port()));
  std::this_thread::sleep_for(10s);
  const auto of_nfd_again = labels_of();
  for (const auto& [label, value] : of_nfd) EXPECT_TRUE(of_nfd_again.contains(label)) << label;
  for (const AuditEntry& entry : cluster->audit(back))
    if (entry.verb == "patch" && entry.name == "peer") {
      EXPECT_EQ(to_json(entry.request).find(R"("op":"remove","path":"/metadata/labels)"), std::string::npos)
          << to_json(entry.request);
    }
}

// ---- a thousand -----------------------------------------------------------------------------------------------------

TEST_F(ClusterTest, ManyAgents) {
  const fs::path swarm = fs::path(release_program()).parent_path() / "swarm";
  if (release_program().empty() || !fs::exists(swarm))
    GTEST_SKIP() << "skipped: the release, which NODESCOUT_RELEASE_PROGRAM names, has no `swarm` beside it";
  const int count = is_long() ? 1000 : 100;
  const std::string config = (machine.path() / "swarm.conf").string();
  write_file(config, kQuiet);
  for (int i = 0; i < count; ++i) cluster->create_node("swarm-" + std::to_string(i));
  const double before = cluster->etcd_bytes();
  const auto since = cluster->now_in_audit_log();
  const auto begin = std::chrono::steady_clock::now();
  Process agents({"/usr/bin/env", "KUBECONFIG=" + admin().string(), swarm.string(), "swarm", std::to_string(count),
                  machine.path().string(), config},
                 machine.path() / "swarm.log");
  const auto labelled = [&] {
    int nodes = 0;
    must(cluster->admin().list(
        collection_path(resources::kNodes), {{"labelSelector", std::string(kGpuLabel) + "=true"}},
        [&](const Value& node) { nodes += node.find("metadata")->find("name")->text.starts_with("swarm-"); }));
    return nodes;
  };
  EXPECT_TRUE(eventually(
      [&] {
        std::this_thread::sleep_for(500ms);
        return labelled() == count;
      },
      300s))
      << labelled() << " of " << count << "\n"
      << agents.end_of_log();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::this_thread::sleep_for(3s);
  int requests = 0;  // but for those of the Lease, which come after the labels
  int of_leases = 0;
  std::map<std::string, int> verbs;
  for (const AuditEntry& entry : cluster->audit(since))
    if (entry.user_agent.starts_with("nodescout/")) {
      ++(entry.resource == "leases" ? of_leases : requests);
      ++verbs[entry.verb + " " + entry.resource];
    }
  const double bytes = cluster->etcd_bytes() - before;
  std::string listed;
  for (const auto& [verb, times] : verbs) listed += "  " + verb + " " + std::to_string(times) + "\n";
  std::printf(
      "%d agents: all labelled after %.1f s, %.2f requests, %.2f for its Lease and %.0f bytes of etcd a Node, "
      "%ld MiB for all\n%s",
      count, seconds, static_cast<double>(requests) / count, static_cast<double>(of_leases) / count, bytes / count,
      agents.memory_kib("VmRSS") / 1024, listed.c_str());
  EXPECT_LE(requests, 4 * count);
  EXPECT_LE(of_leases, 3 * count);
  EXPECT_LE(bytes / count, 3072);
  agents.signal(SIGKILL);
}

}  // namespace
}  // namespace nodescout::test
