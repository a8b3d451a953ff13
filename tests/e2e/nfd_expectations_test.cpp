// What NFD v0.19.0 expects of its own programs in its end-to-end tests, expected of ours: the controller as nfd-master
// and nfd-gc (`--compat nfd`), the agent as nfd-worker. Objects, rules and names are ours.
//
// NFD's case, and what holds it here:
//
// nfd-master
//   a worker with the fake source; its labels go with its object
//                                         AWorkersLabelsComeAndGoWithItsObject
//   a Node that is created again under its name
//                                         ControllerFaultMatrixTest.ANodeIsDeletedAndComesAgain
//   owners of a worker's object, and their change
//                                         NodeFeaturePublisherTest.BelongsToItsOwners and
//                                         .IsReplacedWhereAPartOfItDiffers; ownership of Pods and DaemonSets is the
//                                         garbage collector's, not ours
//   labels and annotations of listed machines
//                                         tests/hosts, each with what NFD's worker makes of it
//   custom rules from two ConfigMaps      RulesOfAWorkerMatchItsNodesName
//   labels of NodeFeature objects         ObjectsAreMergedAndTheirLabelsGoWithThem
//   denied labels, by option and by file  DeniedNamespacesAreDeniedAndExtraOnesAllowed
//   an object that is deleted at once     ControllerTest.LabelsComeWithTheObjectAndGoWithIt
//   NodeFeatureRules: three kinds of features, matchAny, rule.matched, templates
//                                         RulesMatchEachKindOfFeature, RulesSeeWhatOthersMadeAndTemplates
//   taints set, changed and removed       TaintsComeChangeAndGo; not without enableTaints:
//                                         RestrictionsOfLabelsAndTheRest
//   extended resources                    ExtendedResourcesComeAndGo
//   annotations of rules                  AnnotationsComeAndGo
//   NodeFeatureGroups                     GroupsFollowTheFeatures
//   resyncPeriod: a label that somebody changed
//                                         ALabelThatSomebodyChangedIsChangedBack (at once: Nodes are watched)
//   restrictions.nodeFeatureNamespaceSelector
//                                         OnlySelectedNamespacesCount
//   restrictions.disableLabels, disableExtendedResources, and disableAnnotations and allowOverwrite, which NFD does not
//   test                                  RestrictionsOfLabelsAndTheRest, ALabelOfAnotherOwnerIsTakenOverOnlyIfAllowed
//                                         (NFD takes it over by default, and ours does not)
//   restrictions.denyNodeFeatureLabels    OnlyTheWorkersLabelsCountIfOthersAreDenied
// nfd-gc
//   objects that are stale at the start   ControllerTest.ObjectsOfVanishedNodesAreDeleted
//   objects that become stale later       StaleObjectsThatAppearAreDeleted. A NodeResourceTopology of a Node that never
//                                         existed is deleted at the next start only: nothing is listed periodically
// Helm charts: tests/e2e/chart_test.cpp has those of our own chart. topology-updater: nodescout has none.
#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "base/text.h"
#include "document/yaml.h"
#include "e2e/controller_fixture.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

/// What a worker found.
constexpr const char* kFound = R"(
flags:
  demo.flag: {elements: {left: {}, right: {}}}
attributes:
  demo.attribute: {elements: {"on": "true", "off": "false", size: "12"}}
instances:
  demo.disk:
    elements:
      - attributes: {name: a, fast: "true", gb: "40"}
      - attributes: {name: b, fast: "true", gb: "200"}
      - attributes: {name: c}
)";

Value yaml(const std::string& text) { return parse_yaml(text, "test").at(0).root; }

std::string text_of(const Attributes& attributes) {
  std::string text;
  for (const auto& [key, value] : attributes) text += key + "=" + value + "\n";
  return text;
}
std::string text_of(const std::vector<std::string>& lines) { return join(lines, "\n") + "\n"; }

