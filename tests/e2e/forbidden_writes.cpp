#include "e2e/forbidden_writes.h"

#include <stdexcept>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/connection.h"

namespace nodescout::test {
namespace {

constexpr const char* kOwnNodeOnly = "may not write node rights-b";
constexpr const char* kForeignTaint = R"({"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"})";
constexpr const char* kOwnTaint = R"({"key":"feature.node.kubernetes.io/own","value":"1","effect":"NoSchedule"})";
constexpr const char* kLabels = "nfd.node.kubernetes.io/feature-labels";
constexpr const char* kAnnotations = "nfd.node.kubernetes.io/feature-annotations";
constexpr const char* kResources = "nfd.node.kubernetes.io/extended-resources";
constexpr const char* kTaints = "nfd.node.kubernetes.io/taints";
/// What node A has in these annotations.
constexpr const char* kListed = "example.com/nfd,own,vendor.kubernetes.io/nfd";
constexpr const char* kListedTaint = "feature.node.kubernetes.io/own=1:NoSchedule";
/// Nearly 1 MB.
std::string many_fields() {
  std::vector<std::string> names;
  for (int i = 0; i < 9000; ++i) names.push_back("\"f:" + std::to_string(i) + std::string(100, 'x') + "\":{}");
  return join(names, ",");
}
std::string many_owners(const std::string& version, const std::string& manager) {
  return R"("managedFields":[{"manager":")" + manager + R"(","operation":"Update","apiVersion":")" + version +
         R"(","time":"2026-01-02T03:04:05Z","fieldsType":"FieldsV1","fieldsV1":{)" + many_fields() + "}}]";
}
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

