// What the shipped manifests allow an agent and what they deny it: the very files of deploy/kustomize/base, a real API
// server, and a token as a kubelet would hand it to the agent's Pod on node A.
//
// Every forbidden write is first made by the administrator, as a dry run that must succeed: so it is a write that the
// server would do, and what denies it to the agent is its rights and nothing else.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>
#include <utility>

#include "agent/readiness_gate.h"
#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/control_plane.h"
#include "e2e/forbidden_writes.h"
#include "kube/lease.h"
#include "plan/node_state.h"
#include "publish/node_publisher.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

class RightsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static bool done = false;
    if (!ControlPlane::why_not().empty() || std::exchange(done, true)) return;
    ControlPlane& cluster = ControlPlane::shared();
    cluster.install_crds();
    cluster.install();
    for (const char* name : {"rights-a", "rights-b"}) {
      cluster.create_ready_node(name);
      const std::string path = object_path(resources::kNodes, "", name);
      must(cluster.admin().patch(path, PatchKind::merge, json(R"({"metadata":{"labels":{
          "kubernetes.io/hostname":"a","kubernetes.io/arch":"amd64","node-role.kubernetes.io/worker":"",
          "feature.node.kubernetes.io/own":"1","nvidia.com/gpu.deploy.driver":"true","team":"y","example.com/team":"y",
          "example.com/nfd":"y","vendor.kubernetes.io/nfd":"y"},
        "annotations":{"node.alpha.kubernetes.io/ttl":"0","feature.node.kubernetes.io/own":"1","nvidia.com/note":"y",
          "nfd.node.kubernetes.io/feature-labels":"example.com/nfd,own,vendor.kubernetes.io/nfd",
          "nfd.node.kubernetes.io/feature-annotations":"own","nfd.node.kubernetes.io/master.version":"v0.17.3",
          "nfd.node.kubernetes.io/extended-resources":"own",
          "nfd.node.kubernetes.io/taints":"feature.node.kubernetes.io/own=1:NoSchedule"}},
        "spec":{"taints":[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"},
          {"key":"feature.node.kubernetes.io/own","value":"1","effect":"NoSchedule"}]}})")));
      must(cluster.admin().patch(path + "/status", PatchKind::merge, json(R"({"status":{
        "capacity":{"nvidia.com/gpu":"4","feature.node.kubernetes.io/own":"2"},
        "allocatable":{"nvidia.com/gpu":"4","feature.node.kubernetes.io/own":"2"}}})")));
    }
    must(cluster.admin().patch(std::string(kA) + "?fieldManager=rights-applier", PatchKind::apply,
                               json(R"({"apiVersion":"v1",
      "kind":"Node","metadata":{"name":"rights-a","labels":{"applied.example.com/a":"1","applied.example.com/b":"1"}}})")));
    must(cluster.admin().create(kFeatures, json(feature_object("of-b", "rights-b"))));
    must(cluster.admin().create(kLeases, json(lease_object("of-b"))));
    must(cluster.admin().create("/apis/nfd.k8s-sigs.io/v1alpha1/nodefeaturerules", json(rule_object("rights"))));
    cluster.token("nodescout", "nodescout", "rights-b");  // and a Pod
  }
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    agent = std::make_unique<Connection>(cluster->endpoint(), cluster->token("nodescout", "nodescout", "rights-a"));
  }

  Value node(const std::string& name) { return must(cluster->admin().get(object_path(resources::kNodes, "", name))); }
  void expect_denied(Api& api, const Call& attempt) {
    SCOPED_TRACE(attempt.name);
    const auto refused = call(api, attempt);
    ASSERT_FALSE(refused) << to_json(*refused);
    EXPECT_EQ(refused.error().code, Errc::denied) << refused.error().text();
    EXPECT_NE(refused.error().what.find(attempt.says), std::string::npos) << refused.error().text();
  }
  void expect_allowed(Api& api, const Call& attempt) {
    SCOPED_TRACE(attempt.name);
    const auto done = call(api, attempt);
    EXPECT_TRUE(done) << done.error().text();
  }

  ControlPlane* cluster = nullptr;
  std::unique_ptr<Connection> agent;
};

TEST_F(RightsTest, EveryForbiddenWriteIsDenied) {
  const Value a = node("rights-a"), b = node("rights-b");
  std::size_t writes = 0;
  for (const auto& group :
       {forbidden_on_node_b(), forbidden_keys_on_node_a(), forbidden_claims_on_node_a(), forbidden_fields_of_node_a(),
        forbidden_managed_fields_of_node_a(a), forbidden_objects(), forbidden_events(), forbidden_leases()})
    for (const Call& attempt : group) {
      const auto possible = call(cluster->admin(), attempt, true);
      EXPECT_TRUE(possible) << attempt.name << ": not even the administrator can: " << possible.error().text();
      expect_denied(agent->api, attempt);
      ++writes;
    }
  EXPECT_GE(writes, 200u);
  EXPECT_TRUE(same_content(node("rights-a"), a)) << to_json(node("rights-a"));
  EXPECT_TRUE(same_content(node("rights-b"), b)) << to_json(node("rights-b"));
  std::cout << writes << " forbidden writes, all denied\n";
}

