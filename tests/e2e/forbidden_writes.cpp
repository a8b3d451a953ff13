#include "e2e/forbidden_writes.h"

#include <stdexcept>

#include "e2e/connection.h"

namespace nodescout::test {
namespace {

constexpr const char* kOwnNodeOnly = "may not write node rights-b";
constexpr const char* kForeignTaint = R"({"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"})";
constexpr const char* kOwnTaint = R"({"key":"feature.node.kubernetes.io/own","value":"1","effect":"NoSchedule"})";
std::string taints(const std::string& list) { return R"({"spec":{"taints":)" + list + "}}"; }
/// The taints of node A, and one more.
std::string taints_and(const std::string& one) {
  return taints("[" + std::string(kForeignTaint) + "," + kOwnTaint + "," + one + "]");
}

}  // namespace

Result<Value> call(Api& api, const Call& call, bool dry_run) {
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
      {"remove what NFD left outside the list", "merge", kA, label("example.com/nfd", "null"), "example.com/nfd"},
      {"remove what NFD left in kubernetes.io", "merge", kA, label("vendor.kubernetes.io/nfd", "null"),
       "vendor.kubernetes.io/nfd"},
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

}  // namespace nodescout::test
