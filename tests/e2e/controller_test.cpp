// `nodescout controller` as a process against the control plane of the tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "base/base64.h"
#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/fault_proxy.h"
#include "feature/json.h"
#include "kube/lease.h"
#include "kube/watch.h"
#include "support/run_program.h"
#include "system/file.h"

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
    for (const Resource& resource : {resources::kNodeFeatures, resources::kNodeFeatureRules,
                                     resources::kNodeFeatureGroups, resources::kNodes, resources::kLeases})
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
    std::ofstream(file) << "enableTaints: true\n" << more_config;
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
  /// An agent's Lease that was renewed so long ago.
  void lease(const std::string& node, std::chrono::seconds age) {
    const auto renewed = cluster->admin().server_time() - age;
    LeaseContent content;
    content.annotations[kLeaseVersion] = "1";
    Value object = lease_object({node, "default", 30s}, content, {}, renewed);
    replace(*find_member(object, "metadata"), "ownerReferences", Value::list());
    must(cluster->admin().create(collection_path(resources::kLeases, "default"), object));
  }
  static Value* find_member(Value& map, const std::string& name) {
    for (Member& member : map.members)
      if (member.key == name) return &member.value;
    return nullptr;
  }
  /// A Node with a label that belongs to NFD or nodescout, and that no rule makes.
  void node_with_old_label(const std::string& name) {
    cluster->create_node(name, json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/old":"true"},"annotations":)"
                                    R"({"nfd.node.kubernetes.io/feature-labels":"old"}}})"));
  }
  /// Events about an object, a line each: "RejectedLabel: note".
  std::string events_of(const std::string& kind, const std::string& name, const std::string& space = "default") {
    std::string lines;
    must(cluster->admin().list(collection_path(resources::kEvents, space), {}, [&](const Value& event) {
      if (text_at(event, {"regarding", "kind"}) == kind && text_at(event, {"regarding", "name"}) == name)
        lines += text_at(event, {"reason"}) + ": " + text_at(event, {"note"}) + "\n";
    }));
    return lines;
  }
  /// A NodeFeature that asks for these labels (JSON).
  void object_with_labels(const std::string& name, const std::string& node, const std::string& labels) {
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatures, "default"),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + name +
             R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + node + R"("}},"spec":{"features":{},"labels":)" +
             labels + "}}")));
  }
  bool exists(const std::string& path) { return cluster->admin().get(path).has_value(); }
  /// Entries that any controller removed from Nodes.
  std::vector<std::string> removed_since(std::uintmax_t point) {
    std::vector<std::string> out;
    for (const AuditEntry& entry : cluster->audit(point)) {
      if (entry.verb != "patch" || !entry.resource.starts_with("nodes") || entry.code != 200) continue;
      for (const auto path : {"labels", "annotations"})
        if (const Value* map = at(entry.request, {"metadata", path}))
          for (const Member& member : map->members)
            if (member.value.is(Value::Kind::null) && !member.key.starts_with("nfd.node.kubernetes.io/"))
              out.push_back(entry.name + " " + member.key);
    }
    return out;
  }
  bool log_has(const Process& process, const std::string& text) const {
    std::ifstream file(process.log());
    const std::string whole((std::istreambuf_iterator<char>(file)), {});
    return whole.find(text) != std::string::npos;
  }

  ControlPlane* cluster = nullptr;
  TempDirectory folder;
  std::vector<std::unique_ptr<Process>> processes;
  std::string more_config;
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

/// The watch has metadata only, so these Nodes are read from time to time.
TEST_F(ControllerTest, TaintsAndResourcesThatAnotherRemovesComeBack) {
  rule("tr", R"([{"name":"r","extendedResources":{"vendor":"3"},"taints":[{"key":"feature.node.kubernetes.io/t",)"
             R"("value":"x","effect":"PreferNoSchedule"}]}])");
  cluster->create_node("cn-resync");
  node_feature("cn-resync");
  start({"-resync-period", "2s"});
  const auto is_complete = [&] {
    const std::string node = to_json(node_object(*cluster, "cn-resync"));
    return node.find(R"("key":"feature.node.kubernetes.io/t")") != std::string::npos &&
           node.find(R"("feature.node.kubernetes.io/vendor":"3")") != std::string::npos;
  };
  ASSERT_TRUE(eventually(is_complete));
  // As an administrator, and as a kubelet after a reboot.
  must(cluster->admin().patch(object_path(resources::kNodes, "", "cn-resync"), PatchKind::merge,
                              json(R"({"spec":{"taints":null}})")));
  must(cluster->admin().patch(object_path(resources::kNodes, "", "cn-resync", "status"), PatchKind::merge,
                              json(R"({"status":{"capacity":{"feature.node.kubernetes.io/vendor":"0"}}})")));
  ASSERT_FALSE(is_complete());
  EXPECT_TRUE(eventually(is_complete));
  // Labels come back at once.
  must(cluster->admin().patch(object_path(resources::kNodes, "", "cn-resync"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/from-worker":null}}})")));
  EXPECT_TRUE(wait_for_label(*cluster, "cn-resync", kWorkerLabel, "true"));
}

TEST_F(ControllerTest, LabelsThatLostTheirAnnotationAreClaimedAgain) {
  label_rule();
  // As a kubelet registers it: the API server keeps no record of who wrote a Node that was created with nothing.
  must(cluster->admin().create(
      collection_path(resources::kNodes),
      json(
          R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"cn-lost","labels":{"kubernetes.io/os":"linux"}}})")));
  node_feature("cn-lost");
  Process& process = start();
  ASSERT_TRUE(wait_for_label(*cluster, "cn-lost", kLabel, "true"));
  must(cluster->admin().patch(object_path(resources::kNodes, "", "cn-lost"), PatchKind::merge,
                              json(R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/feature-labels":null}}})")));
  EXPECT_TRUE(eventually([&] {
    return text_at(node_object(*cluster, "cn-lost"),
                   {"metadata", "annotations", "nfd.node.kubernetes.io/feature-labels"}) == "from-rule,from-worker";
  })) << process.end_of_log();
  delete_node_feature("cn-lost");
  EXPECT_TRUE(wait_for_label(*cluster, "cn-lost", kLabel, std::nullopt));
}