TEST_F(RightsTest, WhatTheAgentDoesNotNeedItCannotRead) {
  for (const Call& attempt : forbidden_reads()) expect_denied(agent->api, attempt);
}

TEST_F(RightsTest, TheAgentKeepsTheLeaseOfItsOwnNodeAndNoOther) {
  const std::string own = std::string(kLeases) + "/rights-a", of_b = std::string(kLeases) + "/of-b";
  LeaseContent content{"u", {{kLeaseVersion, "1"}, {kLeaseDigest, "sha256:x"}}};
  OwnLease lease(agent->api, {"rights-a", "nodescout", 30s});
  for (int renewals = 0; renewals < 3; ++renewals) {
    const Status renewed = lease.renew(content, {});
    EXPECT_TRUE(renewed) << renewed.error().text();
    content.annotations[kLeaseDigest] += "x";
  }
  // Entries of other clients stay, and do no harm.
  must(cluster->admin().patch(own, PatchKind::merge,
                              json(R"({"metadata":{"labels":{"a":"b"},"annotations":{"example.com/x":"1"}}})")));
  EXPECT_EQ(lease.renew(content, {}).error().code, Errc::conflict);
  EXPECT_TRUE(lease.renew(content, {}));
  const Value now = must(cluster->admin().get(own));
  EXPECT_EQ(text_at(now, {"metadata", "annotations", "example.com/x"}), "1");
  EXPECT_EQ(text_at(now, {"metadata", "annotations", kLeaseDigest}), "sha256:xxxx");
  EXPECT_EQ(text_at(now, {"metadata", "labels", "a"}), "b");

  Value changed = now;
  const auto denied = [&](Value object, const std::string& path, const char* says) {
    const auto written = agent->api.update(path, object);
    ASSERT_FALSE(written) << to_json(*written);
    EXPECT_NE(written.error().what.find(says), std::string::npos) << written.error().text();
  };
  denied(must(cluster->admin().get(of_b)), of_b, "may not write this Lease");
  Value metadata = *now.find("metadata");
  replace(metadata, "annotations", json(R"({"example.com/x":"2"})"));
  replace(changed, "metadata", metadata);
  denied(changed, own, "names its node as holder");
  metadata = *now.find("metadata");
  replace(metadata, "labels", json(R"({"a":"c"})"));
  replace(changed, "metadata", metadata);
  denied(changed, own, "names its node as holder");
  metadata = *now.find("metadata");
  std::erase_if(metadata.members, [](const Member& member) { return member.key == "labels"; });
  replace(changed, "metadata", metadata);
  denied(changed, own, "agents remove nothing from their Lease that others wrote");
  metadata = *now.find("metadata");
  replace(metadata, "annotations", json(R"({"nodescout.dev/version":"1"})"));
  replace(changed, "metadata", metadata);
  denied(changed, own, "agents remove nothing from their Lease that others wrote");
  expect_denied(agent->api, {"delete", "DELETE", own, "", kRbac});
  const auto watched = agent->api.stream(std::string(kLeases) + "?watch=true&timeoutSeconds=1", 30s,
                                         [](std::string_view) { return false; }, {});
  EXPECT_EQ(must(watched).status, 200);
}

TEST_F(RightsTest, ATokenThatNamesNoNodeWritesNothing) {
  const Value answer = must(
      cluster->admin().create(object_path(resources::kServiceAccounts, "nodescout", "nodescout", "token"),
                              json(R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}})")));
  Connection unbound(cluster->endpoint(), answer.find("status")->find("token")->text);
  const char* says = "the token names no node";
  expect_denied(unbound.api, {"label", "merge", kA, listed_label("feature.node.kubernetes.io/x", R"("1")"), says});
  expect_denied(unbound.api, {"resource", "merge", std::string(kA) + "/status",
                              listed_resource("feature.node.kubernetes.io/x", R"("1")"), says});
  expect_denied(unbound.api, {"event", "POST", "/apis/events.k8s.io/v1/namespaces/default/events",
                              event("Node", "rights-a", "nodescout.dev/agent"), says});
}

TEST_F(RightsTest, ManagedFieldsInAWriteOfTheStatusCountForNothing) {
  const Value before = node("rights-a");
  for (Call attempt : forbidden_managed_fields_of_node_a(before)) {
    if (attempt.method != "merge" || attempt.body.find("labels\":{\"feature") != std::string::npos) continue;
    attempt.path += "/status";
    SCOPED_TRACE(attempt.name);
    (void)call(agent->api, attempt);
    EXPECT_TRUE(same_content(node("rights-a"), before)) << to_json(node("rights-a"));
  }
}