/// A label and its entry in the ownership annotation, as an agent writes them.
std::string listed_label(const std::string& key, const std::string& value) {
  return R"({"metadata":{"labels":{")" + key + "\":" + value + R"(},"annotations":{")" + kLabels + "\":\"" + kListed +
         "," + key + "\"}}}";
}
std::string listed_annotation(const std::string& key, const std::string& value) {
  return R"({"metadata":{"annotations":{")" + key + "\":" + value + ",\"" + kAnnotations + R"(":"own,)" + key + "\"}}}";
}
std::string listed_resource(const std::string& key, const std::string& value) {
  return R"({"metadata":{"annotations":{")" + std::string(kResources) + R"(":"own,)" + key +
         R"("}},"status":{"capacity":{")" + key + "\":" + value + "}}}";
}
std::string listed_taint(const std::string& key, const std::string& effect) {
  return R"({"metadata":{"annotations":{")" + std::string(kTaints) + "\":\"" + kListedTaint + "," + key +
         "=1:" + effect + R"("}},"spec":{"taints":[)" + kForeignTaint + "," + kOwnTaint + R"(,{"key":")" + key +
         R"(","value":"1","effect":")" + effect + "\"}]}}";
}

std::vector<Call> forbidden_on_node_b() {
  const std::string a_label = "feature.node.kubernetes.io/x";
  return {
      {"add a label to B", "merge", kB, listed_label(a_label, R"("1")"), kOwnNodeOnly},
      {"change a label of B", "merge", kB, label("feature.node.kubernetes.io/own", R"("2")"), kOwnNodeOnly},
      {"remove a label of B", "merge", kB,
       R"({"metadata":{"labels":{"feature.node.kubernetes.io/own":null},"annotations":{)"
       R"("nfd.node.kubernetes.io/feature-labels":"example.com/nfd,vendor.kubernetes.io/nfd"}}})",
       kOwnNodeOnly},
      {"label B by a strategic merge patch", "strategic", kB, listed_label(a_label, R"("1")"), kOwnNodeOnly},
      {"label B by a JSON patch", "json", kB,
       R"([{"op":"replace","path":"/metadata/labels/feature.node.kubernetes.io~1own","value":"2"}])", kOwnNodeOnly},
      {"label B by server-side apply", "apply", std::string(kB) + "?fieldManager=x",
       R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-b","labels":{"feature.node.kubernetes.io/own":"1"}}})",
       kOwnNodeOnly},
      {"label B through its status", "merge", std::string(kB) + "/status", listed_label(a_label, R"("1")"),
       kOwnNodeOnly},
      {"annotate B", "merge", kB, listed_annotation(a_label, R"("1")"), kOwnNodeOnly},
      {"rewrite the ownership annotation of B", "merge", kB, annotation(kLabels, R"("own")"), kOwnNodeOnly},
      {"taint B", "merge", kB, listed_taint("feature.node.kubernetes.io/x", "NoExecute"), ""},  // denied twice
      {"untaint B", "merge", kB,
       R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/taints":null}},"spec":{"taints":[)" +
           std::string(kForeignTaint) + "]}}",
       kOwnNodeOnly},
      {"cordon B", "merge", kB, R"({"spec":{"unschedulable":true}})", kOwnNodeOnly},
      {"add a resource to B", "merge", std::string(kB) + "/status",
       listed_resource("feature.node.kubernetes.io/r", R"("1")"), kOwnNodeOnly},
      {"change a resource of B", "merge", std::string(kB) + "/status",
       capacity("feature.node.kubernetes.io/own", R"("3")"), kOwnNodeOnly},
      {"remove a resource of B", "merge", std::string(kB) + "/status",
       R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/extended-resources":null}},"status":{"capacity":{)"
       R"("feature.node.kubernetes.io/own":null},"allocatable":{"feature.node.kubernetes.io/own":null}}})",
       kOwnNodeOnly},
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
      {"a label in the namespace of the ownership annotations", "merge", kA,
       label("nfd.node.kubernetes.io/x", R"("x")"), "nfd.node.kubernetes.io/x"},
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
      {"an agent's own annotation with more than a version", "merge", kA,
       listed_annotation("nfd.node.kubernetes.io/nodescout-agent", '"' + std::string(65, 'x') + '"'),
       "reserved for Kubernetes and its users: nfd.node.kubernetes.io/nodescout-agent"},
      {"change an annotation of NFD's", "merge", kA, annotation("nfd.node.kubernetes.io/master.version", R"("x")"),
       "reserved for Kubernetes and its users: nfd.node.kubernetes.io/master.version"},
      {"remove an annotation of NFD's", "merge", kA, annotation("nfd.node.kubernetes.io/master.version", "null"),
       "nfd.node.kubernetes.io/master.version"},
      {"a new annotation of NFD's", "merge", kA, annotation("nfd.node.kubernetes.io/x", R"("x")"),
       "nfd.node.kubernetes.io/x"},
      {"a huge annotation of NFD's", "merge", kA,
       annotation("nfd.node.kubernetes.io/x", '"' + std::string(200'000, 'x') + '"'), "nfd.node.kubernetes.io/x"},
      {"an annotation of an instance that is not a list", "merge", kA,
       annotation("evil.nfd.node.kubernetes.io/x", R"("x")"), "evil.nfd.node.kubernetes.io/x"},
      {"a list of taints of an instance", "merge", kA, annotation("evil.nfd.node.kubernetes.io/taints", R"("")"),
       "evil.nfd.node.kubernetes.io/taints"},
      {"a list whose name is longer", "merge", kA, annotation("nfd.node.kubernetes.io/feature-labels2", R"("own")"),
       "nfd.node.kubernetes.io/feature-labels2"},
      // Users' keys, and namespaces that are not on the list.
      {"a label without a namespace", "merge", kA, label("team", R"("x")"), ": team"},
      {"a label of a domain that is not on the list", "merge", kA, label("example.com/x", R"("x")"), "example.com/x"},
      {"a namespace that ends like one on the list", "merge", kA, label("notnvidia.com/x", R"("x")"),
       "notnvidia.com/x"},
      {"a namespace that begins like one on the list", "merge", kA, label("nvidia.com.example.org/x", R"("x")"),
       "nvidia.com.example.org/x"},
      {"an annotation of a domain that is not on the list", "merge", kA, annotation("example.com/x", R"("x")"),
       "example.com/x"},
      {"a taint of a domain that is not on the list", "merge", kA,
       taints_and(R"({"key":"example.com/x","effect":"NoSchedule"})"), "example.com/x"},
      {"a resource of a domain that is not on the list", "merge", status, capacity("example.com/x", R"("1")"),
       "example.com/x"},
      {"remove what NFD left outside the list", "merge", kA, label("example.com/nfd", "null"), "example.com/nfd"},
      {"remove what NFD left in kubernetes.io", "merge", kA, label("vendor.kubernetes.io/nfd", "null"),
       "vendor.kubernetes.io/nfd"},
      // Keys that others wrote, in namespaces that are on the list.
      {"change a label of another owner", "merge", kA, label("nvidia.com/gpu.deploy.driver", R"("false")"),
       "another owner wrote: nvidia.com/gpu.deploy.driver"},
      {"remove a label of another owner", "merge", kA, label("nvidia.com/gpu.deploy.driver", "null"),
       "another owner wrote: nvidia.com/gpu.deploy.driver"},
      {"remove all labels", "merge", kA, R"({"metadata":{"labels":null}})", "kubernetes.io/hostname"},
      {"claim a label of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/feature-labels", R"("own,nvidia.com/gpu.deploy.driver")"),
       "not to be claimed: nvidia.com/gpu.deploy.driver"},
      {"claim a label as another instance", "merge", kA,
       annotation("x.nfd.node.kubernetes.io/feature-labels", R"("nvidia.com/gpu.deploy.driver")"),
       "not to be claimed: nvidia.com/gpu.deploy.driver"},
      {"change an annotation of another owner", "merge", kA, annotation("nvidia.com/note", R"("x")"),
       "another owner wrote: nvidia.com/note"},
      {"claim an annotation of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/feature-annotations", R"("own,nvidia.com/note")"),
       "not to be claimed: nvidia.com/note"},
      {"remove a taint of another owner", "merge", kA, taints("[" + std::string(kOwnTaint) + "]"),
       "another owner wrote: nvidia.com/gpu:NoSchedule"},
      {"change a taint of another owner", "merge", kA,
       taints(R"([{"key":"nvidia.com/gpu","value":"absent","effect":"NoSchedule"},)" + std::string(kOwnTaint) + "]"),
       "another owner wrote: nvidia.com/gpu:NoSchedule"},
      {"claim a taint of another owner", "merge", kA,
       annotation("nfd.node.kubernetes.io/taints",
                  R"("feature.node.kubernetes.io/own=1:NoSchedule,nvidia.com/gpu=present:NoSchedule")"),
       "not to be claimed: nvidia.com/gpu:NoSchedule"},
      {"change a resource of a device plugin", "merge", status, capacity("nvidia.com/gpu", R"("8")"),
       "another owner wrote: nvidia.com/gpu"},
      {"remove a resource of a device plugin", "merge", status, capacity("nvidia.com/gpu", "null"),
       "another owner wrote: nvidia.com/gpu"},
      {"claim a resource of a device plugin", "merge", kA,
       annotation("nfd.node.kubernetes.io/extended-resources", R"("own,nvidia.com/gpu")"),
       "not to be claimed: nvidia.com/gpu"},
  };
}

std::vector<Call> forbidden_claims_on_node_a() {
  const std::string status = std::string(kA) + "/status";
  const std::string listed = std::string("\"") + kListed;
  const char* empty = "not on the Node: ";
  const char* unlisted = "not listed in an ownership annotation: ";
  std::vector<Call> calls;
  // Entries for keys that are not there: once their owner wrote them, they would be the agent's.
  for (const char* key : {"nvidia.com/mig.config", "nvidia.com/gpu.deploy.operands", "nvidia.com/gpu.workload.config",
                          "amd.com/gpu.driver", "feature.node.kubernetes.io/later", "later"}) {
    const std::string name = key;
    calls.push_back(
        {"claim label " + name + " in advance", "merge", kA, annotation(kLabels, listed + "," + name + '"'), empty});
    calls.push_back({"claim label " + name + " through the status", "merge", status,
                     annotation(kLabels, listed + "," + name + '"'), empty});
    calls.push_back({"claim label " + name + " as another instance", "merge", kA,
                     annotation("evil.nfd.node.kubernetes.io/feature-labels", '"' + name + '"'), empty});
    calls.push_back({"claim annotation " + name + " in advance", "merge", kA,
                     annotation(kAnnotations, "\"own," + name + '"'), empty});
    calls.push_back(
        {"claim resource " + name + " in advance", "merge", kA, annotation(kResources, "\"own," + name + '"'), empty});
    calls.push_back({"claim resource " + name + " through the status", "merge", status,
                     annotation(kResources, "\"own," + name + '"'), empty});
    calls.push_back({"claim label " + name + " by a strategic merge patch", "strategic", kA,
                     annotation(kLabels, listed + "," + name + '"'), empty});
    calls.push_back(
        {"claim label " + name + " by a JSON patch", "json", kA,
         R"([{"op":"replace","path":"/metadata/annotations/nfd.node.kubernetes.io~1feature-labels","value":)" + listed +
             "," + name + "\"}]",
         empty});
  }
  // Spellings that the agent would read as a key and a careless policy would not.
  for (const char* spelling : {" nvidia.com/mig.config", "nvidia.com/mig.config ", "\\tnvidia.com/mig.config",
                               "nvidia.com/mig.config\\n", ",,nvidia.com/mig.config,", "\\u00a0nvidia.com/mig.config"})
    calls.push_back({"claim in advance, spelt \"" + std::string(spelling) + '"', "merge", kA,
                     annotation(kLabels, listed + "," + spelling + '"'), empty});
  for (const char* key :
       {" nvidia.com/gpu.deploy.driver", "nvidia.com/gpu.deploy.driver ", "\\u2003nvidia.com/gpu.deploy.driver"})
    calls.push_back({"claim a label of another owner, spelt \"" + std::string(key) + '"', "merge", kA,
                     annotation(kLabels, listed + "," + key + '"'), "not to be claimed: nvidia.com/gpu.deploy.driver"});
  // Keys that go while their entries stay, and keys that come without one.
  const std::vector<Call> more{
      {"remove an own label and keep the claim", "merge", kA, label("feature.node.kubernetes.io/own", "null"), empty},
      {"remove an own annotation and keep the claim", "merge", kA, annotation("feature.node.kubernetes.io/own", "null"),
       empty},
      {"remove an own resource and keep the claim", "merge", status, capacity("feature.node.kubernetes.io/own", "null"),
       empty},
      {"remove an own taint and keep the claim", "merge", kA, taints("[" + std::string(kForeignTaint) + "]"), empty},
      {"claim a taint in advance", "merge", kA,
       annotation(kTaints, "\"" + std::string(kListedTaint) + ",nvidia.com/later=1:NoSchedule\""), empty},
      {"claim a taint of another effect", "merge", kA,
       annotation(kTaints, "\"" + std::string(kListedTaint) + ",nvidia.com/gpu=present:NoExecute\""), empty},
      {"claim a taint with two colons", "merge", kA,
       annotation(kTaints, "\"" + std::string(kListedTaint) + ",nvidia.com/gpu=x:NoSchedule:NoSchedule\""), empty},
      {"claim a taint without an effect", "merge", kA,
       annotation(kTaints, "\"" + std::string(kListedTaint) + ",nvidia.com/gpu\""), empty},
      {"claim a taint of another owner, spelt with a blank", "merge", kA,
       annotation(kTaints, "\"" + std::string(kListedTaint) + ", nvidia.com/gpu=present:NoSchedule\""),
       "not to be claimed: nvidia.com/gpu:NoSchedule"},
      {"a label that is not listed", "merge", kA, label("feature.node.kubernetes.io/x", R"("1")"), unlisted},
      {"an annotation that is not listed", "merge", kA, annotation("feature.node.kubernetes.io/x", R"("1")"), unlisted},
      {"a resource that is not listed", "merge", status, capacity("feature.node.kubernetes.io/x", R"("1")"), unlisted},
      {"an own label that is changed and struck from the list", "merge", kA,
       R"({"metadata":{"labels":{"feature.node.kubernetes.io/own":"2"},"annotations":{"nfd.node.kubernetes.io/feature-labels":"example.com/nfd"}}})",
       unlisted},
      {"an empty list beside a new label", "merge", kA,
       R"({"metadata":{"labels":{"feature.node.kubernetes.io/x":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":null}}})",
       unlisted},
      {"a resource of a device plugin, before it is there", "merge", status,
       listed_resource("nvidia.com/mig-1g.10gb", R"("7")"), "not below resourcePrefixes"},
      {"another resource in the domain of a device plugin", "merge", status, listed_resource("amd.com/gpu", R"("8")"),
       "not below resourcePrefixes"},
      {"a resource whose key has two slashes", "merge", status,
       listed_resource("feature.node.kubernetes.io/a/b", R"("1")"),
       "more than one slash: feature.node.kubernetes.io/a/b"},
      {"a resource of Kubernetes behind a second slash", "merge", status,
       listed_resource("feature.node.kubernetes.io/kubernetes.io/batch-cpu", R"("1")"), "more than one slash"},
      {"a resource that has our domain behind a slash", "merge", status,
       listed_resource("kubernetes.io/x.feature.node.kubernetes.io/r", R"("1")"), "more than one slash"},
      {"a taint, though taints are off", "merge", kA, listed_taint("feature.node.kubernetes.io/slow", "NoSchedule"),
       "taints of ConfigMap nodescout-policy is not \"true\""},
      {"a taint that only prefers, though taints are off", "merge", kA,
       listed_taint("feature.node.kubernetes.io/slow", "PreferNoSchedule"), "taints of ConfigMap nodescout-policy"},
      {"a taint that evicts every Pod", "merge", kA, listed_taint("feature.node.kubernetes.io/slow", "NoExecute"),
       "taints of ConfigMap nodescout-policy"},
      {"another value of the own taint, though taints are off", "merge", kA,
       R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/taints":"feature.node.kubernetes.io/own=2:NoSchedule"}},)"
       R"("spec":{"taints":[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"},)"
       R"({"key":"feature.node.kubernetes.io/own","value":"2","effect":"NoSchedule"}]}})",
       "taints of ConfigMap nodescout-policy"},
      {"the listed form of a label of Kubernetes", "merge", kA, listed_label("node-role.kubernetes.io/x", R"("")"),
       "node-role.kubernetes.io/x"},
      {"an annotation that controls the driver upgrade", "merge", kA,
       listed_annotation("nvidia.com/gpu-driver-upgrade-requested", R"("true")"), "in deniedKeys of ConfigMap"},
      // What a scheduler counts is allocatable, not capacity.
      {"GPUs to allocate", "merge", status, R"({"status":{"allocatable":{"nvidia.com/mig-1g.10gb":"8"}}})", unlisted},
      {"more GPUs to allocate than there are", "merge", status, R"({"status":{"allocatable":{"nvidia.com/gpu":"8"}}})",
       "another owner wrote: nvidia.com/gpu"},
      {"an own resource to allocate, unlisted", "merge", status,
       R"({"status":{"allocatable":{"feature.node.kubernetes.io/r":"8"}}})", unlisted},
      {"GPUs to allocate, listed", "merge", status,
       R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/extended-resources":"own,nvidia.com/mig-1g.10gb"}},)"
       R"("status":{"allocatable":{"nvidia.com/mig-1g.10gb":"8"}}})",
       "nvidia.com/mig-1g.10gb"},
      {"the listed form of a label outside the list", "merge", kA, listed_label("example.com/x", R"("1")"),
       "not below writePrefixes"},
      {"the listed form of an annotation outside the list", "merge", kA, listed_annotation("example.com/x", R"("1")"),
       "not below writePrefixes"},
      {"the listed form of a resource outside the list", "merge", status, listed_resource("example.com/x", R"("1")"),
       "not below writePrefixes"},
  };
  // Names of resources are not checked by the server.
  for (const char* key : {"feature.node.kubernetes.io/", "\\u001b[31m.feature.node.kubernetes.io/x",
                          "a b\\n.feature.node.kubernetes.io/x", "feature.node.kubernetes.io/\\u202e",
                          "hugepages-2Mi.feature.node.kubernetes.io/x",
                          "attachable-volumes-x.feature.node.kubernetes.io/x", "requests.feature.node.kubernetes.io/x",
                          "\\u00e9.feature.node.kubernetes.io/x", "feature.node.kubernetes.io/-x"})
    calls.push_back({std::string("a resource ") + key, "merge", status, listed_resource(key, R"("1")"), ""});
  calls.push_back({"a resource whose name has 64 letters", "merge", status,
                   listed_resource("feature.node.kubernetes.io/" + std::string(64, 'x'), R"("1")"),
                   "the name of a resource is"});
  calls.push_back({"a resource whose name has 100 kB", "merge", status,
                   listed_resource("feature.node.kubernetes.io/" + std::string(100'000, 'x'), R"("1")"), ""});
  calls.insert(calls.end(), more.begin(), more.end());
  // What the GPU Operator would obey.
  for (const char* key : {"nvidia.com/mig.config", "nvidia.com/gpu.deploy.operands", "nvidia.com/gpu.workload.config",
                          "nvidia.com/device-plugin.config", "nvidia.com/vgpu.config", "nvidia.com/cc.mode",
                          "nvidia.com/gpu-driver-upgrade-state"})
    calls.push_back({std::string("plant the label ") + key, "merge", kA, listed_label(key, R"("x")"),
                     "in deniedKeys of ConfigMap nodescout-policy: "});
  return calls;
}

std::vector<Call> forbidden_managed_fields_of_node_a(const Value& node) {
  std::vector<std::string> others;
  if (const Value* entries = at(node, {"metadata", "managedFields"}))
    for (const Value& each : entries->items)
      if (text_at(each, {"manager"}) != "nodescout") others.push_back(to_json(each));
  const char* says = "may not change which fields a server-side apply owns";
  const auto entry = [](const std::string& manager, const std::string& fields, const std::string& subresource = "") {
    return R"({"manager":")" + manager + R"(","operation":"Apply","apiVersion":"v1","time":"2026-01-02T03:04:05Z",)" +
           (subresource.empty() ? "" : R"("subresource":")" + subresource + "\",") +
           R"("fieldsType":"FieldsV1","fieldsV1":)" + fields + "}";
  };
  const auto fields = [](const std::string& list) { return R"({"metadata":{"managedFields":[)" + list + "]}}"; };
  const std::string honest =
      R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{}}}})";
  std::vector<Call> calls{
      {"forget who applied what", "merge", kA, R"({"metadata":{"managedFields":[{}]}})", says},
      {"an apply that never was", "merge", kA,
       fields(entry("rights-applier", honest) + "," +
              entry("evil", R"({"f:metadata":{"f:labels":{"f:node-role.kubernetes.io/worker":{}}}})")),
       says},
      {"a label more in an apply", "merge", kA,
       fields(entry(
           "rights-applier",
           R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{},"f:kubernetes.io/arch":{}}}})")),
       says},
      {"an annotation more in an apply", "merge", kA,
       fields(entry(
           "rights-applier",
           R"({"f:metadata":{"f:annotations":{"f:nvidia.com/note":{}},"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{}}}})")),
       says},
      {"taints more in an apply", "merge", kA,
       fields(entry(
           "rights-applier",
           R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{}}},"f:spec":{"f:taints":{}}})")),
       says},
      {"spec.unschedulable more in an apply", "merge", kA,
       fields(entry(
           "rights-applier",
           R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{}}},"f:spec":{"f:unschedulable":{}}})")),
       says},
      {"capacity more in an apply", "merge", kA,
       fields(entry(
           "rights-applier",
           R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{},"f:applied.example.com/b":{}}},"f:status":{"f:capacity":{"f:nvidia.com/gpu":{}}}})")),
       says},
      {"a label less in an apply", "merge", kA,
       fields(entry("rights-applier", R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{}}}})")), says},
      {"an apply under another manager's name", "merge", kA, fields(entry("evil", honest)), says},
      {"an apply of the status", "merge", kA, fields(entry("rights-applier", honest, "status")), says},
      {"the same apply twice", "merge", kA,
       fields(entry("rights-applier", honest) + "," +
              entry("rights-applier", R"({"f:metadata":{"f:labels":{"f:kubernetes.io/arch":{}}}})", "status")),
       says},
      {"a good label beside a forged apply", "merge", kA,
       R"({"metadata":{"labels":{"feature.node.kubernetes.io/x":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":)"
       R"("example.com/nfd,own,vendor.kubernetes.io/nfd,x"},"managedFields":[)" +
           entry("rights-applier", R"({"f:metadata":{"f:labels":{"f:kubernetes.io/arch":{}}}})") + "]}}",
       says},
  };
  // Entries of the manager "nodescout" prove what an agent wrote.
  const char* proof = "may not change which fields the manager nodescout wrote";
  const auto written = [&](const std::string& written_fields, const std::string& subresource = "") {
    return entry("rights-applier", honest) +
           R"(,{"manager":"nodescout","operation":"Update","apiVersion":"v1","time":"2026-01-02T03:04:05Z",)" +
           (subresource.empty() ? "" : R"("subresource":")" + subresource + "\",") +
           R"("fieldsType":"FieldsV1","fieldsV1":)" + written_fields + "}";
  };
  // Beside what others wrote: a patch that adds one entry.
  const auto update_entry = [](const std::string& manager, const std::string& managed,
                               const std::string& subresource = "") {
    return R"({"manager":")" + manager + R"(","operation":"Update","apiVersion":"v1","time":"2099-01-02T03:04:05Z",)" +
           (subresource.empty() ? "" : R"("subresource":")" + subresource + "\",") +
           R"("fieldsType":"FieldsV1","fieldsV1":)" + managed + "}";
  };
  const auto written_only = [&](const std::string& managed) { return update_entry("nodescout", managed); };
  const auto and_all = [&](const std::string& more) { return fields(join(others, ",") + "," + more); };
  const std::string driver = R"({"f:metadata":{"f:labels":{"f:nvidia.com/gpu.deploy.driver":{}}}})";
  const std::string note = R"({"f:metadata":{"f:annotations":{"f:nvidia.com/note":{}}}})";
  const std::string gpu = R"({"f:status":{"f:capacity":{"f:nvidia.com/gpu":{}}}})";
  const std::vector<Call> proofs{
      {"prove a label of another owner", "merge", kA, fields(written(driver)), proof},
      {"prove an annotation of another owner", "merge", kA, fields(written(note)), proof},
      {"prove a resource of a device plugin", "merge", kA, fields(written(gpu)), proof},
      {"prove a label, as of the status", "merge", kA, fields(written(driver, "status")), proof},
      {"prove a resource, as of the status", "merge", kA, fields(written(gpu, "status")), proof},
      {"prove a label under our own manager's name", "merge", std::string(kA) + "?fieldManager=nodescout",
       fields(written(driver)), proof},
      {"prove a label by a strategic merge patch", "strategic", kA, fields(written(driver)), proof},
      {"prove a label by a JSON patch", "json", kA,
       R"([{"op":"replace","path":"/metadata/managedFields","value":[)" + written(driver) + "]}]", proof},
      {"prove a label and claim it at once", "merge", kA,
       R"({"metadata":{"annotations":{")" + std::string(kLabels) + "\":\"" + kListed +
           R"(,nvidia.com/gpu.deploy.driver"},"managedFields":[)" + join(others, ",") + "," + written_only(driver) +
           "]}}",
       ""},  // denied twice
      {"prove a label, change and claim it at once", "merge", kA,
       R"({"metadata":{"labels":{"nvidia.com/gpu.deploy.driver":"false"},"annotations":{")" + std::string(kLabels) +
           "\":\"" + kListed + R"(,nvidia.com/gpu.deploy.driver"},"managedFields":[)" + join(others, ",") + "," +
           written_only(driver) + "]}}",
       "nvidia.com/gpu.deploy.driver"},
  };
  calls.insert(calls.end(), proofs.begin(), proofs.end());
  const char* lost = "agents take no field from the entries of others";
  // Entries of other managers. `kubectl apply --server-side` deletes what the first of them has and no longer applies.
  const char* stray = "add no field to those of others";
  const auto of = [&](const std::string& manager, const std::string& managed, const std::string& subresource = "") {
    return replace_all(written(managed, subresource), R"("manager":"nodescout")", R"("manager":")" + manager + '"');
  };
  const std::string worker = R"({"f:metadata":{"f:labels":{"f:node-role.kubernetes.io/worker":{}}}})";
  for (const char* manager : {"kubectl-client-side-apply", "kubectl", "kubectl-edit", "kustomize-controller",
                              "nodescout2", "Nodescout", "", "rights-applier"}) {
    const std::string name = manager;
    calls.push_back({"an earlier apply of \"" + name + '"', "merge", kA, fields(of(name, worker)), stray});
    calls.push_back(
        {"an earlier apply of the status of \"" + name + '"', "merge", kA, fields(of(name, worker, "status")), stray});
  }
  for (const char* managed : {R"({"f:spec":{"f:unschedulable":{}}})", R"({"f:spec":{"f:taints":{}}})",
                              R"({"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{}}}})",
                              R"({"f:status":{"f:capacity":{"f:nvidia.com/gpu":{}}}})",
                              R"({"f:metadata":{"f:annotations":{"f:node.alpha.kubernetes.io/ttl":{}}}})",
                              R"({"f:metadata":{"f:finalizers":{}}})"})
    calls.push_back({"an earlier apply of " + std::string(managed), "merge", kA,
                     fields(of("kubectl-client-side-apply", managed)), stray});
  // What the agent's own entry may name: `ancient-changes` and `nodescout` would make an honest apply fail or delete.
  for (const char* managed :
       {R"({"f:spec":{"f:taints":{}}})", R"({"f:spec":{"f:unschedulable":{}}})", R"({"f:spec":{"f:providerID":{}}})",
        R"({"f:status":{"f:conditions":{}}})", R"({"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{}}}})",
        R"({"f:status":{"f:allocatable":{"f:nvidia.com/gpu":{}}}})", R"({"f:status":{"f:addresses":{}}})",
        R"({"f:metadata":{"f:labels":{}}})", R"({"f:metadata":{"f:annotations":{}}})",
        R"({"f:status":{"f:capacity":{}}})", R"({"f:spec":{}})", R"({"f:metadata":{"f:finalizers":{}}})",
        R"({"f:other":{}})"})
    calls.push_back(
        {"an entry of our own of " + std::string(managed), "merge", kA, and_all(written_only(managed)), proof});
  calls.push_back({"1 MB in an entry of our own", "merge", kA,
                   and_all(written_only(R"({"f:spec":{)" + many_fields() + "}}")), proof});
  calls.push_back({"1 MB below a field of our own", "merge", kA,
                   and_all(written_only(R"({"f:status":{"f:conditions":{"k:{\"type\":\"NodescoutReady\"}":{)" +
                                        many_fields() + "}}}}")),
                   proof});
  std::string crowd;
  for (int i = 0; i < 12; ++i)
    crowd += (i ? "," : "") +
             update_entry("nodescout", R"({"f:spec":{"f:x)" + std::to_string(i) + R"(":{}}})", "s" + std::to_string(i));
  calls.push_back({"so many entries that the server unites the others", "merge", kA, and_all(crowd), stray});
  for (const char* managed :
       {R"({"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/last-applied-configuration":{}},)"
        R"("f:labels":{"f:node-role.kubernetes.io/worker":{}}},"f:spec":{"f:taints":{}}})",
        R"({"f:metadata":{"f:labels":{"f:applied.example.com/a":{}}}})", R"({"f:spec":{"f:taints":{}}})",
        R"({"f:status":{"f:conditions":{}}})"})
    calls.push_back({"ancient changes of " + std::string(managed), "merge", kA,
                     and_all(update_entry("ancient-changes", managed)), stray});
  calls.push_back({"1 MB of ancient changes", "merge", kA,
                   and_all(update_entry("ancient-changes", R"({"f:spec":{)" + many_fields() + "}}")), stray});
  calls.push_back({"forget who updated what", "merge", kA, fields(entry("rights-applier", honest)), lost});
  calls.push_back({"forget it, beside a good label", "merge", kA,
                   R"({"metadata":{"labels":{"feature.node.kubernetes.io/x":"1"},"annotations":{)"
                   R"("nfd.node.kubernetes.io/feature-labels":"example.com/nfd,own,vendor.kubernetes.io/nfd,x"},)"
                   R"("managedFields":[)" +
                       entry("rights-applier", honest) + "]}}",
                   lost});
  calls.push_back({"write as the manager of what is ancient", "merge",
                   std::string(kA) + "?fieldManager=ancient-changes",
                   listed_label("feature.node.kubernetes.io/x", R"("1")"), stray});
  calls.push_back({"write as another field manager", "merge",
                   std::string(kA) + "?fieldManager=kubectl-client-side-apply",
                   listed_label("feature.node.kubernetes.io/x", R"("1")"), stray});
  calls.push_back(
      {"an apply of its own", "apply", std::string(kA) + "?fieldManager=nodescout-apply",
       R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"rights-a","labels":{"feature.node.kubernetes.io/own":"1"}}})",
       says});
  return calls;
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
      {"a huge message in its own condition", "strategic", status,
       R"({"status":{"conditions":[{"type":"NodescoutReady","status":"True","reason":"R","message":")" +
           std::string(1025, 'x') + "\"}]}}",
       "there is one condition NodescoutReady"},
      {"a long reason in its own condition", "strategic", status,
       R"({"status":{"conditions":[{"type":"NodescoutReady","status":"True","reason":")" + std::string(65, 'x') +
           "\"}]}}",
       "there is one condition NodescoutReady"},
      {"another status of its own condition", "strategic", status,
       R"({"status":{"conditions":[{"type":"NodescoutReady","status":"Perhaps","reason":"R","message":"m"}]}})",
       "there is one condition NodescoutReady"},
      {"a huge status of its own condition", "strategic", status,
       R"({"status":{"conditions":[{"type":"NodescoutReady","status":")" + std::string(1'000'000, 'x') + "\"}]}}",
       "there is one condition NodescoutReady"},
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
std::string own_event() {
  return R"({"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"generateName":"rights-a-"},"action":"Labelling",)"
         R"("eventTime":"2026-01-02T03:04:05.000000Z","note":"x","reason":"X","regarding":{"apiVersion":"v1","kind":"Node",)"
         R"("name":"rights-a","uid":"rights-a"},"reportingController":"nodescout.dev/agent","reportingInstance":"rights-a",)"
         R"("type":"Normal"})";
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

