// The NodeFeature object that nfd-master reads: created, replaced only where it differs, and never robbed of what could
// not be read or may not go yet.
#include "publish/nodefeature_publisher.h"

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/value_path.h"
#include "support/fake_api_server.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

const std::string kObjects = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nfd/nodefeatures";
const std::string kObject = kObjects + "/a";
const std::string kPods = "/api/v1/namespaces/nfd/pods";

class NodeFeaturePublisherTest : public ::testing::Test {
 protected:
  NodeFeaturePublisherTest() {
    server.serve("/apis/nfd.k8s-sigs.io/v1alpha1/nodefeatures");
    server.serve("/api/v1/nodes");
    server.serve("/api/v1/pods");
    server.put("/api/v1/nodes", R"({"metadata":{"name":"a","uid":"u-node"}})");
  }
  Result<Published> publish(Report report) { return publisher().publish(report, {}); }
  NodeFeaturePublisher publisher() { return {api, owner, references, unpublished}; }

  static Report report(Attributes labels = {{"l", "1"}}) {
    Report report;
    report.desired.labels = std::move(labels);
    report.features.flags["cpu.cpuid"] = {"AVX"};
    report.features.attributes["kernel.version"] = {{"major", "6"}};
    report.features.instances["pci.device"] = {{{"class", "0300"}}};
    return report;
  }
  Value object() const { return server.at(kObject); }
  std::string text(std::initializer_list<std::string_view> path) const { return text_at(object(), path); }
  std::string owners() const {
    std::string out;
    if (const Value* list = at(object_, {"metadata", "ownerReferences"}))
      for (const Value& each : list->items)
        out += text_at(each, {"kind"}) + "/" + text_at(each, {"name"}) + "/" + text_at(each, {"uid"}) +
               (text_at(each, {"controller"}) == "true" ? "/controller" : "") + "/" +
               text_at(each, {"blockOwnerDeletion"}) + " ";
    return out;
  }
  void take_object() { object_ = object(); }

  FakeApiServer server;
  FakeClock clock;
  Credentials credentials{CredentialSource{}, clock};
  Api api{server, credentials, clock, "https://fake"};
  ObjectOwner owner{"a", "pod-1", "u-pod", "nfd"};
  std::vector<std::string> references, unpublished;
  Value object_;  // as of take_object()
};

TEST_F(NodeFeaturePublisherTest, IsCreatedOnceAndThenLeftAlone) {
  const auto first = publish(report());
  ASSERT_TRUE(first);
  ASSERT_EQ(first->changes.size(), 1u);
  EXPECT_EQ(first->changes[0].key, "l");
  EXPECT_EQ(text({"metadata", "labels", "nfd.node.kubernetes.io/node-name"}), "a");
  EXPECT_EQ(text({"spec", "labels", "l"}), "1");
  EXPECT_EQ(text({"metadata", "annotations", "nfd.node.kubernetes.io/worker.pod.uid"}), "u-pod");
  EXPECT_NE(text({"metadata", "annotations", "nfd.node.kubernetes.io/worker.version"}), "");
  EXPECT_TRUE(at(object(), {"spec", "features", "flags", "cpu.cpuid", "elements", "AVX"}));
  server.forget_requests();
  const auto second = publish(report());
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->changes.empty());
  EXPECT_EQ(server.count("PUT") + server.count("POST"), 0);
}

TEST_F(NodeFeaturePublisherTest, IsReplacedWhereAPartOfItDiffers) {
  struct Case {
    const char* name;
    std::function<void(Value&)> alter;
  };
  const auto member = [](Value& value, std::initializer_list<std::string_view> path) -> Value& {
    return const_cast<Value&>(*at(value, path));
  };
  for (const Case& c : {
           Case{"a label of it",
                [&](Value& v) {
                  member(v, {"spec", "labels", "l"}) = Value::string("2");
                }},
           {"a feature of it",
            [&](Value& v) {
              member(v, {"spec", "features", "attributes"}) = Value::map();
            }},
           {"its node",
            [&](Value& v) {
              member(v, {"metadata", "labels"}) = Value::map();
            }},
           {"its annotations",
            [&](Value& v) {
              member(v, {"metadata", "annotations"}) = Value::map();
            }},
           {"an owner", [&](Value& v) { member(v, {"metadata"}).add("ownerReferences", Value::list({Value::map()})); }},
       }) {
    SCOPED_TRACE(c.name);
    server.erase(kObject);
    ASSERT_TRUE(publish(report()));
    Value altered = object();
    member(altered, {"metadata"}).add("finalizers", Value::list({Value::string("f")}));
    c.alter(altered);
    server.put(kObjects, to_json(altered));
    server.forget_requests();
    ASSERT_TRUE(publish(report()));
    EXPECT_EQ(server.count("PUT"), 1);
    const Value now = object();
    EXPECT_EQ(text_at(now, {"spec", "labels", "l"}), "1");
    ASSERT_TRUE(at(now, {"metadata", "finalizers"}));
    EXPECT_EQ(at(now, {"metadata", "finalizers"})->items.size(), 1u) << "what is not ours to write stays";
    server.forget_requests();
    ASSERT_TRUE(publish(report()));
    EXPECT_EQ(server.count("PUT"), 0);
  }
}

TEST_F(NodeFeaturePublisherTest, AnEmptyPartEqualsAMissingOne) {
  Report nothing;
  owner.pod_uid.clear();
  ASSERT_TRUE(publish(nothing));
  Value altered = object();
  const_cast<Value&>(*at(altered, {"metadata"})).add("ownerReferences", Value::list());
  server.put(kObjects, to_json(altered));
  server.forget_requests();
  ASSERT_TRUE(publish(nothing));
  EXPECT_EQ(server.count("PUT"), 0);
}

