// What the shipped manifests allow an agent and what they deny it: the very files of deploy/kustomize/base, a real API
// server, and a token as a kubelet would hand it to the agent's Pod on node A.
//
// Every forbidden write is first made by the administrator, as a dry run that must succeed: so it is a write that the
// server would do, and what denies it to the agent is its rights and nothing else.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>
#include <utility>

#include "agent/node_publisher.h"
#include "base/json.h"
#include "base/text.h"
#include "e2e/control_plane.h"
#include "plan/node_state.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kA = "/api/v1/nodes/rights-a";
constexpr const char* kB = "/api/v1/nodes/rights-b";

/// A request in the words of the API. `method` is PUT, POST, DELETE, GET, or the kind of a PATCH.
struct Call {
  const char* name;
  std::string method, path, body;
  const char* says;  // stands in the refusal
};

constexpr const char* kRbac = "cannot ";  // "User ... cannot patch resource ..."
constexpr const char* kOwnNodeOnly = "may not write node rights-b";

Result<Value> call(Api& api, const Call& call, bool dry_run = false) {
  std::string path = call.path;
  if (dry_run) path += std::string(path.find('?') == std::string::npos ? "?" : "&") + "dryRun=All";
  const Value body = call.body.empty() ? Value::map() : json(call.body);
  if (call.method == "GET") return api.get(path);
  if (call.method == "POST") return api.create(path, body);
  if (call.method == "PUT") return api.update(path, body);
  if (call.method == "merge") return api.patch(path, PatchKind::merge, body);
  if (call.method == "json") return api.patch(path, PatchKind::json, body);
  if (call.method == "strategic") return api.patch(path, PatchKind::strategic, body);
  if (call.method == "apply") return api.patch(path, PatchKind::apply, body);
  if (call.method != "DELETE") throw std::runtime_error("no such method: " + call.method);
  // Of a DELETE with a body the server reads the options there only.
  const Status removed = api.remove(call.path, dry_run ? json(R"({"dryRun":["All"]})") : Value::map());
  if (!removed) return removed.error();
  return Value::map();
}

std::string label(const std::string& key, const std::string& value) {
  return R"({"metadata":{"labels":{")" + key + "\":" + value + "}}}";
}
std::string annotation(const std::string& key, const std::string& value) {
  return R"({"metadata":{"annotations":{")" + key + "\":" + value + "}}}";
}
std::string capacity(const std::string& key, const std::string& value) {
  return R"({"status":{"capacity":{")" + key + "\":" + value + "}}}";
}
/// The taints of node A, and one more.
std::string taints(const std::string& list) { return R"({"spec":{"taints":)" + list + "}}"; }
constexpr const char* kForeignTaint = R"({"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"})";
constexpr const char* kOwnTaint = R"({"key":"feature.node.kubernetes.io/own","value":"1","effect":"NoSchedule"})";
std::string taints_and(const std::string& one) {
  return taints("[" + std::string(kForeignTaint) + "," + kOwnTaint + "," + one + "]");
}

