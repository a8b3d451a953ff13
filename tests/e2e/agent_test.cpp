// The agent against the real API server: what it writes, when, and what it leaves alone.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kPolicy = R"yaml(
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: e2e-refused}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [nodes]}]
  validations:
    - expression: "!has(object.metadata.labels) || !object.metadata.labels.exists(key, key.endsWith('e2e-refused'))"
      message: e2e-refused is not wanted here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: e2e-refused}
spec: {policyName: e2e-refused, validationActions: [Deny]}
)yaml";

class AgentTest : public AgentFixture {
 protected:
  std::optional<std::chrono::milliseconds> wait(const std::string& node, const std::string& key,
                                                std::optional<std::string> value) {
    return wait_for_label(*cluster, node, key, std::move(value));
  }
  void patch_node(const std::string& node, const std::string& patch) {
    must(cluster->admin().patch(object_path(resources::kNodes, "", node), PatchKind::merge, json(patch)));
  }
  void put_rule(const std::string& name, const std::string& rules) {
    const std::string spec = R"("spec":{"rules":)" + rules + "}";
    const auto made = cluster->admin().create(
        collection_path(resources::kNodeFeatureRules),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":")" + name +
             "\"}," + spec + "}"));
    if (!made)
      must(cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", name), PatchKind::merge,
                                  json("{" + spec + "}")));
  }
  void remove_rule(const std::string& name) { cluster->kubectl({"delete", "nodefeaturerule", name}); }
  std::string annotation(const std::string& node, const std::string& key) {
    const Value object = node_object(*cluster, node);
    const Value* annotations = object.find("metadata")->find("annotations");
    const Value* value = annotations ? annotations->find(key) : nullptr;
    return value ? value->text : "";
  }
};

TEST_F(AgentTest, LabelsANodeThatHasNeitherLabelsNorAnnotationsNorStatus) {
  cluster->create_node("bare");
  const auto since = cluster->now_in_audit_log();
  start({.node = "bare"});
  ASSERT_TRUE(wait("bare", kGpuLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "bare", "feature.node.kubernetes.io/pci-0302_10de.present"), "true");
  EXPECT_EQ(label_of(*cluster, "bare", "feature.node.kubernetes.io/system-os_release.ID"), "debian");
  EXPECT_NE(annotation("bare", "nfd.node.kubernetes.io/feature-labels").find("pci-10de.present"), std::string::npos);
  // GET, two watches, one patch; the Lease has its own test.
  std::this_thread::sleep_for(500ms);
  std::map<std::string, int> verbs;
  for (const AuditEntry& entry : of_agent(cluster->audit(since), "bare"))
    if (entry.resource != "leases") ++verbs[entry.verb];
  EXPECT_EQ(verbs, (std::map<std::string, int>{{"get", 1}, {"watch", 2}, {"patch", 1}}));
  EXPECT_EQ(agent->process().stop(), 0) << agent->log();
  EXPECT_EQ(label_of(*cluster, "bare", kGpuLabel), "true");
}

TEST_F(AgentTest, FollowsRuleObjects) {
  cluster->create_node("ruled");
  start({.node = "ruled"});
  ASSERT_TRUE(wait("ruled", kGpuLabel, "true"));
  const std::string key = "feature.node.kubernetes.io/e2e-ruled";
  const std::string match =
      R"("matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":{"nvidia":{"op":"Exists"}}}])";
  put_rule("e2e-ruled", R"([{"name":"a","labels":{"e2e-ruled":"one"},)" + match + "}]");
  EXPECT_TRUE(wait("ruled", key, "one"));
  put_rule("e2e-ruled",
           R"([{"name":"a","labels":{"e2e-ruled":"two"},"annotations":{"e2e-note":"long text, with blanks"},)"
           R"("extendedResources":{"e2e-things":"3"},)" +
               match + "}]");
  EXPECT_TRUE(wait("ruled", key, "two"));
  EXPECT_EQ(annotation("ruled", "feature.node.kubernetes.io/e2e-note"), "long text, with blanks");
  EXPECT_TRUE(eventually([&] {
    const Value node = node_object(*cluster, "ruled");
    const Value* capacity = node.find("status")->find("capacity");
    const Value* things = capacity ? capacity->find("feature.node.kubernetes.io/e2e-things") : nullptr;
    return things && things->text == "3";
  }));
  remove_rule("e2e-ruled");
  EXPECT_TRUE(wait("ruled", key, std::nullopt));
  EXPECT_TRUE(eventually([&] {
    return annotation("ruled", "feature.node.kubernetes.io/e2e-note").empty() &&
           annotation("ruled", "nfd.node.kubernetes.io/extended-resources").empty();
  }));
}