TEST_F(NodeFeaturePublisherTest, StaleSetsKeepWhatIsPublished) {
  ASSERT_TRUE(publish(report()));
  Report less;
  less.stale = {"cpu.cpuid", "pci.device"};
  ASSERT_TRUE(publish(less));
  EXPECT_TRUE(at(object(), {"spec", "features", "flags", "cpu.cpuid"}));
  EXPECT_TRUE(at(object(), {"spec", "features", "instances", "pci.device"}));
  EXPECT_FALSE(at(object(), {"spec", "features", "attributes", "kernel.version"})) << "that one was read whole";
  less.features.flags["cpu.cpuid"] = {"SSE"};
  ASSERT_TRUE(publish(less));
  EXPECT_FALSE(at(object(), {"spec", "features", "flags", "cpu.cpuid", "elements", "AVX"})) << "what is seen counts";
}

TEST_F(NodeFeaturePublisherTest, LabelsThatMayNotGoStay) {
  ASSERT_TRUE(publish(report({{"l", "1"}, {"m", "1"}})));
  Report less = report({});
  less.may_go = [](const Change& change) { return change.key == "l" ? std::optional(Kept::unproved) : std::nullopt; };
  const auto done = publish(less);
  ASSERT_TRUE(done);
  EXPECT_EQ(text({"spec", "labels", "l"}), "1");
  EXPECT_FALSE(at(object(), {"spec", "labels", "m"}));
  EXPECT_EQ(done->held, (std::map<Kept, std::size_t>{{Kept::unproved, 1}}));
  ASSERT_EQ(done->changes.size(), 1u);
  EXPECT_EQ(done->changes[0].key, "m");
}

TEST_F(NodeFeaturePublisherTest, SomeFeaturesAreNotPublished) {
  unpublished = {"kernel.*", "pci.device"};
  ASSERT_TRUE(publish(report()));
  EXPECT_TRUE(at(object(), {"spec", "features", "flags", "cpu.cpuid"}));
  EXPECT_FALSE(at(object(), {"spec", "features", "attributes", "kernel.version"}));
  EXPECT_FALSE(at(object(), {"spec", "features", "instances", "pci.device"}));
}

TEST_F(NodeFeaturePublisherTest, BelongsToItsOwners) {
  server.put(kPods, R"({"metadata":{"name":"pod-1","ownerReferences":[
    {"apiVersion":"apps/v1","kind":"DaemonSet","name":"ds","uid":"u-ds","controller":true},
    {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"rs","uid":"u-rs"},
    {"apiVersion":"other/v1","kind":"DaemonSet","name":"ods","uid":"u-ods"}]}})");
  references = {"node", "pod", "ds"};
  ASSERT_TRUE(publish(report()));
  take_object();
  EXPECT_EQ(owners(), "Node/a/u-node/false Pod/pod-1/u-pod/false DaemonSet/ds/u-ds/controller/false ");
  owner.pod_uid.clear();
  ASSERT_TRUE(publish(report()));
  take_object();
  EXPECT_EQ(owners(), "Node/a/u-node/false DaemonSet/ds/u-ds/controller/false ")
      << "a Pod without a uid is not an owner";
  owner.pod.clear();
  ASSERT_TRUE(publish(report()));
  take_object();
  EXPECT_EQ(owners(), "Node/a/u-node/false ") << "outside a Pod";
  references.clear();
  ASSERT_TRUE(publish(report()));
  take_object();
  EXPECT_EQ(owners(), "");
}

TEST_F(NodeFeaturePublisherTest, FailuresAreReturned) {
  const auto refuse = [](const Request&) { return Response{403, {}, R"({"kind":"Status","message":"no"})"}; };
  server.answer_with("GET", "nodefeatures", refuse);
  EXPECT_FALSE(publish(report()));
  EXPECT_EQ(server.count("POST"), 0) << "a failed read is not taken for an absent object";
  server.answer_with("POST", "nodefeatures", refuse);
  EXPECT_FALSE(publish(report()));
  references = {"node"};
  server.answer_with("GET", "nodes/a", refuse);
  EXPECT_FALSE(publish(report()));
  references = {"ds"};
  EXPECT_FALSE(publish(report())) << "the Pod is not there";
  references.clear();
  ASSERT_TRUE(publish(report()));
  server.answer_with("PUT", "nodefeatures", refuse);
  EXPECT_FALSE(publish(report({{"l", "2"}})));
}

TEST_F(NodeFeaturePublisherTest, IsRemoved) {
  const auto nothing = publisher().remove("", false, {});
  ASSERT_TRUE(nothing) << "no object is not an error";
  EXPECT_TRUE(nothing->changes.empty());
  ASSERT_TRUE(publish(report()));
  const auto rehearsed = publisher().remove("", true, {});
  ASSERT_TRUE(rehearsed);
  EXPECT_EQ(rehearsed->changes.size(), 1u);
  EXPECT_TRUE(object().find("spec"));
  const auto removed = publisher().remove("", false, {});
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->changes, rehearsed->changes);
  EXPECT_FALSE(object().find("spec"));
  ASSERT_TRUE(publish(report()));
  server.answer_with("DELETE", "", [](const Request&) { return Response{403, {}, "{}"}; });
  EXPECT_FALSE(publisher().remove("", false, {}));
  server.answer_with("DELETE", "", [](const Request&) { return Response{404, {}, "{}"}; });
  EXPECT_TRUE(publisher().remove("", false, {})) << "another client was faster";
  server.answer_with("GET", "", [](const Request&) { return Response{403, {}, "{}"}; });
  EXPECT_FALSE(publisher().remove("", false, {}));
}

}  // namespace
}  // namespace nodescout::test
