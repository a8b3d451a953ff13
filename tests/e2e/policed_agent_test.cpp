// The agent as a process under the shipped rights and policies, with the token of its Pod: what NodeFeature objects ask
// for in excess, and another program that writes the same ownership annotations.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "base/text.h"
#include "document/json.h"
#include "e2e/agent_process.h"
#include "kube/lease.h"
#include "plan/node_state.h"
#include "support/run_program.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string kPrefix = "feature.node.kubernetes.io/";
constexpr const char* kOwned = "nfd.node.kubernetes.io/feature-labels";
constexpr const char* kAgents = "system:serviceaccount:nodescout:nodescout";

class PolicedAgentTest : public AgentFixture {
 protected:
  void SetUp() override {
    AgentFixture::SetUp();
    if (IsSkipped()) return;
    cluster->install();
  }
  void start(const std::string& name, const std::string& config) {
    node = name;
    // With a label, as a kubelet registers it: of a Node without any field the server records no managers.
    must(cluster->admin().create(collection_path(resources::kNodes),
                                 json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + node +
                                      R"(","labels":{"kubernetes.io/hostname":")" + node + "\"}}}")));
    since = cluster->now_in_audit_log();
    const fs::path kubeconfig = cluster->kubeconfig(
        "policed-" + node, R"({"token":")" + cluster->token("nodescout", "nodescout", node) + "\"}");
    // As in the Pod: its namespace is the agent's.
    std::string text = must(read_whole_file(kubeconfig, 1u << 20));
    text = replace_all(text, "context: {cluster: test,", "context: {namespace: nodescout, cluster: test,");
    write_file(kubeconfig, text);
    AgentFixture::start({.node = node, .config = config, .kubeconfig = kubeconfig.string()});
    ASSERT_TRUE(wait_for_label(*cluster, node, kGpuLabel, "true", 60s)) << agent->log();
  }
  std::vector<AuditEntry> requests(std::uintmax_t from) {
    std::vector<AuditEntry> out;
    for (AuditEntry& entry : cluster->audit(from))
      if (entry.user == kAgents && entry.user_agent.starts_with("nodescout/")) out.push_back(std::move(entry));
    return out;
  }
  NodeState state() { return must(node_state_from(node_object(*cluster, node), node)); }
  Ownership owned() { return Ownership::read(state(), ""); }
  bool has_event(const std::string& reason, const std::string& note) {
    const std::string events = cluster->kubectl({"get", "events.events.k8s.io", "-n", "default", "-o", "json"});
    return events.find("\"reason\": \"" + reason + '"') != std::string::npos && events.find(note) != std::string::npos;
  }
  /// A rule in a file still becomes a label.
  void expect_alive(const std::string& mark) {
    write_file(agent->rules() / (mark + ".yaml"),
               "- {name: alive, labels: {e2e-alive-" + mark + ": \"1\"}, matchFeatures: []}\n");
    EXPECT_TRUE(wait_for_label(*cluster, node, kPrefix + "e2e-alive-" + mark, "1", 60s)) << agent->log();
  }

  std::string node;
  std::uintmax_t since = 0;
};

// ---- many labels ----------------------------------------------------------------------------------------------------