std::vector<Call> forbidden_on_node_b() {
  const std::string a_label = "feature.node.kubernetes.io/x";
  return {
      {"add a label to B", "merge", kB, label(a_label, R"("1")"), kOwnNodeOnly},
      {"change a label of B", "merge", kB, label("feature.node.kubernetes.io/own", R"("2")"), kOwnNodeOnly},
      {"remove a label of B", "merge", kB, label("feature.node.kubernetes.io/own", "null"), kOwnNodeOnly},
      {"label B by a strategic merge patch", "strategic", kB, label(a_label, R"("1")"), kOwnNodeOnly},
      {"label B by a JSON patch", "json", kB,
       R"([{"op":"add","path":"/metadata/labels/feature.node.kubernetes.io~1x","value":"1"}])", kOwnNodeOnly},
      {"label B by server-side apply", "apply", std::string(kB) + "?fieldManager=x",
       R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-b","labels":{"feature.node.kubernetes.io/x":"1"}}})",
       kOwnNodeOnly},
      {"label B through its status", "merge", std::string(kB) + "/status", label(a_label, R"("1")"), kOwnNodeOnly},
      {"annotate B", "merge", kB, annotation(a_label, R"("1")"), kOwnNodeOnly},
      {"rewrite the books of B", "merge", kB, annotation("nfd.node.kubernetes.io/feature-labels", R"("x")"),
       kOwnNodeOnly},
      {"taint B", "merge", kB, taints_and(R"({"key":"feature.node.kubernetes.io/x","value":"1","effect":"NoExecute"})"),
       kOwnNodeOnly},
      {"untaint B", "merge", kB, taints("[" + std::string(kForeignTaint) + "]"), kOwnNodeOnly},
      {"cordon B", "merge", kB, R"({"spec":{"unschedulable":true}})", kOwnNodeOnly},
      {"add a resource to B", "merge", std::string(kB) + "/status", capacity("feature.node.kubernetes.io/r", R"("1")"),
       kOwnNodeOnly},
      {"remove a resource of B", "merge", std::string(kB) + "/status",
       capacity("feature.node.kubernetes.io/own", "null"), kOwnNodeOnly},
      {"say that B is not ready", "merge", std::string(kB) + "/status",
       R"({"status":{"conditions":[{"type":"Ready","status":"False"}]}})", kOwnNodeOnly},
      {"replace B", "PUT", kB, R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-b"}})", kRbac},
      {"delete B", "DELETE", kB, "", kRbac},
  };
}

