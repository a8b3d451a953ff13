// What the cluster says about a node, and what it goes on to say while objects cannot be read or the server is away.
#include "agent/cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>

#include "base/text.h"
#include "document/json.h"
#include "document/yaml.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGood = "{name: a, labels: {a: \"1\"}, matchFeatures: []}";
constexpr const char* kBad = "{name: b, labels: {b: \"1\"}, matchFeatures: 7}";

Value object(const std::string& yaml) {
  const auto documents = parse_yaml(yaml, "t");
  return documents.at(0).root;
}
Value rules(const std::string& list, const char* name = "rules") {
  return object("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureRule, metadata: {name: " + std::string(name) +
                "}, spec: {rules: [" + list + "]}}");
}
Value feature(const std::string& space, const std::string& name, const std::string& spec = "labels: {l: \"1\"}",
              const std::string& metadata = "") {
  return object("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeature, metadata: {name: " + name +
                ", namespace: " + space + metadata + "}, spec: {" + spec + "}}");
}

std::string names(const ClusterView& view) {
  std::vector<std::string> out;
  for (const RuleDocument& document : view.rules)
    for (const Rule& rule : document.rules)
      out.push_back(rule.name + (rule.labels.empty() ? "" : "=" + rule.labels.begin()->second.text));
  return join(out, " ");
}
std::string objects(const ClusterView& view) {
  std::vector<std::string> out;
  for (const NodeFeatureObject& object : view.objects) out.push_back(object.space + "/" + object.name);
  return join(out, " ");
}

TEST(ClusterObjects, RulesComeChangeAndGo) {
  ClusterObjects cluster("node", "nfd");
  EXPECT_EQ(cluster.view().rules_generation, 0u);
  cluster.put_rule("n", rules(kGood));
  EXPECT_EQ(names(cluster.view()), "a=1");
  EXPECT_EQ(cluster.view().rules_generation, 1u);
  EXPECT_FALSE(cluster.view().broken_rules);
  EXPECT_TRUE(cluster.view().problems.empty());
  cluster.put_rule("m", rules("{name: c, matchFeatures: []}", "m"));
  EXPECT_EQ(names(cluster.view()), "c a=1") << "in byte order of the objects' names";
  cluster.remove_rule("n");
  EXPECT_EQ(names(cluster.view()), "c");
  EXPECT_EQ(cluster.view().rules_generation, 3u);
}

TEST(ClusterObjects, AnotherStatusOfARuleObjectIsNoOtherRule) {
  ClusterObjects cluster("node", "nfd");
  const auto put = [&](const std::string& uid, const std::string& generation, const std::string& value) {
    const std::string versions = generation.empty() ? "" : ", uid: " + uid + ", generation: " + generation;
    cluster.put_changed_rule(
        "n", object("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureRule, metadata: "
                    "{name: n" +
                    versions + "}, spec: {rules: [{name: a, labels: {a: \"" + value + "\"}, matchFeatures: []}]}}"));
    return names(cluster.view());
  };
  EXPECT_EQ(put("u", "1", "1"), "a=1");
  put("u", "1", "1");
  EXPECT_EQ(cluster.generation(), 1u);
  EXPECT_EQ(put("u", "2", "2"), "a=2");
  EXPECT_EQ(put("v", "2", "3"), "a=3") << "deleted and created anew";
  cluster.remove_rule("n");
  EXPECT_EQ(put("v", "2", "3"), "a=3");
  EXPECT_EQ(put("v", "", "4"), "a=4") << "without a generation every event counts";
  EXPECT_EQ(put("v", "", "5"), "a=5");
}

