// The Kubernetes client against the real API server: who it is, what it reads and writes, and how refusals look.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/base64.h"
#include "base/kubernetes_syntax.h"
#include "base/text.h"
#include "document/json.h"
#include "e2e/control_plane.h"
#include "e2e/fault_proxy.h"
#include "kube/node_client.h"
#include "support/fake_clock.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const Environment kEmpty = [](const char*) { return std::string(); };

class KubeClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
  }
  /// Who the server takes us for, or the error.
  static Result<Value> whoami(Api& api) {
    return api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews",
                      json(R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})"));
  }
  static std::string name_of_user(const Result<Value>& review) {
    return review ? review->find("status")->find("userInfo")->find("username")->text : review.error().text();
  }
  std::string whoami_as(const std::string& user) {
    Connection connection(must(read_kubeconfig({cluster->kubeconfig("who", user)}, "", kEmpty)));
    return name_of_user(whoami(connection.api));
  }
  std::string exec_user(const std::string& script) {
    const fs::path path = cluster->folder() / "login";
    write_file(path, "#!/bin/sh\n" + script);
    fs::permissions(path, fs::perms::owner_all);
    return R"({"exec":{"apiVersion":"client.authentication.k8s.io/v1","command":")" + path.string() +
           R"(","interactiveMode":"Never"}})";
  }
  static std::string credential(const std::string& status) {
    return R"(cat <<'END'
{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" +
           status + "}\nEND\n";
  }

  ControlPlane* cluster = nullptr;
};

// ---- who we are -----------------------------------------------------------------------------------------------------

TEST_F(KubeClientTest, IsWhoTheKubeconfigSays) {
  EXPECT_EQ(whoami_as(cluster->client_certificate_user("alice", {"readers"})), "alice");
  cluster->create_node("who-a");
  cluster->create_service_account("who", "agent", "[]");
  const std::string token = cluster->token("who", "agent", "who-a");
  EXPECT_EQ(whoami_as(R"({"token":")" + token + "\"}"), "system:serviceaccount:who:agent");
  EXPECT_EQ(whoami_as(exec_user(credential(R"({"token":")" + token + "\"}"))), "system:serviceaccount:who:agent");
  const KeyPair bob = cluster->authority().for_user("bob");
  EXPECT_EQ(whoami_as(exec_user(credential(R"({"clientCertificateData":)" + json_string(bob.certificate) +
                                           R"(,"clientKeyData":)" + json_string(bob.key) + "}"))),
            "bob");
  EXPECT_EQ(whoami_as(R"({"token":"wrong"})"),
            "POST " + cluster->server() + "/apis/authentication.k8s.io/v1/selfsubjectreviews: Unauthorized");
}

TEST_F(KubeClientTest, ATokenOfAPodNamesItsNode) {
  cluster->create_node("named");
  cluster->create_service_account("who", "agent", "[]");
  Connection connection(cluster->endpoint(), cluster->token("who", "agent", "named"));
  const auto review = whoami(connection.api);
  ASSERT_TRUE(review) << review.error().text();
  EXPECT_NE(to_json(*review).find(R"("authentication.kubernetes.io/node-name":["named"])"), std::string::npos);
}

