// Which NodeFeature objects count, what of them does, and what stays on the Node of those that do not.
#include "corridor/object_trust.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nodescout {
namespace {

using Names = std::vector<std::string>;

LabelSelector trusted_selector() { return {{{"trusted", LabelSelector::Operator::in, {"yes"}}}, false}; }

NodeFeatureObject labelled(const std::string& space, Attributes labels = {{"l", "1"}}) {
  return {space, "x", {}, std::move(labels)};
}
NodeFeatureObject with_set(const std::string& space, const std::string& set) {
  NodeFeatureObject object{space, "x", {}, {}};
  object.features.attributes[set]["a"] = "1";
  return object;
}

Names spaces(const std::vector<NodeFeatureObject>& objects) {
  Names out;
  for (const NodeFeatureObject& object : objects) out.push_back(object.space);
  return out;
}

class ObjectTrust : public ::testing::Test {
 protected:
  Trusted judge(const std::vector<NodeFeatureObject>& objects) {
    return trust(policy, {"node", "own", namespaces, own}, objects);
  }

  ObjectPolicy policy;
  KnownNamespaces namespaces;
  FeatureSets own{"pci.device", "cpu.model", "rule.matched"};
};

TEST_F(ObjectTrust, ObjectsCountByTheirNamespace) {
  namespaces["good"] = {Attributes{{"trusted", "yes"}}, ""};
  namespaces["bad"] = {Attributes{{"trusted", "no"}}, ""};
  namespaces["forbidden"] = {std::nullopt, "GET forbidden: 403"};
  namespaces["lost"] = {Attributes{{"trusted", "yes"}}, "GET lost: 503"};
  const Names kAll{"own", "good", "bad", "forbidden", "lost", "unasked"};
  const LabelSelector all, malformed{{}, true};
  struct Case {
    const char* name;
    std::optional<Names> listed;
    std::optional<LabelSelector> selector;
    bool as_nfd;
    Names counted, stays;  // what stays though it does not count
  };
  for (const Case& c : {
           Case{"by default the own one alone", {}, {}, false, {"own"}, kAll},
           {"none listed", Names{}, {}, false, {"own"}, {}},
           {"one listed", Names{"good"}, {}, false, {"own", "good"}, {}},
           {"all listed", Names{"*"}, {}, false, kAll, {}},
           {"a selector", {}, trusted_selector(), false, {"own", "good", "lost"}, kAll},
           {"listed and selected", Names{"good", "bad"}, trusted_selector(), false, {"own", "good"}, {}},
           {"all listed, some selected",
            Names{"*"},
            trusted_selector(),
            false,
            {"own", "good", "lost"},
            {"own", "good", "forbidden", "lost", "unasked"}},
           {"a selector of all", {}, all, false, kAll, {}},
           {"a selector that cannot be read", {}, malformed, false, {"own"}, kAll},
           {"as NFD", {}, {}, true, kAll, {}},
           {"as NFD, with a selector",
            {},
            trusted_selector(),
            true,
            {"good", "lost"},
            {"own", "good", "forbidden", "lost", "unasked"}},
           {"as NFD, but listed", Names{"bad"}, {}, true, {"own", "bad"}, {}},
       }) {
    policy = {};
    policy.namespaces = c.listed;
    policy.selector = c.selector;
    if (c.as_nfd) policy.follow_nfd();
    std::vector<NodeFeatureObject> objects;
    for (const std::string& space : kAll) objects.push_back(labelled(space));
    const Trusted trusted = judge(objects);
    EXPECT_EQ(spaces(trusted.objects), c.counted) << c.name;
    EXPECT_EQ(spaces(trusted.with_left_out), c.stays) << c.name;
    EXPECT_EQ(trusted.left_out.size(), kAll.size() - c.counted.size()) << c.name;
    for (const std::string& space : kAll)
      EXPECT_EQ(needs_labels_of(space, "own", policy), policy.selector && policy.selector->needs_labels() &&
                                                           policy.lists(space) && (space != "own" || c.as_nfd))
          << c.name << " " << space;
  }
}

TEST_F(ObjectTrust, WhatIsLeftOutIsReportedWithItsNamespaceAndWhatToDo) {
  struct Case {
    const char* space;
    const char* what;
    const char* todo;
  };
  const auto expect = [&](const Case& c) {
    const Trusted trusted = judge({labelled(c.space)});
    ASSERT_EQ(trusted.problems.size(), 1u) << c.space;
    const Problem& problem = trusted.problems[0];
    EXPECT_EQ(problem.code, "object-not-counted");
    EXPECT_EQ(problem.where, "NodeFeature " + std::string(c.space) + "/x");
    EXPECT_NE(problem.what.find(c.what), std::string::npos) << problem.what;
    EXPECT_NE(problem.todo.find(c.todo), std::string::npos) << problem.todo;
  };
  expect({"vendor", "neither the agent's own (own) nor in nodeFeatures.namespaces",
          "add \"vendor\" to nodeFeatures.namespaces"});
  policy.selector = trusted_selector();
  namespaces["bad"] = {Attributes{}, ""};
  namespaces["forbidden"] = {std::nullopt, "GET forbidden: 403"};
  expect({"bad", "do not match restrictions.nodeFeatureNamespaceSelector", "label the namespace"});
  expect({"forbidden", "cannot be read: GET forbidden: 403", "get namespaces"});
  EXPECT_TRUE(judge({labelled("unasked")}).problems.empty()) << "the answer is on its way";
  policy.selector->is_malformed = true;
  expect({"bad", "nodeFeatureNamespaceSelector cannot be read", "correct"});
}

TEST_F(ObjectTrust, AnObjectOfGfdThatDoesNotCountIsReportedAsSuch) {
  NodeFeatureObject gfd{"gpu-operator", "nvidia-features-for-node", {}, {{"nvidia.com/gpu.count", "8"}}};
  const Trusted trusted = judge({gfd});
  ASSERT_EQ(trusted.problems.size(), 1u);
  EXPECT_EQ(trusted.problems[0].code, "gfd-not-counted");
  EXPECT_NE(trusted.problems[0].todo.find("gfd.enabled=false"), std::string::npos);
  gfd.name = "other";
  EXPECT_EQ(judge({gfd}).problems.at(0).code, "object-not-counted");
}

TEST_F(ObjectTrust, ASetThatTheNodeFillsIsNeitherExtendedNorChanged) {
  for (const auto& [set, is_new] : {std::pair{"vendor.board", true},
                                    {"cpu.models", true},
                                    {"pci.device", false},
                                    {"PCI.Device", false},
                                    {"cpu.model", false},
                                    {"rule.matched", false}}) {
    NodeFeatureObject object = with_set("own", set);
    object.features.flags[set] = {"f"};
    object.features.instances[set] = {{{"class", "0302"}}};
    object.features.flags["vendor.other"] = {"f"};
    policy.may_override = false;
    const Trusted trusted = judge({object});
    const Features& counted = trusted.objects.at(0).features;
    EXPECT_EQ(counted.flags.contains(set), is_new) << set;
    EXPECT_EQ(counted.attributes.contains(set), is_new) << set;
    EXPECT_EQ(counted.instances.contains(set), is_new) << set;
    EXPECT_TRUE(counted.flags.contains("vendor.other")) << set;
    EXPECT_EQ(trusted.problems.empty(), is_new) << set;
    EXPECT_EQ(trusted.with_left_out.empty(), is_new) << set;
    const std::string reported = is_new ? set : trusted.problems.at(0).what;
    EXPECT_NE(reported.find(set), std::string::npos) << reported;
    policy.may_override = true;
    EXPECT_EQ(judge({object}).objects.at(0).features, object.features) << set;
    EXPECT_TRUE(judge({object}).problems.empty()) << set;
  }
}

TEST_F(ObjectTrust, OwnSetsAreThoseOfTheProbesWhetherTheyFindAnything) {
  const ElementSpec elements[] = {{"<x>", "", ""}};
  const FeatureSpec specs[] = {{"usb.device", FeatureSpec::Kind::instance, "", "d", elements}};
  const Probe probe{.name = "usb", .summary = "", .produces = specs, .wakes = {}, .run = nullptr};
  const Probe* const probes[] = {&probe};
  Features known;
  known.flags["kernel.loadedmodule"] = {"nvidia"};
  EXPECT_EQ(own_sets(probes, known), (FeatureSets{"kernel.loadedmodule", "rule.matched", "usb.device"}));
  EXPECT_EQ(own_sets({}, {}), FeatureSets{"rule.matched"});
}

TEST_F(ObjectTrust, ControlLabelsOfOperatorsAreNeverTaken) {
  struct Case {
    const char* key;
    bool is_taken;
  };
  for (const Case& c : {Case{"nvidia.com/mig.config", false},
                        {"nvidia.com/mig.config.state", true},
                        {"nvidia.com/gpu.deploy.driver", false},
                        {"nvidia.com/gpu.deploy.operands", false},
                        {"nvidia.com/gpu.deploy", true},
                        {"nvidia.com/gpu.workload.config", false},
                        {"nvidia.com/device-plugin.config", false},
                        {"nvidia.com/vgpu.config", false},
                        {"nvidia.com/cc.mode", false},
                        {"nvidia.com/gpu-driver-upgrade-state", false},
                        {"nvidia.com/gpu-driver-upgrade.skip", true},
                        {"nvidia.com/gpu.count", true},
                        {"vendor.example/mig.config", true},
                        {"mig.config", true}}) {
    for (const bool overrides : {false, true}) {
      policy = {};
      policy.may_override = overrides;
      const Trusted trusted = judge({labelled("own", {{c.key, "1"}, {"other", "1"}})});
      EXPECT_EQ(trusted.objects.at(0).labels.contains(c.key), c.is_taken) << c.key;
      EXPECT_TRUE(trusted.objects.at(0).labels.contains("other")) << c.key;
      EXPECT_EQ(trusted.problems.empty(), c.is_taken) << c.key;
    }
    policy.follow_nfd();
    EXPECT_TRUE(judge({labelled("own", {{c.key, "1"}})}).objects.at(0).labels.contains(c.key)) << c.key;
  }
  policy = {};
  policy.denied_keys = {"feature.node.kubernetes.io/rack"};
  const Trusted trusted = judge({labelled("own", {{"rack", "1"}, {"nvidia.com/mig.config", "1"}})});
  EXPECT_EQ(trusted.objects.at(0).labels, (Attributes{{"nvidia.com/mig.config", "1"}}))
      << "the list replaces the other";
}

TEST_F(ObjectTrust, LabelsMayBeDeniedAltogetherAsInNfd) {
  policy.labels = false;
  policy.namespaces = {"*"};
  NodeFeatureObject of_node = labelled("own");
  of_node.name = "node";
  NodeFeatureObject elsewhere = of_node;
  elsewhere.space = "vendor";
  NodeFeatureObject other = with_set("own", "vendor.board");
  other.labels = {{"l", "1"}};
  const Trusted trusted = judge({of_node, elsewhere, other});
  EXPECT_TRUE(trusted.objects.at(0).labels.contains("l")) << "what the node's own agent publishes is spared";
  EXPECT_TRUE(trusted.objects.at(1).labels.empty());
  EXPECT_TRUE(trusted.objects.at(2).labels.empty());
  EXPECT_TRUE(trusted.objects.at(2).features.attributes.contains("vendor.board")) << "features count";
  ASSERT_EQ(trusted.problems.size(), 2u);
  EXPECT_NE(trusted.problems[1].what.find("denyNodeFeatureLabels"), std::string::npos);
  policy.follow_nfd();
  EXPECT_TRUE(judge({other}).objects.at(0).labels.empty());
}

// ---- what stays on the Node -----------------------------------------------------------------------------------------

class LeftOutEntries : public ObjectTrust {
 protected:
  LeftOutEntries() {
    ParsedRules parsed = parse_rules(
        "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n  rules:\n"
        "  - {name: board, labels: {board: '1'}, extendedResources: {boards: '2'}, annotations: {note: n},\n"
        "     taints: [{key: feature.node.kubernetes.io/t, effect: NoSchedule}],\n"
        "     matchFeatures: [{feature: vendor.board}]}\n"
        "  - {name: gpu, labels: {gpu: '1'}, matchFeatures: [{feature: pci.device, matchExpressions: {class: {op: In, "
        "value: ['0302']}}}]}\n"
        "  - {name: after, labels: {after: '1'}, matchFeatures: [{feature: rule.matched, matchExpressions: {board: "
        "{op: "
        "Exists}}}]}\n",
        "t");
    rules.put(Layer::rules, std::move(parsed.documents.at(0).rules));
    node.instances["pci.device"] = {{{"class", "0200"}}};
  }