class ManyLabelsTest : public PolicedAgentTest {
 protected:
  /// Of 100 bytes, or short.
  static std::string key(int number, bool is_long_key) {
    const std::string name = "e2e-" + std::to_string(10'000 + number).substr(1);
    return is_long_key ? "vendor-xy." + kPrefix + name + std::string(55, 'x') : kPrefix + name;
  }
  static std::string path(int object) {
    return object_path(resources::kNodeFeatures, "nodescout", "many-" + std::to_string(object));
  }
  void put_object(int object, const std::string& of_node, int first, int count, bool has_long_keys) {
    std::string labels;
    for (int i = first; i < first + count; ++i)
      labels += (labels.empty() ? "\"" : ",\"") + key(i, has_long_keys) + "\":\"1\"";
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatures, "nodescout"),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":)"
             R"({"name":"many-)" +
             std::to_string(object) + R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + of_node +
             R"("}},"spec":{"labels":{)" + labels + R"(},"features":{"flags":{},"attributes":{},"instances":{}}}})")));
    objects.push_back(object);
  }
  void TearDown() override {
    AgentFixture::TearDown();
    for (const int object : objects) (void)cluster->admin().remove(path(object));
  }
  std::size_t labels_of_objects() {
    std::size_t count = 0;
    for (const auto& [name, value] : state().labels) count += name.find("/e2e-") != std::string::npos;
    return count;
  }
  /// Sends nothing but renewals of its Lease and of its watches, and costs the API server next to nothing.
  void expect_rest() {
    std::this_thread::sleep_for(5s);
    const auto from = cluster->now_in_audit_log();
    const double cpu = cluster->api_server().cpu_seconds();
    const auto time = is_long() ? 180s : 20s;
    std::this_thread::sleep_for(time);
    std::string sent;
    for (const AuditEntry& entry : requests(from))
      if (entry.verb != "watch" && entry.resource != "leases") sent += entry.verb + " " + entry.uri + "\n";
    EXPECT_EQ(sent, "");
    std::cout << "at rest for " << time.count() << " s: the API server used "
              << cluster->api_server().cpu_seconds() - cpu << " s of CPU\n";
  }
  /// No write was refused, and there were few.
  void expect_cheap(int most) {
    int patches = 0;
    for (const AuditEntry& entry : requests(since)) {
      if (entry.verb != "patch") continue;
      ++patches;
      EXPECT_LT(entry.code, 400) << entry.uri;
    }
    EXPECT_LE(patches, most);
    std::cout << patches << " PATCHes\n";
    EXPECT_EQ(agent->log().find("cost"), std::string::npos) << agent->log();
  }

  std::vector<int> objects;
};

class EightThousandLabelsTest : public ManyLabelsTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Keys, EightThousandLabelsTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Of100Bytes" : "Short"; });

TEST_P(EightThousandLabelsTest, KeepToTheCapsAndTheBudgetOfThePolicy) {
  ASSERT_EQ(key(0, true).size(), 100u);
  const std::string name = GetParam() ? "many-long" : "many-short";
  for (int object = 0; object < 8; ++object) put_object(object, name, object * 1000, 1000, GetParam());
  start(name, kQuiet);
  EXPECT_TRUE(eventually([&] { return owned().labels.size() == 500; }, 60s)) << owned().labels.size() << agent->log();
  EXPECT_EQ(label_of(*cluster, node, kNicLabel), "true") << "what the node itself is comes first";
  EXPECT_TRUE(eventually([&] { return has_event("OverLimit", "limits.labelsPerNode"); })) << agent->log();
  expect_rest();
  expect_cheap(6);

  // What is on the Node can still change, and go.
  std::string first;
  for (const std::string& label : owned().labels)
    if (first.empty() && label.find("/e2e-") != std::string::npos) first = label;
  must(cluster->admin().patch(path(0), PatchKind::merge, json(R"({"spec":{"labels":{")" + first + R"(":"2"}}})")));
  EXPECT_TRUE(wait_for_label(*cluster, node, first, "2", 60s)) << agent->log();
  ASSERT_TRUE(cluster->admin().remove(path(0)));
  EXPECT_TRUE(wait_for_label(*cluster, node, first, std::nullopt, 60s)) << agent->log();
  EXPECT_TRUE(eventually([&] { return owned().labels.size() == 500; }, 60s)) << "the next object's take their place";
  expect_cheap(12);
}

TEST_F(ManyLabelsTest, AtRestWithTwelveHundredLabelsOfOneObject) {
  put_object(9, "many-rest", 0, 1200, false);
  start("many-rest", kQuiet);
  EXPECT_TRUE(eventually([&] { return labels_of_objects() == 250; }, 60s)) << labels_of_objects() << agent->log();
  EXPECT_TRUE(eventually([&] { return has_event("OverLimit", "limits.labelsPerObject"); })) << agent->log();
  expect_rest();
  expect_cheap(4);
  expect_alive("many");
}

// ---- without a Lease ------------------------------------------------------------------------------------------------

