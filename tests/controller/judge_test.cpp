#include "controller/judge.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/value_path.h"
#include "kube/watch.h"

namespace nodescout::test {
namespace {

RulesInUse rules(const std::string& yaml) {
  RulesInUse use;
  use.layers.put(Layer::rules,
                 rules_in_order(parse_rules("apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\n"
                                            "metadata: {name: r}\nspec: {rules: " +
                                                yaml + "}\n",
                                            "test")
                                    .documents));
  use.wanted = WantedFeatures::of(use.layers);
  return use;
}

const char* const kByConfig =
    "[{name: a, labels: {hz: '@kernel.config.HZ'}, matchFeatures: [{feature: kernel.config, matchExpressions: {NO_HZ: "
    "{op: Exists}}}, {feature: pci.device, matchExpressions: {vendor: {op: In, value: ['10de']}}}]}]";

const char* const kObject =
    R"({"metadata":{"name":"o","namespace":"s","resourceVersion":"1","managedFields":[{"x":{}}],)"
    R"("annotations":{"a":"b"},"labels":{"nfd.node.kubernetes.io/node-name":"n"}},"spec":{"labels":{"own":"1"},)"
    R"("features":{"attributes":{"kernel.config":{"elements":{"HZ":"250","NO_HZ":"y","X":"y"}},)"
    R"("os":{"elements":{"id":"debian"}}},"flags":{"cpu.cpuid":{"elements":{"AVX":{}}}},)"
    R"("instances":{"pci.device":{"elements":[{"attributes":{"vendor":"10de","class":"0302"}}]}}}}})";

TEST(WantedFeatures, OnlyWhatRulesLookAtIsReadOfAnObject) {
  const RulesInUse use = rules(kByConfig);
  const auto read =
      parse_json_part(kObject, "o", [&](std::span<const std::string> path) { return use.wanted.keeps(path); });
  EXPECT_EQ(to_json(*read),
            R"({"metadata":{"name":"o","namespace":"s","resourceVersion":"1",)"
            R"("labels":{"nfd.node.kubernetes.io/node-name":"n"}},"spec":{"labels":{"own":"1"},)"
            R"("features":{"attributes":{"kernel.config":{"elements":{"HZ":"250","NO_HZ":"y"}}},"flags":{},)"
            R"("instances":{"pci.device":{"elements":[{"attributes":{"vendor":"10de"}}]}}}}})");
}

TEST(WantedFeatures, AMatchOfNamesWantsTheWholeSet) {
  const RulesInUse use = rules(
      "[{name: a, labels: {x: y}, matchFeatures: [{feature: cpu.cpuid, matchName: {op: InRegexp, "
      "value: ['^AVX']}}]}]");
  EXPECT_TRUE(use.wanted.has("cpu.cpuid", "ANY"));
  EXPECT_FALSE(use.wanted.has("kernel.config"));
}

TEST(WantedFeatures, WhatOtherRulesMadeIsReadWhereARuleLooksAtIt) {
  EXPECT_FALSE(rules(kByConfig).wanted.has("rule.matched"));
  const WantedFeatures matched =
      rules(
          "[{name: a, labels: {x: y}, matchFeatures: [{feature: rule.matched, matchExpressions: {z: {op: Exists}}}]}]")
          .wanted;
  EXPECT_TRUE(matched.has("rule.matched", "z"));
  EXPECT_FALSE(matched.has("rule.matched", "other"));
}

TEST(WantedFeatures, CoversWhatIsAPartOfIt) {
  const WantedFeatures some = rules(kByConfig).wanted;
  const WantedFeatures less = rules(
                                  "[{name: a, labels: {x: y}, matchFeatures: [{feature: kernel.config, "
                                  "matchExpressions: {HZ: {op: Exists}}}]}]")
                                  .wanted;
  const WantedFeatures whole =
      rules("[{name: a, labels: {x: y}, matchFeatures: [{feature: kernel.config, matchName: {op: In, value: [Z]}}]}]")
          .wanted;
  EXPECT_TRUE(some.covers(less));
  EXPECT_FALSE(less.covers(some));
  EXPECT_TRUE(whole.covers(less));
  EXPECT_FALSE(some.covers(whole));
  WantedFeatures sum = some;
  sum.add(whole);
  EXPECT_TRUE(sum.covers(whole) && sum.covers(some));
  EXPECT_TRUE(sum.has("kernel.config", "ANY"));
}

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() { inventory.put_node(*parse_json(R"({"metadata":{"name":"n","resourceVersion":"7"}})", "n")); }