TEST_F(KubeClientTest, AServiceAccountsTokenMayRotateAndExpire) {
  cluster->create_node("rotating");
  for (const char* account : {"one", "two", "three"}) cluster->create_service_account("rotate", account, "[]");
  const fs::path folder = cluster->folder() / "serviceaccount";
  const auto put = [&](const char* account) {
    write_file(folder / "token", cluster->token("rotate", account, "rotating"));
  };
  write_file(folder / "ca.crt", cluster->authority().certificate());
  write_file(folder / "namespace", "rotate");
  put("one");
  FakeClock clock;
  Connection connection(must(in_cluster_config(folder.string(),
                                               [this](const char* name) -> std::string {
                                                 if (name == std::string("KUBERNETES_SERVICE_HOST")) return "127.0.0.1";
                                                 if (name == std::string("KUBERNETES_SERVICE_PORT"))
                                                   return std::to_string(cluster->port());
                                                 return "";
                                               })),
                        &clock);
  EXPECT_EQ(name_of_user(whoami(connection.api)), "system:serviceaccount:rotate:one");
  put("two");
  EXPECT_EQ(name_of_user(whoami(connection.api)), "system:serviceaccount:rotate:one");
  clock.advance(1min);
  EXPECT_EQ(name_of_user(whoami(connection.api)), "system:serviceaccount:rotate:two");
  // A token dies with its Pod. The server remembers for a few seconds that it was good.
  put("three");
  cluster->kubectl({"delete", "pod", "two-on-rotating", "--namespace=rotate", "--grace-period=0", "--force"});
  std::string user;
  for (int tries = 0; tries < 300 && user != "system:serviceaccount:rotate:three"; ++tries) {
    user = name_of_user(whoami(connection.api));
    EXPECT_EQ(user.find("system:serviceaccount:rotate:t"), 0u) << user;
    if (user.ends_with("two")) std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(user, "system:serviceaccount:rotate:three");
}

// ---- nodes ----------------------------------------------------------------------------------------------------------

TEST_F(KubeClientTest, PatchesANodeWithoutAnyLabelAnnotationOrStatus) {
  cluster->create_node("bare");
  NodeClient nodes(cluster->admin());
  const auto before = nodes.get("bare");
  ASSERT_TRUE(before) << before.error().text();
  EXPECT_EQ(before->find("metadata")->find("labels"), nullptr);
  const auto labelled = nodes.patch("bare", R"({"metadata":{"labels":{"a.example/x":"1"},"annotations":{"b":"2"}}})");
  ASSERT_TRUE(labelled) << labelled.error().text();
  const auto status = nodes.patch_status(
      "bare", R"({"status":{"capacity":{"example.com/r":"1"},"allocatable":{"example.com/r":"1"}}})");
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ(status->find("metadata")->find("labels")->find("a.example/x")->text, "1");
  EXPECT_EQ(status->find("status")->find("capacity")->find("example.com/r")->text, "1");
}

/// What we take for an amount of an extended resource, and what the server does, on a Node's capacity. Blanks around
/// one are the exception: the server cuts them off when it reads JSON, and NFD refuses them.
TEST_F(KubeClientTest, AmountsOfResourcesAreThoseOfTheServer) {
  cluster->create_node("amounts");
  for (const char* amount : {"0",  "4",    "2Ki", "1e3", "1000m", "1.5k",  "0.5Ki", "5.", "-0",   "1.5",
                             "-1", "500m", ".5",  "1n",  "1e-1",  "0.3Ki", "x",     "",   "1Kib", "0x10"}) {
    Value capacity = Value::map();
    capacity.add("vendor.example/slots", Value::string(amount));
    Value status = Value::map();
    status.add("capacity", std::move(capacity));
    Value patch = Value::map();
    patch.add("status", std::move(status));
    const bool is_taken = NodeClient(cluster->admin()).patch_status("amounts", to_json(patch)).has_value();
    EXPECT_EQ(is_taken, resource_amount_defect(amount).empty()) << quote(amount);
  }
}

TEST_F(KubeClientTest, RefusalsAreErrorsInTheServersWords) {
  cluster->create_node("refusing");
  NodeClient nodes(cluster->admin());
  EXPECT_EQ(nodes.get("nowhere").error().code, Errc::absent);
  EXPECT_EQ(nodes.get("nowhere").error().text(),
            "GET " + cluster->server() + "/api/v1/nodes/nowhere: nodes \"nowhere\" not found");
  const auto conflict = nodes.patch("refusing", R"({"metadata":{"resourceVersion":"1","labels":{"a":"b"}}})");
  EXPECT_EQ(conflict.error().code, Errc::conflict) << conflict.error().text();
  const auto invalid = nodes.patch("refusing", R"({"metadata":{"labels":{"a b":"c"}}})");
  EXPECT_EQ(invalid.error().code, Errc::malformed);
  EXPECT_NE(invalid.error().what.find("a b"), std::string::npos) << invalid.error().text();
  Connection nobody(cluster->endpoint_as("nobody"));
  const auto denied = NodeClient(nobody.api).get("refusing");
  EXPECT_EQ(denied.error().code, Errc::denied);
  EXPECT_NE(denied.error().what.find("cannot get resource \"nodes\""), std::string::npos) << denied.error().text();
}

TEST_F(KubeClientTest, CostsOneConnectionAndOneRequestACall) {
  cluster->create_node("cheap");
  FaultProxy proxy(cluster->authority(), {.upstream_port = cluster->port(),
                                          .identity = cluster->authority().for_user("cheap", {"system:masters"})});
  Endpoint endpoint = cluster->endpoint();
  endpoint.server = proxy.server();
  Connection connection(endpoint);
  NodeClient nodes(connection.api);
  const auto mark = cluster->now_in_audit_log();
  const auto node = nodes.get("cheap");
  ASSERT_TRUE(node) << node.error().text();
  const std::string version = node->find("metadata")->find("resourceVersion")->text;
  ASSERT_TRUE(nodes.patch("cheap", R"({"metadata":{"resourceVersion":")" + version + R"(","labels":{"x":"y"}}})"));
  EXPECT_EQ(proxy.connections(), 1);
  const auto audit = cluster->audit(mark);
  ASSERT_EQ(audit.size(), 2u);
  EXPECT_EQ(audit[0].verb + " " + audit[0].resource + " " + audit[0].name, "get nodes cheap");
  EXPECT_EQ(audit[1].verb + " " + audit[1].resource + " " + audit[1].user, "patch nodes cheap");
  EXPECT_EQ(to_json(*audit[1].request.find("metadata")->find("labels")), R"({"x":"y"})");
}

TEST_F(KubeClientTest, AWriteWhoseAnswerIsLostWasSentOnce) {
  cluster->create_node("lost");
  FaultProxy proxy(cluster->authority(), {.upstream_port = cluster->port(),
                                          .identity = cluster->authority().for_user("lost", {"system:masters"})});
  Endpoint endpoint = cluster->endpoint();
  endpoint.server = proxy.server();
  Connection connection(endpoint);
  NodeClient nodes(connection.api);
  int number = 0;
  for (const std::size_t cut : {0, 1, 15, 16, 100, 300, 400, 500, 600, 700}) {
    ASSERT_TRUE(nodes.get("lost"));  // a kept connection, and a fresh one
    Fault fault;
    fault.method = "PATCH";
    fault.cut = cut;
    fault.times = 1;
    proxy.add(fault);
    const std::string value = std::to_string(++number);
    const auto mark = cluster->now_in_audit_log();
    const auto patched = nodes.patch("lost", R"({"metadata":{"labels":{"n":")" + value + R"("}}})");
    ASSERT_FALSE(patched) << cut;
    EXPECT_EQ(patched.error().code, Errc::uncertain) << patched.error().text();
    EXPECT_EQ(cluster->audit(mark).size(), 1u) << cut;
    EXPECT_EQ(must(nodes.get("lost")).find("metadata")->find("labels")->find("n")->text, value) << "it was applied";
  }
}

TEST_F(KubeClientTest, AReadThatIsCutAnywhereIsReadAgain) {
  cluster->create_node("cut", json(R"({"metadata":{"labels":{"a":"b"}}})"));
  FaultProxy proxy(cluster->authority(), {.upstream_port = cluster->port(),
                                          .identity = cluster->authority().for_user("cut", {"system:masters"})});
  Endpoint endpoint = cluster->endpoint();
  endpoint.server = proxy.server();
  FakeClock clock;  // waits cost nothing
  Connection connection(endpoint, {}, &clock);
  const std::string whole = to_json(must(NodeClient(connection.api).get("cut")));
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
    Fault fault;
    fault.cut = cut;
    fault.times = 1;
    proxy.add(fault);
    const auto node = NodeClient(connection.api).get("cut");
    ASSERT_TRUE(node) << cut << ": " << node.error().text();
    EXPECT_EQ(to_json(*node), whole);
  }
}