std::vector<Call> forbidden_keys_on_node_a() {
  const std::string status = std::string(kA) + "/status";
  return {
      // Kubernetes' own keys, and those by which roles and rights are given.
      {"change the host name", "merge", kA, label("kubernetes.io/hostname", R"("x")"), "kubernetes.io/hostname"},
      {"remove the architecture", "merge", kA, label("kubernetes.io/arch", "null"), "kubernetes.io/arch"},
      {"become a control plane", "merge", kA, label("node-role.kubernetes.io/control-plane", R"("")"),
       "node-role.kubernetes.io/control-plane"},
      {"lose a role", "merge", kA, label("node-role.kubernetes.io/worker", "null"), "node-role.kubernetes.io/worker"},
      {"become a restricted node", "merge", kA, label("node-restriction.kubernetes.io/team", R"("x")"),
       "node-restriction.kubernetes.io/team"},
      {"move to another zone", "merge", kA, label("topology.kubernetes.io/zone", R"("x")"),
       "topology.kubernetes.io/zone"},
      {"become another instance type", "merge", kA, label("node.kubernetes.io/instance-type", R"("x")"),
       "node.kubernetes.io/instance-type"},
      {"a label in k8s.io", "merge", kA, label("gpu.k8s.io/x", R"("x")"), "gpu.k8s.io/x"},
      {"a label in the namespace of the books", "merge", kA, label("nfd.node.kubernetes.io/x", R"("x")"),
       "nfd.node.kubernetes.io/x"},
      {"a role through the status", "merge", status, label("node-role.kubernetes.io/control-plane", R"("")"),
       "node-role.kubernetes.io/control-plane"},
      {"a role beside a good label", "merge", kA,
       R"({"metadata":{"labels":{"feature.node.kubernetes.io/x":"1","node-role.kubernetes.io/control-plane":""}}})",
       "node-role.kubernetes.io/control-plane"},
      {"an annotation of Kubernetes", "merge", kA,
       annotation("cluster-autoscaler.kubernetes.io/scale-down-disabled", R"("true")"), "scale-down-disabled"},
      {"remove an annotation of Kubernetes", "merge", kA, annotation("node.alpha.kubernetes.io/ttl", "null"),
       "node.alpha.kubernetes.io/ttl"},
      {"a taint of Kubernetes", "merge", kA,
       taints_and(R"({"key":"node.kubernetes.io/unreachable","effect":"NoExecute"})"),
       "node.kubernetes.io/unreachable"},
      // Users' keys, and namespaces that are not on the list.
      {"a label without a namespace", "merge", kA, label("team", R"("x")"), ": team"},
      {"a label of nobody on the list", "merge", kA, label("example.com/x", R"("x")"), "example.com/x"},
      {"a namespace that ends like one on the list", "merge", kA, label("notnvidia.com/x", R"("x")"),
       "notnvidia.com/x"},
      {"a namespace that begins like one on the list", "merge", kA, label("nvidia.com.example.org/x", R"("x")"),
       "nvidia.com.example.org/x"},
      {"an annotation of nobody on the list", "merge", kA, annotation("example.com/x", R"("x")"), "example.com/x"},
      {"a taint of nobody on the list", "merge", kA, taints_and(R"({"key":"example.com/x","effect":"NoSchedule"})"),
       "example.com/x"},
      {"a resource of nobody on the list", "merge", status, capacity("example.com/x", R"("1")"), "example.com/x"},
      // Keys that others wrote, in namespaces that are on the list.
      {"change a label of another owner", "merge", kA, label("nvidia.com/gpu.deploy.driver", R"("false")"),
       "written by somebody else: nvidia.com/gpu.deploy.driver"},
      {"remove a label of another owner", "merge", kA, label("nvidia.com/gpu.deploy.driver", "null"),
       "written by somebody else: nvidia.com/gpu.deploy.driver"},
      {"remove all labels", "merge", kA, R"({"metadata":{"labels":null}})", "kubernetes.io/hostname"},
      {"claim a label of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/feature-labels", R"("own,nvidia.com/gpu.deploy.driver")"),
       "not to be claimed: nvidia.com/gpu.deploy.driver"},
      {"claim a label as another instance", "merge", kA,
       annotation("x.nfd.node.kubernetes.io/feature-labels", R"("nvidia.com/gpu.deploy.driver")"),
       "not to be claimed: nvidia.com/gpu.deploy.driver"},
      {"change an annotation of another owner", "merge", kA, annotation("nvidia.com/note", R"("x")"),
       "written by somebody else: nvidia.com/note"},
      {"claim an annotation of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/feature-annotations", R"("own,nvidia.com/note")"),
       "not to be claimed: nvidia.com/note"},
      {"remove a taint of another owner", "merge", kA, taints("[" + std::string(kOwnTaint) + "]"),
       "written by somebody else: nvidia.com/gpu:NoSchedule"},
      {"change a taint of another owner", "merge", kA,
       taints(R"([{"key":"nvidia.com/gpu","value":"absent","effect":"NoSchedule"},)" + std::string(kOwnTaint) + "]"),
       "written by somebody else: nvidia.com/gpu:NoSchedule"},
      {"claim a taint of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/taints",
                  R"("feature.node.kubernetes.io/own=1:NoSchedule,nvidia.com/gpu=present:NoSchedule")"),
       "not to be claimed: nvidia.com/gpu:NoSchedule"},
      {"change a resource of a device plugin", "merge", status, capacity("nvidia.com/gpu", R"("8")"),
       "written by somebody else: nvidia.com/gpu"},
      {"remove a resource of a device plugin", "merge", status, capacity("nvidia.com/gpu", "null"),
       "written by somebody else: nvidia.com/gpu"},
      {"claim a resource of a device plugin", "merge", kA,
       annotation("nfd.node.kubernetes.io/extended-resources", R"("own,nvidia.com/gpu")"),
       "not to be claimed: nvidia.com/gpu"},
  };
}