/// What concerns a rule or a group is said once, and not for each Node.
TEST_F(ControllerTest, AMistakeOfARuleOrGroupIsLoggedOnceForAllNodes) {
  rule("mistaken", R"([{"name":"r","labels":{"from-rule":"true","kubernetes.io/no":"1"}},{"name":"fails",)"
                   R"("labels":{"x":"1"},"matchFeatures":[{"feature":"kernel.loadedmodule","matchName":)"
                   R"({"op":"InRegexp","value":["["]}}]}])");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatureGroups, "default"),
      json(
          R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureGroup","metadata":{"name":"mistaken"},"spec":)"
          R"({"featureGroupRules":[{"name":"g","matchFeatures":[{"feature":"kernel.loadedmodule","matchName":)"
          R"({"op":"InRegexp","value":["("]}}]}]}})")));
  for (int i = 0; i < 5; ++i) {
    cluster->create_node("cn-many-" + std::to_string(i));
    node_feature("cn-many-" + std::to_string(i));
  }
  Process& process = start();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(wait_for_label(*cluster, "cn-many-" + std::to_string(i), kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "NodeFeatureGroup/default/mistaken"); }))
      << process.end_of_log();
  std::this_thread::sleep_for(1s);
  const std::string log = must(read_whole_file(process.log(), 1u << 20));
  for (const char* text : {"kubernetes.io/no", R"(rule \"fails\")", "NodeFeatureGroup/default/mistaken"}) {
    const auto lines = split(log, '\n');
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.find(text) != line.npos; }),
              1)
        << text << "\n"
        << log;
  }
  EXPECT_TRUE(eventually([&] { return events_of("NodeFeatureGroup", "mistaken").find("RuleFailed: ") == 0; }));
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

TEST_F(ControllerTest, NfdsWayIsOneSwitch) {
  label_rule();
  cluster->create_namespace("tenant");
  cluster->create_node("cn-o");
  node_feature("cn-o", "tenant");
  start({"--compat", "nfd"});
  EXPECT_TRUE(wait_for_label(*cluster, "cn-o", kLabel, "true"));
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

TEST_F(ControllerTest, ObjectsOfVanishedNodesAreDeleted) {
  cluster->kubectl({"apply", "-f", [&] {
                      const fs::path file = folder.path() / "topologies.yaml";
                      write_file(file,
                                 "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
                                 "metadata: {name: noderesourcetopologies.topology.node.k8s.io, annotations: "
                                 "{api-approved.kubernetes.io: unapproved}}\n"
                                 "spec:\n  group: topology.node.k8s.io\n  scope: Cluster\n"
                                 "  names: {kind: NodeResourceTopology, plural: noderesourcetopologies}\n"
                                 "  versions:\n    - {name: v1alpha2, served: true, storage: true, schema: "
                                 "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n");
                      return file.string();
                    }()});
  const Resource topologies{"topology.node.k8s.io", "v1alpha2", "noderesourcetopologies"};
  const auto topology = [&](const std::string& name) {
    EXPECT_TRUE(eventually([&] {
      return cluster->admin()
          .create(collection_path(topologies),
                  json(R"({"apiVersion":"topology.node.k8s.io/v1alpha2","kind":"NodeResourceTopology","metadata":)"
                       R"({"name":")" +
                       name + R"("}})"))
          .has_value();
    }));
  };
  for (const char* name : {"cn-t", "cn-u", "cn-v"}) topology(name);
  cluster->create_namespace("tenant");
  cluster->create_node("cn-t");
  cluster->create_node("cn-v");
  for (const char* name : {"cn-t", "cn-u", "cn-v"}) node_feature(name);
  node_feature("cn-v", "tenant");
  Process& process = start({"--collect-after", "1s"});
  // cn-u went while no controller ran.
  EXPECT_TRUE(eventually([&] {
    return !exists(object_path(resources::kNodeFeatures, "default", "cn-u")) &&
           !exists(object_path(topologies, "", "cn-u"));
  })) << process.end_of_log();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", "cn-v")));
  EXPECT_TRUE(eventually([&] {
    return !exists(object_path(resources::kNodeFeatures, "default", "cn-v")) &&
           !exists(object_path(resources::kNodeFeatures, "tenant", "cn-v")) &&
           !exists(object_path(topologies, "", "cn-v"));
  })) << process.end_of_log();
  EXPECT_TRUE(exists(object_path(resources::kNodeFeatures, "default", "cn-t")));
  EXPECT_TRUE(exists(object_path(topologies, "", "cn-t")));
}

TEST_F(ControllerTest, GroupsListTheirNodes) {
  for (const char* name : {"cn-w", "cn-x"}) cluster->create_node(name);
  node_feature("cn-w");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatureGroups, "default"),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureGroup","metadata":{"name":"disks"},"spec":)"
           R"({"featureGroupRules":[{"name":"r","matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":)"
           R"({"nvme":{"op":"Exists"}}}]}]}})")));
  start();
  const auto members = [&] {
    const Value group = must(cluster->admin().get(object_path(resources::kNodeFeatureGroups, "default", "disks")));
    const Value* nodes = at(group, {"status", "nodes"});
    return nodes ? to_json(*nodes) : "";
  };
  EXPECT_TRUE(eventually([&] { return members() == R"([{"name":"cn-w"}])"; })) << members();
  node_feature("cn-x");
  EXPECT_TRUE(eventually([&] { return members() == R"([{"name":"cn-w"},{"name":"cn-x"}])"; })) << members();
  delete_node_feature("cn-w");
  EXPECT_TRUE(eventually([&] { return members() == R"([{"name":"cn-x"}])"; })) << members();
}