  void put(const std::string& text) {
    const Value object = *parse_json(text, "o");
    const bool counts = may_count(text_at(object, {"metadata", "namespace"}), options);
    inventory.put_object(key_of(object), object, counts ? Inventory::Part::wanted : Inventory::Part::names);
  }
  void put_elsewhere(const std::string& space, const std::string& labels) {
    put(R"({"metadata":{"name":"v","namespace":")" + space +
        R"(","labels":{"nfd.node.kubernetes.io/node-name":"n"}},"spec":{"labels":)" + labels + "}}");
  }
  Judged judged(const RulesInUse& use, bool complete = true, bool is_kind_missing = false) {
    NodeSnapshot snapshot = *inventory.node("n");
    keep_within(options.plan.limits, snapshot);
    ReadObjects objects;
    for (const KeptObject& each : snapshot.objects) read_object(each, *parse_json(*each.text, each.name), objects);
    return judge(snapshot, objects, use, options, {namespaces, complete, is_kind_missing}, SteadyTime{});
  }
  static std::optional<Kept> fate_of(const Judged& judged) {
    return judged.report.may_go(
        {EntryKind::label, Change::Action::remove, "feature.node.kubernetes.io/old", "true", "", {}});
  }

  Inventory inventory{{"s"}};
  JudgeOptions options{{}, {}, {}, "s"};
  KnownNamespaces namespaces;
};

TEST_F(JudgeTest, LabelsOfObjectsAndOfRulesAreDesired) {
  put(kObject);
  const Judged result = judged(rules(kByConfig));
  EXPECT_EQ(result.report.desired.labels,
            (Attributes{{"feature.node.kubernetes.io/hz", "250"}, {"feature.node.kubernetes.io/own", "1"}}));
  EXPECT_FALSE(result.refers_beyond);
  EXPECT_EQ(fate_of(result), std::nullopt);
}

TEST_F(JudgeTest, WhoAsksForEachEntryIsKnown) {
  put(kObject);
  put_elsewhere("s", R"({"hz":"1","theirs":"1","kubernetes.io/no":"1"})");
  const RulesInUse use = rules(kByConfig);
  const Judged result = judged(use);
  EXPECT_EQ(result.report.options.requested_by, (Origins{{"feature.node.kubernetes.io/own", "NodeFeature s/o"},
                                                         {"feature.node.kubernetes.io/theirs", "NodeFeature s/v"}}));
  EXPECT_EQ(rule_of({EntryKind::label, "feature.node.kubernetes.io/hz"}, result.from, use), "test:4:16 (rule \"a\")")
      << "a rule makes this one";
  EXPECT_EQ(rule_of({EntryKind::label, "feature.node.kubernetes.io/own"}, result.from, use), "");
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].code, "rejected-label");
  EXPECT_EQ(object_named(result.problems[0], inventory.node("n")->objects)->name, "v");
}

TEST_F(JudgeTest, AdviceIsForTheControllersAdministrator) {
  put(kObject);
  options.labels.write_prefixes = {"feature.node.kubernetes.io"};
  RulesInUse use = rules("[{name: a, labels: {example.com/x: y}}]");
  const Judged result = judged(use);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].what, "label \"example.com/x\": the controller may not write below \"example.com\"");
  EXPECT_EQ(result.problems[0].todo, "add \"example.com\" to extraWritePrefixes in the configuration");
}