std::vector<Call> forbidden_fields_of_node_a() {
  const std::string status = std::string(kA) + "/status";
  return {
      {"cordon", "merge", kA, R"({"spec":{"unschedulable":true}})", "spec.unschedulable"},
      {"another provider id", "merge", kA, R"({"spec":{"providerID":"x://y"}})", "spec.providerID"},
      {"a range of Pod addresses", "merge", kA, R"({"spec":{"podCIDR":"10.1.0.0/24","podCIDRs":["10.1.0.0/24"]}})",
       "spec.podCIDR"},
      {"a finalizer", "merge", kA, R"({"metadata":{"finalizers":["example.com/x"]}})", "metadata.finalizers"},
      {"an owner", "merge", kA,
       R"({"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}]}})",
       "metadata.ownerReferences"},
      {"not ready", "merge", status, R"({"status":{"conditions":[{"type":"Ready","status":"False"}]}})",
       "status.conditions"},
      {"another address", "merge", status, R"({"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.9"}]}})",
       "status.addresses"},
      {"images that are not there", "merge", status, R"({"status":{"images":[{"names":["x"],"sizeBytes":1}]}})",
       "status.images"},
      {"another kubelet", "merge", status, R"({"status":{"nodeInfo":{"kubeletVersion":"v9"}}})", "status.nodeInfo"},
      {"another port of the kubelet", "merge", status,
       R"({"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":1}}}})", "status.daemonEndpoints"},
      {"attached volumes", "merge", status, R"({"status":{"volumesAttached":[{"name":"x","devicePath":"y"}]}})",
       "status.volumesAttached"},
      {"more CPUs", "merge", status, capacity("cpu", R"("64")"), ": cpu"},
      {"fewer Pods", "merge", status, capacity("pods", R"("1")"), ": pods"},
      {"huge pages", "merge", status, capacity("hugepages-2Mi", R"("4Mi")"), ": hugepages-2Mi"},
      {"less memory for Pods", "merge", status, R"({"status":{"allocatable":{"memory":"1Mi"}}})", ": memory"},
      {"replace A", "PUT", kA, R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-a"}})", kRbac},
      {"replace the status of A", "PUT", status, R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-a"}})",
       kRbac},
      {"delete A", "DELETE", kA, "", kRbac},
      {"delete all Nodes", "DELETE", "/api/v1/nodes?labelSelector=nobody=here", "", kRbac},
      {"create a Node", "POST", "/api/v1/nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-c"}})",
       kRbac},
  };
}

std::string rule_object(const std::string& name) {
  return R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":")" + name +
         R"("},"spec":{"rules":[{"name":"x","labels":{"x":"1"}}]}})";
}
std::string feature_object(const std::string& name, const std::string& node) {
  return R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + name +
         R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + node + R"("}},"spec":{"labels":{"x":"1"}}})";
}
std::string event(const std::string& kind, const std::string& name, const std::string& controller) {
  return R"({"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"generateName":"x-"},"action":"X",)"
         R"("eventTime":"2026-01-02T03:04:05.000000Z","note":"x","reason":"X","regarding":{"apiVersion":"v1","kind":")" +
         kind + R"(","name":")" + name + R"("},"reportingController":")" + controller +
         R"(","reportingInstance":"x","type":"Normal"})";
}

constexpr const char* kFeatures = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/nodescout/nodefeatures";

