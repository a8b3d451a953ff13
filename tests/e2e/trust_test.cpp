// NodeFeature objects of others on a real API server: an upgrade takes nothing away, and whoever may create an object
// somewhere controls nothing.
#include <gtest/gtest.h>

#include <algorithm>

#include "document/json.h"
#include "e2e/agent_process.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

const std::string kPrefix = "feature.node.kubernetes.io/";

/// As an agent of the former version counted objects: all of them, in full.
constexpr const char* kAllCount = "nodeFeatures: {namespaces: [\"*\"], mayOverride: true, deniedKeys: []}\n";

class TrustTest : public AgentFixture {
 protected:
  void put_object(const std::string& space, const std::string& name, const std::string& node, const std::string& labels,
                  const std::string& features = R"("flags":{},"attributes":{},"instances":{})") {
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatures, space),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + name +
             R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + node + R"("}},"spec":{"labels":)" + labels +
             R"(,"features":{)" + features + "}}}")));
  }
  std::optional<std::string> label(const std::string& node, const std::string& key) {
    return label_of(*cluster, node, key);
  }
  bool wait(const std::string& node, const std::string& key, std::optional<std::string> value) {
    return wait_for_label(*cluster, node, key, std::move(value)).has_value();
  }
  std::string node_text(const std::string& node) { return to_json(node_object(*cluster, node)); }
  bool has_event(const std::string& reason, const std::string& note) {
    const std::string events = cluster->kubectl({"get", "events.events.k8s.io", "-n", "default", "-o", "json"});
    return events.find("\"reason\": \"" + reason + '"') != std::string::npos && events.find(note) != std::string::npos;
  }
  Ran diff(const std::string& node) {
    return run_program({nodescout_program(), "diff", "--node=" + node, "--root", machine.path().string(), "--no-live",
                        "--kubeconfig=" + (cluster->folder() / "admin.kubeconfig").string(),
                        "--config=" + agent->config_file().string(), "--rules=" + agent->rules().string()});
  }
};