TEST_F(ControllerTest, TheAuthorOfARuleSeesOnTheObjectWhatBecomesOfIt) {
  rule("status", R"([{"name":"r","labels":{"from-rule":"true","kubernetes.io/not-allowed":"1"},"matchFeatures":[)"
                 R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]},)"
                 R"({"name":"broken","labelsTemplate":"{{ nonsense }}","matchFeatures":[)"
                 R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  cluster->create_node("cn-y");
  cluster->create_node("cn-z");
  node_feature("cn-y");
  start();
  const auto status = [&] {
    return text_at(must(cluster->admin().get(object_path(resources::kNodeFeatureRules, "", "status"))),
                   {"metadata", "annotations", "nodescout.dev/status"});
  };
  EXPECT_TRUE(eventually([&] { return status().starts_with(R"({"nodes":2,"matched":1,)"); })) << status();
  EXPECT_NE(status().find("kubernetes.io/not-allowed"), std::string::npos) << status();
  EXPECT_NE(status().find("nonsense"), std::string::npos) << status();
  EXPECT_TRUE(eventually([&] {
    bool found = false;
    must(cluster->admin().list(collection_path(resources::kEvents, "default"), {}, [&](const Value& event) {
      found = found || (text_at(event, {"regarding", "kind"}) == "NodeFeatureRule" &&
                        text_at(event, {"regarding", "name"}) == "status");
    }));
    return found;
  }));
  const auto point = cluster->now_in_audit_log();
  std::this_thread::sleep_for(3s);
  for (const AuditEntry& entry : cluster->audit(point))
    EXPECT_FALSE(entry.verb == "patch" && entry.resource == "nodefeaturerules") << "its own write is not news";
}

TEST_F(ControllerTest, AnObjectGetsAsManyLabelsAsTheLimitAllowsAndItsAuthorIsTold) {
  more_config = "limits: {labelsPerObject: 2}\n";
  label_rule();
  cluster->create_node("cn-limit");
  node_feature("cn-limit");
  object_with_labels("greedy", "cn-limit", R"({"a":"1","b":"1","c":"1","d":"1"})");
  Process& process = start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-limit", "feature.node.kubernetes.io/b", "1")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] {
    return events_of("NodeFeature", "greedy").find("OverLimit: node cn-limit: 2 entries are left out") == 0;
  })) << events_of("NodeFeature", "greedy")
      << process.end_of_log();
  EXPECT_NE(events_of("NodeFeature", "greedy").find("limits.labelsPerObject (2) of NodeFeature default/greedy"),
            std::string::npos);
  EXPECT_EQ(label_of(*cluster, "cn-limit", "feature.node.kubernetes.io/c"), std::nullopt);
  EXPECT_EQ(label_of(*cluster, "cn-limit", kLabel), "true") << "of a rule";
  EXPECT_EQ(label_of(*cluster, "cn-limit", "feature.node.kubernetes.io/from-worker"), "true") << "of another object";
}

TEST_F(ControllerTest, WhoAsksForWhatANodeDoesNotGetIsTold) {
  cluster->create_node("cn-told", json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/theirs":"x",)"
                                       R"("feature.node.kubernetes.io/too":"x"}}})"));
  rule("told", R"([{"name":"r","labels":{"too":"y"},"extendedResources":{"kubernetes.io/no":"1"},"taints":[{"key":)"
               R"("kubernetes.io/t","effect":"NoSchedule"}],"annotations":{"example.com/a":"1"}}])");
  object_with_labels("asks", "cn-told", R"({"theirs":"y","kubernetes.io/no":"1","feature.node.kubernetes.io/ok":"1"})");
  Process& process = start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-told", "feature.node.kubernetes.io/ok", "1")) << process.end_of_log();
  const auto lines = [&] { return events_of("NodeFeature", "asks"); };
  EXPECT_TRUE(eventually([&] {
    return lines().find("ForeignLabel: node cn-told: label \"feature.node.kubernetes.io/theirs\"") !=
               std::string::npos &&
           lines().find("RejectedLabel: NodeFeature default/asks: label \"kubernetes.io/no\"") != std::string::npos;
  })) << lines();
  const auto status = [&] {
    return text_at(must(cluster->admin().get(object_path(resources::kNodeFeatureRules, "", "told"))),
                   {"metadata", "annotations", "nodescout.dev/status"});
  };
  for (const char* entry :
       {"label feature.node.kubernetes.io/too: node cn-told: ", "extended resource kubernetes.io/no: ",
        "taint kubernetes.io/t", "annotation example.com/a: "})
    EXPECT_TRUE(eventually([&] { return status().find(entry) != std::string::npos; })) << entry << "\n" << status();
  EXPECT_TRUE(eventually([&] { return split(events_of("NodeFeatureRule", "told"), '\n').size() == 5; }))
      << events_of("NodeFeatureRule", "told");
  const std::string log = must(read_whole_file(process.log(), 1u << 20));
  EXPECT_NE(log.find("(from NodeFeature default/asks)"), std::string::npos) << log;
  EXPECT_NE(log.find("(from NodeFeatureRule/told (rule"), std::string::npos) << log;
}

TEST_F(ControllerTest, AnObjectThatFlapsIsDampedAndNamed) {
  cluster->create_node("cn-flaps");
  object_with_labels("flaps", "cn-flaps", R"({"l0":"1"})");
  Process& process = start();
  ASSERT_TRUE(wait_for_label(*cluster, "cn-flaps", "feature.node.kubernetes.io/l0", "1")) << process.end_of_log();
  const auto is_damped = [&] { return log_has(process, "code=flapping-object"); };
  int i = 0;
  for (; i < 400 && !is_damped(); ++i) {
    const std::string next = "l" + std::to_string(i + 1);
    must(cluster->admin().patch(
        object_path(resources::kNodeFeatures, "default", "flaps"), PatchKind::merge,
        json(R"({"spec":{"labels":{"l)" + std::to_string(i) + R"(":null,")" + next + R"(":"1"}}})")));
    // Each is a write of its own.
    EXPECT_TRUE(eventually([&] {
      return label_of(*cluster, "cn-flaps", "feature.node.kubernetes.io/" + next).has_value() || is_damped();
    }));
  }
  EXPECT_TRUE(eventually(is_damped)) << i << "\n" << process.end_of_log();
  EXPECT_GE(i, 200) << "a person may edit for a while";
  EXPECT_TRUE(log_has(process, "NodeFeature default/flaps"));
  EXPECT_TRUE(eventually([&] { return events_of("NodeFeature", "flaps").find("FlappingObject: ") == 0; }));
  // Nothing else waits.
  label_rule();
  node_feature("cn-flaps");
  EXPECT_TRUE(wait_for_label(*cluster, "cn-flaps", kLabel, "true")) << process.end_of_log();
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

TEST_F(ControllerTest, TheRightsOfTheOverlayAreEnough) {
  // Without its namespace, which does not admit the Pod that the token is bound to.
  cluster->create_namespace("nodescout");
  cluster->kubectl({"apply", "-k", NODESCOUT_SOURCE_DIR "/deploy/kustomize/controller"});
  cluster->create_namespace("node-feature-discovery");
  cluster->create_node("cn-2");
  const std::string token = cluster->token("nodescout", "nodescout-controller", "cn-2");
  const fs::path file = cluster->kubeconfig("rights", R"({"token":")" + token + "\"}");
  std::string text = must(read_whole_file(file, 1u << 20));
  write_file(file,
             replace_all(text, "{cluster: test, user: test}", "{cluster: test, user: test, namespace: nodescout}"));
  rule("status", R"([{"name":"r","labels":{"from-rule":"true","kubernetes.io/not-allowed":"1"},"matchFeatures":[)"
                 R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatureGroups, "node-feature-discovery"),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureGroup","metadata":{"name":"disks"},"spec":)"
           R"({"featureGroupRules":[{"name":"r","matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":)"
           R"({"nvme":{"op":"Exists"}}}]}]}})")));
  node_feature("cn-2", "node-feature-discovery");
  node_feature("cn-gone", "node-feature-discovery");
  Process& process =
      start({"--enable-leader-election", "--namespaces", "node-feature-discovery", "--collect-after", "0s"}, file);
  EXPECT_TRUE(wait_for_label(*cluster, "cn-2", kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] {
    const Value group =
        must(cluster->admin().get(object_path(resources::kNodeFeatureGroups, "node-feature-discovery", "disks")));
    const Value rules = must(cluster->admin().get(object_path(resources::kNodeFeatureRules, "", "status")));
    return at(group, {"status", "nodes"}) && at(rules, {"metadata", "annotations", "nodescout.dev/status"}) &&
           !exists(object_path(resources::kNodeFeatures, "node-feature-discovery", "cn-gone"));
  })) << process.end_of_log();
  EXPECT_FALSE(log_has(process, "cannot")) << process.end_of_log();
  EXPECT_FALSE(log_has(process, "orbidden")) << process.end_of_log();
}