std::vector<Call> forbidden_objects() {
  const std::string rules = "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeaturerules";
  const std::string admission = "/apis/admissionregistration.k8s.io/v1/";
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  const std::string ours = "/api/v1/namespaces/nodescout/";
  const std::string events = "/apis/events.k8s.io/v1/namespaces/default/events";
  const char* own_events = "only create events of their own";
  const std::string pod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"nodeName":"rights-b",)"
                          R"("serviceAccountName":"nodescout","containers":[{"name":"x","image":"x"}]}})";
  return {
      {"the NodeFeature of B", "POST", kFeatures, feature_object("rights-b", "rights-b"), kRbac},
      {"the NodeFeature of A", "POST", kFeatures, feature_object("rights-a", "rights-a"), kRbac},
      {"change a NodeFeature", "merge", std::string(kFeatures) + "/of-b", R"({"spec":{"labels":{"y":"1"}}})", kRbac},
      {"delete a NodeFeature", "DELETE", std::string(kFeatures) + "/of-b", "", kRbac},
      {"create a rule", "POST", rules, rule_object("rights-new"), kRbac},
      {"change a rule", "merge", rules + "/rights", R"({"spec":{"rules":[]}})", kRbac},
      {"delete a rule", "DELETE", rules + "/rights", "", kRbac},
      {"an event about B", "POST", events, event("Node", "rights-b", "nodescout.dev/agent"), own_events},
      {"an event about a Pod", "POST", events, event("Pod", "rights-a", "nodescout.dev/agent"), own_events},
      {"an event in another's name", "POST", events, event("Node", "rights-a", "kubelet"), own_events},
      {"an event elsewhere", "POST", "/apis/events.k8s.io/v1/namespaces/kube-system/events",
       event("Node", "rights-a", "nodescout.dev/agent"), kRbac},
      {"an event of the old kind", "POST", "/api/v1/namespaces/default/events",
       R"({"apiVersion":"v1","kind":"Event","metadata":{"generateName":"x-"},"involvedObject":{"kind":"Node","name":"rights-a"}})",
       kRbac},
      {"wider prefixes", "merge", ours + "configmaps/nodescout-policy", R"({"data":{"writePrefixes":"example.com"}})",
       kRbac},
      {"no prefixes", "DELETE", ours + "configmaps/nodescout-policy", "", kRbac},
      {"another configuration", "merge", ours + "configmaps/nodescout-config", R"({"data":{"nodescout.conf":""}})",
       kRbac},
      {"no policy", "DELETE", admission + "validatingadmissionpolicies/nodescout-node", "", kRbac},
      {"no binding", "DELETE", admission + "validatingadmissionpolicybindings/nodescout-node", "", kRbac},
      {"more rights", "merge", rbac + "clusterroles/nodescout",
       R"({"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]})", kRbac},
      {"an administrator's rights", "POST", rbac + "clusterrolebindings",
       R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"x"},"roleRef":)"
       R"({"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":)"
       R"([{"kind":"ServiceAccount","name":"nodescout","namespace":"nodescout"}]})",
       kRbac},
      {"a token for node B", "POST", ours + "serviceaccounts/nodescout/token",
       R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}})", kRbac},
      {"a Pod on node B", "POST", ours + "pods", pod, kRbac},
      {"delete an agent", "DELETE", ours + "pods/nodescout-on-rights-b", "", kRbac},
      {"another image", "merge", "/apis/apps/v1/namespaces/nodescout/daemonsets/nodescout",
       R"({"spec":{"template":{"spec":{"hostNetwork":true}}}})", kRbac},
      {"delete the agents", "DELETE", "/apis/apps/v1/namespaces/nodescout/daemonsets/nodescout", "", kRbac},
      {"the heartbeat of a node", "POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases",
       R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"rights-a"},"spec":{"holderIdentity":"x"}})",
       kRbac},
      {"a secret", "POST", ours + "secrets", R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}})", kRbac},
  };
}