TEST(ObjectNamed, IsTheObjectThatAProblemIsAbout) {
  const std::vector<KeptObject> objects{{.space = "s", .name = "a"}, {.space = "s", .name = "a-b"}};
  const auto name_for = [&](const char* where) -> std::string {
    const KeptObject* const found = object_named({"", where, "", ""}, objects);
    return found ? found->name : "";
  };
  EXPECT_EQ(name_for("NodeFeature s/a"), "a");
  EXPECT_EQ(name_for("NodeFeature s/a-b"), "a-b");
  EXPECT_EQ(name_for("NodeFeature/s/a:1:20"), "a");
  EXPECT_EQ(name_for("NodeFeature s/a.b"), "");
  EXPECT_EQ(name_for("NodeFeature"), "");
  EXPECT_EQ(name_for("NodeFeatureRule/s/a"), "");
  EXPECT_EQ(name_for("node s/a"), "");
}

TEST_F(JudgeTest, AnObjectGetsAsManyLabelsAsTheLimitAllows) {
  put(kObject);
  put_elsewhere("s", R"({"a":"1","b":"1","c":"1"})");
  options.plan.limits.labels_per_object = 2;
  const Judged result = judged(rules(kByConfig));
  const NodePatch patch = plan(state_of(*inventory.node("n")), result.report.desired, result.report.options);
  std::vector<std::string> set;
  for (const Change& change : patch.changes) set.push_back(change.key);
  EXPECT_EQ(set, (std::vector<std::string>{"feature.node.kubernetes.io/a", "feature.node.kubernetes.io/b",
                                           "feature.node.kubernetes.io/hz", "feature.node.kubernetes.io/own"}));
  ASSERT_EQ(patch.conflicts.size(), 1u);
  EXPECT_NE(patch.conflicts[0].what.find("limits.labelsPerObject (2) of NodeFeature s/v"), std::string::npos);
}

TEST_F(JudgeTest, ObjectsBeyondTheLimitsAreLeftOutAndTakeNothingAway) {
  put(kObject);
  put_elsewhere("s", R"({"theirs":"1"})");
  const RulesInUse use = rules(kByConfig);
  ASSERT_EQ(fate_of(judged(use)), std::nullopt);
  for (const bool by_count : {true, false}) {
    options.plan.limits = {};
    if (by_count)
      options.plan.limits.node_feature_objects = 1;
    else
      options.plan.limits.node_feature_bytes = inventory.node("n")->objects[0].bytes;
    const Judged result = judged(use);
    EXPECT_TRUE(result.report.desired.labels.contains("feature.node.kubernetes.io/own"));
    EXPECT_FALSE(result.report.desired.labels.contains("feature.node.kubernetes.io/theirs"));
    EXPECT_EQ(fate_of(result), Kept::facts_stale);
    ASSERT_EQ(result.problems.size(), 1u);
    EXPECT_EQ(result.problems[0].code, "over-limit");
    EXPECT_EQ(result.problems[0].where, "NodeFeature/s/v");
  }
}

TEST_F(JudgeTest, NothingGoesWhileTheListsAreNotComplete) {
  put(kObject);
  EXPECT_EQ(fate_of(judged(rules(kByConfig), false)), Kept::cluster_unknown);
}

TEST_F(JudgeTest, NothingGoesFromANodeWithoutObjectsUntilADeletionWasSeen) {
  EXPECT_EQ(fate_of(judged(rules(kByConfig))), Kept::no_object);
  put(kObject);
  inventory.remove_object("s/o");
  EXPECT_EQ(fate_of(judged(rules(kByConfig))), std::nullopt);
}

TEST_F(JudgeTest, NothingGoesWhileAKindIsMissing) {
  put(kObject);
  EXPECT_EQ(fate_of(judged(rules(kByConfig), true, true)), Kept::kind_missing);
  EXPECT_EQ(fate_of(judged(rules(kByConfig), true, false)), std::nullopt);
}

TEST_F(JudgeTest, AnObjectThatVanishedCountsUntilItsDeletionIsBelieved) {
  put(kObject);
  put_elsewhere("s", R"({"theirs":"1"})");
  const RulesInUse use = rules(kByConfig);
  inventory.note_vanished("s/o");
  const Judged result = judged(use);
  EXPECT_TRUE(result.report.desired.labels.contains("feature.node.kubernetes.io/own"));
  EXPECT_EQ(fate_of(result), Kept::kind_missing);
  put(kObject);
  EXPECT_EQ(fate_of(judged(use)), std::nullopt) << "it is back, unchanged";
  inventory.note_vanished("s/o");
  inventory.remove_object("s/o");
  EXPECT_FALSE(judged(use).report.desired.labels.contains("feature.node.kubernetes.io/own"));
  EXPECT_EQ(fate_of(judged(use)), std::nullopt);
}