TEST(ClusterObjects, ARuleThatCanNoLongerBeReadGoesOnAsItWas) {
  ClusterObjects cluster("node", "nfd");
  const std::string b = "{name: b, labels: {b: \"1\"}, matchFeatures: []}";
  cluster.put_rule("n", rules(std::string(kGood) + ", " + b));
  cluster.put_rule("n", rules("{name: a, labels: {a: \"2\"}, matchFeatures: []}, " + std::string(kBad)));
  ClusterView view = cluster.view();
  EXPECT_EQ(names(view), "a=2 b=1");
  EXPECT_TRUE(view.broken_rules);
  ASSERT_FALSE(view.problems.empty());
  EXPECT_EQ(view.problems[0].where.rfind("NodeFeatureRule/n", 0), 0u) << view.problems[0].where;
  cluster.put_rule(
      "n", object("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureRule, metadata: {name: n}, spec: 5}"));
  EXPECT_EQ(names(cluster.view()), "a=2 b=1") << "nothing of it can be read";
  EXPECT_TRUE(cluster.view().broken_rules);
  cluster.put_rule("n", rules(kGood));
  EXPECT_EQ(names(cluster.view()), "a=1") << "b was taken out";
  EXPECT_FALSE(cluster.view().broken_rules);
  EXPECT_TRUE(cluster.view().problems.empty());
  cluster.put_rule("n", rules(kBad));
  cluster.remove_rule("n");
  EXPECT_EQ(names(cluster.view()), "");
  EXPECT_FALSE(cluster.view().broken_rules);
  EXPECT_TRUE(cluster.view().problems.empty());
}

TEST(ClusterObjects, AMistakeThatNfdAcceptsBreaksNothing) {
  ClusterObjects cluster("node", "nfd");
  cluster.put_rule("n", rules("{name: a, labels: {a: \"1\"}, matchFeatures: [{feature: pci.device, matchExpressions: "
                              "{class: {op: In, value: [\"03\"], type: mistaken}}}]}"));
  const ClusterView view = cluster.view();
  EXPECT_EQ(names(view), "a=1");
  EXPECT_FALSE(view.broken_rules) << (view.problems.empty() ? "" : view.problems[0].what);
}

TEST(ClusterObjects, ObjectsAreMergedOwnNamespaceFirstThenByName) {
  ClusterObjects cluster("node", "nfd");
  for (const auto& [space, name] : {std::pair{"z", "a"}, {"nfd", "c"}, {"b", "b"}, {"a", "b"}, {"nfd", "b"}})
    cluster.put_feature(std::string(space) + "/" + name, feature(space, name));
  EXPECT_EQ(objects(cluster.view()), "nfd/b nfd/c z/a a/b b/b");
  cluster.remove_feature("z/a");
  EXPECT_EQ(objects(cluster.view()), "nfd/b nfd/c a/b b/b");
}

TEST(ClusterObjects, TheWorkersObjectOfThisNodeIsNotAnotherAgents) {
  const std::string worker = ", annotations: {nfd.node.kubernetes.io/worker.version: v}";
  struct Case {
    const char* name;
    std::string object, metadata;
    bool is_another;
  };
  for (const Case& c : {Case{"another agent's", "gfd", "", true},
                        {"with the node's name, not by a worker", "node", "", true},
                        {"by a worker, of another name", "other", worker, true},
                        {"the worker's", "node", worker, false}}) {
    ClusterObjects agents("node", "nfd");
    agents.put_feature("k", feature("nfd", c.object, "labels: {l: \"1\"}", c.metadata));
    EXPECT_EQ(agents.view().objects.size(), c.is_another ? 1u : 0u) << c.name;
    EXPECT_FALSE(agents.view().own) << c.name;
    ClusterObjects afar("node", "nfd", WorkersObject::read);
    afar.put_feature("k", feature("nfd", c.object, "labels: {l: \"1\"}", c.metadata));
    EXPECT_EQ(afar.view().objects.size(), c.is_another ? 1u : 0u) << c.name;
    EXPECT_EQ(afar.view().own.has_value(), !c.is_another) << c.name;
  }
  // It becomes the worker's, and goes.
  ClusterObjects cluster("node", "nfd", WorkersObject::read);
  cluster.put_feature("k", feature("nfd", "node"));
  cluster.put_feature("k", feature("nfd", "node", "labels: {}", worker));
  EXPECT_EQ(objects(cluster.view()), "");
  EXPECT_TRUE(cluster.view().own);
  cluster.put_feature("k", feature("nfd", "node"));
  EXPECT_EQ(objects(cluster.view()), "nfd/node");
  EXPECT_FALSE(cluster.view().own);
  cluster.put_feature("k", feature("nfd", "node", "labels: {}", worker));
  cluster.remove_feature("k");
  EXPECT_FALSE(cluster.view().own);
}

