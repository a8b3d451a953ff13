// `nodescout controller` as a process against the control plane of the tests.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>

#include "document/json.h"
#include "e2e/agent_process.h"
#include "feature/json.h"
#include "kube/watch.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kLabel = "feature.node.kubernetes.io/from-rule";

class ControllerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    cluster->install_crds();
  }
  void TearDown() override {
    if (cluster && HasFailure())
      for (const auto& process : processes) std::cerr << process->end_of_log() << "\n";
    processes.clear();
    if (!cluster) return;
    for (const Resource& resource : {resources::kNodeFeatures, resources::kNodeFeatureRules, resources::kNodes})
      must(cluster->admin().list(collection_path(resource), {}, [&](const Value& object) {
        const std::string key = key_of(object);
        const std::size_t slash = key.find('/');
        const std::string space = slash == std::string::npos ? "" : key.substr(0, slash);
        (void)cluster->admin().remove(object_path(resource, space, key.substr(slash + 1)));
      }));
  }

  fs::path admin(const std::string& server = "") const {
    return cluster->kubeconfig("controller-" + std::to_string(++configs_),
                               cluster->client_certificate_user("controller", {"system:masters"}), server);
  }
  Process& start(std::vector<std::string> more = {}, const fs::path& kubeconfig = {}) {
    std::vector<std::string> words{
        nodescout_program(), "controller", "--kubeconfig", (kubeconfig.empty() ? admin() : kubeconfig).string(),
        "--listen",          "none",       "--config",     config()};
    words.insert(words.end(), more.begin(), more.end());
    processes.push_back(std::make_unique<Process>(words, folder.path() / ("log-" + std::to_string(processes.size()))));
    return *processes.back();
  }
  std::string config() {
    const fs::path file = folder.path() / "nodescout.conf";
    std::ofstream(file) << "enableTaints: true\n";
    return file.string();
  }
  void rule(const std::string& name, const std::string& rules) {
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatureRules),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":")" + name +
             R"("},"spec":{"rules":)" + rules + "}}")));
  }
  /// A rule that labels Nodes with an NVMe disk.
  void label_rule() {
    rule("by-module", R"([{"name":"r","labels":{"from-rule":"true"},"matchFeatures":[)"
                      R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  }
  void node_feature(const std::string& node, const std::string& space = "default") {
    Features features;
    features.flags["kernel.loadedmodule"] = {"nvme", "ext4"};
    features.attributes["kernel.config"] = Attributes{{"HZ", "250"}, {"NO_HZ", "y"}};
    const Attributes labels{{"feature.node.kubernetes.io/from-worker", "true"}};
    must(cluster->admin().create(collection_path(resources::kNodeFeatures, space),
                                 node_feature_object(node, features, labels)));
  }
  void delete_node_feature(const std::string& node) {
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, "default", node)));
  }
  bool log_has(const Process& process, const std::string& text) const {
    std::ifstream file(process.log());
    const std::string whole((std::istreambuf_iterator<char>(file)), {});
    return whole.find(text) != std::string::npos;
  }

  ControlPlane* cluster = nullptr;
  TempDirectory folder;
  std::vector<std::unique_ptr<Process>> processes;
  mutable int configs_ = 0;
};

constexpr const char* kWorkerLabel = "feature.node.kubernetes.io/from-worker";

TEST_F(ControllerTest, LabelsComeWithTheObjectAndGoWithIt) {
  label_rule();
  // As bare as the API allows: NFD's patches fail on such a Node.
  cluster->create_node("cn-a");
  node_feature("cn-a");
  start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-a", kLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "cn-a", kWorkerLabel), "true");
  const Value node = node_object(*cluster, "cn-a");
  EXPECT_EQ(node.find("metadata")->find("annotations")->find("nfd.node.kubernetes.io/feature-labels")->text,
            "from-rule,from-worker");

  delete_node_feature("cn-a");
  EXPECT_TRUE(wait_for_label(*cluster, "cn-a", kLabel, std::nullopt));
  EXPECT_TRUE(wait_for_label(*cluster, "cn-a", kWorkerLabel, std::nullopt));
}