std::vector<Call> forbidden_events() {
  const std::string events = "/apis/events.k8s.io/v1/namespaces/default/events";
  const char* about = "an event of an agent is about its Node and nothing else";
  const char* own = "only create events of their own";
  // What the agent posts, with one part replaced.
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = own_event();
    const std::size_t at = text.find(from);
    return at == std::string::npos ? throw std::runtime_error("no such part: " + from)
                                   : text.replace(at, from.size(), to);
  };
  const auto metadata = [&](const std::string& more) {
    return changed(R"("generateName":"rights-a-")", R"("generateName":"rights-a-",)" + more);
  };
  const auto member = [&](const std::string& more) { return changed(R"("action")", more + R"(,"action")"); };
  return {
      {"labels on an event", "POST", events, metadata(R"("labels":{"a":"b"})"), about},
      {"annotations on an event", "POST", events,
       metadata(R"("annotations":{"a":")" + std::string(200'000, 'x') + "\"}"), about},
      {"a finalizer on an event", "POST", events, metadata(R"("finalizers":["example.com/x"])"), about},
      {"an owner of an event", "POST", events,
       metadata(R"("ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}])"), about},
      {"1 MB of field owners on an event", "POST", events, metadata(many_owners("events.k8s.io/v1", "nodescout")),
       about},
      {"a name of another node's", "POST", events,
       changed(R"("generateName":"rights-a-")", R"("generateName":"rights-b-")"), about},
      {"a name of its own choice", "POST", events, changed(R"("generateName":"rights-a-")", R"("name":"x")"), about},
      {"another uid of the Node", "POST", events, changed(R"("uid":"rights-a")", R"("uid":"rights-b")"), about},
      {"a field of the Node", "POST", events, changed(R"("uid":"rights-a")", R"("uid":"rights-a","fieldPath":"spec")"),
       about},
      {"a version of the Node", "POST", events,
       changed(R"("uid":"rights-a")", R"("uid":"rights-a","resourceVersion":"1")"), about},
      {"another API version of the Node", "POST", events,
       changed(R"("apiVersion":"v1","kind":"Node")", R"("apiVersion":"apps/v1","kind":"Node")"), about},
      {"a related Pod", "POST", events, member(R"("related":{"kind":"Pod","name":"x","namespace":"default"})"), about},
      {"a series", "POST", events, member(R"("series":{"count":7,"lastObservedTime":"2026-01-02T03:04:05.000000Z"})"),
       about},
      {"another action", "POST", events, changed(R"("action":"Labelling")", R"("action":"Evicting")"), about},
      {"a reason with a blank", "POST", events, changed(R"("reason":"X")", R"("reason":"X Y")"), about},
      {"a reason of 65 letters", "POST", events,
       changed(R"("reason":"X")", R"("reason":")" + std::string(65, 'R') + '"'), about},
      {"another reporter", "POST", events, changed("nodescout.dev/agent", "kubelet"), own},
      {"a reporter on another node", "POST", events,
       changed(R"("reportingInstance":"rights-a")", R"("reportingInstance":"rights-b")"), own},
      {"about a Pod of the same name", "POST", events, changed(R"("kind":"Node")", R"("kind":"Pod")"), own},
      {"about another Node", "POST", events, changed(R"("name":"rights-a")", R"("name":"rights-b")"), own},
  };
}

