// What is known of a machine before it exists is what all machines that fit have in common.
#include "predict/prediction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "document/json.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

Desired labels(Attributes entries) {
  Desired desired;
  desired.labels = std::move(entries);
  return desired;
}

std::string unknown_of(const Prediction& prediction) {
  std::string out;
  for (const Unknown& unknown : prediction.unknown) out += unknown.what + ": " + unknown.why + "\n";
  return out;
}

TEST(Prediction, OfOneMachineEverythingIsKnown) {
  const Desired only[] = {labels({{"a", "1"}})};
  const Prediction prediction = in_common(only);
  EXPECT_EQ(prediction.desired, only[0]);
  EXPECT_EQ(unknown_of(prediction), "");
}

TEST(Prediction, ADifferentValueIsUnknown) {
  const Desired both[] = {labels({{"a", "1"}, {"b", "x"}}), labels({{"a", "1"}, {"b", "y"}})};
  const Prediction prediction = in_common(both);
  EXPECT_EQ(prediction.desired, labels({{"a", "1"}}));
  EXPECT_EQ(unknown_of(prediction), "label b: depends on what only the running machine shows; possible: x, y\n");
}

TEST(Prediction, AnEntryThatOnlySomeHaveIsUnknownWhereverItIs) {
  for (const bool is_first : {true, false}) {
    const Desired both[] = {labels(is_first ? Attributes{{"a", "1"}} : Attributes{}),
                            labels(is_first ? Attributes{} : Attributes{{"a", "1"}})};
    const Prediction prediction = in_common(both);
    EXPECT_EQ(prediction.desired, Desired{});
    EXPECT_EQ(unknown_of(prediction), "label a: depends on what only the running machine shows; possible: absent, 1\n");
  }
}

TEST(Prediction, WhatEveryMachineHasOfItsOwnIsNeverPredicted) {
  const Desired one = labels({{"a", "1"}, {"nvidia.com/gfd.timestamp", "17"}, {"nvidia.com/gpu.clique", "x.1"}});
  for (const std::vector<Desired>& guises : {std::vector<Desired>{one}, {one, one}, {one, labels({{"a", "1"}})}}) {
    const Prediction prediction = in_common(guises);
    EXPECT_EQ(prediction.desired.labels, (Attributes{{"a", "1"}}));
    ASSERT_EQ(prediction.unknown.size(), 2u);
    EXPECT_EQ(prediction.unknown[0].what, "label nvidia.com/gfd.timestamp");
    EXPECT_EQ(prediction.unknown[0].why, "every machine has its own");
  }
}

TEST(Prediction, EveryKindOfEntryIsCompared) {
  Desired one;
  one.annotations = {{"note", "1"}};
  one.extended_resources = {{"example.com/r", "1"}};
  one.taints = {{"example.com/t", "v", "NoSchedule", {}}};
  Desired other;
  other.annotations = {{"note", "2"}};
  other.extended_resources = {{"example.com/r", "2"}};
  other.taints = {{"example.com/t", "w", "NoSchedule", {}}};
  const Desired both[] = {one, other}, same[] = {one, one};
  EXPECT_EQ(in_common(same).desired, one);
  const Prediction prediction = in_common(both);
  EXPECT_EQ(prediction.desired, Desired{});
  EXPECT_EQ(prediction.unknown.size(), 3u);
  EXPECT_EQ(unknown_of(prediction).find("possible: 1, 2\nannotation"), std::string::npos);
}

Prediction known() {
  Desired desired = labels({{"example.com/gpu", "h100"}});
  desired.annotations = {{"example.com/note", "n"}};
  desired.extended_resources = {{"example.com/r", "2"}};
  desired.taints = {{"example.com/t", "v", "NoSchedule", {}}};
  return {desired, {}, {}};
}

TEST(Forms, LabelsAndAutoscalerTags) {
  EXPECT_EQ(as_labels(known()), "example.com/gpu=h100\n");
  Prediction prediction = known();
  EXPECT_EQ(as_autoscaler_tags(prediction),
            "k8s.io/cluster-autoscaler/node-template/label/example.com/gpu=h100\n"
            "k8s.io/cluster-autoscaler/node-template/taint/example.com/t=v:NoSchedule\n"
            "k8s.io/cluster-autoscaler/node-template/resources/example.com/r=2\n");
}

TEST(Forms, ATagWhoseKeyIsTooLongIsSaid) {
  Prediction prediction = known();
  const std::string domain = std::string(40, 'd') + ".example.com";
  const std::string longest = domain + "/" + std::string(128 - 46 - domain.size() - 1, 'a');
  prediction.desired.labels = {{longest, "1"}, {longest + "b", "1"}};
  const std::string tags = as_autoscaler_tags(prediction);
  EXPECT_EQ(tags.find('='), 128u) << tags;
  EXPECT_EQ(tags.find(longest + "b"), std::string::npos);
  ASSERT_EQ(prediction.unknown.size(), 1u);
  EXPECT_EQ(prediction.unknown[0].what, "label " + longest + "b");
}