TEST_F(RightsTest, WhatTheAgentNeedsIsAllowed) {
  const std::string nfd = "/apis/nfd.k8s-sigs.io/v1alpha1/";
  const std::string own_features = nfd + "nodefeatures?labelSelector=nfd.node.kubernetes.io%2Fnode-name%3Drights-a";
  for (const Call& needed : std::vector<Call>{
           {"read its Node", "GET", kA, "", ""},
           {"list rules", "GET", nfd + "nodefeaturerules", "", ""},
           {"list features", "GET", own_features, "", ""},
           {"read a namespace", "GET", "/api/v1/namespaces/default", "", ""},
           {"post an event", "POST", "/apis/events.k8s.io/v1/namespaces/default/events", own_event(), ""},
           {"add a label", "merge", kA, listed_label("feature.node.kubernetes.io/new", R"("1")"), ""},
           {"add a label below nvidia.com", "merge", kA, listed_label("nvidia.com/gpu.count", R"("8")"), ""},
           {"change an own label", "merge", kA, label("feature.node.kubernetes.io/own", R"("2")"), ""},
           {"remove an own label", "merge", kA,
            R"({"metadata":{"labels":{"feature.node.kubernetes.io/own":null},"annotations":{)"
            R"("nfd.node.kubernetes.io/feature-labels":"example.com/nfd,vendor.kubernetes.io/nfd"}}})",
            ""},
           {"add an annotation", "merge", kA, listed_annotation("feature.node.kubernetes.io/new", R"("1")"), ""},
           {"say that an agent lives there", "merge", kA,
            listed_annotation("nfd.node.kubernetes.io/nodescout-agent", '"' + std::string(64, '1') + '"'), ""},
           {"add a resource", "merge", std::string(kA) + "/status",
            listed_resource("feature.node.kubernetes.io/new", R"("1")"), ""},
           {"change an own resource", "merge", std::string(kA) + "/status",
            capacity("feature.node.kubernetes.io/own", R"("3")"), ""},
           {"remove an own resource", "merge", std::string(kA) + "/status",
            R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/extended-resources":null}},"status":{"capacity":{)"
            R"("feature.node.kubernetes.io/own":null},"allocatable":{"feature.node.kubernetes.io/own":null}}})",
            ""},
           {"remove an own taint", "merge", kA,
            R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/taints":null}},"spec":{"taints":[)"
            R"({"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"}]}})",
            ""},
           {"a key of a second instance", "merge", kA,
            R"({"metadata":{"labels":{"feature.node.kubernetes.io/second":"1"},"annotations":{)"
            R"("x.nfd.node.kubernetes.io/feature-labels":"second"}}})",
            ""},
       }) {
    // A dry run, so that each starts from the same Node.
    SCOPED_TRACE(needed.name);
    const auto done = call(agent->api, needed, needed.method != "GET");
    EXPECT_TRUE(done) << done.error().text();
  }
  for (const std::string& collection : {nfd + "nodefeaturerules?", own_features + "&"}) {
    const auto watched =
        agent->api.stream(collection + "watch=true&timeoutSeconds=1", 30s, [](std::string_view) { return false; }, {});
    ASSERT_TRUE(watched) << watched.error().text();
    EXPECT_EQ(watched->status, 200) << collection;
  }
  const Status posted = post_event(agent->api, {"rights-a", true, "X", "Labelling", "z"}, "rights-a", agent->clock);
  EXPECT_TRUE(posted) << posted.error().text();
}

/// Other values in the ConfigMap nodescout-policy, for as long as this lives.
class Parameters {
 public:
  Parameters(ControlPlane& cluster, const std::string& data) : cluster_(cluster) {
    before_ = *must(cluster.admin().get(path())).find("data");
    must(cluster.admin().patch(path(), PatchKind::merge, json(R"({"data":)" + data + "}")));
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  ~Parameters() {
    Value patch = Value::map();
    patch.add("data", before_);
    (void)cluster_.admin().patch(path(), PatchKind::merge, patch);
  }

 private:
  static std::string path() { return object_path(resources::kConfigMaps, "nodescout", "nodescout-policy"); }
  ControlPlane& cluster_;
  Value before_;
};

/// What the agent does with its Node, by the code that does it.
class PublishingTest : public RightsTest {
 protected:
  void prepare(const std::string& node_name) {
    name = node_name;
    cluster->create_ready_node(name);
    // From the first apply on, the server records who wrote what.
    must(cluster->admin().patch(object_path(resources::kNodes, "", name) + "?fieldManager=team", PatchKind::apply,
                                json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name +
                                     R"(","labels":{"team.example.com/x":"1"}}})")));
    agent = std::make_unique<Connection>(cluster->endpoint(), cluster->token("nodescout", "nodescout", name));
    client = std::make_unique<NodeClient>(agent->api);
    publisher = std::make_unique<NodePublisher>(*client, agent->clock, name);
  }
  Published publish(const Desired& desired, const PlanOptions& options = {}) {
    Report report;
    report.desired = desired;
    report.options = options;
    return must(publisher->publish(report, {}));
  }
  /// Until the server has seen a change of the ConfigMap. A publisher remembers what was refused: each try has its own.
  Published publish_until_allowed(const Desired& desired, const PlanOptions& options = {}) {
    Published done;
    for (int tries = 0; tries < 300; ++tries) {
      publisher = std::make_unique<NodePublisher>(*client, agent->clock, name);
      done = publish(desired, options);
      if (done.problems.empty()) break;
      std::this_thread::sleep_for(100ms);
    }
    return done;
  }
  static std::string texts(const std::vector<Problem>& problems) {
    std::string text;
    for (const Problem& problem : problems) text += problem.code + ": " + problem.what + "\n";
    return text;
  }
  NodeState state() { return must(node_state_from(node(name), name)); }