TEST(ClusterObjects, AnObjectThatCanNoLongerBeReadKeepsWhatItSaid) {
  ClusterObjects cluster("node", "nfd");
  cluster.put_feature("k", feature("nfd", "x", "labels: {l: \"1\"}"));
  cluster.put_feature("k", object("{metadata: {name: x, namespace: nfd}, spec: 7}"));
  ASSERT_EQ(cluster.view().objects.size(), 1u);
  EXPECT_EQ(cluster.view().objects[0].labels, (Attributes{{"l", "1"}}));
  EXPECT_FALSE(cluster.view().problems.empty());
  cluster.put_feature("k", feature("nfd", "x", "labels: {l: \"2\"}"));
  EXPECT_EQ(cluster.view().objects[0].labels, (Attributes{{"l", "2"}}));
  EXPECT_TRUE(cluster.view().problems.empty());
  cluster.put_feature("k", feature("nfd", "x", "labels: {l: \"3\"}, features: {flags: 5}"));
  EXPECT_EQ(cluster.view().objects[0].labels, (Attributes{{"l", "3"}}));
  EXPECT_FALSE(cluster.view().problems.empty()) << "a part of it was left out";
  cluster.remove_feature("k");
  EXPECT_TRUE(cluster.view().problems.empty());
}

TEST(ClusterObjects, ObjectsBeyondTheLimitsAreLeftOutInOrder) {
  const Limits limits{.node_feature_objects = 2, .node_feature_bytes = 1000};
  ClusterObjects cluster("node", "nfd", WorkersObject::ignore, limits);
  for (const auto& [space, name] : {std::pair{"z", "a"}, {"b", "b"}, {"nfd", "c"}, {"a", "b"}})
    cluster.put_feature(std::string(space) + "/" + name, feature(space, name));
  EXPECT_EQ(objects(cluster.view()), "nfd/c z/a") << "whatever order they come in";
  ASSERT_EQ(cluster.view().problems.size(), 1u);
  EXPECT_EQ(cluster.view().problems[0].where, "NodeFeature/a/b");
  EXPECT_EQ(
      cluster.view().problems[0].what.rfind("left out, with 1 others: more than limits.nodeFeatureObjects (2)", 0), 0u);
  EXPECT_FALSE(cluster.take_has_room());
  cluster.remove_feature("b/b");
  EXPECT_FALSE(cluster.take_has_room()) << "it did not count";
  cluster.remove_feature("z/a");
  EXPECT_TRUE(cluster.take_has_room());
  EXPECT_FALSE(cluster.take_has_room()) << "once";
  cluster.put_feature("a/b", feature("a", "b"));
  EXPECT_EQ(objects(cluster.view()), "nfd/c a/b");
  EXPECT_TRUE(cluster.view().problems.empty());
}

TEST(ClusterObjects, LargeObjectsAreLeftOutAlone) {
  ClusterObjects cluster("node", "nfd", WorkersObject::ignore, {.node_feature_bytes = 1000});
  const auto large = [](const char* name, std::size_t size) {
    return feature("nfd", name, "labels: {l: \"" + std::string(size, 'x') + "\"}");
  };
  cluster.put_feature("k", large("a", 2000));
  cluster.put_feature("l", large("b", 500));
  EXPECT_EQ(objects(cluster.view()), "nfd/b");
  cluster.put_feature("l", large("b", 400));
  EXPECT_TRUE(cluster.take_has_room()) << "it became smaller";
  cluster.put_feature("k", large("a", 300));
  EXPECT_EQ(objects(cluster.view()), "nfd/a nfd/b");
}

// ---- read and watched -----------------------------------------------------------------------------------------------

constexpr const char* kRules = "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeaturerules";
constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kFeatures = "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeatures";
constexpr const char* kOfSpace = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nfd/nodefeatures";