// ---- faults ---------------------------------------------------------------------------------------------------------

class ControllerFaultTest : public ControllerTest {
 protected:
  static constexpr int kNodes = 30;

  void SetUp() override {
    ControllerTest::SetUp();
    if (!cluster) return;
    proxy = std::make_unique<FaultProxy>(
        cluster->authority(),
        FaultProxy::Options{.upstream_port = cluster->port(),
                            .identity = cluster->authority().for_user("controller", {"system:masters"})});
    label_rule();
    for (int i = 0; i < kNodes; ++i) {
      cluster->create_node(name(i));
      node_feature(name(i));
    }
  }
  static std::string name(int i) { return "fn-" + std::to_string(i); }
  Process& start_through_proxy(std::vector<std::string> more = {}) {
    return start(std::move(more), admin(proxy->server()));
  }
  bool are_labelled() {
    for (int i = 0; i < kNodes; ++i)
      if (label_of(*cluster, name(i), kLabel) != "true") return false;
    return true;
  }
  /// Labelled by a controller that is gone.
  std::uintmax_t labelled_before() {
    Process& process = start();
    EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
    process.stop();
    return cluster->now_in_audit_log();
  }

  std::unique_ptr<FaultProxy> proxy;
};

TEST_F(ControllerFaultTest, AListThatIsCutRemovesNothing) {
  const auto point = labelled_before();
  for (const char* what : {"nodefeatures", "nodefeaturerules", "nodes"})
    for (const std::size_t bytes : {900u, 5000u})
      proxy->add({.target = std::string("/") + what + "?", .times = 2, .cut = bytes});
  Process& process = start_through_proxy();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s)) << process.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  EXPECT_TRUE(are_labelled());
}

TEST_F(ControllerFaultTest, WatchesThatEndWithGoneRemoveNothing) {
  const auto point = labelled_before();
  Process& process = start_through_proxy();
  ASSERT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s));
  proxy->add(
      {.target = "watch=", .times = 6, .answer = answer_of(410, R"({"kind":"Status","code":410,"reason":"Expired"})")});
  proxy->drop_connections();
  std::this_thread::sleep_for(3s);
  cluster->create_node("fn-new");
  node_feature("fn-new");
  EXPECT_TRUE(wait_for_label(*cluster, "fn-new", kLabel, "true", 60s)) << process.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerFaultTest, RulesThatCannotBeListedRemoveNothing) {
  const auto point = labelled_before();
  proxy->add({.target = "/nodefeaturerules", .answer = answer_of(403, R"({"kind":"Status","code":403})")});
  start_through_proxy();
  std::this_thread::sleep_for(8s);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

class ControllerCrdTest : public ControllerFaultTest {
 protected:
  static std::string definition(const Resource& resource) {
    return "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + std::string(resource.plural) + "." +
           std::string(resource.group);
  }
  /// As `kubectl delete crd`: the server deletes all objects, then the kinds.
  void delete_crds() {
    // Times are in seconds: what is created again must be younger.
    const auto now = cluster->admin().server_time();
    ASSERT_TRUE(eventually([&] {
      must(cluster->admin().get(definition(kKinds[0])));
      return cluster->admin().server_time() > now + 1s;
    }));
    for (const Resource& kind : kKinds) ASSERT_TRUE(cluster->admin().remove(definition(kind)));
    ASSERT_TRUE(eventually(
        [&] {
          return std::none_of(kKinds.begin(), kKinds.end(), [&](auto& kind) { return exists(definition(kind)); });
        },
        60s));
  }
  /// Every Node gets this label, so all of them have been evaluated since.
  void rule_for_all(const std::string& label) { rule(label, R"([{"name":"r","labels":{")" + label + R"(":"true"}}])"); }
  void expect_on_all(const std::string& label) {
    for (int i = 0; i < kNodes; ++i)
      EXPECT_TRUE(wait_for_label(*cluster, name(i), "feature.node.kubernetes.io/" + label, "true", 60s))
          << name(i) << "\n"
          << processes.back()->end_of_log();
  }
  /// The kinds are back: the workers and the administrator create their objects again, but for one Node. Nothing has
  /// gone from any Node since `point`; then deletions are believed again.
  void comes_back(std::uintmax_t point) {
    cluster->install_crds();
    label_rule();
    for (int i = 1; i < kNodes; ++i) node_feature(name(i));
    rule_for_all("after");
    expect_on_all("after");
    EXPECT_TRUE(are_labelled());
    EXPECT_EQ(removed_since(point), std::vector<std::string>());
    delete_node_feature(name(1));
    EXPECT_TRUE(wait_for_label(*cluster, name(1), kLabel, std::nullopt)) << processes.back()->end_of_log();
    EXPECT_TRUE(wait_for_label(*cluster, name(1), kWorkerLabel, std::nullopt));
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "after")));
    EXPECT_TRUE(wait_for_label(*cluster, name(2), "feature.node.kubernetes.io/after", std::nullopt));
    EXPECT_EQ(label_of(*cluster, name(0), kLabel), "true") << "its object is not back";
  }
  static constexpr std::array kKinds{resources::kNodeFeatures, resources::kNodeFeatureRules};
};