  std::string name;
  std::unique_ptr<NodeClient> client;
  std::unique_ptr<NodePublisher> publisher;
};

TEST_F(PublishingTest, EveryKindOfKeyComesChangesAndGoes) {
  prepare("rights-publish");
  const Parameters parameters(*cluster, R"({"taints":"true","noExecute":"true",
    "resourcePrefixes":"feature.node.kubernetes.io\nnvidia.com"})");
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/x", "1"},
                    {"vendor.feature.node.kubernetes.io/x", "1"},
                    {"profile.node.kubernetes.io/gold", "true"},
                    {"nvidia.com/gpu.count", "8"},
                    {"gpu.intel.com/product", "x"},
                    {"amd.com/gpu.family", "x"}};
  desired.annotations = {{"feature.node.kubernetes.io/note", "1"}};
  desired.taints = {{"feature.node.kubernetes.io/slow", "1", "NoExecute"}};
  desired.extended_resources = {{"feature.node.kubernetes.io/slots", "4"}, {"nvidia.com/slices", "2"}};
  Published done = publish_until_allowed(desired);
  EXPECT_EQ(texts(done.problems), "");
  NodeState now = state();
  for (const auto& [key, value] : desired.labels) EXPECT_EQ(now.labels[key], value) << key;
  EXPECT_EQ(now.annotations["feature.node.kubernetes.io/note"], "1");
  EXPECT_EQ(now.taints, desired.taints);
  EXPECT_EQ(now.capacity["nvidia.com/slices"], "2");

  for (auto& [key, value] : desired.labels) value = "other";
  desired.annotations.begin()->second = "2";
  desired.taints[0].value = "2";
  desired.extended_resources["nvidia.com/slices"] = "3";
  EXPECT_EQ(texts(publish(desired).problems), "");
  now = state();
  for (const auto& [key, value] : desired.labels) EXPECT_EQ(now.labels[key], "other") << key;
  EXPECT_EQ(now.annotations["feature.node.kubernetes.io/note"], "2");
  EXPECT_EQ(now.taints, desired.taints);
  EXPECT_EQ(now.capacity["nvidia.com/slices"], "3");

  EXPECT_EQ(texts(publish({}).problems), "");
  now = state();
  for (const auto& [key, value] : desired.labels) EXPECT_FALSE(now.labels.contains(key)) << key;
  EXPECT_EQ(now.annotations, Attributes{});
  EXPECT_TRUE(now.taints.empty());
  EXPECT_FALSE(now.capacity.contains("nvidia.com/slices"));
  EXPECT_FALSE(now.capacity.contains("feature.node.kubernetes.io/slots"));
  EXPECT_TRUE(publish({}).changes.empty());
}

TEST_F(PublishingTest, WhatNfdWroteIsTakenOverAndWhatOthersWroteIsNot) {
  prepare("rights-takeover");
  must(cluster->admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge, json(R"({"metadata":{
    "labels":{"feature.node.kubernetes.io/same":"1","feature.node.kubernetes.io/changed":"1",
      "feature.node.kubernetes.io/wrong":"1","vendor.example/pinned":"1",
      "feature.node.kubernetes.io/by-hand":"1","nvidia.com/gpu.deploy.driver":"true"},
    "annotations":{"nfd.node.kubernetes.io/feature-labels":"changed,same,wrong","nfd.node.kubernetes.io/taints":
      "feature.node.kubernetes.io/nfd=1:NoSchedule"}},
    "spec":{"taints":[{"key":"feature.node.kubernetes.io/nfd","value":"1","effect":"NoSchedule"},
      {"key":"vendor.example/busy","effect":"NoSchedule"}]}})")));
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/same", "1"},
                    {"feature.node.kubernetes.io/changed", "2"},
                    {"feature.node.kubernetes.io/by-hand", "2"},
                    {"feature.node.kubernetes.io/new", "1"}};
  const Published done = publish(desired);
  EXPECT_EQ(
      texts(done.problems),
      "foreign-label: label \"feature.node.kubernetes.io/by-hand\" belongs to another owner, as \"1\" where \"2\" "
      "is wanted\n");
  const NodeState now = state();
  EXPECT_EQ(now.labels.at("feature.node.kubernetes.io/same"), "1");
  EXPECT_EQ(now.labels.at("feature.node.kubernetes.io/changed"), "2");
  EXPECT_EQ(now.labels.at("feature.node.kubernetes.io/new"), "1");
  EXPECT_FALSE(now.labels.contains("feature.node.kubernetes.io/wrong"));
  EXPECT_EQ(now.labels.at("feature.node.kubernetes.io/by-hand"), "1");
  EXPECT_EQ(now.labels.at("vendor.example/pinned"), "1");
  EXPECT_EQ(now.labels.at("nvidia.com/gpu.deploy.driver"), "true");
  ASSERT_EQ(now.taints.size(), 1u);
  EXPECT_EQ(now.taints[0].key, "vendor.example/busy");
}