class ClusterTest : public ::testing::Test {
 protected:
  void serve_both() {
    server.serve(kRules);
    server.serve(kFeatures);
    server.serve(kDefinitions);
    define("1970-01-01T00:00:00Z");
    server.put(kRules, to_json(rules(kGood)));
    server.put(kOfSpace, to_json(feature("nfd", "x", "labels: {l: \"1\"}",
                                         ", labels: {nfd.node.kubernetes.io/node-name: node}")));
    server.put(kOfSpace, to_json(feature("nfd", "elsewhere", "labels: {l: \"1\"}",
                                         ", labels: {nfd.node.kubernetes.io/node-name: other}")));
  }
  /// The two kinds, created at this time.
  void define(const std::string& created, const std::string& more = "") {
    for (const char* kind : {"nodefeaturerules", "nodefeatures"})
      server.put(kDefinitions, R"({"metadata":{"name":")" + std::string(kind) +
                                   R"(.nfd.k8s-sigs.io","creationTimestamp":")" + created + "\"" + more + "}}");
  }
  /// Waits until the view is so.
  ::testing::AssertionResult becomes(Cluster& cluster, const std::function<bool(const ClusterView&)>& wanted) {
    std::unique_lock lock(mutex);
    if (changed.wait_for(lock, 10s, [&] { return wanted(cluster.view()); })) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it never came to that";
  }
  std::function<void()> on_change() {
    return [this] {
      { const std::lock_guard lock(mutex); }
      changed.notify_all();
    };
  }
  static bool is_complete(const ClusterView& view) { return view.complete; }

  std::mutex mutex;
  std::condition_variable changed;
  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
};

/// Selects namespaces with the label trusted=yes.
ObjectPolicy selecting() {
  ObjectPolicy policy;
  policy.selector = LabelSelector{{{"trusted", LabelSelector::Operator::in, {"yes"}}}, false};
  return policy;
}

TEST_F(ClusterTest, IsReadOnce) {
  serve_both();
  const auto view = read_cluster(api, "node", "nfd", {});
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->complete && view->settled);
  EXPECT_EQ(names(*view), "a=1");
  EXPECT_EQ(objects(*view), "nfd/x");
}

TEST_F(ClusterTest, AKindThatDoesNotExistIsEmpty) {
  const auto view = read_cluster(api, "node", "nfd", {});
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->complete);
  for (const char* kind : {"nodefeaturerules", "nodefeatures"}) {
    server.answer_with("GET", kind, [](const Request&) { return Response{403, {}, "{}"}; });
    EXPECT_FALSE(read_cluster(api, "node", "nfd", {})) << kind;
  }
}

class NamespacesOfObjects : public ClusterTest {
 protected:
  NamespacesOfObjects() {
    serve_both();
    server.serve(kNamespaces);
    put_namespace("vendor", "yes");
    put_object("vendor");
    put_object("nfd");  // the own one
  }
  void put_namespace(const std::string& name, const std::string& trusted) {
    server.put(kNamespaces, to_json(object("{apiVersion: v1, kind: Namespace, metadata: {name: " + name +
                                           ", labels: {trusted: " + quote(trusted) + "}}}")));
  }
  void put_object(const std::string& space) {
    server.put("/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/" + space + "/nodefeatures",
               to_json(feature(space, "of-" + space, "labels: {l: \"1\"}",
                               ", labels: {nfd.node.kubernetes.io/node-name: node}")));
  }
  static std::string trusted(const ClusterView& view, const std::string& name) {
    const auto at = view.namespaces.find(name);
    if (at == view.namespaces.end()) return "not asked";
    if (!at->second.labels) return "not read: " + at->second.trouble;
    const auto label = at->second.labels->find("trusted");
    return (label == at->second.labels->end() ? "" : label->second) + (at->second.trouble.empty() ? "" : " once");
  }
  std::size_t reads() const {
    const auto requests = server.requests();
    return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [](const Request& request) {
      return request.target.starts_with(kNamespaces) && request.method == "GET";
    }));
  }
  static constexpr const char* kNamespaces = "/api/v1/namespaces";
};

