// One walk: `rules preview`, `diff` and a running agent come to the same end on a Node with NodeFeature objects of
// others.
#include <gtest/gtest.h>

#include <set>

#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "feature/json.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHost = NODESCOUT_SOURCE_DIR "/tests/hosts/three-vendors-mig";
constexpr const char* kConfig =
    "nodeRecheck: 0\nprobePoll: 0\nstateFile: \"\"\nenableTaints: true\n"
    "nodeFeatures: {namespaces: [walk-vendor], mayOverride: true}\n";

/// What others say of the node: a board, a processor that it does not have, and GFD's labels.
constexpr const char* kVendor =
    R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":"walked-vendor",)"
    R"("labels":{"nfd.node.kubernetes.io/node-name":"walked"}},"spec":{)"
    R"("labels":{"vendor-says":"hello","vendor-says-more":"hello","bad":"not legal!"},"features":{"flags":{},)"
    R"("instances":{"pci.device":{"elements":[{"attributes":{"vendor":"abcd","class":"ffff"}}]}},)"
    R"("attributes":{"board.x":{"elements":{"rev":"7"}},"cpu.model":{"elements":{"family":"99"}}}}}})";
constexpr const char* kGfd =
    R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":"nvidia-features-for-walked",)"
    R"("labels":{"nfd.node.kubernetes.io/node-name":"walked"}},"spec":{)"
    R"("labels":{"nvidia.com/gpu.count":"3","nvidia.com/gpu.product":"of-gfd"},"features":{}}})";
constexpr const char* kRuleOfTheCluster =
    R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":"a-walked"},"spec":{)"
    R"("rules":[{"name":"c","labels":{"e2e-cluster":"1"},"matchFeatures":[{"feature":"board.x"}]}]}})";

/// What is tried: rules that see everything, and a list that sees the node's own features.
constexpr const char* kRules = R"yaml(
apiVersion: nfd.k8s-sigs.io/v1alpha1
kind: NodeFeatureRule
metadata: {name: b-walked}
spec:
  rules:
    - name: all
      labels:
        e2e-board: "@board.x.rev"
        e2e-family: "@cpu.model.family"
        cpu-model.family: changed
        vendor-says: changed
        nvidia.com/gpu.count: "1000"
        foreign.example/x: "1"
      annotations: {e2e-note: any text}
      extendedResources: {e2e-dongles: "3"}
      taints: [{key: feature.node.kubernetes.io/e2e-walked, value: v, effect: PreferNoSchedule}]
      matchFeatures:
        - feature: board.x
          matchExpressions: {rev: {op: In, value: ["7"]}}
        - feature: cpu.model
          matchExpressions: {family: {op: In, value: ["99"]}}
    - name: after the cluster's
      labels: {e2e-after: "1"}
      matchFeatures: [{feature: rule.matched, matchExpressions: {e2e-cluster: {op: Exists}}}]
    - name: of gfd
      labels: {e2e-gfd: "1"}
      matchFeatures: [{feature: gpu.gfd}]
---
- name: own
  labels: {e2e-own: "1"}
  matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: In, value: ["10de"]}}}]
- name: foreign
  labels: {e2e-foreign: "1"}
  matchAny:
    - matchFeatures: [{feature: board.x}]
    - matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: In, value: [abcd]}}}]
    - matchFeatures: [{feature: cpu.model, matchExpressions: {family: {op: In, value: ["99"]}}}]
)yaml";

std::string line(std::string kind, const std::string& key, const std::string& before, const std::string& after) {
  if (kind == "extended resource") kind = "resource";  // the name in `rules preview`
  return kind + " " + key + ": " + before + " -> " + after;
}

/// The changes of a document of `rules preview` or `diff`, one line each.
std::set<std::string> changes_in(const Value* list) {
  std::set<std::string> lines;
  if (list)
    for (const Value& change : list->items)
      lines.insert(line(text_at(change, {"kind"}), text_at(change, {"key"}), text_at(change, {"before"}),
                        text_at(change, {"after"})));
  return lines;
}

class WalkTest : public AgentFixture {
 protected:
  std::string kubeconfig() const { return "--kubeconfig=" + (cluster->folder() / "admin.kubeconfig").string(); }
  std::string config() const { return "--config=" + agent->config_file().string(); }

  /// As the node's own worker publishes it.
  void publish_own_features() {
    const Ran dumped = run_program({nodescout_program(), "dump", "-o", "json", "--root", kHost, "--no-live", config()});
    const auto read = features_from_text(dumped.out, "dump");
    ASSERT_TRUE(read) << dumped.err;
    Value object = node_feature_object("walked", read->features, {});
    Value annotations = Value::map();
    annotations.add("nfd.node.kubernetes.io/worker.version", Value::string("v0.17.0"));
    for (Member& member : object.members)
      if (member.key == "metadata") member.value.add("annotations", std::move(annotations));
    must(cluster->admin().create(collection_path(resources::kNodeFeatures, "default"), object));
  }

