// The one walk: which layer sees what of a Node, and in which order they count.
#include "corridor/walk.h"

#include <gtest/gtest.h>

#include <random>

#include "rule/pattern.h"

namespace nodescout {
namespace {

/// Rules of these layers, each a list in the worker's dialect or, for the others, in the API's.
RuleLayers layers_of(const std::map<Layer, std::string>& texts) {
  RuleLayers rules;
  for (const auto& [layer, text] : texts) {
    const bool is_list = layer == Layer::custom;
    const std::string head = is_list ? ""
                                     : "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\n"
                                       "metadata: {name: test}\nspec:\n  rules:\n  ";
    ParsedRules parsed = parse_rules(head + "- " + text + "\n", std::string(name_of(layer)) + ".yaml");
    EXPECT_TRUE(parsed.findings.empty()) << parsed.findings[0].problem.what;
    rules.put(layer, std::move(parsed.documents.at(0).rules));
  }
  return rules;
}

constexpr Layer kWithRules[] = {Layer::builtin, Layer::shipped, Layer::custom, Layer::local, Layer::rules};

Features board(const std::string& rev) {
  Features features;
  features.attributes["board.x"]["rev"] = rev;
  return features;
}

/// The labels that the Node would get, without the usual prefix.
std::map<std::string, std::string> labels_of(const Walk& walked) {
  const std::string prefix = std::string(kFeaturePrefix) + "/";
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : walked.built.desired.labels)
    labels[key.starts_with(prefix) ? key.substr(prefix.size()) : key] = value;
  return labels;
}
using Labels = std::map<std::string, std::string>;

TEST(Walk, WhatAWhiteListLeavesOutIsOneLine) {
  const RuleLayers rules = layers_of({{Layer::rules, "{name: a, labels: {a1: x, a2: x, b: x}}"}});
  LabelPolicy policy;
  policy.label_white_list = std::make_shared<Pattern>(Pattern::compile("^b").value());
  const Walk walked = walk(rules, {{}}, policy);
  EXPECT_EQ(labels_of(walked), (Labels{{"b", "x"}}));
  ASSERT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(walked.problems[0].where, "labelWhiteList");
  EXPECT_EQ(walked.problems[0].what, "2 labels are left out");
  EXPECT_NE(walked.problems[0].todo, "");
  policy.places["labelWhiteList"] = "nodescout.conf:3:17";
  const Problem placed = walk(rules, {{}}, policy).problems.at(0);
  EXPECT_EQ(placed.where, "nodescout.conf:3:17");
  EXPECT_EQ(placed.what, "labelWhiteList: 2 labels are left out");
}

TEST(Walk, WhatDenyLabelNsLeavesOutIsOneLine) {
  const RuleLayers rules = layers_of({{Layer::rules, "{name: a, labels: {a.example/x: x, a.example/y: x, b: x}}"}});
  LabelPolicy policy;
  policy.denied_namespaces = {"a.example"};
  const Walk walked = walk(rules, {{}}, policy);
  EXPECT_EQ(labels_of(walked), (Labels{{"b", "x"}}));
  ASSERT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(walked.problems[0].where, "denyLabelNs");
  EXPECT_EQ(walked.problems[0].what, "2 labels are left out");
}

/// A file of features.d is one author's, whatever the line.
TEST(Walk, LinesOfAFileOutsideThePrefixesAreOneProblem) {
  const RuleLayers rules = layers_of({{Layer::local, "{name: a, labels: {a.example/x: x, a.example/y: x}}"}});
  const Origins origins{{"a.example/x", "/features.d/f:1:1"}, {"a.example/y", "/features.d/f:2:1"}};
  LabelPolicy policy;
  policy.write_prefixes = {"nvidia.com"};
  const Features none;
  const Walk walked = walk(rules, {none, {}, &origins}, policy);
  ASSERT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(walked.problems[0].where, "/features.d/f:1:1");
  EXPECT_EQ(walked.problems[0].what, "2 keys below \"a.example\" are left out: this agent may not write there");
}

TEST(Walk, ARejectionNamesTheObjectThatAskedForIt) {
  const std::vector<NodeFeatureObject> objects{{"vendor", "extra", {}, {{"a", "not legal"}}}};
  const Walk walked = walk({}, {{}, objects}, {});
  ASSERT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(walked.problems[0].where, "NodeFeature vendor/extra");
}

TEST(Walk, AWorkersLayersSeeTheNodesOwnFeaturesAndTheOthersAll) {
  std::map<Layer, std::string> texts;
  for (const Layer layer : kWithRules) {
    const std::string label = "l" + std::to_string(static_cast<int>(layer));
    texts[layer] = "{name: a, labels: {" + label +
                   ": '1'}, matchFeatures: [{feature: board.x, matchExpressions: {rev: {op: In, value: ['7']}}}]}";
  }
  const RuleLayers rules = layers_of(texts);
  const std::vector<NodeFeatureObject> objects{{"vendor", "a", board("7"), {}}};
  EXPECT_EQ(labels_of(walk(rules, {{}, objects}, {})), (Labels{{"l1", "1"}, {"l5", "1"}}));
  // What objects say counts after what the node says, for those who see it.
  const Features own = board("7");
  const std::vector<NodeFeatureObject> other{{"vendor", "a", board("8"), {}}};
  EXPECT_EQ(labels_of(walk(rules, {own, other}, {})), (Labels{{"l0", "1"}, {"l2", "1"}, {"l3", "1"}}));
  EXPECT_EQ(labels_of(walk(rules, {own}, {})).size(), 5u);
}

TEST(Walk, AReferenceGoesToWhatItsLayerSees) {
  const RuleLayers rules = layers_of({{Layer::builtin, "{name: a, labels: {own: '@board.x.rev'}}"},
                                      {Layer::rules, "{name: b, labels: {all: '@board.x.rev'}}"}});
  const Features own = board("1");
  const std::vector<NodeFeatureObject> objects{{"vendor", "a", board("2"), {}}, {"vendor", "b", board("3"), {}}};
  EXPECT_EQ(labels_of(walk(rules, {own, objects}, {})), (Labels{{"own", "1"}, {"all", "3"}}));
}

TEST(Walk, LabelsThatObjectsAskForFillGapsOnlyAndReportIt) {
  const RuleLayers rules = layers_of({{Layer::custom, "{name: a, labels: {one: custom, same: x}}"},
                                      {Layer::shipped, "{name: b, labels: {two: shipped}}"},
                                      {Layer::builtin, "{name: d, labels: {three: built-in}}"},
                                      {Layer::local, "{name: e, labels: {four: local}}"},
                                      {Layer::rules, "{name: c, labels: {five: rules}}"}});
  const Attributes asked{{"one", "a"},  {"two", "a"},  {"feature.node.kubernetes.io/three", "a"},
                         {"four", "a"}, {"five", "a"}, {"six", "a"},
                         {"same", "x"}};
  const std::vector<NodeFeatureObject> objects{{"vendor", "a", {}, asked}};
  const Walk walked = walk(rules, {{}, objects}, {});
  EXPECT_EQ(labels_of(walked), (Labels{{"one", "custom"},
                                       {"two", "shipped"},
                                       {"three", "built-in"},
                                       {"four", "local"},
                                       {"five", "rules"},
                                       {"six", "a"},
                                       {"same", "x"}}));
  ASSERT_EQ(walked.problems.size(), 4u) << "of the node's own rules, where the value differs";
  for (const Problem& problem : walked.problems) {
    EXPECT_EQ(problem.code, "object-not-counted");
    EXPECT_EQ(problem.where, "NodeFeature vendor/a");
  }
  EXPECT_EQ(walked.layers.front().layer, Layer::objects);
}

TEST(Walk, OfTwoObjectsTheLaterWinsHoweverItSpellsTheLabel) {
  const Attributes with{{"feature.node.kubernetes.io/a", "with"}}, without{{"a", "without"}};
  const auto label = [](const Attributes& first, const Attributes& second, const LabelPolicy& policy) {
    const std::vector<NodeFeatureObject> objects{{"s", "1", {}, first}, {"s", "2", {}, second}};
    return walk({}, {{}, objects}, policy).built.desired.labels.find("feature.node.kubernetes.io/a")->second;
  };
  EXPECT_EQ(label(with, without, {}), "without");
  EXPECT_EQ(label(without, with, {}), "with");
  LabelPolicy unprefixed;
  unprefixed.auto_prefix = false;
  EXPECT_EQ(label(with, without, unprefixed), "with") << "these are two labels";
  // Within one object the full name wins.
  EXPECT_EQ(label(without, Attributes{{"a", "x"}, {"feature.node.kubernetes.io/a", "y"}}, {}), "y");
}

TEST(Walk, WhereTheyMayOverrideTheyStandBetweenTheNodesOwnAndTheRules) {
  const RuleLayers rules = layers_of({{Layer::custom, "{name: a, labels: {one: custom, two: custom, three: custom}}"},
                                      {Layer::shipped, "{name: b, labels: {one: shipped}}"},
                                      {Layer::rules, "{name: c, labels: {three: rules}}"}});
  const std::vector<NodeFeatureObject> objects{{"vendor", "a", {}, {{"one", "a"}, {"two", "a"}, {"three", "a"}}},
                                               {"vendor", "b", {}, {{"two", "b"}, {"four", "not legal!"}}}};
  const Walk walked = walk(rules, {{}, objects, nullptr, true, true}, {});
  EXPECT_EQ(labels_of(walked), (Labels{{"one", "a"}, {"two", "b"}, {"three", "rules"}}));
  ASSERT_EQ(walked.built.rejected.size(), 1u);
  EXPECT_EQ(walked.built.rejected[0].kind, EntryKind::label);
  EXPECT_EQ(walked.built.rejected[0].from.layer, Layer::objects);
  EXPECT_EQ(walked.built.rejected[0].key, "four");
  ASSERT_EQ(walked.problems.size(), 1u);
  std::vector<Layer> order;
  for (const LayerOutcome& layer : walked.layers) order.push_back(layer.layer);
  EXPECT_EQ(order, (std::vector{Layer::shipped, Layer::custom, Layer::objects, Layer::rules}));
  // They need no rules.
  EXPECT_EQ(labels_of(walk({}, {{}, objects}, {})).size(), 3u);
}

class WalkBesideGfd : public ::testing::Test {
 protected:
  WalkBesideGfd() {
    own.attributes["gpu.gfd"]["gpu.count"] = "1";
    own.attributes["gpu.vgpu"]["present"] = "true";
    own.attributes["board.x"]["rev"] = "7";
  }
  const RuleLayers rules =
      layers_of({{Layer::shipped,
                  "{name: a, labels: {nvidia.com/gpu.count: '@gpu.gfd.gpu.count'}, matchFeatures: [{feature: "
                  "gpu.gfd}]}"},
                 {Layer::rules, "{name: b, labels: {vgpu: '1'}, matchFeatures: [{feature: gpu.vgpu}]}"},
                 {Layer::builtin, "{name: c, labels: {board: '@board.x.rev'}}"}});
  Features own;
  NodeFeatureObject gfd{"gpu-operator", "nvidia-features-for-here", {}, {{"nvidia.com/gpu.count", "8"}}};
};

TEST_F(WalkBesideGfd, ItYields) {
  const Walk walked = walk(rules, {own, {&gfd, 1}}, {});
  EXPECT_TRUE(walked.sight.yields_to_gfd());
  EXPECT_EQ(labels_of(walked), (Labels{{"nvidia.com/gpu.count", "8"}, {"board", "7"}}));
  ASSERT_EQ(walked.remarks.size(), 1u);
  EXPECT_EQ(walked.remarks[0].code, "gfd-present");
}

TEST_F(WalkBesideGfd, ItDoesNotYieldToOthers) {
  const Labels ours{{"nvidia.com/gpu.count", "1"}, {"board", "7"}, {"vgpu", "1"}};
  EXPECT_EQ(labels_of(walk(rules, {own}, {})), ours);
  NodeFeatureObject silent = gfd;
  silent.labels = {};
  EXPECT_EQ(labels_of(walk(rules, {own, {&silent, 1}}, {})), ours) << "it claims nothing";
  silent.labels = {{"vendor.example/nvidia", "1"}};
  EXPECT_FALSE(walk(rules, {own, {&silent, 1}}, {}).sight.yields_to_gfd());
  NodeFeatureObject other = gfd;
  other.name = "here";
  const Walk walked = walk(rules, {own, {&other, 1}}, {});
  EXPECT_FALSE(walked.sight.yields_to_gfd());
  EXPECT_TRUE(walked.remarks.empty());
  EXPECT_EQ(labels_of(walked).at("vgpu"), "1");
}

TEST_F(WalkBesideGfd, ANodeWithoutGpuLabelsHasNothingToYield) {
  const Features none = board("7");
  const Walk walked = walk(rules, {none, {&gfd, 1}}, {});
  EXPECT_TRUE(walked.remarks.empty());
  EXPECT_EQ(labels_of(walked), (Labels{{"nvidia.com/gpu.count", "8"}, {"board", "7"}}));
}

TEST(Walk, CopiesNoFeaturesOfAMachineAlone) {
  const Features own = board("7");
  const Walk walked = walk({}, {own}, {});
  EXPECT_EQ(&walked.sight.of(Sees::own), &own);
  EXPECT_EQ(&walked.sight.of(Sees::all), &own);
}

TEST(Walk, MakersOfTheProgramsOwnRulesAreShort) {
  std::vector<Rule> rules(1);
  rules[0].name = "x";
  rules[0].origin = "rules/gpu.yaml";
  rules[0].mark = {3, 5};
  const Outcome nothing;
  const std::vector<LayerOutcome> layers{
      {Layer::builtin, &rules, &nothing}, {Layer::shipped, &rules, &nothing}, {Layer::rules, &rules, &nothing}};
  EXPECT_EQ(short_maker_of(layers, {Layer::builtin, 0}), "built-in");
  EXPECT_EQ(short_maker_of(layers, {Layer::shipped, 0}), "rules/gpu.yaml (rule \"x\")");
  EXPECT_EQ(short_maker_of(layers, {Layer::rules, 0}), maker_of(layers, {Layer::rules, 0}));
  EXPECT_EQ(maker_of(layers, {Layer::shipped, 0}), "rules/gpu.yaml:3:5 (rule \"x\")");
}

TEST(Walk, SaysWhichRulesFailed) {
  const RuleLayers rules =
      layers_of({{Layer::rules,
                  "{name: bad, labels: {a: '1'}, matchFeatures: [{feature: board.x, matchExpressions: {rev: {op: "
                  "Gt, value: [x]}}}]}\n  - {name: good, labels: {b: '1'}}"}});
  const Features own = board("7");
  const Walk walked = walk(rules, {own}, {});
  EXPECT_EQ(walked.failed_rules, 1u);
  EXPECT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(labels_of(walked), (Labels{{"b", "1"}}));
}

TEST(Walk, KeysOutsideThePrefixesAreOneLineEach) {
  const RuleLayers rules = layers_of(
      {{Layer::builtin, "{name: b, labels: {a: '1', b: '1', nvidia.com/c: '1'}}\n  - {name: c, labels: {d: '1'}}"},
       {Layer::rules,
        "{name: r, labels: {a.example/x: '1', a.example/y: '1', b.example/z: '1'}}\n  - {name: s, labels: "
        "{a.example/w: '1', nvidia.com/ok: '1'}}"}});
  const Features own = board("7");
  LabelPolicy policy;
  policy.write_prefixes = {"nvidia.com"};
  const Walk walked = walk(rules, {own}, policy);
  EXPECT_EQ(walked.built.rejected.size(), 7u);
  std::vector<std::string> said;
  for (const Problem& problem : walked.problems)
    said.push_back(problem.where.substr(0, problem.where.find(' ')) + " " + problem.what);
  EXPECT_EQ(said, (std::vector<std::string>{
                      "rules.yaml:6:5 2 keys below \"a.example\" are left out: this agent may not write there",
                      "rules.yaml:7:5 label \"a.example/w\": this agent may not write below \"a.example\"",
                      "rules.yaml:6:5 label \"b.example/z\": this agent may not write below \"b.example\"",
                      "writePrefixes 3 keys below \"feature.node.kubernetes.io\" are left out: this agent may not "
                      "write there"}));
  EXPECT_EQ(walked.problems[0].todo, how_to_write_below("a.example/x"));
  policy.places["writePrefixes"] = "c.conf:1:16";
  EXPECT_EQ(walk(rules, {own}, policy).problems.at(3).where, "c.conf:1:16");
}

TEST(Walk, WhatIsSwitchedOffIsOneLineForEachKind) {
  const RuleLayers rules =
      layers_of({{Layer::builtin, "{name: b, labels: {a: '1'}}"},
                 {Layer::rules,
                  "{name: r, labels: {a.example/x: '1', feature.node.kubernetes.io/a: '2'}, annotations: "
                  "{a.example/y: '1'}, extendedResources: {a.example/z: '1'}}"}});
  const Features own = board("7");
  LabelPolicy policy;
  const auto said = [&] {
    std::vector<std::string> out;
    for (const Problem& problem : walk(rules, {own}, policy).problems)
      if (problem.code.starts_with("filtered-"))
        out.push_back(problem.code + ": " + problem.where + ": " + problem.what);
    return out;
  };
  EXPECT_EQ(said(), std::vector<std::string>());
  policy.labels = policy.annotations = policy.extended_resources = false;
  EXPECT_EQ(said(), (std::vector<std::string>{
                        "filtered-labels: restrictions.disableLabels: 2 labels are left out",
                        "filtered-annotations: restrictions.disableAnnotations: 1 annotation is left out",
                        "filtered-extended-resources: restrictions.disableExtendedResources: 1 extended resource is "
                        "left out"}));
}

/// Whatever changes between two walks, one with a cache gives what one without gives.
TEST(Walk, ACacheChangesNothingButTheWork) {
  const std::string match =
      ", matchFeatures: [{feature: board.x, matchExpressions: {rev: {op: In, value: ['1', '3']}}}]}";
  std::map<Layer, std::string> texts;
  for (const Layer layer : kWithRules)
    texts[layer] = "{name: a, labels: {l: " + std::string(name_of(layer)) + "}" + match;
  RuleLayers rules = layers_of(texts);
  WalkCache cache;
  std::mt19937 random(7);
  std::size_t ran = 0;
  for (int i = 0; i < 300; ++i) {
    if (random() % 10 == 0) rules = layers_of({*std::next(texts.begin(), static_cast<int>(random() % texts.size()))});
    if (random() % 10 == 0) rules = layers_of(texts);
    const Features own = board(std::to_string(random() % 3));
    std::vector<NodeFeatureObject> objects;
    if (random() % 2) objects.push_back({"vendor", "a", board(std::to_string(random() % 4)), {{"l", "object"}}});
    const Walk fresh = walk(rules, {own, objects}, {});
    const Walk kept = walk(rules, {own, objects}, {}, &cache);
    EXPECT_EQ(kept.built.desired, fresh.built.desired) << i;
    EXPECT_EQ(fresh.evaluated_rules, rules.layers.size());
    EXPECT_LE(kept.evaluated_rules, fresh.evaluated_rules);
    ran += fresh.evaluated_rules - kept.evaluated_rules;
    EXPECT_EQ(walk(rules, {own, objects}, {}, &cache).evaluated_rules, 0u);
  }
  EXPECT_GT(ran, 100u) << "it saves something";
}

}  // namespace
}  // namespace nodescout