TEST_F(PublishingTest, WhatNfdWroteOutsideTheListStays) {
  prepare("rights-outside");
  must(cluster->admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge, json(R"({"metadata":{
    "labels":{"feature.node.kubernetes.io/gone":"1","example.com/nfd":"1","vendor.kubernetes.io/nfd":"1"},
    "annotations":{"nfd.node.kubernetes.io/feature-labels":"example.com/nfd,gone,vendor.kubernetes.io/nfd"}}})")));
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/new", "1"}};
  const Published done = publish(desired);
  EXPECT_EQ(done.problems.size(), 2u) << texts(done.problems);
  const NodeState now = state();
  EXPECT_EQ(now.labels.at("example.com/nfd"), "1");
  EXPECT_EQ(now.labels.at("vendor.kubernetes.io/nfd"), "1");
  EXPECT_EQ(now.labels.at("feature.node.kubernetes.io/new"), "1");
  EXPECT_FALSE(now.labels.contains("feature.node.kubernetes.io/gone"));
  EXPECT_EQ(now.annotations.at("nfd.node.kubernetes.io/feature-labels"),
            "example.com/nfd,new,vendor.kubernetes.io/nfd");
}

TEST_F(PublishingTest, AKeyThatThePolicyRefusesCostsItself) {
  prepare("rights-singly");
  Desired desired;
  desired.labels = {{"example.com/x", "1"},
                    {"feature.node.kubernetes.io/x", "1"},
                    {"feature.node.kubernetes.io/y", "1"},
                    {"node-role.kubernetes.io/control-plane", ""}};
  desired.extended_resources = {{"example.com/r", "1"}, {"feature.node.kubernetes.io/r", "1"}, {"nvidia.com/r", "1"}};
  const Published done = publish(desired);
  ASSERT_EQ(done.problems.size(), 4u) << texts(done.problems);
  for (const Problem& problem : done.problems) EXPECT_NE(problem.what.find("denied request"), std::string::npos);
  const NodeState now = state();
  EXPECT_TRUE(now.labels.contains("feature.node.kubernetes.io/x"));
  EXPECT_TRUE(now.labels.contains("feature.node.kubernetes.io/y"));
  EXPECT_FALSE(now.labels.contains("example.com/x"));
  EXPECT_TRUE(now.capacity.contains("feature.node.kubernetes.io/r"));
  EXPECT_FALSE(now.capacity.contains("nvidia.com/r"));
  EXPECT_FALSE(now.capacity.contains("example.com/r"));
}

TEST_F(PublishingTest, AsMuchAsFitsOnANodeFitsTheBudgetOfThePolicy) {
  prepare("rights-many");
  Desired desired;
  // The longest names that there are: a domain of 253 characters would leave no room in the 256 KiB of annotations.
  for (int i = 0; i < 500; ++i)
    desired
        .labels["a-vendor-with-a-long-domain.feature.node.kubernetes.io/" + std::string(60, 'n') + std::to_string(i)] =
        "1";
  EXPECT_EQ(texts(publish(desired).problems), "");
  for (auto& [key, value] : desired.labels) value = "2";
  EXPECT_EQ(texts(publish(desired).problems), "");
  EXPECT_EQ(state().labels.at(desired.labels.begin()->first), "2");

  // And when the server takes all of them from the entry of another manager.
  std::vector<std::string> changed;
  for (const auto& [key, value] : desired.labels) changed.push_back('"' + key + R"(":"3")");
  must(cluster->admin().patch(object_path(resources::kNodes, "", name) + "?fieldManager=nfd-master", PatchKind::merge,
                              json(R"({"metadata":{"labels":{)" + join(changed, ",") + "}}}")));
  EXPECT_EQ(texts(publish(desired).problems), "");
  EXPECT_EQ(state().labels.at(desired.labels.begin()->first), "2");
  EXPECT_EQ(texts(publish({}).problems), "");
}

TEST_F(PublishingTest, OverwritingIsAllowedWhereTheConfigMapSaysSo) {
  prepare("rights-overwrite");
  must(cluster->admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge,
                              json(label("feature.node.kubernetes.io/by-hand", R"("1")"))));
  const Parameters parameters(*cluster, R"({"allowOverwrite":"true"})");
  PlanOptions options;
  options.allow_overwrite = true;
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/by-hand", "2"}};
  EXPECT_EQ(texts(publish_until_allowed(desired, options).problems), "");
  EXPECT_EQ(state().labels.at("feature.node.kubernetes.io/by-hand"), "2");
}

TEST_F(PublishingTest, WhatAnAdministratorAppliedMayBeTakenOverWhereTheConfigMapSaysSo) {
  prepare("rights-applied");
  const std::string path = object_path(resources::kNodes, "", name);
  must(cluster->admin().patch(path + "?fieldManager=honest", PatchKind::apply,
                              json(R"({"apiVersion":"v1","kind":"Node","metadata":{
    "name":"rights-applied","labels":{"feature.node.kubernetes.io/applied":"1","team.example.com/x":"1"}}})")));
  const Parameters parameters(*cluster, R"({"allowOverwrite":"true"})");
  PlanOptions options;
  options.allow_overwrite = true;
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/applied", "2"}};
  EXPECT_EQ(texts(publish_until_allowed(desired, options).problems), "");
  EXPECT_EQ(state().labels.at("feature.node.kubernetes.io/applied"), "2");
  const std::string left = to_json(*node(name).find("metadata")->find("managedFields"));
  EXPECT_NE(left.find("f:team.example.com/x"), std::string::npos) << "the rest of the entry stays\n" << left;
}