class NfdExpectationsTest : public ControllerTest {
 protected:
  /// nfd-master's configuration and options.
  Process& start_master(const std::string& config, const std::vector<std::string>& more = {}) {
    const fs::path file = folder.path() / "nfd-master.conf";
    std::ofstream(file) << config;
    std::vector<std::string> words{nodescout_program(), "controller", "--kubeconfig", admin().string(),
                                   "--listen",          "none",       "--config",     file.string(),
                                   "--compat",          "nfd"};
    words.insert(words.end(), more.begin(), more.end());
    processes.push_back(std::make_unique<Process>(words, folder.path() / ("log-" + std::to_string(processes.size()))));
    return *processes.back();
  }
  /// Without any label, so that all that it gets is ours.
  void node(const std::string& name) { cluster->create_node(name); }
  void object(const std::string& name, const std::string& node, const std::string& labels,
              const std::string& features = "{}", const std::string& space = "default") {
    Value made = yaml("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeature, metadata: {name: " + name +
                      ", labels: {nfd.node.kubernetes.io/node-name: " + node + "}}}");
    Value& spec = made.add("spec", Value::map());
    spec.add("features", yaml(features));
    spec.add("labels", yaml(labels));
    must(cluster->admin().create(collection_path(resources::kNodeFeatures, space), made));
  }
  /// The object that the worker of this Node publishes.
  void worker(const std::string& node, const std::string& labels = "{}") { object(node, node, labels, kFound); }
  void remove_object(const std::string& name, const std::string& space = "default") {
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, space, name)));
  }
  /// Creates or replaces the rules of the object.
  void rules(const std::string& name, const std::string& list) {
    Value spec = Value::map();
    spec.add("rules", yaml(list));
    Value change = Value::map();
    change.add("spec", std::move(spec));
    if (cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", name), PatchKind::merge, change)) return;
    Value made = yaml("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureRule, metadata: {name: " + name + "}}");
    made.add("spec", *change.find("spec"));
    must(cluster->admin().create(collection_path(resources::kNodeFeatureRules), made));
  }
  void remove_rules(const std::string& name) {
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", name)));
  }

  struct Seen {
    Attributes labels, annotations, resources;
    std::vector<std::string> taints;
  };
  Seen seen(const std::string& name) {
    const Value node = node_object(*cluster, name);
    const auto map_of = [&](std::initializer_list<std::string_view> path) {
      Attributes map;
      if (const Value* members = at(node, path))
        for (const Member& member : members->members) map.insert_or_assign(member.key, member.value.text);
      return map;
    };
    Seen seen{map_of({"metadata", "labels"}), map_of({"metadata", "annotations"}), map_of({"status", "capacity"}), {}};
    if (const Value* taints = at(node, {"spec", "taints"}))
      for (const Value& taint : taints->items)
        if (!text_at(taint, {"key"}).starts_with("node.kubernetes.io/"))  // the API server's
          seen.taints.push_back(text_at(taint, {"key"}) + "=" + text_at(taint, {"value"}) + ":" +
                                text_at(taint, {"effect"}));
    return seen;
  }
  /// Waits until all labels (or annotations, resources, taints) of the Node are these.
  template <class Part>
  ::testing::AssertionResult becomes(const std::string& name, Part Seen::*part,
                                     const std::type_identity_t<Part>& wanted) {
    Part last;
    const bool came = eventually([&] {
      last = seen(name).*part;
      return last == wanted;
    });
    if (came) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it has\n" << text_of(last) << "and not\n" << text_of(wanted);
  }
};

const std::string kOurs = "feature.node.kubernetes.io/";

TEST_F(NfdExpectationsTest, AWorkersLabelsComeAndGoWithItsObject) {
  TempHost machine;
  write_gpu_machine(machine);
  for (const char* name : {"ne-worker", "ne-bystander"}) node(name);
  start_master("");
  AgentProcess agent(*cluster, machine,
                     {.node = "ne-worker",
                      .config = "stateFile: ''\n"
                                "core: {featureSources: [fake], labelSources: [fake]}\n",
                      .arguments = {"--publish=nodefeature"}});
  EXPECT_TRUE(becomes("ne-worker", &Seen::labels,
                      {{kOurs + "fake-fakefeature1", "true"},
                       {kOurs + "fake-fakefeature2", "true"},
                       {kOurs + "fake-fakefeature3", "true"}}))
      << agent.log();
  EXPECT_TRUE(exists(object_path(resources::kNodeFeatures, "default", "ne-worker")));
  agent.process().stop();
  (void)cluster->admin().remove(object_path(resources::kNodeFeatures, "default", "ne-worker"));
  EXPECT_TRUE(becomes("ne-worker", &Seen::labels, {}));
  EXPECT_TRUE(becomes("ne-bystander", &Seen::labels, {}));
}