std::vector<Call> forbidden_reads() {
  return {
      {"list Nodes", "GET", "/api/v1/nodes", "", kRbac},
      {"watch its own Node", "GET", "/api/v1/nodes?watch=true&fieldSelector=metadata.name%3Drights-a", "", kRbac},
      {"list secrets", "GET", "/api/v1/namespaces/nodescout/secrets", "", kRbac},
      {"read a ConfigMap", "GET", "/api/v1/namespaces/nodescout/configmaps/nodescout-policy", "", kRbac},
      {"list Pods", "GET", "/api/v1/pods", "", kRbac},
      {"list Nodes by proxy", "GET", "/api/v1/nodes/rights-a/proxy/pods", "", kRbac},
  };
}

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
          "feature.node.kubernetes.io/own":"1","nvidia.com/gpu.deploy.driver":"true","team":"y","example.com/team":"y"},
        "annotations":{"node.alpha.kubernetes.io/ttl":"0","feature.node.kubernetes.io/own":"1","nvidia.com/note":"y",
          "nfd.node.kubernetes.io/feature-labels":"own","nfd.node.kubernetes.io/feature-annotations":"own",
          "nfd.node.kubernetes.io/extended-resources":"own",
          "nfd.node.kubernetes.io/taints":"feature.node.kubernetes.io/own=1:NoSchedule"}},
        "spec":{"taints":[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"},
          {"key":"feature.node.kubernetes.io/own","value":"1","effect":"NoSchedule"}]}})")));
      must(cluster.admin().patch(path + "/status", PatchKind::merge, json(R"({"status":{
        "capacity":{"nvidia.com/gpu":"4","feature.node.kubernetes.io/own":"2"},
        "allocatable":{"nvidia.com/gpu":"4","feature.node.kubernetes.io/own":"2"}}})")));
    }
    must(cluster.admin().create(kFeatures, json(feature_object("of-b", "rights-b"))));
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
       {forbidden_on_node_b(), forbidden_keys_on_node_a(), forbidden_fields_of_node_a(), forbidden_objects()})
    for (const Call& attempt : group) {
      const auto possible = call(cluster->admin(), attempt, true);
      EXPECT_TRUE(possible) << attempt.name << ": not even the administrator can: " << possible.error().text();
      expect_denied(agent->api, attempt);
      ++writes;
    }
  EXPECT_GE(writes, 90u);
  EXPECT_TRUE(same_content(node("rights-a"), a)) << to_json(node("rights-a"));
  EXPECT_TRUE(same_content(node("rights-b"), b)) << to_json(node("rights-b"));
  std::cout << writes << " forbidden writes, all denied\n";
}

TEST_F(RightsTest, WhatTheAgentDoesNotNeedItCannotRead) {
  for (const Call& attempt : forbidden_reads()) expect_denied(agent->api, attempt);
}

TEST_F(RightsTest, ATokenThatNamesNoNodeWritesNothing) {
  const Value answer = must(
      cluster->admin().create(object_path(resources::kServiceAccounts, "nodescout", "nodescout", "token"),
                              json(R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}})")));
  Connection unbound(cluster->endpoint(), answer.find("status")->find("token")->text);
  const char* says = "the token names no node";
  expect_denied(unbound.api, {"label", "merge", kA, label("feature.node.kubernetes.io/x", R"("1")"), says});
  expect_denied(unbound.api, {"resource", "merge", std::string(kA) + "/status",
                              capacity("feature.node.kubernetes.io/x", R"("1")"), says});
  expect_denied(unbound.api, {"event", "POST", "/apis/events.k8s.io/v1/namespaces/default/events",
                              event("Node", "rights-a", "nodescout.dev/agent"), says});
}

TEST_F(RightsTest, WhatTheAgentNeedsIsAllowed) {
  const std::string nfd = "/apis/nfd.k8s-sigs.io/v1alpha1/";
  const std::string own_features = nfd + "nodefeatures?labelSelector=nfd.node.kubernetes.io%2Fnode-name%3Drights-a";
  for (const Call& needed : std::vector<Call>{
           {"read its Node", "GET", kA, "", ""},
           {"list rules", "GET", nfd + "nodefeaturerules", "", ""},
           {"list features", "GET", own_features, "", ""},
           {"post an event", "POST", "/apis/events.k8s.io/v1/namespaces/default/events",
            event("Node", "rights-a", "nodescout.dev/agent"), ""},
           {"the books of a second instance", "merge", kA,
            annotation("x.nfd.node.kubernetes.io/feature-labels", R"("new")"), ""},
       })
    expect_allowed(agent->api, needed);
  for (const std::string& collection : {nfd + "nodefeaturerules?", own_features + "&"}) {
    const auto watched =
        agent->api.stream(collection + "watch=true&timeoutSeconds=1", 30s, [](std::string_view) { return false; }, {});
    ASSERT_TRUE(watched) << watched.error().text();
    EXPECT_EQ(watched->status, 200) << collection;
  }
  const Status posted = post_event(agent->api, {"rights-a", true, "X", "Y", "z"}, "rights-a", agent->clock);
  EXPECT_TRUE(posted) << posted.error().text();
}