TEST_F(ControllerTest, ARuleThatLooksAtMoreReachesObjectsThatWereReadBefore) {
  label_rule();
  cluster->create_node("cn-b");
  node_feature("cn-b");
  start();
  ASSERT_TRUE(wait_for_label(*cluster, "cn-b", kLabel, "true"));
  rule("more", R"([{"name":"m","labels":{"hz":"@kernel.config.HZ"},"matchFeatures":[)"
               R"({"feature":"kernel.config","matchExpressions":{"NO_HZ":{"op":"In","value":["y"]}}}]}])");
  EXPECT_TRUE(wait_for_label(*cluster, "cn-b", "feature.node.kubernetes.io/hz", "250"));
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "more")));
  EXPECT_TRUE(wait_for_label(*cluster, "cn-b", "feature.node.kubernetes.io/hz", std::nullopt));
  EXPECT_EQ(label_of(*cluster, "cn-b", kLabel), "true");
}

TEST_F(ControllerTest, AReferenceFromATemplateIsReadWhole) {
  rule("beyond",
       R"([{"name":"t","labelsTemplate":"{{range .kernel.loadedmodule}}hz-{{.Name}}=@kernel.config.HZ\n{{end}}",)"
       R"("matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  cluster->create_node("cn-c");
  node_feature("cn-c");
  start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-c", "feature.node.kubernetes.io/hz-nvme", "250"));
}

TEST_F(ControllerTest, WithoutAnyObjectNothingIsRemovedAfterARestart) {
  label_rule();
  cluster->create_node("cn-d", json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/old":"true"},"annotations":)"
                                    R"({"nfd.node.kubernetes.io/feature-labels":"old"}}})"));
  cluster->create_node("cn-e", json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/old":"true"},"annotations":)"
                                    R"({"nfd.node.kubernetes.io/feature-labels":"old"}}})"));
  node_feature("cn-e");
  start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-e", "feature.node.kubernetes.io/old", std::nullopt))
      << "its object is there and does not make it";
  EXPECT_TRUE(eventually([&] { return log_has(*processes[0], "all Nodes are up to date"); }));
  EXPECT_EQ(label_of(*cluster, "cn-d", "feature.node.kubernetes.io/old"), "true");
}

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

TEST_F(ControllerTest, ObjectsOfOtherNamespacesCountOnlyIfTheyAreListed) {
  label_rule();
  cluster->create_namespace("tenant");
  cluster->create_node("cn-h");
  node_feature("cn-h", "tenant");
  cluster->create_node("cn-i");
  node_feature("cn-i");
  Process& closed = start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-i", kLabel, "true"));
  EXPECT_TRUE(eventually([&] { return log_has(closed, "all Nodes are up to date"); }));
  EXPECT_EQ(label_of(*cluster, "cn-h", kLabel), std::nullopt);
  closed.stop();
  start({"--namespaces", "tenant"});
  EXPECT_TRUE(wait_for_label(*cluster, "cn-h", kLabel, "true"));
}

TEST_F(ControllerTest, TaintsAndResourcesAreSetAndRemoved) {
  rule("tr", R"([{"name":"r","extendedResources":{"vendor":"3"},"taints":[{"key":"feature.node.kubernetes.io/t",)"
             R"("value":"x","effect":"PreferNoSchedule"}],"matchFeatures":[)"
             R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  cluster->create_node("cn-j");
  node_feature("cn-j");
  start();
  const auto resource = [&]() -> std::string {
    const Value node = node_object(*cluster, "cn-j");
    const Value* capacity = node.find("status") ? node.find("status")->find("capacity") : nullptr;
    const Value* found = capacity ? capacity->find("feature.node.kubernetes.io/vendor") : nullptr;
    return found ? found->text : "";
  };
  const auto is_tainted = [&] {
    return to_json(node_object(*cluster, "cn-j")).find(R"("key":"feature.node.kubernetes.io/t")") != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return resource() == "3" && is_tainted(); }));
  delete_node_feature("cn-j");
  EXPECT_TRUE(eventually([&] { return resource().empty() && !is_tainted(); }));
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

}  // namespace
}  // namespace nodescout::test