std::string lease_object(const std::string& name) {
  return R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":")" + name +
         R"(","annotations":{"nodescout.dev/version":"1"},"ownerReferences":[{"apiVersion":"v1","kind":"Node",)"
         R"("name":"rights-a","uid":"u"}]},"spec":{"holderIdentity":"rights-a","leaseDurationSeconds":90,)"
         R"("renewTime":"2026-01-02T03:04:05.000000Z"}})";
}

std::vector<Call> forbidden_leases() {
  const char* own = "may not write this Lease";
  const char* fields = "names its node as holder";
  const char* owners = "agents write their Lease as the field manager nodescout";
  const std::string of_b = std::string(kLeases) + "/of-b";
  // What the agent creates, with one part replaced.
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = lease_object("rights-a");
    const std::size_t at = text.find(from);
    return at == std::string::npos ? throw std::runtime_error("no such part: " + from)
                                   : text.replace(at, from.size(), to);
  };
  const auto metadata = [&](const std::string& more) {
    return changed(R"("annotations")", more + R"(,"annotations")");
  };
  const auto annotation = [&](const std::string& text) { return changed(R"("nodescout.dev/version":"1")", text); };
  return {
      {"the Lease of B", "POST", kLeases, lease_object("rights-b"), own},
      {"the Lease of B by PUT", "PUT", std::string(kLeases) + "/rights-b", lease_object("rights-b"), own},
      {"patch the Lease of B", "merge", of_b, R"({"spec":{"leaseDurationSeconds":1}})", kRbac},
      {"delete the Lease of B", "DELETE", of_b, "", kRbac},
      {"the kubelet's Lease", "POST", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
       lease_object("rights-a"), kRbac},
      {"a Lease with a label", "POST", kLeases, metadata(R"("labels":{"a":"b"})"), fields},
      {"a Lease with a finalizer", "POST", kLeases, metadata(R"("finalizers":["example.com/x"])"), fields},
      {"another annotation", "POST", kLeases, annotation(R"("example.com/x":"1")"), fields},
      {"a huge annotation", "POST", kLeases,
       annotation(R"("nodescout.dev/provenance":")" + std::string(8193, 'x') + '"'), fields},
      {"another holder", "POST", kLeases, changed(R"("holderIdentity":"rights-a")", R"("holderIdentity":"rights-b")"),
       fields},
      {"a Lease that lasts for ever", "POST", kLeases,
       changed(R"("leaseDurationSeconds":90)", R"("leaseDurationSeconds":2147483647)"), fields},
      {"1 MB of field owners on a Lease", "POST", kLeases, metadata(many_owners("coordination.k8s.io/v1", "nodescout")),
       owners},
      {"1 MB of another manager's on a Lease", "POST", kLeases, metadata(many_owners("coordination.k8s.io/v1", "x")),
       owners},
      {"no holder", "POST", kLeases, changed(R"("holderIdentity":"rights-a",)", ""), fields},
      {"a transition", "POST", kLeases, changed(R"("renewTime")", R"("leaseTransitions":1,"renewTime")"), fields},
      {"another owner", "POST", kLeases, changed(R"("name":"rights-a","uid")", R"("name":"rights-b","uid")"), fields},
      {"a Pod as owner", "POST", kLeases, changed(R"("kind":"Node")", R"("kind":"Pod")"), fields},
      {"an owner that it blocks", "POST", kLeases, changed(R"("uid":"u")", R"("uid":"u","blockOwnerDeletion":true)"),
       fields},
      {"a second owner", "POST", kLeases,
       changed(R"("uid":"u"})", R"("uid":"u"},{"apiVersion":"v1","kind":"Node","name":"rights-a","uid":"v"})"), fields},
      {"no owner", "POST", kLeases,
       changed(R"(,"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"rights-a","uid":"u"}])", ""), fields},
  };
}

std::vector<Call> forbidden_reads() {
  return {
      {"list Nodes", "GET", "/api/v1/nodes", "", kRbac},
      {"watch its own Node", "GET", "/api/v1/nodes?watch=true&fieldSelector=metadata.name%3Drights-a", "", kRbac},
      {"list secrets", "GET", "/api/v1/namespaces/nodescout/secrets", "", kRbac},
      {"list namespaces", "GET", "/api/v1/namespaces", "", kRbac},
      {"read a ConfigMap", "GET", "/api/v1/namespaces/nodescout/configmaps/nodescout-policy", "", kRbac},
      {"list Leases", "GET", kLeases, "", kRbac},
      {"the Leases of kubelets", "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/rights-a", "",
       kRbac},
      {"list Pods", "GET", "/api/v1/pods", "", kRbac},
      {"list Nodes by proxy", "GET", "/api/v1/nodes/rights-a/proxy/pods", "", kRbac},
  };
}

}  // namespace nodescout::test