TEST_F(JudgeTest, AMalformedObjectIsReportedAndItsNodeKeepsWhatItHas) {
  put(kObject);
  put(R"({"metadata":{"name":"bad","namespace":"s","labels":{"nfd.node.kubernetes.io/node-name":"n"}},"spec":)"
      R"({"features":{"flags":{"kernel.loadedmodule":[]}}}})");
  const Judged result = judged(rules(kByConfig));
  EXPECT_EQ(fate_of(result), Kept::facts_stale);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_NE(result.problems[0].where.find("s/bad"), std::string::npos);
  EXPECT_TRUE(result.report.desired.labels.contains("feature.node.kubernetes.io/own"));
}

TEST_F(JudgeTest, AReferenceThatATemplateMakesAsksForTheWholeObjects) {
  put(kObject);
  const RulesInUse use = rules(
      "[{name: a, labelsTemplate: 'x=@kernel.config.HZ', matchFeatures: [{feature: cpu.cpuid, matchExpressions: "
      "{AVX: {op: Exists}}}]}]");
  const Judged result = judged(use);
  EXPECT_TRUE(result.refers_beyond);
  ASSERT_EQ(result.problems.size(), 1u) << "what the rule costs is said";
  EXPECT_EQ(result.problems[0].code, kReadsWhole);
  EXPECT_EQ(result.problems[0].where, place_of(use.layers.find(Layer::rules)->rules()[0]));
  EXPECT_FALSE(is_of_node(result.problems[0])) << "it is said once, and not for each Node";
}

TEST_F(JudgeTest, ARuleThatCannotBeReadKeepsEverything) {
  put(kObject);
  RulesInUse use = rules(kByConfig);
  use.any_unreadable = true;
  EXPECT_EQ(fate_of(judged(use)), Kept::rule_unreadable);
}

TEST(NeedsWholeNode, WhereTaintsOrResourcesAreWantedOrOwned) {
  NodeState node;
  Desired desired;
  desired.labels = Attributes{{"a", "b"}};
  node.annotations = Attributes{{"nfd.node.kubernetes.io/feature-labels", "a"}};
  EXPECT_FALSE(needs_whole_node(node, desired, ""));
  for (const char* owned : {"nfd.node.kubernetes.io/taints", "nfd.node.kubernetes.io/extended-resources"}) {
    NodeState owner;
    owner.annotations = Attributes{{owned, "a"}};
    EXPECT_TRUE(needs_whole_node(owner, desired, "")) << owned;
  }
  Desired tainted;
  tainted.taints = {{"k", "v", "NoSchedule", {}}};
  EXPECT_TRUE(needs_whole_node(node, tainted, ""));
  Desired resources;
  resources.extended_resources = Attributes{{"a/b", "1"}};
  EXPECT_TRUE(needs_whole_node(node, resources, ""));
}

TEST(MayCount, TheOwnNamespaceAndThoseThatAreListed) {
  JudgeOptions options;
  options.own_space = "own";
  EXPECT_TRUE(may_count("own", options));
  EXPECT_FALSE(may_count("a", options));
  options.objects.namespaces = {"a"};
  EXPECT_TRUE(may_count("own", options) && may_count("a", options));
  EXPECT_FALSE(may_count("b", options));
  options.objects.namespaces = {"*"};
  EXPECT_TRUE(may_count("b", options));
}

TEST_F(JudgeTest, AnObjectOfAnotherNamespaceDoesNotCountAndTakesNothingAway) {
  put(kObject);
  put_elsewhere("tenant", R"({"theirs":"1"})");
  const RulesInUse use = rules(kByConfig);
  EXPECT_FALSE(judged(use).report.desired.labels.contains("feature.node.kubernetes.io/theirs"));
  EXPECT_EQ(fate_of(judged(use)), Kept::object_unread);
  options.objects.namespaces = {"elsewhere"};
  EXPECT_EQ(fate_of(judged(use)), std::nullopt) << "the administrator has decided";
}