TEST_F(AgentTest, FollowsFilesOfRulesAndFeaturesAndConfiguration) {
  cluster->create_node("filed");
  start({.node = "filed"});
  ASSERT_TRUE(wait("filed", kGpuLabel, "true"));
  const std::string key = "feature.node.kubernetes.io/e2e-filed";
  const auto rule = [](const std::string& value) {
    return "- name: a\n  labels: {e2e-filed: " + value +
           "}\n  matchFeatures:\n    - feature: pci.device\n"
           "      matchExpressions: {vendor: {op: In, value: [\"10de\"]}}\n";
  };
  write_file(agent->rules() / "a.yaml", rule("one"));
  EXPECT_TRUE(wait("filed", key, "one"));
  write_file(agent->rules() / "a.yaml", rule("two"));  // a plain truncate and write
  EXPECT_TRUE(wait("filed", key, "two"));
  fs::remove(agent->rules() / "a.yaml");
  EXPECT_TRUE(wait("filed", key, std::nullopt));

  machine.write("/etc/kubernetes/node-feature-discovery/features.d/site", "rack=r7\n");
  EXPECT_TRUE(wait("filed", "feature.node.kubernetes.io/rack", "r7"));

  write_file(agent->config_file(), "nodeRecheck: 0\nstateFile: ''\nsources: {pci: {deviceLabelFields: [vendor]}}\n");
  EXPECT_TRUE(wait("filed", "feature.node.kubernetes.io/pci-0302_10de.present", std::nullopt));
  EXPECT_EQ(label_of(*cluster, "filed", kGpuLabel), "true");
}

TEST_F(AgentTest, FollowsTheMachine) {
  if (!send_uevent()) GTEST_SKIP() << "skipped: uevents cannot be sent from here";
  cluster->create_node("plugged");
  remove_gpu(machine);
  start({.node = "plugged"});
  ASSERT_TRUE(wait("plugged", kNicLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "plugged", kGpuLabel), std::nullopt);
  std::this_thread::sleep_for(1200ms);  // the pause after the first write
  write_gpu_machine(machine);
  // The subsystem "net" wakes only its own probes; SIGHUP wakes all of them, as an overrun does.
  ASSERT_TRUE(send_uevent());
  agent->process().signal(SIGHUP);
  const auto added = wait("plugged", kGpuLabel, "true");
  ASSERT_TRUE(added);
  EXPECT_LE(*added, 5s);
  remove_gpu(machine);
  agent->process().signal(SIGHUP);
  const auto gone = wait("plugged", kGpuLabel, std::nullopt);
  ASSERT_TRUE(gone);
  EXPECT_GE(*gone, 3s) << "three probes must agree";
  EXPECT_LE(*gone, 10s);
}