TEST_F(KubeClientTest, AServerThatRestartsIsFoundAgain) {
  cluster->create_node("restarted");
  Connection connection(cluster->endpoint_as("admin", {"system:masters"}));
  NodeClient nodes(connection.api);
  ASSERT_TRUE(nodes.get("restarted"));
  cluster->kill_api_server();
  const auto away = nodes.patch("restarted", R"({"metadata":{"labels":{"a":"b"}}})");
  ASSERT_FALSE(away);
  // The kept connection may have taken the request before it broke, a new one cannot.
  EXPECT_TRUE(away.error().code == Errc::uncertain || away.error().code == Errc::unavailable) << away.error().text();
  EXPECT_EQ(nodes.get("restarted").error().code, Errc::unavailable);
  cluster->start_api_server();
  EXPECT_TRUE(nodes.get("restarted"));
}

TEST_F(KubeClientTest, AFrozenEtcdIsATimeoutAndNothingElse) {
  cluster->create_node("frozen");
  Connection connection(cluster->endpoint_as("admin", {"system:masters"}));
  NodeClient nodes(connection.api);
  ASSERT_TRUE(nodes.get("frozen"));
  cluster->pause_etcd();
  const auto patched = nodes.patch("frozen", R"({"metadata":{"labels":{"a":"b"}}})");
  cluster->resume_etcd();
  ASSERT_FALSE(patched);
  EXPECT_EQ(patched.error().code, Errc::uncertain) << patched.error().text();
}