TEST_F(PolicedAgentTest, SaysOnItsNodeThatItLivesThereWithoutALease) {
  start("policed-unleased", kQuiet + "lease: {enabled: false}\n");
  EXPECT_TRUE(eventually([&] { return state().annotations.contains(kAgentAnnotation); })) << agent->log();
  EXPECT_EQ(agent->log().find("was refused"), std::string::npos) << agent->log();
  EXPECT_TRUE(owned().annotations.contains(kAgentAnnotation));
}

// ---- another writer of the same annotations -------------------------------------------------------------------------

class OtherWriterTest : public PolicedAgentTest {
 protected:
  /// As an nfd-master that runs beside the agents.
  void nfd_writes(const std::string& patch) {
    Endpoint endpoint = cluster->endpoint_as("nfd-master", {"system:masters"});
    Connection nfd(endpoint);
    nfd.api.write_as("nfd-master");
    must(nfd.api.patch(object_path(resources::kNodes, "", node), PatchKind::merge, json(patch)));
  }
  void start_other(const std::string& name) {
    start(name, "nodeRecheck: 1s\nstateFile: ''\n");
    before = owned().labels;
    ASSERT_FALSE(before.empty());
  }
  Ran diff() {
    return run_program({nodescout_program(), "diff", "--node=" + node, "--root", machine.path().string(), "--no-live",
                        "--kubeconfig=" + cluster->admin_kubeconfig().string(),
                        "--config=" + agent->config_file().string(), "--rules=" + agent->rules().string()});
  }

  std::set<std::string, std::less<>> before;
};

TEST_F(OtherWriterTest, TakesTheAnnotationsAwayWhileTheLabelsStay) {
  start_other("other-takes");
  nfd_writes(R"({"metadata":{"annotations":{")" + std::string(kOwned) + R"(":null}}})");
  EXPECT_TRUE(eventually([&] { return owned().labels == before; }))
      << to_json(node_object(*cluster, node)) << agent->log();
  EXPECT_TRUE(eventually([&] { return has_event("OwnershipLost", "reclaimed"); })) << agent->log();
  EXPECT_EQ(agent->log().find("belongs to another owner"), std::string::npos) << agent->log();
  EXPECT_EQ(agent->log().find("was refused"), std::string::npos) << agent->log();
  for (const std::string& label : before) EXPECT_TRUE(state().labels.contains(label)) << label;
  expect_alive("takes");
}

TEST_F(OtherWriterTest, StripsLabelsAndAnnotations) {
  start_other("other-strips");
  std::string labels;
  for (const std::string& label : before) labels += (labels.empty() ? "\"" : ",\"") + label + "\":null";
  nfd_writes(R"({"metadata":{"labels":{)" + labels + R"(},"annotations":{")" + kOwned + R"(":null}}})");
  EXPECT_TRUE(eventually([&] { return owned().labels == before; })) << agent->log();
  EXPECT_TRUE(eventually([&] { return has_event("OwnershipChanged", "stop the nfd-master that is still running"); }))
      << agent->log();
  EXPECT_EQ(label_of(*cluster, node, kGpuLabel), "true");
}

TEST_F(OtherWriterTest, PutsItsOwnListInPlaceOfOurs) {
  start_other("other-list");
  agent->process().stop();
  std::this_thread::sleep_for(1100ms);  // times in managedFields are whole seconds
  nfd_writes(R"({"metadata":{"labels":{"feature.node.kubernetes.io/of-nfd":"1"},"annotations":{")" +
             std::string(kOwned) + R"(":"of-nfd"}}})");
  const Ran compared = diff();
  EXPECT_EQ(compared.status, 3) << compared.err;
  EXPECT_NE(compared.out.find("= " + std::string(kGpuLabel) + "=true   (becomes ours)"), std::string::npos)
      << compared.out;
  for (const char* what : {"\"nfd-master\" wrote the ownership annotation", "they are reclaimed"})
    EXPECT_NE(compared.err.find(what), std::string::npos) << what << "\n" << compared.err;
  agent->restart();
  EXPECT_TRUE(eventually([&] {
    const auto now = owned().labels;
    return std::includes(now.begin(), now.end(), before.begin(), before.end());
  })) << agent->log();
  EXPECT_TRUE(eventually([&] { return has_event("OtherWriter", "nfd-master"); })) << agent->log();
  expect_alive("list");
}

