// `nodescout controller` as a process against the control plane of the tests: what it does.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "e2e/controller_fixture.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

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

TEST_F(ControllerTest, NfdsWayIsOneSwitch) {
  label_rule();
  cluster->create_namespace("tenant");
  cluster->create_node("cn-o");
  node_feature("cn-o", "tenant");
  start({"--compat", "nfd"});
  EXPECT_TRUE(wait_for_label(*cluster, "cn-o", kLabel, "true"));
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

}  // namespace
}  // namespace nodescout::test