  std::map<std::string, std::string> labels() {
    std::map<std::string, std::string> out;
    const Value node = node_object(*cluster, "walked");
    if (const Value* map = at(node, {"metadata", "labels"}))
      for (const Member& member : map->members) out[member.key] = member.value.text;
    return out;
  }
};

TEST_F(WalkTest, PreviewDiffAndAgentAgreeOnANodeOfWhichOthersSpeak) {
  cluster->create_node("walked", json(R"({"metadata":{"labels":{"tried":"walk"}}})"));
  cluster->create_namespace("walk-vendor");
  must(cluster->admin().create(collection_path(resources::kNodeFeatures, "walk-vendor"), json(kVendor)));
  must(cluster->admin().create(collection_path(resources::kNodeFeatures, "walk-vendor"), json(kGfd)));
  must(cluster->admin().create(collection_path(resources::kNodeFeatureRules), json(kRuleOfTheCluster)));
  start({.node = "walked", .config = kConfig, .root = kHost});
  publish_own_features();
  ASSERT_TRUE(wait_for_label(*cluster, "walked", "feature.node.kubernetes.io/e2e-cluster", "1")) << agent->log();
  const auto before = labels();
  EXPECT_EQ(before.at("feature.node.kubernetes.io/vendor-says"), "hello");
  EXPECT_EQ(before.at("nvidia.com/gpu.product"), "of-gfd");
  EXPECT_NE(before.at("feature.node.kubernetes.io/cpu-model.family"), "99");

  const fs::path rules = machine.path() / "walk.yaml";
  write_file(rules, kRules);
  const Ran previewed = run_program({nodescout_program(), "rules", "preview", rules.string(), "--nodes=tried=walk",
                                     kubeconfig(), config(), "-o", "json"});
  const auto preview = parse_json(previewed.out, "preview");
  ASSERT_TRUE(preview) << previewed.err;
  ASSERT_EQ(preview->find("nodes")->items.size(), 1u);
  const auto shown = changes_in(preview->find("nodes")->items[0].find("changes"));
  const std::string feature = "feature.node.kubernetes.io/";
  EXPECT_EQ(shown, (std::set<std::string>{
                       line("annotation", feature + "e2e-note", "", "any text"),
                       line("label", feature + "e2e-after", "", "1"),
                       line("label", feature + "e2e-board", "", "7"),
                       line("label", feature + "e2e-family", "", "99"),
                       line("label", feature + "e2e-own", "", "1"),
                       line("label", feature + "cpu-model.family",
                            before.at("feature.node.kubernetes.io/cpu-model.family"), "changed"),
                       line("label", feature + "vendor-says", "hello", "changed"),
                       line("label", "nvidia.com/gpu.count", "3", "1000"),
                       line("resource", feature + "e2e-dongles", "", "3"),
                       line("taint", feature + "e2e-walked=v:PreferNoSchedule", "", "v"),
                   }));

  const Ran compared = run_program({nodescout_program(), "diff", "--node=walked", "--root", kHost, "--no-live",
                                    kubeconfig(), config(), "--rules", rules.string(), "-o", "json"});
  EXPECT_EQ(compared.status, 3) << compared.err;
  const auto difference = parse_json(compared.out, "diff");
  ASSERT_TRUE(difference) << compared.err;
  EXPECT_EQ(changes_in(difference->find("changes")), shown);
  // What is rejected is said by both.
  for (const Ran* ran : {&previewed, &compared}) {
    EXPECT_NE(ran->out.find("foreign.example"), std::string::npos) << ran->out;
    EXPECT_NE(ran->out.find("gfd-present"), std::string::npos) << ran->out;
  }

  write_file(agent->rules() / "walk.yaml", kRules);
  ASSERT_TRUE(wait_for_label(*cluster, "walked", feature + "e2e-own", "1")) << agent->log();
  const auto now = labels();
  std::set<std::string> written;
  for (const auto& [key, value] : now)
    if (const auto old = before.find(key); old == before.end() || old->second != value)
      written.insert(line("label", key, old == before.end() ? "" : old->second, value));
  std::set<std::string> shown_labels;
  for (const std::string& change : shown)
    if (change.starts_with("label ")) shown_labels.insert(change);
  EXPECT_EQ(written, shown_labels);
  for (const auto& [key, value] : before) EXPECT_TRUE(now.contains(key)) << key;
  const Ran after = run_program({nodescout_program(), "diff", "--node=walked", "--root", kHost, "--no-live",
                                 kubeconfig(), config(), "--rules", rules.string()});
  EXPECT_EQ(after.status, 0) << after.out << after.err;
  cluster->kubectl({"delete", "nodefeaturerule", "a-walked"});
}

}  // namespace
}  // namespace nodescout::test