/// The server keeps ten entries of managers, and unites the oldest ones where there are more.
TEST_F(PublishingTest, ANodeThatManyManagersWroteIsPublishedTo) {
  prepare("rights-managers");
  const std::string path = object_path(resources::kNodes, "", name);
  for (int i = 0; i < 10; ++i)
    must(cluster->admin().patch(path + "?fieldManager=manager" + std::to_string(i), PatchKind::merge,
                                json(label("team.example.com/m" + std::to_string(i), R"("1")"))));
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/x", "1"}};
  desired.extended_resources = {{"feature.node.kubernetes.io/r", "1"}};
  EXPECT_EQ(texts(publish(desired).problems), "");
  const std::string entries = to_json(*node(name).find("metadata")->find("managedFields"));
  EXPECT_NE(entries.find("ancient-changes"), std::string::npos) << entries;
  EXPECT_NE(entries.find("f:team.example.com/m0"), std::string::npos) << entries;
  desired.labels.begin()->second = "2";
  desired.extended_resources.begin()->second = "2";
  EXPECT_EQ(texts(publish(desired).problems), "");

  // Here an entry of that name may appear, but no field in it that nobody had.
  const Value before = node(name);
  for (const char* managed :
       {R"("f:labels":{"f:kubernetes.io/arch":{}})", R"("f:labels":{})", R"("f:finalizers":{})"}) {
    std::vector<std::string> forged;
    for (const Value& entry : at(before, {"metadata", "managedFields"})->items) {
      if (text_at(entry, {"manager"}) != "ancient-changes") forged.push_back(to_json(entry));
    }
    forged.push_back(R"({"manager":"ancient-changes","operation":"Update","apiVersion":"v1",)"
                     R"("time":"2026-01-02T03:04:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{)" +
                     std::string(managed) + "}}}");
    expect_denied(agent->api, {managed, "merge", path, R"({"metadata":{"managedFields":[)" + join(forged, ",") + "]}}",
                               "the manager ancient-changes has only fields that other entries had"});
  }
  EXPECT_EQ(texts(publish({}).problems), "") << to_json(*node(name).find("metadata")->find("managedFields"));
}

TEST_F(PublishingTest, TaintsNeedTheirKeysInTheConfigMap) {
  prepare("rights-taints");
  Desired desired;
  desired.taints = {{"feature.node.kubernetes.io/slow", "1", "NoSchedule"},
                    {"feature.node.kubernetes.io/bad", "1", "NoExecute"}};
  EXPECT_NE(texts(publish(desired).problems).find("taints of ConfigMap nodescout-policy is not \"true\""),
            std::string::npos);
  EXPECT_TRUE(state().taints.empty());
  {
    const Parameters parameters(*cluster, R"({"taints":"true"})");
    Published done;
    for (int tries = 0; tries < 300 && state().taints.empty(); ++tries) {
      publisher = std::make_unique<NodePublisher>(*client, agent->clock, name);
      done = publish(desired);
      if (state().taints.empty()) std::this_thread::sleep_for(100ms);
    }
    EXPECT_NE(texts(done.problems).find("noExecute of ConfigMap nodescout-policy is not \"true\""), std::string::npos)
        << texts(done.problems);
    ASSERT_EQ(state().taints.size(), 1u);
    EXPECT_EQ(state().taints[0].effect, "NoSchedule");
  }
  publisher = std::make_unique<NodePublisher>(*client, agent->clock, name);
  EXPECT_EQ(texts(publish({}).problems), "") << "removing one's own is always allowed";
  EXPECT_TRUE(state().taints.empty());
}