  /// "label board: NodeFeature a/x"
  Names left_out(const std::vector<NodeFeatureObject>& objects) {
    const Trusted trusted = judge(objects);
    const View view{node, trusted.objects, nullptr, true, policy.may_override};
    const Walk walked = walk(rules, view, {});
    Names out;
    for (const auto& [entry, makers] : entries_left_out(rules, view, trusted, walked.built.desired, {}))
      out.push_back(std::string(name_of(entry.kind)) + " " + replace_all(entry.key, "feature.node.kubernetes.io/", "") +
                    ": " + makers);
    return out;
  }

  RuleLayers rules;
  Features node;
};

TEST_F(LeftOutEntries, AreThoseOfLabelsFeaturesAndRulesInForeignNamespaces) {
  NodeFeatureObject device{"c", "x", {}, {}};
  device.features.instances["pci.device"] = {{{"class", "0302"}}};
  const std::vector<NodeFeatureObject> objects{labelled("a"), with_set("b", "vendor.board"), device};
  EXPECT_EQ(left_out(objects), (Names{
                                   "label after: NodeFeature a/x, NodeFeature b/x, NodeFeature c/x",
                                   "label board: NodeFeature b/x",
                                   "label gpu: NodeFeature c/x",
                                   "label l: NodeFeature a/x",
                                   "annotation note: NodeFeature b/x",
                                   "taint t:NoSchedule: NodeFeature b/x",
                                   "extended resource boards: NodeFeature b/x",
                               }));
  EXPECT_EQ(left_out({}), Names{});
  policy.namespaces = Names{};
  EXPECT_EQ(left_out(objects), Names{}) << "the administrator has decided";
}

TEST_F(LeftOutEntries, AreThoseOfTheOwnNamespaceThatMayOnlyAdd) {
  NodeFeatureObject device{"own", "x", {}, {{"nvidia.com/mig.config", "all-1g"}}};
  device.features.instances["pci.device"] = {{{"class", "0302"}}};
  EXPECT_EQ(left_out({device}),
            (Names{"label gpu: NodeFeature own/x", "label nvidia.com/mig.config: NodeFeature own/x"}));
  policy.namespaces = Names{};
  EXPECT_EQ(left_out({device}), Names{});
}

TEST_F(LeftOutEntries, ANamespaceThatCannotBeReadTakesNothingAwayEvenIfListed) {
  policy.namespaces = Names{"*"};
  policy.selector = trusted_selector();
  namespaces["forbidden"] = {std::nullopt, "403"};
  namespaces["bad"] = {Attributes{}, ""};
  NodeFeatureObject object = labelled("forbidden", {{"l", "1"}, {"nvidia.com/mig.config", "1"}});
  EXPECT_EQ(left_out({object, labelled("bad", {{"m", "1"}})}), (Names{"label l: NodeFeature forbidden/x"}));
}

TEST_F(LeftOutEntries, WhatIsDesiredAnywayIsNotAmongThem) {
  node.attributes["vendor.board"]["a"] = "1";
  own.insert("vendor.board");
  EXPECT_EQ(left_out({with_set("b", "vendor.board")}), Names{});
}

}  // namespace
}  // namespace nodescout