TEST_F(KubeClientTest, TheSchedulerFollowsOurLabels) {
  cluster->create_ready_node("with-gpu");
  cluster->create_ready_node("without-gpu");
  const auto labelled = NodeClient(cluster->admin())
                            .patch("with-gpu", R"({"metadata":{"labels":{"feature.node.kubernetes.io/gpu":"true"}}})");
  ASSERT_TRUE(labelled) << labelled.error().text();
  const std::string pods = collection_path(resources::kPods, "default");
  must(cluster->admin().create(
      pods, json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"wants-gpu"},"spec":{"containers":[{"name":"c",)"
                 R"("image":"none"}],"nodeSelector":{"feature.node.kubernetes.io/gpu":"true"}}})")));
  cluster->start_scheduler();
  std::string node;
  for (int tries = 0; tries < 300 && node.empty(); ++tries) {
    std::this_thread::sleep_for(100ms);
    const Value pod = must(cluster->admin().get(pods + "/wants-gpu"));
    if (const Value* name = pod.find("spec")->find("nodeName")) node = name->text;
  }
  EXPECT_EQ(node, "with-gpu");
}

// ---- other objects --------------------------------------------------------------------------------------------------

TEST_F(KubeClientTest, PostsEventsThatKubectlShows) {
  cluster->create_node("eventful");
  RealClock clock;
  const Status posted = post_event(
      cluster->admin(), {"eventful", true, "LabelRejected", "Labelling", "a b is not a label"}, "agent-x", clock);
  ASSERT_TRUE(posted) << posted.error().text();
  const std::string described = cluster->kubectl({"describe", "node", "eventful"});
  EXPECT_NE(described.find("LabelRejected"), std::string::npos) << described;
  EXPECT_NE(described.find("a b is not a label"), std::string::npos) << described;
}

TEST_F(KubeClientTest, TheKindsOfNfdTakeWhatNfdSends) {
  cluster->install_crds();
  cluster->create_namespace("nfd");
  // NFD's Go client sends null for what is unset.
  const auto feature = cluster->admin().create(
      collection_path(resources::kNodeFeatures, "nfd"),
      json(
          R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":"n"},"spec":{"labels":null,)"
          R"("features":{"flags":{"cpu.cpuid":{"elements":{"AVX":{}}}},"attributes":null,)"
          R"("instances":{"pci.device":{"elements":[{"attributes":{"class":"0302"}}]}}}}})"));
  ASSERT_TRUE(feature) << feature.error().text();
  EXPECT_EQ(to_json(*feature->find("spec")),
            R"({"features":{"flags":{"cpu.cpuid":{"elements":{"AVX":{}}}},)"
            R"("instances":{"pci.device":{"elements":[{"attributes":{"class":"0302"}}]}}}})");
  const auto create_rule = [&](const std::string& rule) {
    return cluster->admin().create(
        collection_path(resources::kNodeFeatureRules),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"generateName":"r-"},)"
             R"("spec":{"rules":[)" +
             rule + "]}}"));
  };
  EXPECT_TRUE(create_rule(R"({"name":"r","labels":{"a":"b"},"matchFeatures":[{"feature":"pci.device",)"
                          R"("matchExpressions":{"class":{"op":"In","value":["0302"]},"vendor":null}}]})"));
  for (const char* wrong :
       {R"({"labels":{"a":"b"}})", R"({"name":"r","labels":{"a":5}})",
        R"({"name":"r","matchFeatures":[{"feature":"x","matchExpressions":{"a":{"op":"Is"}}}]})",
        R"({"name":"r","matchFeatures":[{"feature":"x","matchExpressions":{"a":{"op":"In","value":"x"}}}]})",
        R"({"name":"r","taints":[{"key":"a"}]})", R"({"name":"r","matchAny":[{}]})"}) {
    const auto refused = create_rule(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, Errc::malformed) << refused.error().text();
  }
  EXPECT_EQ(trim(cluster->kubectl({"get", "nfr", "-o", "name"})).find("nodefeaturerule.nfd.k8s-sigs.io/r-"), 0u);
  EXPECT_EQ(cluster->kubectl({"get", "nfg", "--all-namespaces", "-o", "name"}), "");
}

}  // namespace
}  // namespace nodescout::test