/// A Node of its own with a startup taint, one of another owner, and a gate.
TEST_F(PublishingTest, TheTaintOfTheReadinessGateMayBeRemovedAndNothingElseOfIt) {
  prepare("rights-gate");
  const std::string path = object_path(resources::kNodes, "", name);
  const auto taint = [](const std::string& key, const std::string& more = "") {
    return R"({"key":")" + key + R"(","effect":"NoSchedule")" + more + "}";
  };
  const std::string gate = "startup-taint.cluster-autoscaler.kubernetes.io/gate";
  const std::string other = "startup-taint.cluster-autoscaler.kubernetes.io/other", role = "node-role.kubernetes.io/x";
  const auto with = [](const std::vector<std::string>& taints) {
    return R"({"spec":{"taints":[)" + join(taints, ",") + "]}}";
  };
  const std::vector<std::string> all{taint(gate), taint(other), taint(role), taint("vendor.example/busy")};
  must(cluster->admin().patch(path, PatchKind::merge, json(with(all))));
  const Call removal{"the gate's", "merge", path, with({all[1], all[2], all[3]}), "not readinessTaint of ConfigMap"};
  expect_denied(agent->api, removal);

  const Parameters parameters(*cluster, R"({"readinessTaint":")" + gate + R"(","allowOverwrite":"true"})");
  for (int tries = 0; tries < 300 && !call(agent->api, removal, true); ++tries) std::this_thread::sleep_for(100ms);
  expect_denied(agent->api, {"another startup taint", "merge", path, with({all[0], all[2], all[3]}), other.c_str()});
  expect_denied(agent->api, {"a role's", "merge", path, with({all[0], all[1], all[3]}), role.c_str()});
  expect_denied(agent->api, {"another value", "merge", path,
                             with({taint(gate, R"(,"value":"v")"), all[1], all[2], all[3]}), gate.c_str()});
  expect_allowed(agent->api, removal);
  expect_denied(agent->api, {"and back again", "merge", path, with(all), gate.c_str()});

  // And the condition that goes with it.
  must(agent->api.patch(path + "/status", PatchKind::strategic,
                        condition_patch({"True", "R", "m"}, agent->clock.today())));
  EXPECT_EQ(gate_condition_of(node(name))->status, "True");
  must(agent->api.patch(path + "/status", PatchKind::strategic,
                        condition_patch({"False", "R", "m"}, agent->clock.today())));
  EXPECT_EQ(gate_condition_of(node(name))->status, "False");
  for (const char* type : {"Ready", "GpuReady", "NodescoutReady2"})
    expect_denied(agent->api,
                  {type, "strategic", path + "/status",
                   R"({"status":{"conditions":[{"type":")" + std::string(type) + R"(","status":"False"}]}})",
                   "may not change status.conditions"});
}

TEST_F(PublishingTest, AListOfDomainsThatIsNoneIsNamedInTheRefusal) {
  prepare("rights-syntax");
  const Parameters parameters(*cluster, R"({"writePrefixes":"feature.node.kubernetes.io, nvidia.com\n*.amd.com"})");
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/x", "1"}};
  std::string problems;
  for (int tries = 0; tries < 300 && problems.find("one on each line") == std::string::npos; ++tries) {
    desired.labels.begin()->second = std::to_string(tries);
    publisher = std::make_unique<NodePublisher>(*client, agent->clock, name);
    problems = texts(publish(desired).problems);
    if (problems.empty()) std::this_thread::sleep_for(100ms);
  }
  EXPECT_NE(
      problems.find(
          R"(not a domain, one on each line, in writePrefixes: "feature.node.kubernetes.io, nvidia.com", "*.amd.com")"),
      std::string::npos)
      << problems;
}

/// The base again, whatever a test made of it.
struct BaseAgain {
  ControlPlane* cluster;
  ~BaseAgain() {
    const std::string manifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";
    cluster->kubectl({"delete", "--ignore-not-found", "-f", manifests + "overlays/nodefeature/rbac.yaml"});
    cluster->install();
  }
};

TEST_F(RightsTest, TheOverlayWatchNodeAddsThatAndNothingElse) {
  const BaseAgain later{cluster};
  const auto watched = [&] {
    return must(agent->api.stream("/api/v1/nodes?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Drights-a",
                                  30s, [](std::string_view) { return false; }, {}))
        .status;
  };
  EXPECT_EQ(watched(), 403);
  cluster->install("overlays/watch-node");
  for (int tries = 0; tries < 100 && watched() != 200; ++tries) std::this_thread::sleep_for(50ms);
  EXPECT_EQ(watched(), 200);
  for (const auto& group : {forbidden_on_node_b(), forbidden_keys_on_node_a(), forbidden_fields_of_node_a()})
    for (const Call& attempt : group) expect_denied(agent->api, attempt);
}