TEST_F(TrustTest, AnUpgradeTakesNothingAway) {
  // Labels of a GPU whose driver cannot be asked would stay for another reason.
  remove_gpu(machine);
  machine.write("/proc/modules", "loaded 1 0 - Live 0x0\n");
  const std::string stale = kPrefix + "e2e-stale";
  cluster->create_node("upgraded");
  for (const char* space : {"trust-labels", "trust-features", "trust-gfd"}) cluster->create_namespace(space);
  put_object("trust-labels", "upgraded", "upgraded", R"({"e2e-asked":"1","nvidia.com/mig.config":"all-1g.5gb"})");
  put_object("trust-features", "upgraded-board", "upgraded", "{}",
             R"("flags":{},"attributes":{"vendor.board":{"elements":{"rev":"7"}}},)"
             R"("instances":{"pci.device":{"elements":[{"attributes":{"vendor":"abcd","class":"0302"}}]}})");
  put_object("trust-gfd", "nvidia-features-for-upgraded", "upgraded", R"({"nvidia.com/gpu.of-gfd":"1"})");
  const int port = free_port();
  AgentSetup setup{.node = "upgraded",
                   .config = kQuiet + "enableTaints: true\n" + kAllCount,
                   .listen = "127.0.0.1:" + std::to_string(port)};
  start(setup);
  write_file(
      agent->rules() / "site.yaml",
      "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: site}\nspec:\n  rules:\n"
      "    - name: board\n      labels: {e2e-board: \"@vendor.board.rev\"}\n      annotations: {e2e-note: text}\n"
      "      extendedResources: {e2e-boards: \"2\"}\n"
      "      taints: [{key: feature.node.kubernetes.io/e2e-board, effect: PreferNoSchedule}]\n"
      "      matchFeatures: [{feature: vendor.board}]\n");
  const std::vector<std::string> of_objects{kPrefix + "e2e-asked", kPrefix + "e2e-board", "nvidia.com/mig.config",
                                            "nvidia.com/gpu.of-gfd", kPrefix + "pci-abcd.present"};
  for (const std::string& key : of_objects)
    ASSERT_TRUE(eventually([&] { return label("upgraded", key).has_value(); })) << key << agent->log();
  ASSERT_TRUE(eventually([&] { return node_text("upgraded").find("e2e-boards") != std::string::npos; }));
  ASSERT_EQ(agent->process().stop(), 0);
  // One that proves nothing by staying: it has to go.
  const std::string owned = "feature-labels";
  Value node = node_object(*cluster, "upgraded");
  const std::string books = node.find("metadata")->find("annotations")->find("nfd.node.kubernetes.io/" + owned)->text;
  must(cluster->admin().patch(object_path(resources::kNodes, "", "upgraded"), PatchKind::merge,
                              json(R"({"metadata":{"labels":{")" + stale + R"(":"1"},"annotations":{)" +
                                   R"("nfd.node.kubernetes.io/)" + owned + R"(":")" + books + ",e2e-stale\"}}}")));
  node = node_object(*cluster, "upgraded");

  const auto since = cluster->now_in_audit_log();
  write_file(agent->config_file(), kQuiet + "enableTaints: true\n");
  agent->restart();
  ASSERT_TRUE(wait("upgraded", stale, std::nullopt)) << agent->log();
  EXPECT_EQ(removals(cluster->audit(since), "upgraded"), std::vector{"label " + stale});
  for (const char* part : {"spec", "status"})
    EXPECT_TRUE(same_content(*node.find(part), *node_object(*cluster, "upgraded").find(part)))
        << part << " " << node_text("upgraded");
  for (const std::string& key : of_objects) EXPECT_TRUE(label("upgraded", key)) << key;
  EXPECT_NE(node_text("upgraded").find("e2e-note"), std::string::npos);
  // It is reported, with the objects.
  for (const char* object : {"NodeFeature trust-labels/upgraded", "NodeFeature trust-features/upgraded-board"})
    EXPECT_TRUE(eventually([&] { return has_event("ObjectNotCounted", object); })) << object << agent->log();
  EXPECT_TRUE(eventually([&] {
    return has_event("GfdNotCounted", "NodeFeature trust-gfd/nvidia-features-for-upgraded");
  })) << agent->log();
  EXPECT_TRUE(eventually([&] {
    const std::string metrics = http_get(port, "/metrics").body;
    const std::string held = "nodescout_held_removals{reason=\"object-not-counted\"} ";
    const std::size_t at = metrics.find(held);
    return at != std::string::npos && std::atoi(metrics.c_str() + at + held.size()) >= 8;  // 5 labels and 3 others
  })) << http_get(port, "/metrics").body;
  const Ran compared = diff("upgraded");
  for (const char* object : {"trust-labels/upgraded makes it, which does not count",
                             "trust-features/upgraded-board makes it, which does not count",
                             "trust-gfd/nvidia-features-for-upgraded makes it, which does not count"})
    EXPECT_NE(compared.out.find(object), std::string::npos) << object << compared.out << compared.err;

  // It goes with its object; the rest once the administrator has decided.
  cluster->kubectl({"delete", "nodefeature", "-n", "trust-labels", "upgraded"});
  EXPECT_TRUE(wait("upgraded", kPrefix + "e2e-asked", std::nullopt)) << agent->log();
  EXPECT_TRUE(wait("upgraded", "nvidia.com/mig.config", std::nullopt));
  EXPECT_TRUE(label("upgraded", kPrefix + "e2e-board"));
  write_file(agent->config_file(), kQuiet + "enableTaints: true\nnodeFeatures: {namespaces: []}\n");
  EXPECT_TRUE(wait("upgraded", kPrefix + "e2e-board", std::nullopt)) << agent->log();
  EXPECT_TRUE(wait("upgraded", "nvidia.com/gpu.of-gfd", std::nullopt));
  EXPECT_TRUE(eventually([&] {
    const std::string text = node_text("upgraded");
    return text.find("e2e-boards") == std::string::npos && text.find("e2e-note") == std::string::npos;
  })) << node_text("upgraded");
}

TEST_F(TrustTest, WhoeverMayCreateAnObjectControlsNothingThatTheNodeMakesItself) {
  cluster->create_node("attacked");
  cluster->create_namespace("trust-attacker");
  const std::string forged =
      R"("flags":{},"attributes":{"kernel.version":{"elements":{"full":"9.9"}}},)"
      R"("instances":{"pci.device":{"elements":[{"attributes":{"vendor":"abcd","class":"0302"}}]},)"
      R"("gpu.device":{"elements":[{"attributes":{"vendor":"10de"}}]}})";
  const auto labels = [](const char* own) {
    return R"({"pci-10de.present":"false","kernel-version.full":"9.9","nvidia.com/mig.config":"all-1g.5gb",)"
           R"("nvidia.com/gpu.deploy.driver":"false","nvidia.com/gpu.workload.config":"vm-passthrough",)"
           R"("nvidia.com/gpu-driver-upgrade-state":"upgrade-required","e2e-)" +
           std::string(own) + R"(":"1"})";
  };
  put_object("trust-attacker", "attacked", "attacked", labels("foreign"), forged);
  put_object("default", "attacked-own", "attacked", labels("own"), forged);
  start({.node = "attacked", .config = kQuiet});
  ASSERT_TRUE(wait("attacked", kPrefix + "e2e-own", "1")) << "an object of the own namespace may add" << agent->log();
  EXPECT_EQ(label("attacked", kGpuLabel), "true");
  EXPECT_EQ(label("attacked", kPrefix + "kernel-version.full"), "6.1.0-13-amd64");
  for (const std::string& key :
       {kPrefix + "e2e-foreign", kPrefix + "pci-abcd.present", kPrefix + "pci-0302_abcd.present",
        std::string("nvidia.com/mig.config"), std::string("nvidia.com/gpu.deploy.driver"),
        std::string("nvidia.com/gpu.workload.config"), std::string("nvidia.com/gpu-driver-upgrade-state"),
        std::string("nvidia.com/gpu.count")})
    EXPECT_EQ(label("attacked", key), std::nullopt) << key;
  for (const char* what :
       {"its feature sets", "deniedKeys", "the node's own rules make it", "its namespace is neither"})
    EXPECT_TRUE(eventually([&] { return agent->log().find(what) != std::string::npos; })) << what << agent->log();
}

