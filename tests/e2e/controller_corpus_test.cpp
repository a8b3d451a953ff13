// A sample of the public rules through the controller and a real API server: each Node gets what `rules eval` makes of
// the same rule objects and features.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/agent_process.h"
#include "feature/json.h"
#include "support/run_program.h"
#include "support/shared.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t kManifests = 40;  // of those with NodeFeatureRules; the long form takes them all
constexpr const char* kSentinel = "feature.node.kubernetes.io/corpus-round";

/// One line an entry: "labels a=b", "taints k=v:Effect".
using Entries = std::vector<std::string>;

/// What `rules eval` printed.
Entries entries_of(const Value& outcome) {
  Entries entries;
  for (const char* part : {"labels", "annotations", "extendedResources", "taints"}) {
    const Value* const made = outcome.find(part);
    if (!made) continue;
    for (const Member& entry : made->members)
      entries.push_back(std::string(part) + " " + entry.key + "=" + entry.value.text);
    for (const Value& taint : made->items) entries.push_back(std::string(part) + " " + taint.text);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// What is on a Node that had nothing of its own.
Entries entries_on(const Value& node) {
  Entries entries;
  const auto add = [&](const char* part, const Value* map) {
    for (const Member& entry : map ? map->members : std::vector<Member>{})
      if (entry.key != kSentinel && !entry.key.starts_with("nfd.node.kubernetes.io/feature-") &&
          entry.key != "nfd.node.kubernetes.io/extended-resources" && entry.key != "nfd.node.kubernetes.io/taints")
        entries.push_back(std::string(part) + " " + entry.key + "=" + entry.value.text);
  };
  add("labels", at(node, {"metadata", "labels"}));
  add("annotations", at(node, {"metadata", "annotations"}));
  add("extendedResources", at(node, {"status", "capacity"}));
  if (const Value* const taints = at(node, {"spec", "taints"}))
    for (const Value& taint : taints->items) {
      const std::string key = text_at(taint, {"key"});
      if (key == "node.kubernetes.io/not-ready") continue;
      entries.push_back("taints " + key + "=" + text_at(taint, {"value"}) + ":" + text_at(taint, {"effect"}));
    }
  std::sort(entries.begin(), entries.end());
  return entries;
}

class ControllerCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_SHARED();
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    cluster->install_crds();
    config = folder.path() / "nodescout.conf";
    // Keys of any prefix, as the corpus has them.
    std::ofstream(config) << "core: {compat: nfd}\nenableTaints: true\n";
  }

  void put_sentinel(int round) {
    const std::string rules =
        R"({"spec":{"rules":[{"name":"round","labels":{"corpus-round":")" + std::to_string(round) + "\"}}]}}";
    const std::string path = object_path(resources::kNodeFeatureRules, "", "corpus-round");
    if (round > 0) {
      must(cluster->admin().patch(path, PatchKind::merge, json(rules)));
      return;
    }
    Value object = json(rules);
    object.add("apiVersion", Value::string("nfd.k8s-sigs.io/v1alpha1"));
    object.add("kind", Value::string("NodeFeatureRule"));
    object.add("metadata", json(R"({"name":"corpus-round"})"));
    must(cluster->admin().create(collection_path(resources::kNodeFeatureRules), object));
  }

  /// The NodeFeatureRules of a manifest, as the API server has them; none if it refuses one of them.
  std::vector<Value> create_rules(const fs::path& manifest, int round) {
    std::vector<Value> stored;
    for (const YamlDocument& document : parse_yaml(read_file(manifest), manifest.string())) {
      if (document.error || text_at(document.root, {"kind"}) != "NodeFeatureRule") continue;
      Value object = document.root;
      Value metadata = Value::map();
      // In the order of the manifest.
      metadata.add("name", Value::string("r" + std::to_string(round) + "-" + std::to_string(100 + stored.size())));
      replace(object, "metadata", std::move(metadata));
      const auto created = cluster->admin().create(collection_path(resources::kNodeFeatureRules), object);
      if (!created) {
        remove_rules(stored);
        return {};
      }
      stored.push_back(*created);
    }
    return stored;
  }
  void remove_rules(const std::vector<Value>& rules) {
    for (const Value& rule : rules)
      must(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", text_at(rule, {"metadata", "name"}))));
  }

  Entries evaluated(const std::vector<Value>& rules, const fs::path& features) {
    std::string text;
    for (const Value& rule : rules) text += "---\n" + to_json(rule) + "\n";
    const fs::path file = folder.path() / "rules.yaml";
    std::ofstream(file) << text;
    const Ran ran = run_program({nodescout_program(), "rules", "eval", file.string(), "--features", features.string(),
                                 "--config", config.string(), "-o", "json"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    const auto outcome = parse_json(ran.out, "rules eval");
    EXPECT_TRUE(outcome) << ran.out;
    return outcome ? entries_of(*outcome) : Entries{};
  }

  ControlPlane* cluster = nullptr;
  TempDirectory folder;
  fs::path config;
};

TEST_F(ControllerCorpusTest, NodesGetWhatRulesEvalMakes) {
  const fs::path corpus = shared_folder() / "corpus";
  std::vector<fs::path> manifests;
  for (const auto& file : fs::directory_iterator(corpus / "rules"))
    if (fs::exists(corpus / "features" / (file.path().stem().string() + ".sat.features.json")))
      manifests.push_back(file.path());
  std::sort(manifests.begin(), manifests.end());
  put_sentinel(0);
  Process process(
      {nodescout_program(), "controller", "--kubeconfig",
       cluster->kubeconfig("corpus", cluster->client_certificate_user("corpus", {"system:masters"})).string(),
       "--listen", "none", "--config", config.string()},
      folder.path() / "log");
  const std::size_t step = is_long() ? 1 : std::max<std::size_t>(1, manifests.size() / kManifests);
  std::size_t pairs = 0, entries = 0, refused = 0;
  int round = 0;
  for (std::size_t i = 0; i < manifests.size(); i += step) {
    const std::vector<Value> rules = create_rules(manifests[i], ++round);
    if (rules.empty()) {
      ++refused;
      continue;
    }
    put_sentinel(round);
    for (const char* variant : {"sat", "mut0", "mut1"}) {
      const fs::path path = corpus / "features" / (manifests[i].stem().string() + "." + variant + ".features.json");
      if (!fs::exists(path)) continue;
      SCOPED_TRACE(path.string());
      const auto features = features_from_text(read_file(path), path.string());
      ASSERT_TRUE(features) << features.error().text();
      const std::string node = "corpus-" + std::to_string(round) + "-" + variant;
      cluster->create_node(node);
      must(cluster->admin().create(collection_path(resources::kNodeFeatures, "default"),
                                   node_feature_object(node, features->features, {})));
      const Entries wanted = evaluated(rules, path);
      EXPECT_TRUE(wait_for_label(*cluster, node, kSentinel, std::to_string(round))) << process.end_of_log();
      Entries found;
      EXPECT_TRUE(eventually([&] { return (found = entries_on(node_object(*cluster, node))) == wanted; }, 5s))
          << "on the Node:\n  " << join(found, "\n  ") << "\nby rules eval:\n  " << join(wanted, "\n  ");
      ++pairs;
      entries += wanted.size();
      must(cluster->admin().remove(object_path(resources::kNodeFeatures, "default", node)));
      must(cluster->admin().remove(object_path(resources::kNodes, "", node)));
    }
    remove_rules(rules);
  }
  must(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "corpus-round")));
  std::cout << pairs << " of rules and features, " << entries << " entries; " << refused
            << " manifests that the API server refuses, or without a NodeFeatureRule\n";
  EXPECT_GE(pairs, 60u);
  EXPECT_GE(entries, 60u);
}

}  // namespace
}  // namespace nodescout::test