TEST_F(AgentTest, OneUeventRunsOnlyTheProbesConcerned) {
  if (!send_uevent()) GTEST_SKIP() << "skipped: uevents cannot be sent from here";
  cluster->create_node("wired");
  start({.node = "wired"});
  ASSERT_TRUE(wait("wired", kGpuLabel, "true"));
  std::this_thread::sleep_for(1200ms);
  write_file(agent->rules() / "a.yaml",
             "- name: a\n  labels: {e2e-wired: yes}\n  matchFeatures:\n    - feature: network.device\n"
             "      matchExpressions: {name: {op: In, value: [\"eth7\"]}}\n");
  std::this_thread::sleep_for(500ms);
  machine.write("/sys/class/net/eth7/device/vendor", "0x8086\n");
  machine.write("/sys/class/net/eth7/operstate", "up\n");
  ASSERT_TRUE(send_uevent());
  const auto added = wait("wired", "feature.node.kubernetes.io/e2e-wired", "true");
  ASSERT_TRUE(added);
  EXPECT_LE(*added, 5s);
}

TEST_F(AgentTest, LeavesAloneWhatBelongsToOthers) {
  cluster->create_node("shared", json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/pci-10de.present":"false",)"
                                      R"("feature.node.kubernetes.io/pci-0302_10de.present":"true",)"
                                      R"("feature.node.kubernetes.io/other":"x"}}})"));
  start({.node = "shared"});
  ASSERT_TRUE(wait("shared", kNicLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "shared", kGpuLabel), "false");
  EXPECT_EQ(label_of(*cluster, "shared", "feature.node.kubernetes.io/other"), "x");
  const std::string owned = annotation("shared", "nfd.node.kubernetes.io/feature-labels");
  EXPECT_EQ(owned.find("pci-10de.present"), std::string::npos) << owned;
  EXPECT_EQ(owned.find("pci-0302_10de.present"), std::string::npos) << owned;
  // Reported where the author looks.
  EXPECT_TRUE(eventually([&] {
    return cluster->kubectl({"get", "events", "-A", "-o", "yaml"}).find("ForeignLabel") != std::string::npos;
  }));
  EXPECT_NE(agent->log().find("belongs to another owner"), std::string::npos);

  write_file(agent->config_file(), "nodeRecheck: 0\nstateFile: ''\nrestrictions: {allowOverwrite: true}\n");
  EXPECT_TRUE(wait("shared", kGpuLabel, "true"));
  EXPECT_EQ(label_of(*cluster, "shared", "feature.node.kubernetes.io/other"), "x");
}

TEST_F(AgentTest, BringsBackALabelThatSomebodyDeleted) {
  cluster->create_node("robbed");
  start({.node = "robbed", .config = "nodeRecheck: 1s\nstateFile: ''\n"});
  ASSERT_TRUE(wait("robbed", kGpuLabel, "true"));
  patch_node("robbed", R"({"metadata":{"labels":{"feature.node.kubernetes.io/pci-10de.present":null}}})");
  EXPECT_TRUE(wait("robbed", kGpuLabel, "true"));
}

TEST_F(AgentTest, WithTheRightToWatchItBringsItBackAtOnce) {
  cluster->create_node("watched");
  start({.node = "watched", .config = "nodeRecheck: 0\nstateFile: ''\nwatchNode: true\n"});
  ASSERT_TRUE(wait("watched", kGpuLabel, "true"));
  std::this_thread::sleep_for(1200ms);
  patch_node("watched", R"({"metadata":{"labels":{"feature.node.kubernetes.io/pci-10de.present":"no"}}})");
  const auto back = wait("watched", kGpuLabel, "true");
  ASSERT_TRUE(back);
  EXPECT_LE(*back, 5s);
}