TEST_F(NfdExpectationsTest, RulesOfAWorkerMatchItsNodesName) {
  TempHost machine;
  write_gpu_machine(machine);
  node("ne-by-name");
  AgentProcess agent(*cluster, machine,
                     {.node = "ne-by-name",
                      .config = R"(stateFile: ''
core: {labelSources: [custom]}
sources:
  custom:
    - name: its name
      labels: {by-name: "true"}
      matchFeatures: [{feature: system.name, matchExpressions: {nodename: {op: In, value: [ne-by-name]}}}]
    - name: a pattern
      labels: {by-pattern: found}
      matchFeatures: [{feature: system.name, matchExpressions: {nodename: {op: InRegexp, value: ["^ne.*name$"]}}}]
    - name: of another
      labels: {by-other-name: "true"}
      matchFeatures: [{feature: system.name, matchExpressions: {nodename: {op: In, value: [another]}}}]
)",
                      .environment = {{"NODE_NAME", "ne-by-name"}}});
  EXPECT_TRUE(wait_for_label(*cluster, "ne-by-name", kOurs + "by-name", "true")) << agent.log();
  EXPECT_EQ(label_of(*cluster, "ne-by-name", kOurs + "by-pattern"), "found");
  EXPECT_EQ(label_of(*cluster, "ne-by-name", kOurs + "by-other-name"), std::nullopt);
}

TEST_F(NfdExpectationsTest, ObjectsAreMergedAndTheirLabelsGoWithThem) {
  for (const char* name : {"ne-merged", "ne-other"}) node(name);
  start_master("", {"-deny-label-ns=*.denied.example,unwanted.example", "-extra-label-ns=ours.maker.example"});
  const auto one = [&] {
    object("zz-one", "ne-merged",
           R"({first: plain, feature.node.kubernetes.io/first: prefixed, second: one, from-worker-3: changed})");
  };
  one();
  const Attributes of_one{
      {kOurs + "first", "prefixed"}, {kOurs + "second", "one"}, {kOurs + "from-worker-3", "changed"}};
  EXPECT_TRUE(becomes("ne-merged", &Seen::labels, of_one));
  EXPECT_TRUE(becomes("ne-other", &Seen::labels, {}));
  remove_object("zz-one");
  EXPECT_TRUE(becomes("ne-merged", &Seen::labels, {}));

  const char* const by_worker = R"({from-worker-1: "true", from-worker-2: "true", from-worker-3: "true"})";
  const Attributes of_worker{
      {kOurs + "from-worker-1", "true"}, {kOurs + "from-worker-2", "true"}, {kOurs + "from-worker-3", "true"}};
  for (const char* name : {"ne-merged", "ne-other"}) worker(name, by_worker);
  for (const char* name : {"ne-merged", "ne-other"}) EXPECT_TRUE(becomes(name, &Seen::labels, of_worker)) << name;
  one();
  Attributes wanted = of_one;
  wanted.insert_or_assign(kOurs + "from-worker-1", "true");
  wanted.insert_or_assign(kOurs + "from-worker-2", "true");
  EXPECT_TRUE(becomes("ne-merged", &Seen::labels, wanted));
  EXPECT_TRUE(becomes("ne-other", &Seen::labels, of_worker));

  // One of another namespace comes last.
  cluster->create_namespace("ne-elsewhere");
  object("zz-two", "ne-merged", "{first: two, third: two}", "{}", "ne-elsewhere");
  Attributes with_two = wanted;
  with_two.insert_or_assign(kOurs + "first", "two");
  with_two.insert_or_assign(kOurs + "third", "two");
  EXPECT_TRUE(becomes("ne-merged", &Seen::labels, with_two));
  remove_object("zz-two", "ne-elsewhere");
  EXPECT_TRUE(becomes("ne-merged", &Seen::labels, wanted));
}

