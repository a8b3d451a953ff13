// What became of each entry that a rule made.
#include "corridor/fate.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using End = Fate::End;

/// Layers of rules and what they made; "kind key=value end why" of each entry of one rule.
struct Fixture {
  RuleLayers rules;
  Features features;
  std::vector<NodeFeatureObject> objects;
  bool objects_may_override = false;
  LabelPolicy policy;

  void layer(Layer layer, const std::string& text) {
    ParsedRules parsed = parse_rules(
        "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: test}\nspec:\n  rules:\n" + text,
        "f.yaml");
    EXPECT_TRUE(parsed.findings.empty()) << parsed.findings[0].problem.what;
    rules.put(layer, std::move(parsed.documents.at(0).rules));
  }

  std::vector<std::string> fates(Layer of, std::size_t rule, const Attributes& from_template = {}) const {
    static const std::map<End, std::string> kWords{
        {End::counts, "counts"}, {End::rejected, "rejected: "}, {End::replaced, "replaced by "}};
    const Walk walked = walk(rules, {features, objects, nullptr, true, objects_may_override}, policy);
    std::vector<std::string> lines;
    for (const LayerOutcome& layer : walked.layers)
      if (layer.layer == of)
        for (const Fate& fate : fates_of(walked, policy, layer, rule, from_template))
          lines.push_back(std::string(name_of(fate.kind)) + " " + fate.key + "=" + fate.value + " " +
                          kWords.at(fate.end) + fate.why);
    return lines;
  }
};
using Lines = std::vector<std::string>;

TEST(Fates, WhatCountsHasItsFinalKeyAndValue) {
  Fixture f;
  f.features.attributes["k.v"]["a"] = "7";
  f.layer(Layer::rules,
          "  - name: r\n    labels: {l: '@k.v.a', vendor.example/m: x}\n    annotations: {note: any text}\n"
          "    extendedResources: {r: '@k.v.a'}\n"
          "    taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoSchedule}]\n");
  EXPECT_EQ(f.fates(Layer::rules, 0),
            (Lines{"label feature.node.kubernetes.io/l=7 counts", "label vendor.example/m=x counts",
                   "annotation feature.node.kubernetes.io/note=any text counts",
                   "taint feature.node.kubernetes.io/t:NoSchedule=v counts",
                   "extended resource feature.node.kubernetes.io/r=7 counts"}));
}

TEST(Fates, WhatIsRejectedSaysWhy) {
  Fixture f;
  f.policy.write_prefixes = {"feature.node.kubernetes.io"};
  f.policy.taints = false;
  f.policy.annotations = false;
  f.layer(Layer::rules,
          "  - name: r\n    labels: {l: 'not legal!', vendor.example/m: x}\n    annotations: {note: any text}\n"
          "    taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoSchedule}]\n");
  const Lines lines = f.fates(Layer::rules, 0);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].starts_with("label feature.node.kubernetes.io/l=not legal! rejected: ")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("label vendor.example/m=x rejected: ")) << lines[1];
  EXPECT_TRUE(lines[2].ends_with("annotations are switched off in the configuration")) << lines[2];
  EXPECT_TRUE(lines[3].ends_with("taints are switched off")) << lines[3];
}

TEST(Fates, WhatIsReplacedNamesTheRuleThatCounts) {
  Fixture f;
  const std::string taint = "    taints: [{key: feature.node.kubernetes.io/t, effect: NoSchedule, value: ";
  f.layer(Layer::shipped, "  - name: s\n    labels: {a: s, b: s, c: s}\n" + taint + "s}]\n");
  f.layer(Layer::rules, "  - name: first\n    labels: {a: '1', d: '1'}\n" + taint + "v}]\n" +
                            "  - name: second\n    labels: {a: '2', feature.node.kubernetes.io/d: '2'}\n" + taint +
                            "v}]\n");
  f.objects = {{"vendor", "o", {}, {{"b", "o"}}}};
  const std::string key = "feature.node.kubernetes.io/";
  EXPECT_EQ(f.fates(Layer::shipped, 0).at(1), "label " + key + "b=s counts") << "an object fills gaps only";
  f.objects_may_override = true;
  EXPECT_EQ(f.fates(Layer::shipped, 0),
            (Lines{"label " + key + "a=s replaced by f.yaml:9:5 (rule \"second\")",
                   "label " + key + "b=s replaced by a label of another agent's NodeFeature object",
                   "label " + key + "c=s counts",
                   "taint " + key + "t:NoSchedule=s replaced by f.yaml:9:5 (rule \"second\")"}));
  EXPECT_EQ(f.fates(Layer::rules, 0),
            (Lines{"label " + key + "a=1 replaced by f.yaml:9:5 (rule \"second\")",
                   "label " + key + "d=1 replaced by f.yaml:9:5 (rule \"second\")",
                   "taint " + key + "t:NoSchedule=v replaced by f.yaml:9:5 (rule \"second\")"}));
  EXPECT_EQ(f.fates(Layer::rules, 1), (Lines{"label " + key + "a=2 counts", "label " + key + "d=2 counts",
                                             "taint " + key + "t:NoSchedule=v counts"}));
}

TEST(Fates, LabelsOfATemplateCountUnlessTheRuleNamesThem) {
  Fixture f;
  f.features.attributes["k.v"]["a"] = "7";
  f.layer(
      Layer::rules,
      "  - name: r\n    labels: {a: '1'}\n    labelsTemplate: \"a=2\\nb=3\"\n    matchFeatures: [{feature: k.v}]\n");
  EXPECT_EQ(f.fates(Layer::rules, 0, {{"a", "2"}, {"b", "3"}}),
            (Lines{"label feature.node.kubernetes.io/a=1 counts", "label feature.node.kubernetes.io/b=3 counts"}));
}

}  // namespace
}  // namespace nodescout