TEST_F(AgentTest, OneKeyThatTheServerRefusesCostsItself) {
  // NFD's validation lets through what this API server does not: an admission policy refuses one key.
  const fs::path policy = machine.path() / "policy.yaml";
  write_file(policy, kPolicy);
  cluster->kubectl({"apply", "-f", policy.string()});
  cluster->create_node("refused");
  cluster->create_node("refused-first");
  ASSERT_TRUE(eventually([&] {  // until the policy counts
    const auto tried =
        cluster->admin().patch(object_path(resources::kNodes, "", "refused-first"), PatchKind::merge,
                               json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/e2e-refused":"x"}}})"));
    return !tried;
  }));
  start({.node = "refused"});
  ASSERT_TRUE(wait("refused", kGpuLabel, "true"));
  write_file(agent->rules() / "a.yaml",
             "- name: a\n  labels: {e2e-refused: \"1\", e2e-allowed: \"1\"}\n  matchFeatures:\n"
             "    - feature: kernel.version\n      matchExpressions: {full: {op: Exists}}\n");
  EXPECT_TRUE(wait("refused", "feature.node.kubernetes.io/e2e-allowed", "1"));
  EXPECT_EQ(label_of(*cluster, "refused", "feature.node.kubernetes.io/e2e-refused"), std::nullopt);
  EXPECT_TRUE(eventually([&] { return agent->log().find("e2e-refused is not wanted here") != std::string::npos; }));
  cluster->kubectl({"delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "e2e-refused"});
}

TEST_F(AgentTest, WritesTaintsOnlyWhereTheyAreEnabledAndKeepsThoseOfOthers) {
  cluster->create_node("tainted", json(R"({"spec":{"taints":[{"key":"own","value":"er","effect":"NoSchedule"}]}})"));
  const std::string rules =
      R"([{"name":"a","taints":[{"key":"feature.node.kubernetes.io/e2e","value":"v","effect":"NoExecute"}],)"
      R"("matchFeatures":[{"feature":"kernel.loadedmodule","matchExpressions":{"nvidia":{"op":"Exists"}}}]}])";
  put_rule("e2e-tainted", rules);
  start({.node = "tainted", .config = "nodeRecheck: 0\nstateFile: ''\nenableTaints: true\n"});
  ASSERT_TRUE(wait("tainted", kGpuLabel, "true"));
  const auto taints = [&] { return to_json(*node_object(*cluster, "tainted").find("spec")); };
  EXPECT_TRUE(eventually([&] { return taints().find("feature.node.kubernetes.io/e2e") != std::string::npos; }));
  EXPECT_NE(taints().find(R"("key":"own")"), std::string::npos) << taints();
  remove_rule("e2e-tainted");
  EXPECT_TRUE(eventually([&] { return taints().find("feature.node.kubernetes.io/e2e") == std::string::npos; }));
  EXPECT_NE(taints().find(R"("key":"own")"), std::string::npos) << taints();
}

TEST_F(AgentTest, OtherAgentsMayAddFeaturesAndLabels) {
  cluster->create_node("helped");
  start({.node = "helped", .config = kQuiet + "nodeFeatures: {namespaces: [vendor]}\n"});
  ASSERT_TRUE(wait("helped", kGpuLabel, "true"));
  cluster->create_namespace("vendor");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatures, "vendor"),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":"helped-vendor",)"
           R"("labels":{"nfd.node.kubernetes.io/node-name":"helped"}},"spec":{"labels":{"vendor-says":"hello"},)"
           R"("features":{"flags":{},"instances":{},"attributes":{"vendor.board":{"elements":{"rev":"7"}}}}}})")));
  EXPECT_TRUE(wait("helped", "feature.node.kubernetes.io/vendor-says", "hello"));
  put_rule("e2e-helped",
           R"([{"name":"a","labels":{"e2e-rev":"@vendor.board.rev"},)"
           R"("matchFeatures":[{"feature":"vendor.board","matchExpressions":{"rev":{"op":"Exists"}}}]}])");
  EXPECT_TRUE(wait("helped", "feature.node.kubernetes.io/e2e-rev", "7"));
  cluster->kubectl({"delete", "nodefeature", "-n", "vendor", "helped-vendor"});
  EXPECT_TRUE(wait("helped", "feature.node.kubernetes.io/vendor-says", std::nullopt));
  EXPECT_TRUE(wait("helped", "feature.node.kubernetes.io/e2e-rev", std::nullopt));
  remove_rule("e2e-helped");
}

// ---- one-shot forms -------------------------------------------------------------------------------------------------