TEST_F(NfdExpectationsTest, DeniedNamespacesAreDeniedAndExtraOnesAllowed) {
  const char* const labels =
      "{any.denied.example/x: a, unwanted.example/x: b, ours.maker.example/x: c, kubernetes.io/x: d, "
      "below.kubernetes.io/x: e, plain: f}";
  struct Case {
    const char* name;
    std::string config;
    std::vector<std::string> options;
  };
  for (const Case& c : {Case{"ne-by-option",
                             "",
                             {"-deny-label-ns=*.denied.example,unwanted.example,*.maker.example",
                              "-extra-label-ns=ours.maker.example"}},
                        Case{"ne-by-file", "denyLabelNs: ['*.denied.example', unwanted.example]\n", {}}}) {
    SCOPED_TRACE(c.name);
    node(c.name);
    object(c.name, c.name, labels);
    Process& master = start_master(c.config, c.options);
    EXPECT_TRUE(becomes(c.name, &Seen::labels, {{kOurs + "plain", "f"}, {"ours.maker.example/x", "c"}}))
        << master.end_of_log();
    remove_object(c.name);
    EXPECT_TRUE(becomes(c.name, &Seen::labels, {}));
    master.stop();
  }
}

TEST_F(NfdExpectationsTest, RulesMatchEachKindOfFeature) {
  node("ne-kinds");
  worker("ne-kinds");
  start_master("");
  const auto rule = [](const std::string& name, const std::string& feature, const std::string& match) {
    return "- {name: " + name + ", labels: {" + name + ": \"true\"}, matchFeatures: [{feature: " + feature + ", " +
           match + "}]}\n";
  };
  rules("kinds",
        rule("flag", "demo.flag", "matchExpressions: {left: {op: Exists}}") +
            rule("flag-name", "demo.flag", "matchName: {op: In, value: [right]}") +
            rule("no-flag", "demo.flag", "matchExpressions: {left: {op: DoesNotExist}}") +
            rule("no-flag-name", "demo.flag", "matchName: {op: In, value: [up]}") +
            rule("attribute", "demo.attribute", "matchExpressions: {\"on\": {op: IsTrue}, \"off\": {op: IsFalse}}") +
            rule("attribute-name", "demo.attribute", "matchName: {op: In, value: [\"off\", none]}") +
            rule("no-attribute", "demo.attribute", "matchExpressions: {\"on\": {op: IsTrue}, \"off\": {op: IsTrue}}") +
            rule("no-attribute-name", "demo.attribute", "matchName: {op: In, value: [none]}") +
            rule("instance", "demo.disk",
                 "matchExpressions: {fast: {op: In, value: [\"true\"]}, gb: {op: Gt, value: [\"100\"]}}") +
            rule("instance-name", "demo.disk", "matchName: {op: In, value: [gb, none]}") +
            rule("no-instance", "demo.disk",
                 "matchExpressions: {fast: {op: In, value: [\"true\"]}, gb: {op: Lt, value: [\"10\"]}}") +
            rule("no-instance-name", "demo.disk", "matchName: {op: In, value: [none]}"));
  Attributes wanted;
  for (const char* name : {"flag", "flag-name", "attribute", "attribute-name", "instance", "instance-name"})
    wanted.insert_or_assign(kOurs + name, "true");
  EXPECT_TRUE(becomes("ne-kinds", &Seen::labels, wanted));
  // A rule that is changed, and one that is taken out.
  rules("kinds", rule("changed", "demo.flag", "matchExpressions: {right: {op: Exists}}"));
  EXPECT_TRUE(becomes("ne-kinds", &Seen::labels, {{kOurs + "changed", "true"}}));
  // Without its features the Node keeps nothing.
  remove_object("ne-kinds");
  EXPECT_TRUE(becomes("ne-kinds", &Seen::labels, {}));
  EXPECT_TRUE(becomes("ne-kinds", &Seen::annotations, {}));
}