TEST_F(RightsTest, TheOverlayNodefeatureAllowsTheObjectOfTheOwnNodeInPlaceOfTheNode) {
  const BaseAgain later{cluster};
  cluster->kubectl({"apply", "-k", NODESCOUT_SOURCE_DIR "/deploy/kustomize/overlays/nodefeature"});
  const std::string own = std::string(kFeatures) + "/rights-a";
  const Call label_a{"label A", "merge", kA, label("feature.node.kubernetes.io/x", R"("1")"), kRbac};
  const Call create{"create", "POST", kFeatures, feature_object("rights-a", "rights-a"), ""};
  for (int tries = 0; tries < 100 && (call(agent->api, label_a) || !call(agent->api, create, true)); ++tries)
    std::this_thread::sleep_for(50ms);  // until the server has seen the change
  expect_denied(agent->api, label_a);
  expect_denied(agent->api, {"status of A", "merge", std::string(kA) + "/status",
                             capacity("feature.node.kubernetes.io/x", R"("1")"), kRbac});
  expect_denied(agent->api, {"rules", "GET", "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeaturerules", "", kRbac});

  const char* says = "may not write the NodeFeature";
  const std::string of_b = std::string(kFeatures) + "/of-b";
  expect_denied(agent->api, {"create B's", "POST", kFeatures, feature_object("rights-b", "rights-b"), says});
  expect_denied(agent->api, {"B's as A", "POST", kFeatures, feature_object("rights-a", "rights-b"), says});
  expect_denied(agent->api, {"A's as B", "POST", kFeatures, feature_object("rights-b", "rights-a"), says});
  expect_denied(agent->api, {"delete B's", "DELETE", of_b, "", says});
  Value theirs = must(cluster->admin().get(of_b));
  EXPECT_EQ(agent->api.update(of_b, theirs).error().code, Errc::denied);
  expect_denied(agent->api, {"elsewhere", "POST", "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/default/nodefeatures",
                             feature_object("rights-a", "rights-a"), kRbac});

  // A running nfd-master writes the labels of this object with rights of its own.
  const auto asking_for = [](const std::string& key) {
    return R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":"rights-a","labels":{)"
           R"("nfd.node.kubernetes.io/node-name":"rights-a"}},"spec":{"labels":{")" +
           key + R"(":"1"}}})";
  };
  for (const char* key : {"example.com/x", "node-role.kubernetes.io/control-plane", "notnvidia.com/x",
                          "example.com/nvidia.com/x", "feature.node.kubernetes.io.example.com/x"})
    expect_denied(agent->api,
                  {std::string("a label ") + key, "POST", kFeatures, asking_for(key), "not below writePrefixes"});
  for (const char* key : {"nvidia.com/mig.config", "nvidia.com/gpu.deploy.driver"})
    expect_denied(agent->api,
                  {std::string("a label ") + key, "POST", kFeatures, asking_for(key), "in deniedKeys of ConfigMap"});
  const auto with = [](const std::string& more) {
    const std::string text = feature_object("rights-a", "rights-a");
    const std::string name = R"("name":"rights-a")";
    return replace_all(text, name, name + "," + more);
  };
  const auto owned_by = [&](const std::string& kind, const std::string& more) {
    return with(R"("ownerReferences":[{"apiVersion":"v1","kind":")" + kind + R"(","name":"x","uid":"u",)" + more +
                "}]");
  };
  for (const auto& body :
       {with(R"("finalizers":["example.com/x"])"), with(R"("annotations":{"example.com/x":"1"})"),
        with(R"("annotations":{"nfd.node.kubernetes.io/worker.version":")" + std::string(250'000, 'x') + "\"}"),
        owned_by("Node", R"("blockOwnerDeletion":true)"), owned_by("Node", R"("controller":true)"),
        owned_by("ConfigMap", R"("controller":false)")}) {
    const Call attempt{body.substr(0, 200), "POST", kFeatures, body, "the NodeFeature of an agent has no finalizers"};
    EXPECT_TRUE(call(cluster->admin(), attempt, true)) << attempt.name;
    expect_denied(agent->api, attempt);
  }
  for (const char* key : {"x", "nvidia.com/gpu.count", "vendor.feature.node.kubernetes.io/x"})
    EXPECT_TRUE(call(agent->api, {key, "POST", kFeatures, asking_for(key), ""}, true)) << key;

  expect_allowed(agent->api, create);
  const Value made = must(agent->api.get(own));
  EXPECT_TRUE(agent->api.update(own, made));
  Value turned = json(feature_object("rights-a", "rights-b"));
  for (Member& member : turned.members)
    if (member.key == "metadata")
      member.value.add("resourceVersion", Value::string(made.find("metadata")->find("resourceVersion")->text));
  EXPECT_EQ(agent->api.update(own, turned).error().code, Errc::denied) << "labels of B, by A's object";
  expect_allowed(agent->api, {"its own Pod", "GET", "/api/v1/namespaces/nodescout/pods/nodescout-on-rights-a", "", ""});
  expect_allowed(agent->api, {"its Node's uid", "GET", kA, "", ""});
  expect_allowed(agent->api, {"delete", "DELETE", own, "", ""});
}

TEST_F(RightsTest, WithoutItsParametersThePolicyStopsNobodyElse) {
  const std::string parameters = object_path(resources::kConfigMaps, "nodescout", "nodescout-policy");
  const Call outside{"outside", "merge", std::string(kA) + "?dryRun=All", label("example.com/x", R"("1")"), ""};
  const Call of_a_kubelet{"kubelet", "merge", std::string(kB) + "/status",
                          R"({"status":{"conditions":[{"type":"Ready","status":"True","reason":"Again"}]}})", ""};
  ASSERT_TRUE(cluster->admin().remove(parameters));
  for (int tries = 0; tries < 300 && !call(agent->api, outside); ++tries) std::this_thread::sleep_for(100ms);
  ASSERT_TRUE(call(agent->api, outside)) << "the server has noticed that the ConfigMap is gone";
  Connection kubelet(cluster->endpoint_as("system:node:rights-b", {"system:nodes"}));
  expect_allowed(kubelet.api, of_a_kubelet);
  for (const Call& attempt : forbidden_on_node_b()) expect_denied(agent->api, attempt);
  for (const Call& attempt : forbidden_fields_of_node_a()) expect_denied(agent->api, attempt);
  expect_denied(agent->api, {"role", "merge", kA, label("node-role.kubernetes.io/control-plane", R"("")"),
                             "reserved for Kubernetes and its users: node-role.kubernetes.io/control-plane"});
  cluster->install();
}

}  // namespace
}  // namespace nodescout::test