/// Only what it provably wrote: a label that another program wrote stays that program's.
TEST_F(OtherWriterTest, ProvesNothingForLabelsOfOthers) {
  start_other("other-foreign");
  nfd_writes(R"({"metadata":{"labels":{")" + std::string(kGpuLabel) + R"(":"theirs"},"annotations":{")" + kOwned +
             R"(":null}}})");
  EXPECT_TRUE(eventually([&] { return owned().labels.size() == before.size() - 1; })) << agent->log();
  EXPECT_EQ(label_of(*cluster, node, kGpuLabel), "theirs");
  EXPECT_FALSE(owned().labels.contains(kGpuLabel));
  EXPECT_TRUE(eventually([&] { return agent->log().find("belongs to another owner") != std::string::npos; }))
      << agent->log();
}

/// NFD's own program instead of a stand-in: it strips Nodes without NodeFeature objects at each change of a rule
/// object.
TEST_F(OtherWriterTest, ARealMasterThatGoesOnRunning) {
  const char* peer = std::getenv("NODESCOUT_PEER");
  if (!peer) GTEST_SKIP() << "skipped: name a folder with nfd-master in NODESCOUT_PEER";
  start_other("other-real");
  const auto begin = cluster->now_in_audit_log();
  TempDirectory logs;
  // Its own Node, as a kubelet makes it: NFD's patches fail where labels or annotations are missing.
  cluster->create_ready_node("of-master", json(R"({"metadata":{"labels":{"kubernetes.io/hostname":"of-master"},)"
                                               R"("annotations":{"node.alpha.kubernetes.io/ttl":"0"}}})"));
  Process master(
      {"/usr/bin/env", "NODE_NAME=of-master", "KUBERNETES_NAMESPACE=default", std::string(peer) + "/nfd-master",
       "-kubeconfig=" + cluster->admin_kubeconfig().string(), "-port=" + std::to_string(free_port())},
      logs.path() / "nfd-master");
  const auto writes_of_master = [&] {
    int writes = 0;
    for (const AuditEntry& entry : cluster->audit(begin))
      writes += entry.name == node && entry.verb == "patch" && !entry.user_agent.starts_with("nodescout/");
    return writes;
  };
  EXPECT_TRUE(eventually([&] { return master.end_of_log().find("process all nodes") != std::string::npos; }, 60s))
      << master.end_of_log();
  for (const char* value : {"1", "2"}) {
    const int before_change = writes_of_master();
    write_file(logs.path() / "rule.yaml",
               "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: other-real}\nspec:\n"
               "  rules: [{name: a, labels: {of-both: \"" +
                   std::string(value) +
                   "\"}, matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: Exists}}}]}]\n");
    cluster->kubectl({"apply", "-f", (logs.path() / "rule.yaml").string()});
    EXPECT_TRUE(eventually([&] { return writes_of_master() > before_change; }, 60s)) << master.end_of_log();
    EXPECT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/of-both", value)) << agent->log();
    EXPECT_TRUE(eventually([&] {
      const auto now = owned().labels;
      return std::includes(now.begin(), now.end(), before.begin(), before.end());
    })) << agent->log();
  }
  EXPECT_TRUE(eventually([&] { return has_event("OwnershipChanged", "stop the nfd-master that is still running"); }))
      << agent->log();
  master.stop();
  cluster->kubectl({"delete", "nodefeaturerule", "other-real"});
  EXPECT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/of-both", std::nullopt)) << agent->log();
  // The master may have written once more before it ended, which takes the rule's label off as well.
  EXPECT_TRUE(eventually([&] {
    const auto now = state().labels;
    return std::all_of(before.begin(), before.end(), [&](const std::string& label) { return now.contains(label); });
  })) << agent->log();
}

}  // namespace
}  // namespace nodescout::test