TEST_F(NfdExpectationsTest, RulesSeeWhatOthersMadeAndTemplates) {
  node("ne-made");
  worker("ne-made");
  start_master("");
  rules("a-first", R"(
- name: makes
  labels: {made: "true"}
  vars: {made.number: "12", made.hidden: "no"}
  matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}}}]
)");
  rules("b-second", R"(
- name: sees it
  labels: {seen: "true", copied: "@rule.matched.made"}
  matchFeatures:
    - feature: rule.matched
      matchExpressions: {made: {op: InRegexp, value: ["^tr"]}, made.number: {op: In, value: ["1", "12"]}}
  matchAny:
    - matchFeatures: [{feature: demo.disk, matchExpressions: {fast: {op: In, value: [never]}}}]
    - matchFeatures: [{feature: demo.disk, matchExpressions: {gb: {op: In, value: ["200"]}}}]
- name: none of these
  labels: {unseen: "true"}
  matchAny:
    - matchFeatures: [{feature: demo.disk, matchExpressions: {fast: {op: In, value: [never]}}}]
    - matchFeatures: [{feature: demo.flag, matchExpressions: {up: {op: Exists}}}]
- name: each disk that matches
  labelsTemplate: "{{ range .demo.disk }}disk-{{ .name }}=found\n{{ end }}"
  matchFeatures: [{feature: demo.disk, matchExpressions: {fast: {op: In, value: ["true"]}}}]
- name: each attribute that matches
  labelsTemplate: "{{ range .demo.attribute }}attribute-{{ .Name }}={{ .Value }}\n{{ end }}"
  matchFeatures:
    - feature: demo.attribute
      matchExpressions: {"off": {op: IsFalse}}
      matchName: {op: In, value: [size]}
)");
  EXPECT_TRUE(becomes("ne-made", &Seen::labels,
                      {{kOurs + "made", "true"},
                       {kOurs + "seen", "true"},
                       {kOurs + "copied", "true"},
                       {kOurs + "disk-a", "found"},
                       {kOurs + "disk-b", "found"},
                       {kOurs + "attribute-off", "false"},
                       {kOurs + "attribute-size", "12"}}));
  EXPECT_TRUE(becomes(
      "ne-made", &Seen::annotations,
      {{"nfd.node.kubernetes.io/feature-labels", "attribute-off,attribute-size,copied,disk-a,disk-b,made,seen"}}));
  remove_rules("a-first");
  EXPECT_TRUE(becomes("ne-made", &Seen::labels,
                      {{kOurs + "disk-a", "found"},
                       {kOurs + "disk-b", "found"},
                       {kOurs + "attribute-off", "false"},
                       {kOurs + "attribute-size", "12"}}));
}

TEST_F(NfdExpectationsTest, TaintsComeChangeAndGo) {
  node("ne-tainted");
  worker("ne-tainted");
  start_master("", {"-enable-taints"});
  const char* const kOthers = R"(
- name: not here
  taints: [{key: feature.node.kubernetes.io/never, value: "true", effect: NoSchedule}]
  matchFeatures: [{feature: demo.flag, matchExpressions: {up: {op: Exists}}}]
)";
  rules("taints", std::string(R"(
- name: here
  taints:
    - {key: feature.node.kubernetes.io/special, value: "yes", effect: PreferNoSchedule}
    - {key: feature.node.kubernetes.io/reserved, value: "true", effect: NoExecute}
  matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}}}]
)") + kOthers);
  EXPECT_TRUE(becomes("ne-tainted", &Seen::taints,
                      {"feature.node.kubernetes.io/special=yes:PreferNoSchedule",
                       "feature.node.kubernetes.io/reserved=true:NoExecute"}));
  EXPECT_TRUE(becomes("ne-tainted", &Seen::annotations,
                      {{"nfd.node.kubernetes.io/taints",
                        "feature.node.kubernetes.io/special=yes:PreferNoSchedule,"
                        "feature.node.kubernetes.io/reserved=true:NoExecute"}}));
  // One changes its key; those of Kubernetes and those without a namespace are not allowed.
  rules("taints", std::string(R"(
- name: here
  taints:
    - {key: feature.node.kubernetes.io/special, value: "yes", effect: PreferNoSchedule}
    - {key: feature.node.kubernetes.io/renamed, value: "true", effect: NoExecute}
    - {key: kubernetes.io/x, effect: PreferNoSchedule}
    - {key: node.kubernetes.io/x, effect: PreferNoSchedule}
    - {key: plain, effect: PreferNoSchedule}
  matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}}}]
)") + kOthers);
  EXPECT_TRUE(becomes("ne-tainted", &Seen::taints,
                      {"feature.node.kubernetes.io/special=yes:PreferNoSchedule",
                       "feature.node.kubernetes.io/renamed=true:NoExecute"}));
  EXPECT_TRUE(becomes("ne-tainted", &Seen::annotations,
                      {{"nfd.node.kubernetes.io/taints",
                        "feature.node.kubernetes.io/special=yes:PreferNoSchedule,"
                        "feature.node.kubernetes.io/renamed=true:NoExecute"}}));
  EXPECT_EQ(to_json(node_object(*cluster, "ne-tainted")).find("kubernetes.io/x"), std::string::npos);
  remove_rules("taints");
  EXPECT_TRUE(becomes("ne-tainted", &Seen::taints, {}));
  EXPECT_TRUE(becomes("ne-tainted", &Seen::annotations, {}));
}