TEST_F(NamespacesOfObjects, AreReadOnlyWhereTheirLabelsDecide) {
  const auto unselected = read_cluster(api, "node", "nfd", {});
  ASSERT_TRUE(unselected);
  EXPECT_TRUE(unselected->namespaces.empty());
  EXPECT_EQ(reads(), 0u);
  const auto view = read_cluster(api, "node", "nfd", selecting());
  ASSERT_TRUE(view);
  EXPECT_EQ(trusted(*view, "vendor"), "yes");
  EXPECT_EQ(trusted(*view, "nfd"), "not asked") << "its own namespace counts whatever its labels are";
  EXPECT_EQ(reads(), 1u);
  EXPECT_EQ(view->own_space, "nfd");
}

TEST_F(NamespacesOfObjects, AnAgentReadsEachOnceAndCompletesThen) {
  Cluster cluster(api, clock, "node", "nfd", on_change());
  cluster.read_namespaces_for(selecting(), 0s);
  ASSERT_TRUE(becomes(cluster, is_complete));
  EXPECT_EQ(trusted(cluster.view(), "vendor"), "yes");
  put_namespace("late", "no");
  put_object("late");
  ASSERT_TRUE(becomes(cluster, [](const ClusterView& view) { return trusted(view, "late") == "no"; }));
  EXPECT_TRUE(cluster.view().complete);
  EXPECT_EQ(reads(), 2u);
}

TEST_F(NamespacesOfObjects, WhatIsNotKnownYetIsNotComplete) {
  Cluster cluster(api, clock, "node", "nfd", on_change());
  ASSERT_TRUE(becomes(cluster, is_complete)) << "no policy asks for a namespace";
  std::promise<void> answer;
  server.answer_with("GET", kNamespaces, [wait = answer.get_future().share()](const Request&) {
    wait.wait();
    return Response{200, {}, "{\"metadata\":{\"labels\":{\"trusted\":\"no\"}}}"};
  });
  cluster.read_namespaces_for(selecting(), 0s);
  EXPECT_FALSE(cluster.view().complete);
  EXPECT_FALSE(cluster.view().settled);
  answer.set_value();
  ASSERT_TRUE(becomes(cluster, is_complete));
  EXPECT_EQ(trusted(cluster.view(), "vendor"), "no");
}

TEST_F(NamespacesOfObjects, OneThatCannotBeReadIsKnownToBeSoAndIsAskedForAgain) {
  server.answer_with(
      "GET", kNamespaces,
      [](const Request&) {
        return Response{403, {}, "{\"message\":\"not yours\"}"};
      },
      1 << 20);
  Cluster cluster(api, clock, "node", "nfd", on_change());
  cluster.read_namespaces_for(selecting(), 20ms);
  ASSERT_TRUE(becomes(cluster, is_complete)) << "nothing more is to be expected";
  EXPECT_NE(trusted(cluster.view(), "vendor").find("not yours"), std::string::npos);
  server.forget_answers();
  ASSERT_TRUE(becomes(cluster, [](const ClusterView& view) { return trusted(view, "vendor") == "yes"; }));
  // What was read once counts on.
  server.answer_with(
      "GET", kNamespaces,
      [](const Request&) {
        return Response{403, {}, "{}"};
      },
      1 << 20);
  ASSERT_TRUE(becomes(cluster, [](const ClusterView& view) { return trusted(view, "vendor") == "yes once"; }));
  server.forget_answers();
  put_namespace("vendor", "no");
  EXPECT_TRUE(becomes(cluster, [](const ClusterView& view) { return trusted(view, "vendor") == "no"; }));
}

TEST_F(ClusterTest, IsWatched) {
  serve_both();
  Cluster cluster(api, clock, "node", "nfd", on_change());
  ASSERT_TRUE(becomes(cluster, is_complete));
  EXPECT_EQ(names(cluster.view()), "a=1");
  EXPECT_EQ(objects(cluster.view()), "nfd/x");
  for (const Cluster::Health& health : cluster.health()) EXPECT_TRUE(health.live && !health.missing) << health.resource;
  server.put(kRules, to_json(rules("{name: c, matchFeatures: []}", "m")));
  EXPECT_TRUE(becomes(cluster, [](const ClusterView& view) { return names(view) == "c a=1"; }));
  server.erase(std::string(kRules) + "/rules");
  EXPECT_TRUE(becomes(cluster, [](const ClusterView& view) { return names(view) == "c"; }));
  server.erase(std::string(kOfSpace) + "/x");
  EXPECT_TRUE(becomes(cluster, [](const ClusterView& view) { return view.objects.empty(); }));
}