TEST_F(AgentTest, OnceDiffAndPrune) {
  cluster->create_node("once", json(R"({"metadata":{"labels":{"mine":"stays"}}})"));
  const fs::path admin = cluster->folder() / "admin.kubeconfig";
  const auto program = [&](std::vector<std::string> words) {
    words.insert(words.begin(), nodescout_program());
    words.insert(words.end(), {"--node=once", "--kubeconfig=" + admin.string()});
    return run_program(words);
  };
  const std::string root = "--root=" + machine.path().string();
  Ran ran = program({"diff", root, "--no-live"});
  EXPECT_EQ(ran.status, 3) << ran.err;
  EXPECT_NE(ran.out.find(std::string("+ ") + kGpuLabel + "=true"), std::string::npos) << ran.out;
  ran = program({"agent", "--once", root, "--no-live"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(label_of(*cluster, "once", kGpuLabel), "true");
  ran = program({"diff", root, "--no-live"});
  EXPECT_EQ(ran.status, 0) << ran.out;

  remove_gpu(machine);
  ran = program({"diff", root, "--no-live", "-o", "json"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_NE(ran.out.find(R"("action": "remove")"), std::string::npos) << ran.out;
  const auto start = std::chrono::steady_clock::now();
  ran = program({"agent", "--once", root, "--no-live"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_GE(std::chrono::steady_clock::now() - start, 3s) << "it removes only what three looks agree upon";
  EXPECT_EQ(label_of(*cluster, "once", kGpuLabel), std::nullopt);
  EXPECT_EQ(label_of(*cluster, "once", kNicLabel), "true");

  ran = program({"agent", "--prune", "--dry-run"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find(std::string("- label ") + kNicLabel), std::string::npos) << ran.out;
  EXPECT_EQ(label_of(*cluster, "once", kNicLabel), "true");
  ran = program({"agent", "--prune"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(to_json(*node_object(*cluster, "once").find("metadata")).find("feature.node"), std::string::npos);
  EXPECT_EQ(label_of(*cluster, "once", "mine"), "stays");

  ran = run_program({nodescout_program(), "agent", "--prune", "--node=nobody", "--kubeconfig=" + admin.string()});
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_NE(ran.err.find("nodes \"nobody\" not found"), std::string::npos) << ran.err;
}

TEST_F(AgentTest, OnceAndDiffAgreeAboutALostGpuAndTheTimeOfGfd) {
  cluster->create_node("lost");
  const auto program = [&](std::vector<std::string> words) {
    words.insert(words.begin(), nodescout_program());
    words.insert(words.end(), {"--node=lost", "--root",
                               (std::filesystem::path(NODESCOUT_SOURCE_DIR) / "tests/hosts/hgx-h100-one-lost").string(),
                               "--no-live", "--kubeconfig=" + (cluster->folder() / "admin.kubeconfig").string()});
    return run_program(words);
  };
  Ran ran = program({"agent", "--once"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Value node = must(cluster->admin().get(object_path(resources::kNodes, "", "lost")));
  EXPECT_EQ(text_at(node, {"metadata", "labels", "feature.node.kubernetes.io/gpu-nvidia.missing"}), "1");
  EXPECT_NE(text_at(node, {"metadata", "labels", "nvidia.com/gfd.timestamp"}), "");
  const std::string version = text_at(node, {"metadata", "resourceVersion"});
  // The time is that of the start, in seconds.
  std::this_thread::sleep_until(std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()));
  ran = program({"diff"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  ran = program({"agent", "--once"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(
      text_at(must(cluster->admin().get(object_path(resources::kNodes, "", "lost"))), {"metadata", "resourceVersion"}),
      version)
      << "another time alone is not written";
}

TEST_F(AgentTest, RulesAreTriedOnNodesOfTheCluster) {
  const fs::path rules = machine.path() / "try.yaml";
  write_file(rules,
             "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: try}\nspec:\n  rules:\n"
             "    - name: tried\n      labels: {tried: \"1\"}\n      matchFeatures:\n        - feature: board.x\n"
             "          matchExpressions: {rev: {op: In, value: [\"7\"]}}\n");
  for (const char* node : {"tried-a", "tried-b"}) {
    cluster->create_node(node, json(R"({"metadata":{"labels":{"tried":"here"}}})"));
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatures, "default"),
        json(
            R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" +
            std::string(node) + R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + node +
            R"("}},"spec":{"labels":{},"features":{"flags":{},"instances":{},"attributes":{"board.x":{"elements":{"rev":")" +
            (node[6] == 'a' ? "7" : "8") + R"("}}}}}})")));
  }
  cluster->create_node("tried-c", json(R"({"metadata":{"labels":{"tried":"not"}}})"));
  const std::string kubeconfig = "--kubeconfig=" + (cluster->folder() / "admin.kubeconfig").string();
  Ran ran = run_program({nodescout_program(), "rules", "preview", rules.string(), "--nodes=tried=here", kubeconfig});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("tried-a:\n  + feature.node.kubernetes.io/tried=1"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("tried-b: nothing changes"), std::string::npos) << ran.out;
  ran = run_program({nodescout_program(), "rules", "explain", rules.string(), "--node=tried-b", kubeconfig});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find("8"), std::string::npos) << ran.out;
  ran = run_program({nodescout_program(), "rules", "explain", rules.string(), "--node=tried-c", kubeconfig});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("nodescout dump -o json"), std::string::npos) << ran.err;
  ran = run_program({nodescout_program(), "rules", "explain", rules.string(), "--node=tried-none", kubeconfig});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("the cluster has no Node of that name"), std::string::npos) << ran.err;
  ran = run_program({nodescout_program(), "rules", "preview", rules.string(), "--nodes=!!", kubeconfig});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("--nodes \"!!\""), std::string::npos) << ran.err;
}

TEST_F(AgentTest, PublishesANodeFeatureObject) {
  cluster->create_node("object");
  cluster->create_namespace("nodescout-e2e");
  start({.node = "object",
         .config = "stateFile: ''\ncore: {noPublishFeatures: [\"kernel.*\"], ownerRefs: [node, pod]}\n",
         .arguments = {"--publish=nodefeature"},
         .environment = {
             {"POD_NAME", "agent-object-on-object"}, {"POD_UID", "1-2-3"}, {"KUBERNETES_NAMESPACE", "nodescout-e2e"}}});
  const std::string path = object_path(resources::kNodeFeatures, "default", "object");
  Value object;
  ASSERT_TRUE(eventually([&] {
    auto got = cluster->admin().get(path);
    if (got) object = *got;
    return got.has_value();
  }));
  const std::string text = to_json(object);
  EXPECT_NE(text.find(R"("nfd.node.kubernetes.io/node-name":"object")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("nfd.node.kubernetes.io/worker.pod.uid":"1-2-3")"), std::string::npos);
  EXPECT_NE(text.find(R"("kind":"Node","name":"object")"), std::string::npos);
  EXPECT_NE(text.find(R"("pci.device")"), std::string::npos);
  EXPECT_EQ(text.find(R"("kernel.version")"), std::string::npos);
  EXPECT_NE(text.find(R"("feature.node.kubernetes.io/pci-10de.present":"true")"), std::string::npos);
  EXPECT_EQ(label_of(*cluster, "object", kGpuLabel), std::nullopt) << "the Node itself is the controller's";
}

TEST_F(AgentTest, PublishesAFileForNfdsWorker) {
  const fs::path file = machine.path() / "etc/kubernetes/node-feature-discovery/features.d/nodescout";
  fs::create_directories(file.parent_path());
  start({.node = "filer", .arguments = {"--publish=file"}});
  const auto text = [&] {
    std::ifstream in(file);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  EXPECT_TRUE(eventually([&] { return text().find(std::string(kGpuLabel) + "=true\n") != std::string::npos; }));
}

}  // namespace
}  // namespace nodescout::test