TEST_F(NfdExpectationsTest, ExtendedResourcesComeAndGo) {
  node("ne-resources");
  worker("ne-resources");
  start_master("");
  rules("resources", R"(
- name: without a namespace
  extendedResources: {plain: "7"}
  matchFeatures: [{feature: demo.attribute, matchExpressions: {"on": {op: IsTrue}}}]
- name: from a feature
  extendedResources: {maker.example/sized: "@demo.attribute.size"}
  matchFeatures: [{feature: demo.attribute, matchExpressions: {size: {op: Exists}}}]
- name: below ours
  extendedResources: {maker.feature.node.kubernetes.io/fixed: "7"}
- name: not allowed
  extendedResources: {bad.kubernetes.io/x: "9"}
)");
  EXPECT_TRUE(becomes(
      "ne-resources", &Seen::resources,
      {{kOurs + "plain", "7"}, {"maker.example/sized", "12"}, {"maker.feature.node.kubernetes.io/fixed", "7"}}));
  EXPECT_TRUE(becomes("ne-resources", &Seen::annotations,
                      {{"nfd.node.kubernetes.io/extended-resources",
                        "maker.example/sized,maker.feature.node.kubernetes.io/fixed,plain"}}));
  remove_rules("resources");
  EXPECT_TRUE(becomes("ne-resources", &Seen::resources, {}));
  EXPECT_TRUE(becomes("ne-resources", &Seen::annotations, {}));
}

TEST_F(NfdExpectationsTest, AnnotationsComeAndGo) {
  node("ne-annotated");
  worker("ne-annotated");
  start_master("");
  rules("annotations", R"(
- name: all
  annotations:
    plain: "1"
    feature.node.kubernetes.io/prefixed: "2"
    maker.example/x: "3"
    kubernetes.io/x: denied
    below.kubernetes.io/x: denied
    nfd.node.kubernetes.io/x: denied
  matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}}}]
)");
  EXPECT_TRUE(becomes("ne-annotated", &Seen::annotations,
                      {{kOurs + "plain", "1"},
                       {kOurs + "prefixed", "2"},
                       {"maker.example/x", "3"},
                       {"nfd.node.kubernetes.io/feature-annotations", "maker.example/x,plain,prefixed"}}));
  remove_rules("annotations");
  EXPECT_TRUE(becomes("ne-annotated", &Seen::annotations, {}));
}