TEST_F(ControllerCrdTest, CrdsThatAreDeletedAndCreatedAgainLaterRemoveNothing) {
  Process& process = start();
  ASSERT_TRUE(eventually([&] { return are_labelled(); }, 60s)) << process.end_of_log();
  const auto point = cluster->now_in_audit_log();
  delete_crds();
  for (const Resource& kind : kKinds)
    EXPECT_TRUE(eventually([&] {
      return log_has(process, "the CustomResourceDefinition " + std::string(kind.plural));
    })) << process.end_of_log();
  // What the objects and rules made is still wanted.
  must(cluster->admin().patch(object_path(resources::kNodes, "", name(0)), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/from-rule":null}}})")));
  EXPECT_TRUE(wait_for_label(*cluster, name(0), kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(are_labelled());
  EXPECT_EQ(removed_since(point), std::vector{name(0) + " " + kLabel}) << "by hand";
  comes_back(cluster->now_in_audit_log());
}

TEST_F(ControllerCrdTest, CrdsThatAreReplacedAtOnceRemoveNothing) {
  Process& process = start();
  ASSERT_TRUE(eventually([&] { return are_labelled(); }, 60s)) << process.end_of_log();
  const auto point = cluster->now_in_audit_log();
  delete_crds();
  comes_back(point);
}

TEST_F(ControllerCrdTest, AControllerThatStartsWhileTheCrdsAreMissingRemovesNothing) {
  const auto point = labelled_before();
  delete_crds();
  Process& process = start();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s)) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "code=kind-missing"); })) << process.end_of_log();
  comes_back(point);
}

TEST_F(ControllerFaultTest, AMalformedObjectCostsOnlyItsNode) {
  const auto point = labelled_before();
  // As where somebody installed a definition of the kind that checks nothing.
  const std::string kind = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodefeatures.nfd.k8s-sigs.io";
  const Value definition = must(cluster->admin().get(kind));
  const auto set_schema = [&](const Value& schema) {
    Value change = json(R"({"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema"})");
    change.add("value", schema);
    must(cluster->admin().patch(kind, PatchKind::json, Value::list({change})));
  };
  set_schema(json(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})"));
  const auto spoil = [&] {
    return cluster->admin()
        .patch(object_path(resources::kNodeFeatures, "default", name(0)), PatchKind::merge,
               json(R"({"spec":{"features":{"flags":{"kernel.loadedmodule":["nvme"]}}}})"))
        .has_value();
  };
  EXPECT_TRUE(eventually(spoil));
  Process& process = start();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s));
  EXPECT_TRUE(log_has(process, "NodeFeature/default/" + name(0))) << process.end_of_log();
  cluster->create_node("fn-other");
  node_feature("fn-other");
  EXPECT_TRUE(wait_for_label(*cluster, "fn-other", kLabel, "true"));
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  process.stop();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, "default", name(0))));
  set_schema(*at(definition.find("spec")->find("versions")->items.at(0), {"schema", "openAPIV3Schema"}));
}

TEST_F(ControllerFaultTest, ACrashBetweenTwoPatchesLeavesNothingHalfDone) {
  // The answers of some patches are lost, and the process with them.
  const auto point = cluster->now_in_audit_log();
  for (int round = 0; round < 5; ++round) {
    proxy->clear();
    proxy->add({.method = "PATCH", .skip = 3 * round, .cut = 0});
    Process& process = start_through_proxy();
    std::this_thread::sleep_for(std::chrono::milliseconds(700 + 200 * round));
    process.signal(SIGKILL);
    process.wait(10s);
  }
  proxy->clear();
  start_through_proxy();
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerFaultTest, WhatRulesLookAtMayShrinkAndGrow) {
  rule("more", R"([{"name":"m","labels":{"hz":"@kernel.config.HZ"},"matchFeatures":[)"
               R"({"feature":"kernel.config","matchExpressions":{"NO_HZ":{"op":"Exists"}}}]}])");
  Process& process = start_through_proxy();
  const std::string hz = "feature.node.kubernetes.io/hz";
  ASSERT_TRUE(wait_for_label(*cluster, name(kNodes - 1), hz, "250", 60s)) << process.end_of_log();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "more")));
  for (int i = 0; i < kNodes; ++i) ASSERT_TRUE(wait_for_label(*cluster, name(i), hz, std::nullopt, 60s));
  process.stop();
  // A new process reads less; a rule that looks at more must not be judged by that, though the reading fails at first.
  const auto point = cluster->now_in_audit_log();
  Process& next = start_through_proxy();
  ASSERT_TRUE(eventually([&] { return log_has(next, "all Nodes are up to date"); }, 60s));
  proxy->add({.method = "GET", .target = "/nodefeatures?limit", .times = 6, .answer = answer_of(500, "{}")});
  rule("more", R"([{"name":"m","labels":{"hz":"@kernel.config.HZ"},"matchFeatures":[)"
               R"({"feature":"kernel.config","matchExpressions":{"NO_HZ":{"op":"Exists"}}}]}])");
  EXPECT_TRUE(wait_for_label(*cluster, name(0), hz, "250", 60s)) << next.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