TEST_F(JudgeTest, WithNoObjectThatCountsNothingGoes) {
  options.objects.namespaces = {"elsewhere"};
  put_elsewhere("tenant", R"({"theirs":"1"})");
  EXPECT_EQ(fate_of(judged(rules(kByConfig))), Kept::no_object);
  inventory.remove_object("tenant/v");
  EXPECT_EQ(fate_of(judged(rules(kByConfig))), Kept::no_object) << "it never counted, so its end proves nothing";
}

TEST_F(JudgeTest, ASelectorDecidesByTheLabelsOfTheNamespace) {
  options.objects.selector = LabelSelector{{{"team", LabelSelector::Operator::exists, {}}}};
  put(kObject);
  put_elsewhere("tenant", R"({"theirs":"1"})");
  const RulesInUse use = rules(kByConfig);
  const auto has_theirs = [&] {
    return judged(use).report.desired.labels.contains("feature.node.kubernetes.io/theirs");
  };
  EXPECT_FALSE(has_theirs()) << "its labels are not known yet";
  EXPECT_TRUE(judged(use).report.left_out.contains({EntryKind::label, "feature.node.kubernetes.io/theirs"}));
  namespaces["tenant"].labels = Attributes{{"team", "a"}};
  EXPECT_TRUE(has_theirs());
  namespaces["tenant"].labels = Attributes{{"other", "a"}};
  EXPECT_FALSE(has_theirs());
}

TEST_F(JudgeTest, WhatASelectorNoLongerMatchesGoes) {
  options.objects.selector = LabelSelector{{{"team", LabelSelector::Operator::exists, {}}}};
  options.objects.namespaces = {"*"};
  options.objects.own_always_counts = false;
  put(kObject);
  const RulesInUse use = rules(kByConfig);
  namespaces["s"].labels = Attributes{{"other", "a"}};
  EXPECT_TRUE(judged(use).report.desired.labels.empty());
  EXPECT_EQ(fate_of(judged(use)), std::nullopt) << "the administrator has decided";
  namespaces.erase("s");
  EXPECT_EQ(fate_of(judged(use)), Kept::no_object) << "its labels are not known";
  namespaces["s"].labels = Attributes{{"other", "a"}};
  options.objects.selector->is_malformed = true;
  EXPECT_EQ(fate_of(judged(use)), Kept::no_object);
  options.objects.selector->is_malformed = false;
  options.objects.namespaces.reset();
  EXPECT_EQ(fate_of(judged(use)), Kept::no_object) << "the administrator has not decided about namespaces";
}

TEST_F(JudgeTest, ControlLabelsOfOperatorsAreNotTakenFromObjectsButForNfd) {
  options.objects.namespaces = {"vendor"};
  put_elsewhere("vendor", R"({"nvidia.com/mig.config":"all-1g.5gb","nvidia.com/gpu.present":"true"})");
  const RulesInUse use = rules(kByConfig);
  const Judged result = judged(use);
  EXPECT_EQ(result.report.desired.labels, (Attributes{{"nvidia.com/gpu.present", "true"}}));
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].where, "NodeFeature vendor/v");
  options.objects.follow_nfd();
  EXPECT_EQ(judged(use).report.desired.labels.size(), 2u);
}

TEST_F(JudgeTest, DeniedLabelsOfObjectsSpareWhatTheNodesWorkerPublishes) {
  options.objects.namespaces = {"nfd"};
  options.objects.labels = false;
  put_elsewhere("nfd", R"({"theirs":"1"})");
  const RulesInUse use = rules(kByConfig);
  EXPECT_TRUE(judged(use).report.desired.labels.empty());
  put(R"({"metadata":{"name":"n","namespace":"nfd","labels":{"nfd.node.kubernetes.io/node-name":"n"}},)"
      R"("spec":{"labels":{"workers":"1"}}})");
  EXPECT_EQ(judged(use).report.desired.labels, (Attributes{{"feature.node.kubernetes.io/workers", "1"}}));
}

}  // namespace
}  // namespace nodescout::test