TEST_F(NfdExpectationsTest, GroupsFollowTheFeatures) {
  for (const char* name : {"ne-group-a", "ne-group-b"}) {
    node(name);
    worker(name);
  }
  start_master("", {"--feature-gates=NodeFeatureGroupAPI=true"});
  const auto group = [&](const std::string& name, const std::string& list) {
    Value made = yaml("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureGroup, metadata: {name: " + name + "}}");
    made.add("spec", Value::map()).add("featureGroupRules", yaml(list));
    must(cluster->admin().create(collection_path(resources::kNodeFeatureGroups, "default"), made));
  };
  const auto members = [&](const std::string& name) {
    const Value object = must(cluster->admin().get(object_path(resources::kNodeFeatureGroups, "default", name)));
    std::vector<std::string> names;
    if (const Value* nodes = at(object, {"status", "nodes"}))
      for (const Value& node : nodes->items) names.push_back(text_at(node, {"name"}));
    return join(names, " ");
  };
  group("all", "[{name: r, matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}}}]}]");
  EXPECT_TRUE(eventually([&] { return members("all") == "ne-group-a ne-group-b"; })) << members("all");
  // Rules that see what earlier ones of the group made; the last of them decides for one Node alone.
  group("one", R"(
- name: any disk
  vars: {any: "true"}
  matchAny:
    - matchFeatures: [{feature: demo.disk, matchExpressions: {gb: {op: In, value: [never]}}}]
  matchFeatures: [{feature: demo.attribute, matchExpressions: {"off": {op: IsTrue}}}]
- name: names
  varsTemplate: "{{ range .demo.disk }}disk-{{ .name }}=found\n{{ end }}"
  matchFeatures:
    - {feature: demo.disk, matchExpressions: {fast: {op: In, value: ["true"]}}}
    - {feature: demo.attribute, matchExpressions: {"off": {op: IsTrue}}}
- name: sees them
  matchFeatures:
    - feature: rule.matched
      matchExpressions: {disk-a: {op: In, value: [found]}, disk-x: {op: Exists}}
)");
  object("zz-group", "ne-group-b", "{}",
         R"({attributes: {demo.attribute: {elements: {"off": "true"}}}, )"
         R"(instances: {demo.disk: {elements: [{attributes: {name: x, fast: "true", gb: "1"}}]}}})");
  EXPECT_TRUE(eventually([&] { return members("one") == "ne-group-b"; })) << members("one");
  EXPECT_EQ(members("all"), "ne-group-a ne-group-b");
  remove_object("zz-group");
  EXPECT_TRUE(eventually([&] { return members("one").empty(); })) << members("one");
}

TEST_F(NfdExpectationsTest, ALabelThatSomebodyChangedIsChangedBack) {
  node("ne-changed");
  object("o", "ne-changed", "{first: one, second: two}");
  start_master("resyncPeriod: 1s\n");
  const Attributes wanted{{kOurs + "first", "one"}, {kOurs + "second", "two"}};
  ASSERT_TRUE(becomes("ne-changed", &Seen::labels, wanted));
  must(cluster->admin().patch(
      object_path(resources::kNodes, "", "ne-changed"), PatchKind::json,
      json(R"([{"op":"replace","path":"/metadata/labels/feature.node.kubernetes.io~1first","value":"other"}])")));
  EXPECT_TRUE(becomes("ne-changed", &Seen::labels, wanted));
}

TEST_F(NfdExpectationsTest, OnlySelectedNamespacesCount) {
  cluster->create_namespace("ne-selected");
  const auto select = [&](const char* value) {
    must(cluster->admin().patch(object_path(resources::kNamespaces, "", "ne-selected"), PatchKind::merge,
                                json(R"({"metadata":{"labels":{"ne-team":)" + std::string(value) + "}}}")));
  };
  select("\"disks\"");
  node("ne-of-space");
  object("o", "ne-of-space", "{first: one}", "{}", "ne-selected");
  start_master("restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {ne-team: disks}}}\nresyncPeriod: 1s\n");
  EXPECT_TRUE(becomes("ne-of-space", &Seen::labels, {{kOurs + "first", "one"}}));
  select("null");
  EXPECT_TRUE(becomes("ne-of-space", &Seen::labels, {}));
}