/// The agent's matrix: whatever the server does, nothing goes, and afterwards the controller goes on.
class ControllerFaultMatrixTest : public ControllerFaultTest {
 protected:
  void SetUp() override {
    ControllerFaultTest::SetUp();
    if (!cluster) return;
    point = labelled_before();
    process = &start_through_proxy();
    EXPECT_TRUE(eventually([&] { return log_has(*process, "all Nodes are up to date"); }, 60s));
  }
  void set_rule(const std::string& value) {
    must(cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", "by-module"), PatchKind::merge,
                                json(R"({"spec":{"rules":[{"name":"r","labels":{"from-rule":")" + value +
                                     R"("},"matchFeatures":[{"feature":"kernel.loadedmodule",)"
                                     R"("matchExpressions":{"nvme":{"op":"Exists"}}}]}]}})")));
  }
  /// Something that concerns every Node happens meanwhile.
  void suffer(const Fault& fault, std::chrono::milliseconds time) {
    proxy->clear();
    proxy->add(fault);
    proxy->drop_connections();
    set_rule("meanwhile-" + std::to_string(++rounds_));
    std::this_thread::sleep_for(time);
  }
  void expect_alive_and_nothing_removed() {
    proxy->clear();
    proxy->drop_connections();
    set_rule("alive");
    for (int i = 0; i < kNodes; ++i)
      EXPECT_TRUE(wait_for_label(*cluster, name(i), kLabel, "alive", 90s)) << process->end_of_log();
    EXPECT_EQ(removed_since(point), std::vector<std::string>());
  }

  std::uintmax_t point = 0;
  Process* process = nullptr;

 private:
  int rounds_ = 0;
};

TEST_F(ControllerFaultMatrixTest, TheServerFailsAtEveryCall) {
  for (const int status : {500, 503, 429, 401, 403})
    suffer({.answer = answer_of(status, R"({"kind":"Status","code":)" + std::to_string(status) + "}"), .close = true},
           2s);
  suffer({.times = 12, .delay = 3s}, 5s);
  suffer({.times = 6, .hang = true}, 3s);
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, AnswersAreCutAndGarbled) {
  for (const std::size_t length : {0u, 10u, 150u, 400u, 900u, 1500u, 4000u}) suffer({.cut = length}, 1s);
  for (const char* body :
       {"[]", "{}", R"({"kind":"Node","metadata":{"name":"another"}})", R"({"items":[],"metadata":{}})",
        R"({"kind":"NodeFeatureList","metadata":{"resourceVersion":""},"items":[]})"})
    suffer({.answer = answer_of(200, body), .close = true}, 2s);
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, TheApiServerIsDownAndEtcdIsPaused) {
  cluster->kill_api_server();
  std::this_thread::sleep_for(8s);
  cluster->start_api_server();
  expect_alive_and_nothing_removed();
  cluster->pause_etcd();
  std::this_thread::sleep_for(8s);
  cluster->resume_etcd();
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, TheCertificateAuthorityRotates) {
  const CertificateAuthority next;
  proxy->rotate(next);
  EXPECT_TRUE(eventually([&] { return log_has(*process, "certificate"); })) << process->end_of_log();
  const fs::path kubeconfig = cluster->folder() / ("controller-" + std::to_string(configs_) + ".kubeconfig");
  const std::string text = must(read_whole_file(kubeconfig.string(), 1u << 20));
  const std::string old = encode_base64(cluster->authority().certificate());
  ASSERT_NE(text.find(old), std::string::npos);
  write_file(kubeconfig, replace_all(text, old, encode_base64(next.certificate())));
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, ANodeIsDeletedAndComesAgain) {
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", name(0))));
  std::this_thread::sleep_for(1s);
  cluster->create_node(name(0));
  EXPECT_TRUE(wait_for_label(*cluster, name(0), kLabel, "true")) << process->end_of_log();
  expect_alive_and_nothing_removed();
}

/// The API server takes a regular expression that is none.
TEST_F(ControllerFaultMatrixTest, ARuleThatBreaksKeepsWhatItMade) {
  must(cluster->admin().patch(
      object_path(resources::kNodeFeatureRules, "", "by-module"), PatchKind::merge,
      json(R"({"spec":{"rules":[{"name":"r","labels":{"from-rule":"true"},"matchFeatures":[{"feature":)"
           R"("kernel.loadedmodule","matchName":{"op":"InRegexp","value":["("]}}]}]}})")));
  EXPECT_TRUE(eventually([&] { return log_has(*process, "NodeFeatureRule/by-module"); })) << process->end_of_log();
  std::this_thread::sleep_for(3s);
  EXPECT_TRUE(are_labelled());
  expect_alive_and_nothing_removed();
}

/// It blames no entry, and goes on when the right comes.
TEST_F(ControllerFaultTest, WithoutTheRightToPatchNoEntryIsBlamed) {
  const auto rights = [](const char* nodes) {
    return R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":)" + std::string(nodes) +
           R"(},{"apiGroups":["nfd.k8s-sigs.io"],"resources":["*"],"verbs":["get","list","watch"]},)"
           R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","list"]}])";
  };
  cluster->create_service_account("default", "controller-rights", rights(R"(["get","list","watch"])"));
  const std::string token = cluster->token("default", "controller-rights", name(0));
  Process& process = start({}, cluster->kubeconfig("rights-to-patch", R"({"token":")" + token + "\"}"));
  EXPECT_TRUE(eventually([&] { return log_has(process, "cannot patch resource"); })) << process.end_of_log();
  std::this_thread::sleep_for(2s);
  EXPECT_FALSE(log_has(process, "was refused")) << process.end_of_log();
  must(cluster->admin().patch("/apis/rbac.authorization.k8s.io/v1/clusterroles/controller-rights", PatchKind::merge,
                              json(R"({"rules":)" + rights(R"(["get","list","watch","patch"])") + "}")));
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 120s)) << process.end_of_log();
}

TEST_F(ControllerFaultTest, TwoControllersConverge) {
  start();
  start();
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
  const auto point = cluster->now_in_audit_log();
  std::this_thread::sleep_for(4s);
  int writes = 0;
  for (const AuditEntry& entry : cluster->audit(point)) writes += entry.verb == "patch" && entry.resource == "nodes";
  EXPECT_EQ(writes, 0);
}

// ---- under load, and for long
// -----------------------------------------------------------------------------------------

