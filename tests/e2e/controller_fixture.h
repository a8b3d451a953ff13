// What the tests of `nodescout controller` against the control plane share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "feature/json.h"
#include "kube/lease.h"
#include "kube/watch.h"
#include "support/run_program.h"

namespace nodescout::test {

namespace fs = std::filesystem;

inline constexpr const char* kLabel = "feature.node.kubernetes.io/from-rule";
inline constexpr const char* kWorkerLabel = "feature.node.kubernetes.io/from-worker";

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
    using namespace std::chrono_literals;
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

}  // namespace nodescout::test