TEST_F(NfdExpectationsTest, RestrictionsOfLabelsAndTheRest) {
  // A rule without conditions makes one entry of each kind.
  const std::string entry = "ne.feature.node.kubernetes.io/x";
  rules("one-of-each", "[{name: r, labels: {" + entry + ": \"1\"}, annotations: {" + entry +
                           ": \"2\"}, extendedResources: {" + entry + ": \"3\"}, taints: [{key: " + kOurs +
                           "x, value: \"4\", effect: PreferNoSchedule}]}]");
  struct Case {
    const char* name;
    std::string config;
    bool labels, annotations, resources, taints;
  };
  for (const Case& c : {Case{"ne-no-labels", "{disableLabels: true}", false, true, true, true},
                        Case{"ne-no-annotations", "{disableAnnotations: true}", true, false, true, true},
                        Case{"ne-no-resources", "{disableExtendedResources: true}", true, true, false, true},
                        Case{"ne-no-taints", "{}", true, true, true, false}}) {
    SCOPED_TRACE(c.name);
    node(c.name);
    worker(c.name);
    Process& master = start_master("restrictions: " + c.config + "\n",
                                   c.taints ? std::vector<std::string>{"-enable-taints"} : std::vector<std::string>());
    const auto none_unless = [](bool is_there, const Attributes& wanted) { return is_there ? wanted : Attributes(); };
    Attributes annotations = none_unless(c.annotations, {{entry, "2"}});
    if (c.labels) annotations.insert_or_assign("nfd.node.kubernetes.io/feature-labels", entry);
    if (c.annotations) annotations.insert_or_assign("nfd.node.kubernetes.io/feature-annotations", entry);
    if (c.resources) annotations.insert_or_assign("nfd.node.kubernetes.io/extended-resources", entry);
    if (c.taints) annotations.insert_or_assign("nfd.node.kubernetes.io/taints", kOurs + "x=4:PreferNoSchedule");
    EXPECT_TRUE(becomes(c.name, &Seen::annotations, annotations)) << master.end_of_log();
    EXPECT_TRUE(becomes(c.name, &Seen::labels, none_unless(c.labels, {{entry, "1"}})));
    EXPECT_TRUE(becomes(c.name, &Seen::resources, none_unless(c.resources, {{entry, "3"}})));
    EXPECT_TRUE(becomes(c.name, &Seen::taints,
                        c.taints ? std::vector{kOurs + "x=4:PreferNoSchedule"} : std::vector<std::string>()));
    master.stop();
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", c.name)));
  }
}

TEST_F(NfdExpectationsTest, ALabelOfAnotherOwnerIsTakenOverOnlyIfAllowed) {
  for (const bool is_allowed : {false, true}) {
    const std::string name = is_allowed ? "ne-taken" : "ne-foreign";
    cluster->create_node(name, json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/theirs":"x"}}})"));
    object(name, name, R"({theirs: "y", ours: z})");
    Process& master = start_master(is_allowed ? "restrictions: {allowOverwrite: true}\n" : "");
    EXPECT_TRUE(becomes(name, &Seen::labels, {{kOurs + "ours", "z"}, {kOurs + "theirs", is_allowed ? "y" : "x"}}))
        << master.end_of_log();
    master.stop();
  }
}

TEST_F(NfdExpectationsTest, OnlyTheWorkersLabelsCountIfOthersAreDenied) {
  node("ne-denied");
  worker("ne-denied", R"({from-worker: "true"})");
  object("zz-other", "ne-denied", R"({from-worker: other, theirs: "true"})",
         "{flags: {demo.flag: {elements: {added: {}}}}}");
  rules("by-flag", R"(
- name: features of the other object count
  labels: {by-rule: "true"}
  matchFeatures: [{feature: demo.flag, matchExpressions: {left: {op: Exists}, added: {op: Exists}}}]
)");
  start_master("restrictions: {denyNodeFeatureLabels: true}\n");
  EXPECT_TRUE(becomes("ne-denied", &Seen::labels, {{kOurs + "by-rule", "true"}, {kOurs + "from-worker", "true"}}));
  EXPECT_TRUE(becomes("ne-denied", &Seen::taints, {}));
}

TEST_F(NfdExpectationsTest, StaleObjectsThatAppearAreDeleted) {
  node("ne-there");
  Process& gc = start_master("", {"-gc-interval", "1s", "--collect-after", "1s"});
  ASSERT_TRUE(eventually([&] { return log_has(gc, "all Nodes are up to date"); })) << gc.end_of_log();
  for (const char* name : {"ne-there", "ne-never-1", "ne-never-2"}) worker(name);
  EXPECT_TRUE(eventually([&] {
    return !exists(object_path(resources::kNodeFeatures, "default", "ne-never-1")) &&
           !exists(object_path(resources::kNodeFeatures, "default", "ne-never-2"));
  })) << gc.end_of_log();
  EXPECT_TRUE(exists(object_path(resources::kNodeFeatures, "default", "ne-there")));
}

}  // namespace
}  // namespace nodescout::test