class ControllerLoadTest : public ControllerTest {
 protected:
  static std::string name(int i) { return "load-" + std::to_string(i); }
  /// Nodes with an object each, made by several clients.
  void populate(int count) {
    std::atomic<int> next{0};
    const auto work = [&] {
      Connection connection(cluster->endpoint_as("populate", {"system:masters"}));
      Features features;
      features.flags["kernel.loadedmodule"] = {"nvme", "ext4"};
      for (int i = next++; i < count; i = next++) {
        must(
            connection.api.create(collection_path(resources::kNodes),
                                  json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name(i) + "\"}}")));
        must(connection.api.create(collection_path(resources::kNodeFeatures, "default"),
                                   node_feature_object(name(i), features, {})));
      }
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  /// Whether every Node has the label. The answer is one Node at most.
  bool all_have(const std::string& value) {
    const auto others = cluster->admin().get(collection_path(resources::kNodes) +
                                             "?limit=1&labelSelector=" + std::string(kLabel) + "%21%3D" + value);
    return others && others->find("items")->items.empty();
  }
  static std::string rule_with(const std::string& value) {
    return R"([{"name":"r","labels":{"from-rule":")" + value +
           R"("},"matchFeatures":[)"
           R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])";
  }
  void change_rule(const std::string& value) {
    must(cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", "load"), PatchKind::merge,
                                json(R"({"spec":{"rules":)" + rule_with(value) + "}}")));
  }
  fs::path kubeconfig_of(const std::string& user) {
    return cluster->kubeconfig(user, cluster->client_certificate_user(user, {"system:masters"}));
  }
  std::string program() const { return release_program().empty() ? nodescout_program() : release_program(); }
};

TEST_F(ControllerLoadTest, ARuleChangeReachesAllNodesWhileOthersAreServed) {
  const int count = is_long() ? 5000 : 300;
  populate(count);
  rule("load", rule_with("a"));
  processes.push_back(std::make_unique<Process>(
      std::vector<std::string>{program(), "controller", "--kubeconfig", admin().string(), "--listen", "none"},
      folder.path() / "log"));
  ASSERT_TRUE(eventually([&] { return all_have("a"); }, 300s)) << processes[0]->end_of_log();

  std::vector<double> seconds;
  std::jthread other([&](const std::stop_token& stop) {
    Connection connection(cluster->endpoint_as("other", {"system:masters"}));
    for (int i = 0; !stop.stop_requested(); ++i) {
      const auto begun = std::chrono::steady_clock::now();
      must(connection.api.get(object_path(resources::kNodes, "", name(i % count))));
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
      std::this_thread::sleep_for(20ms);
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  change_rule("b");
  EXPECT_TRUE(eventually([&] { return all_have("b"); }, 300s)) << processes[0]->end_of_log();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  other.request_stop();
  other.join();
  expect_at_most(took, 60, "a rule change on " + std::to_string(count) + " Nodes");
  ASSERT_FALSE(seconds.empty());
  std::sort(seconds.begin(), seconds.end());
  expect_at_most(seconds[seconds.size() * 99 / 100], 1,
                 "another client's GET meanwhile, p99 of " + std::to_string(seconds.size()));
}

/// Writes to Nodes by a user who did not hold the Lease: of the requests, in the order of their answers, the last to
/// write the Lease holds it.
std::vector<std::string> writes_without_lease(const std::vector<AuditEntry>& audit) {
  std::vector<std::string> out;
  std::string holder;
  for (const AuditEntry& entry : audit) {
    if (!entry.user.starts_with("replica-") || entry.code / 100 != 2) continue;
    if (entry.resource == "leases" && (entry.verb == "update" || entry.verb == "create")) holder = entry.user;
    if (entry.verb == "patch" && entry.resource.starts_with("nodes") && entry.user != holder)
      out.push_back(entry.user + " wrote " + entry.name + " while " + (holder.empty() ? "nobody" : holder) + " led");
  }
  return out;
}

TEST(WritesWithoutLease, AreThoseOfOthersThanTheLastToWriteTheLease) {
  const auto entry = [](const char* user, const char* verb, const char* resource, int code = 200) {
    AuditEntry made;
    made.user = user, made.verb = verb, made.resource = resource, made.code = code;
    return made;
  };
  EXPECT_EQ(writes_without_lease({entry("replica-0", "create", "leases", 201), entry("replica-0", "patch", "nodes"),
                                  entry("replica-1", "update", "leases", 409), entry("replica-0", "patch", "nodes"),
                                  entry("replica-1", "update", "leases"), entry("replica-1", "patch", "nodes/status"),
                                  entry("replica-0", "patch", "nodes", 403)})
                .size(),
            0u);
  EXPECT_EQ(writes_without_lease({entry("replica-0", "create", "leases", 201), entry("replica-1", "update", "leases"),
                                  entry("replica-0", "patch", "nodes")})
                .size(),
            1u);
}

TEST_F(ControllerLoadTest, KilledAndStoppedAtAnyMomentOfARollout) {
  const int moments = is_long() ? 50 : 3;
  populate(40);
  rule("load", rule_with("start"));
  const fs::path config = folder.path() / "leader.conf";
  write_file(config, "leaderElection: {leaseDuration: 4s, renewDeadline: 2s, retryPeriod: 500ms}\n");
  const auto point = cluster->now_in_audit_log();
  int replicas = 0;
  const auto replica = [&] {
    const std::string user = "replica-" + std::to_string(replicas++);
    processes.push_back(std::make_unique<Process>(
        std::vector<std::string>{program(), "controller", "--kubeconfig", kubeconfig_of(user).string(), "--listen",
                                 "none", "--config", config.string(), "--enable-leader-election"},
        folder.path() / user));
    return processes.back().get();
  };
  Process* leader = replica();
  ASSERT_TRUE(eventually([&] { return log_has(*leader, "msg=leading"); }));
  Process* standby = replica();
  ASSERT_TRUE(eventually([&] { return all_have("start"); }, 60s)) << leader->end_of_log();

  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  for (int moment = 0; moment < moments; ++moment) {
    const std::string value = "v" + std::to_string(moment);
    change_rule(value);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 800));
    const bool is_killed = moment % 2 == 0;
    is_killed ? leader->signal(SIGKILL) : leader->pause();
    ASSERT_TRUE(eventually([&] { return log_has(*standby, "msg=leading"); }, 30s)) << standby->end_of_log();
    if (!is_killed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
      leader->signal(SIGCONT);
      // What it was about to write must not be written now.
      ASSERT_TRUE(eventually([&] { return log_has(*leader, "not leading"); }, 30s)) << leader->end_of_log();
      leader->signal(SIGKILL);
    }
    EXPECT_TRUE(eventually([&] { return all_have(value); }, 60s)) << value << "\n" << standby->end_of_log();
    leader->wait(10s);
    leader = standby;
    standby = replica();
    ASSERT_TRUE(eventually([&] { return log_has(*standby, "msg=started"); }));
  }
  const auto audit = cluster->audit(point);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  EXPECT_EQ(writes_without_lease(audit), std::vector<std::string>());
  EXPECT_TRUE(std::any_of(audit.begin(), audit.end(), [](const AuditEntry& entry) {
    return entry.user == "replica-1" && entry.verb == "patch" && entry.resource == "nodes";
  })) << "the audit log knows the replicas by their names";
}

/// NODESCOUT_CHURN_MINUTES in the environment, else half an hour in the long form; nothing: the short form.
std::chrono::seconds churn_time() {
  if (const char* minutes = std::getenv("NODESCOUT_CHURN_MINUTES")) return std::chrono::minutes(std::atoi(minutes));
  return is_long() ? 30min : std::chrono::seconds(20);
}

TEST_F(ControllerLoadTest, MemoryIsFlatWhileNodesComeAndGo) {
  constexpr int kCount = 60;
  populate(kCount);
  rule("load", rule_with("start"));
  processes.push_back(
      std::make_unique<Process>(std::vector<std::string>{program(), "controller", "--kubeconfig", admin().string(),
                                                         "--listen", "none", "--collect-after", "1s"},
                                folder.path() / "log"));
  Process& process = *processes.back();
  ASSERT_TRUE(eventually([&] { return all_have("start"); }, 60s)) << process.end_of_log();

  // The first third fills caches and the heap.
  const auto begun = std::chrono::steady_clock::now();
  const auto time = churn_time();
  long early = 0, late = 0;
  int round = 0;
  for (; std::chrono::steady_clock::now() - begun < time; ++round) {
    change_rule("v" + std::to_string(round % 5));
    for (int i = 0; i < 5; ++i) {
      const std::string gone = name((round * 5 + i) % kCount);
      (void)cluster->admin().remove(object_path(resources::kNodes, "", gone));
      if (round % 2) (void)cluster->admin().remove(object_path(resources::kNodeFeatures, "default", gone));
      cluster->create_node(gone);
      if (round % 2) node_feature(gone);
    }
    for (int i = 0; i < 10; ++i)
      (void)cluster->admin().patch(object_path(resources::kNodeFeatures, "default", name(kCount - 1)), PatchKind::merge,
                                   json(R"({"spec":{"labels":{"feature.node.kubernetes.io/flaps":")" +
                                        std::to_string(round * 10 + i) + "\"}}}"));
    const long now = process.memory_kib("RssAnon");
    (std::chrono::steady_clock::now() - begun < time / 3 ? early : late) =
        std::max(std::chrono::steady_clock::now() - begun < time / 3 ? early : late, now);
    std::this_thread::sleep_for(500ms);
  }
  std::cout << round << " rounds, anonymous memory " << early << " KiB at most, then " << late << " KiB\n";
  // A sanitizer keeps freed memory.
  if (!release_program().empty()) {
    EXPECT_LE(late, early + 2048);
  }
  change_rule("end");
  EXPECT_TRUE(eventually([&] { return all_have("end"); }, 60s)) << process.end_of_log();
}