TEST_F(TrustTest, TheSelectorOfNfdChoosesNamespaces) {
  cluster->create_node("selected");
  for (const char* space : {"trust-chosen", "trust-other"}) {
    cluster->create_namespace(space);
    put_object(space, "selected", "selected", R"({")" + std::string(space) + R"(":"1"})");
  }
  cluster->kubectl({"label", "namespace", "trust-chosen", "objects=trusted"});
  const std::string config =
      kQuiet + "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {objects: trusted}}}\n";
  start({.node = "selected", .config = config});
  ASSERT_TRUE(wait("selected", kPrefix + "trust-chosen", "1")) << agent->log();
  EXPECT_EQ(label("selected", kPrefix + "trust-other"), std::nullopt);
  EXPECT_TRUE(eventually([&] { return agent->log().find("trust-other/selected") != std::string::npos; }));
  // Their labels alone may be denied.
  write_file(agent->config_file(), config + "nodeFeatures: {namespaces: [\"*\"]}\n");
  write_file(agent->rules() / "marker.yaml", "- {name: m, labels: {e2e-marker: \"1\"}, matchFeatures: []}\n");
  ASSERT_TRUE(wait("selected", kPrefix + "e2e-marker", "1")) << agent->log();
  EXPECT_EQ(label("selected", kPrefix + "trust-chosen"), "1");
  write_file(agent->config_file(),
             kQuiet +
                 "restrictions: {denyNodeFeatureLabels: true, nodeFeatureNamespaceSelector: {matchLabels: {objects: "
                 "trusted}}}\nnodeFeatures: {namespaces: [\"*\"]}\n");
  EXPECT_TRUE(wait("selected", kPrefix + "trust-chosen", std::nullopt)) << agent->log();
}

/// The right to read namespaces is missing: their objects do not count, take nothing away, and are reported.
TEST_F(TrustTest, ANamespaceThatCannotBeReadIsReported) {
  cluster->create_node("unreadable");
  cluster->create_namespace("trust-unreadable");
  cluster->kubectl({"label", "namespace", "trust-unreadable", "objects=trusted"});
  put_object("trust-unreadable", "unreadable", "unreadable", R"({"e2e-asked":"1"})");
  put_object("default", "unreadable-own", "unreadable", R"({"e2e-own":"1"})");
  const auto rights = [](const char* reads) {
    return R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":["get","patch"]},)"
           R"({"apiGroups":[""],"resources":[)" +
           std::string(reads) +
           R"(],"verbs":["get"]},{"apiGroups":["events.k8s.io"],"resources":["events"],"verbs":["create"]},)"
           R"({"apiGroups":["nfd.k8s-sigs.io"],"resources":["nodefeatures","nodefeaturerules"],)"
           R"("verbs":["get","list","watch"]}])";
  };
  cluster->create_service_account("nodescout-e2e", "agent-unreadable", rights(R"("pods")"));
  start({.node = "unreadable",
         .config = "nodeRecheck: 2s\nprobePoll: 0\nstateFile: ''\n"
                   "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {objects: trusted}}}\n"});
  ASSERT_TRUE(wait("unreadable", kPrefix + "e2e-own", "1")) << "the own one needs no right" << agent->log();
  EXPECT_EQ(label("unreadable", kPrefix + "e2e-asked"), std::nullopt);
  EXPECT_TRUE(eventually([&] { return has_event("ObjectNotCounted", "trust-unreadable"); })) << agent->log();
  EXPECT_NE(agent->log().find("cannot get resource"), std::string::npos) << agent->log();
  must(cluster->admin().patch("/apis/rbac.authorization.k8s.io/v1/clusterroles/agent-unreadable", PatchKind::merge,
                              json(R"({"rules":)" + rights(R"("namespaces")") + "}")));
  EXPECT_TRUE(wait("unreadable", kPrefix + "e2e-asked", "1")) << "with the right it counts" << agent->log();
}

}  // namespace
}  // namespace nodescout::test