TEST(Forms, AKarpenterPoolDeclaresWhatKarpenterCannotKnow) {
  Prediction prediction = known();
  EXPECT_EQ(as_karpenter(prediction, {"p5", "amd64", "", {}}),
            "spec:\n  template:\n    metadata:\n      labels:\n        example.com/gpu: h100\n    spec:\n"
            "      requirements:\n        - key: node.kubernetes.io/instance-type\n          operator: In\n"
            "          values:\n            - p5\n        - key: kubernetes.io/arch\n          operator: In\n"
            "          values:\n            - amd64\n      taints:\n        - key: example.com/t\n          value: v\n"
            "          effect: NoSchedule\n");
}

TEST(Forms, WhatKarpenterDoesNotTakeIsSaid) {
  Prediction prediction;
  for (int i = 0; i < 102; ++i) prediction.desired.labels.emplace("example.com/" + std::to_string(i), "1");
  as_karpenter(prediction, {"p5", "", "", {}});
  EXPECT_EQ(prediction.unknown.size(), 3u) << "102 labels and one requirement, of 100";
}

TEST(Forms, ANodeForKwok) {
  Prediction prediction = known();
  prediction.allocatable = {{"nvidia.com/gpu", "8"}};
  const std::string node = as_node(prediction, {"p5", "arm64", "", {}});
  for (const char* line :
       {"kind: Node\n", "example.com/gpu: h100\n", "kubernetes.io/arch: arm64\n",
        "node.kubernetes.io/instance-type: p5\n", "kwok.x-k8s.io/node: fake\n", "key: kwok.x-k8s.io/node\n",
        "key: example.com/t\n", "example.com/note: \"n\"\n",
        "allocatable:\n    cpu: \"1k\"\n    example.com/r: \"2\"\n    memory: \"1Ti\"\n    nvidia.com/gpu: "
        "\"8\"\n    pods: \"1M\"\n",
        "capacity:\n    cpu: \"1k\"\n"})
    EXPECT_NE(node.find(line), std::string::npos) << line << "in\n" << node;
}

TEST(Prediction, GpusAreAllocatableAndTheirDriversLabelsUnknown) {
  const Blueprint blueprint{"", "", "", {{"10de", "2330", "", 4}, {"10de", "2331", "", 4}, {"1002", "74a1", "", 2}}};
  EXPECT_EQ(allocatable_of(blueprint), (Attributes{{"amd.com/gpu", "2"}, {"nvidia.com/gpu", "8"}}));
  const auto keys = [&](const Blueprint& of, const GpuOptions& options) {
    std::string out;
    for (const Unknown& unknown : unknown_labels(of, options)) out += unknown.what + "\n";
    return out;
  };
  const std::string all = keys(blueprint, {});
  for (const char* key :
       {"nvidia.com/gpu.product\n", "nvidia.com/gpu.count\n", "nvidia.com/gpu.memory\n", "nvidia.com/cuda.*\n"})
    EXPECT_NE(all.find("label " + std::string(key)), std::string::npos) << key << all;
  EXPECT_EQ(keys({"", "", "", {{"8086", "0bd5", "", 1}}}, {}), "");
  GpuOptions off;
  off.labellers = {{"nvidia", GpuOptions::Labeller::off}};
  EXPECT_EQ(keys(blueprint, off).find("nvidia"), std::string::npos);
}

/// Whatever GFD's labels a recorded machine has, a planned one lists as unknown.
TEST(Prediction, NoLabelOfADriverIsForgotten) {
  const Blueprint blueprint{"", "", "", {{"10de", "2330", "", 8}}};
  const std::vector<Unknown> unknown = unknown_labels(blueprint, {});
  std::size_t seen = 0;
  for (const auto& host : std::filesystem::directory_iterator(NODESCOUT_SOURCE_DIR "/tests/hosts")) {
    const auto file = host.path() / "expect" / "desired.json";
    if (!std::filesystem::exists(file)) continue;
    const auto desired = parse_json(test::read_file(file), file.string());
    ASSERT_TRUE(desired) << file;
    for (const Member& label : desired->find("labels")->members) {
      if (!label.key.starts_with("nvidia.com/") || label.key.starts_with("nvidia.com/vgpu.") ||
          label.key == "nvidia.com/gpu.present")
        continue;  // made by rules from what is on the bus
      ++seen;
      EXPECT_TRUE(std::any_of(unknown.begin(), unknown.end(),
                              [&](const Unknown& each) {
                                const std::string pattern = each.what.substr(std::string_view("label ").size());
                                return pattern.ends_with('*')
                                           ? label.key.starts_with(pattern.substr(0, pattern.size() - 1))
                                           : label.key == pattern;
                              }))
          << label.key << " of " << host.path().filename();
    }
  }
  EXPECT_GE(seen, 20u);
}

TEST(Prediction, OfAMachineTheGpusThatCanBeUsedAreAllocatable) {
  Features features;
  features.instances["gpu.device"] = {{{"vendor", "nvidia"}, {"health", "ok"}},
                                      {{"vendor", "nvidia"}, {"health", "missing"}},
                                      {{"vendor", "nvidia"}, {"health", "ok"}, {"driver", "vfio-pci"}},
                                      {{"vendor", "intel"}, {"health", "ok"}}};
  EXPECT_EQ(allocatable_of(features), (Attributes{{"nvidia.com/gpu", "1"}}));
  EXPECT_EQ(allocatable_of(Features{}), Attributes{});
}

}  // namespace
}  // namespace nodescout::test