bool has_problem(const ClusterView& view, const std::string& code, const std::string& where) {
  return std::any_of(view.problems.begin(), view.problems.end(),
                     [&](const Problem& problem) { return problem.code == code && problem.where == where; });
}

TEST_F(ClusterTest, WhatVanishesWithItsKindCountsAsItWas) {
  serve_both();
  Cluster cluster(api, clock, "node", "nfd", on_change());
  ASSERT_TRUE(becomes(cluster, is_complete));
  define("1970-01-01T00:00:00Z", R"(,"deletionTimestamp":"1970-01-01T00:00:01Z")");
  server.erase(std::string(kRules) + "/rules");
  server.erase(std::string(kOfSpace) + "/x");
  EXPECT_TRUE(becomes(cluster, [](const ClusterView& view) {
    return has_problem(view, "kind-missing", "nodefeaturerules") && has_problem(view, "kind-missing", "nodefeatures");
  }));
  EXPECT_EQ(names(cluster.view()), "a=1");
  EXPECT_EQ(objects(cluster.view()), "nfd/x");
}

TEST_F(ClusterTest, WhatWentWithAKindThatWasReplacedCountsUntilItIsBack) {
  serve_both();
  server.put(kRules, to_json(object("{apiVersion: nfd.k8s-sigs.io/v1alpha1, kind: NodeFeatureRule, metadata: {name: "
                                    "old, creationTimestamp: \"2020-01-01T00:00:00Z\"}, spec: {rules: [" +
                                    std::string(kGood) + "]}}")));
  Cluster cluster(api, clock, "node", "nfd", on_change());
  ASSERT_TRUE(becomes(cluster, is_complete));
  define("2021-01-01T00:00:00Z");
  server.erase(std::string(kRules) + "/old");
  EXPECT_TRUE(becomes(
      cluster, [](const ClusterView& view) { return has_problem(view, "gone-with-kind", "nodefeaturerules old"); }));
  EXPECT_EQ(names(cluster.view()), "a=1 a=1");
  server.put(kRules, to_json(rules("{name: c, matchFeatures: []}", "old")));
  EXPECT_TRUE(
      becomes(cluster, [](const ClusterView& view) { return names(view) == "c a=1" && view.problems.empty(); }));
}

TEST_F(ClusterTest, IsCompleteOnceBothKindsAreKnown) {
  serve_both();
  server.unserve(kFeatures);
  Cluster cluster(api, clock, "node", "nfd", on_change());
  EXPECT_TRUE(becomes(cluster, is_complete)) << "a kind that does not exist is known";
  const auto health = cluster.health();
  EXPECT_TRUE(health[0].live && !health[0].missing);
  EXPECT_TRUE(!health[1].live && health[1].missing);
}

TEST_F(ClusterTest, TroubleSettlesItAndCompletesNothing) {
  serve_both();
  server.answer_with(
      "GET", "nodefeatures",
      [](const Request&) {
        return Response{403, {}, "{}"};
      },
      1 << 20);
  Cluster cluster(api, clock, "node", "nfd", on_change());
  ASSERT_TRUE(becomes(cluster, [](const ClusterView& view) { return view.settled; }));
  EXPECT_FALSE(cluster.view().complete);
  ASSERT_EQ(cluster.view().problems.size(), 1u);
  EXPECT_EQ(cluster.view().problems[0].code, "watch-in-trouble");
  EXPECT_EQ(cluster.view().problems[0].where, "nodefeatures");
  EXPECT_FALSE(cluster.health()[1].live);
  server.forget_answers();
  EXPECT_TRUE(becomes(cluster, is_complete));
  EXPECT_TRUE(cluster.view().problems.empty());
  EXPECT_TRUE(cluster.health()[1].live);
}

}  // namespace
}  // namespace nodescout::test