TEST_F(ControllerTest, ALabelThatThePolicyRefusesIsReportedOnce) {
  cluster->kubectl({"apply", "-f", [&] {
                      const fs::path file = folder.path() / "policy.yaml";
                      write_file(file,
                                 "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n"
                                 "metadata: {name: controller-refused}\nspec:\n  matchConstraints:\n    resourceRules: "
                                 "[{apiGroups: [\"\"], apiVersions: [v1], operations: [UPDATE], resources: [nodes]}]\n"
                                 "  validations:\n    - expression: \"!has(object.metadata.labels) || "
                                 "!object.metadata.labels.exists(key, key.endsWith('controller-refused'))\"\n"
                                 "      message: controller-refused is not wanted here\n---\n"
                                 "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n"
                                 "metadata: {name: controller-refused}\n"
                                 "spec: {policyName: controller-refused, validationActions: [Deny]}\n");
                      return file.string();
                    }()});
  cluster->create_node("cn-refused");
  cluster->create_node("cn-tried");
  ASSERT_TRUE(eventually([&] {  // until the policy counts
    return !cluster->admin().patch(
        object_path(resources::kNodes, "", "cn-tried"), PatchKind::merge,
        json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/controller-refused":"x"}}})"));
  }));
  rule("refused",
       R"([{"name":"r","labels":{"from-rule":"true","controller-refused":"1","kubernetes.io/no":"1"},)"
       R"("matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  node_feature("cn-refused");
  object_with_labels("asks-as-well", "cn-refused", R"({"x.controller-refused":"1"})");
  Process& process = start();
  EXPECT_TRUE(wait_for_label(*cluster, "cn-refused", kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "controller-refused is not wanted here"); }));
  // Another look at the Node says nothing new.
  must(cluster->admin().patch(object_path(resources::kNodeFeatures, "default", "cn-refused"), PatchKind::merge,
                              json(R"({"spec":{"labels":{"feature.node.kubernetes.io/later":"1"}}})")));
  EXPECT_TRUE(wait_for_label(*cluster, "cn-refused", "feature.node.kubernetes.io/later", "1"));
  const std::string log = must(read_whole_file(process.log(), 1u << 20));
  const auto lines_with = [&](const std::string& text) {
    const auto lines = split(log, '\n');
    return std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.find(text) != line.npos; });
  };
  EXPECT_EQ(lines_with("refused-label"), 2) << log;
  EXPECT_EQ(lines_with("from NodeFeature default/asks-as-well was refused: "), 1) << log;
  EXPECT_EQ(lines_with("rejected-label"), 1) << log;
  EXPECT_EQ(lines_with("NodeFeatureRule/refused"), 2) << log;
  EXPECT_TRUE(eventually([&] {
    return events_of("NodeFeature", "asks-as-well").find("RefusedLabel: ") == 0 &&
           events_of("NodeFeatureRule", "refused").find("controller-refused is not wanted here") != std::string::npos;
  })) << events_of("NodeFeature", "asks-as-well")
      << events_of("NodeFeatureRule", "refused");
  cluster->kubectl({"delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "controller-refused"});
}

// ---- NFD before and after -------------------------------------------------------------------------------------------

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