/// What the agent does with its Node, by the code that does it.
class PublishingTest : public RightsTest {
 protected:
  void prepare(const std::string& node_name) {
    name = node_name;
    cluster->create_ready_node(name);
    agent = std::make_unique<Connection>(cluster->endpoint(), cluster->token("nodescout", "nodescout", name));
    client = std::make_unique<NodeClient>(agent->api);
    publisher = std::make_unique<NodePublisher>(*client, name, PlanOptions{});
  }
  Published publish(const Desired& desired) {
    return must(publisher->publish({{}, desired, [](const Change&) { return true; }}, {}));
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
  Published done = publish(desired);
  EXPECT_EQ(texts(done.problems), "");
  EXPECT_EQ(done.changes.size(), 10u);
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
      "foreign-label: label \"feature.node.kubernetes.io/by-hand\" belongs to somebody else, as \"1\" where \"2\" "
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

TEST_F(PublishingTest, AKeyThatThePolicyRefusesCostsItself) {
  prepare("rights-singly");
  Desired desired;
  desired.labels = {{"example.com/x", "1"},
                    {"feature.node.kubernetes.io/x", "1"},
                    {"feature.node.kubernetes.io/y", "1"},
                    {"node-role.kubernetes.io/control-plane", ""}};
  desired.extended_resources = {{"example.com/r", "1"}, {"nvidia.com/r", "1"}};
  const Published done = publish(desired);
  ASSERT_EQ(done.problems.size(), 3u) << texts(done.problems);
  for (const Problem& problem : done.problems) EXPECT_NE(problem.what.find("denied request"), std::string::npos);
  const NodeState now = state();
  EXPECT_TRUE(now.labels.contains("feature.node.kubernetes.io/x"));
  EXPECT_TRUE(now.labels.contains("feature.node.kubernetes.io/y"));
  EXPECT_FALSE(now.labels.contains("example.com/x"));
  EXPECT_TRUE(now.capacity.contains("nvidia.com/r"));
  EXPECT_FALSE(now.capacity.contains("example.com/r"));
}

TEST_F(PublishingTest, AsMuchAsFitsOnANodeFitsTheBudgetOfThePolicy) {
  prepare("rights-many");
  Desired desired;
  for (int i = 0; i < 500; ++i) desired.labels["feature.node.kubernetes.io/label-" + std::to_string(i)] = "1";
  EXPECT_EQ(texts(publish(desired).problems), "");
  for (auto& [key, value] : desired.labels) value = "2";
  EXPECT_EQ(texts(publish(desired).problems), "");
  EXPECT_EQ(state().labels.at("feature.node.kubernetes.io/label-499"), "2");
  EXPECT_EQ(texts(publish({}).problems), "");
}

TEST_F(PublishingTest, OverwritingIsAllowedWhereTheConfigMapSaysSo) {
  prepare("rights-overwrite");
  must(cluster->admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge,
                              json(label("feature.node.kubernetes.io/by-hand", R"("1")"))));
  const std::string parameters = object_path(resources::kConfigMaps, "nodescout", "nodescout-policy");
  must(cluster->admin().patch(parameters, PatchKind::merge, json(R"({"data":{"allowOverwrite":"true"}})")));
  PlanOptions options;
  options.allow_overwrite = true;
  publisher->set_options(options);
  Desired desired;
  desired.labels = {{"feature.node.kubernetes.io/by-hand", "2"}};
  std::string problems = "untried";
  for (int tries = 0; tries < 100 && !problems.empty(); ++tries) {  // until the server has seen the change
    publisher->forget_refusals();
    problems = texts(publish(desired).problems);
    if (!problems.empty()) std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(problems, "");
  EXPECT_EQ(state().labels.at("feature.node.kubernetes.io/by-hand"), "2");
  must(cluster->admin().patch(parameters, PatchKind::merge, json(R"({"data":{"allowOverwrite":"false"}})")));
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
