// Operators that place their Pods by labels of the Node: the DaemonSet controller and the scheduler of Kubernetes, and
// agents on recorded machines. The DaemonSets are stand-ins, but select nodes as the operators' own do
// (docs/consumers.md). In the long form the Nodes are kwok's, several of each machine, and the Pods run there.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/kwok.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

using Names = std::set<std::string>;

constexpr const char* kSpace = "operators";
constexpr const char* kVendorId = "feature.node.kubernetes.io/pci-10de.present";
const std::string kDeploy = "nvidia.com/gpu.deploy.";

/// Of tests/hosts; an empty name is the machine of files with an Intel GPU.
struct Machine {
  const char *node, *recorded;
};

constexpr Machine kMachines[] = {
    {"h100", "xeon-h100-infiniband"},
    {"three-vendors", "three-vendors-mig"},
    {"mi300x", "epyc-mi300x-snp"},
    {"gaudi", "accelerators"},
    {"flex", ""},
    {"no-device", "openshift-coreos"},
};

/// A DaemonSet of an operator. `selects` is its nodeSelector or its affinity, as JSON with the member's name.
struct StandIn {
  const char *name, *selects;
  Names nodes;
};

const std::vector<StandIn> kStandIns{
    {"nvidia-driver", R"("nodeSelector":{"nvidia.com/gpu.deploy.driver":"true"})", {"h100", "three-vendors"}},
    {"nvidia-driver-precompiled",
     R"("nodeSelector":{"nvidia.com/gpu.deploy.driver":"true",
        "feature.node.kubernetes.io/kernel-version.full":"5.15.0-1053-nvidia",
        "feature.node.kubernetes.io/system-os_release.ID":"ubuntu",
        "feature.node.kubernetes.io/system-os_release.VERSION_ID":"22.04"})",
     {"h100"}},
    {"nvidia-mig-manager", R"("nodeSelector":{"nvidia.com/gpu.deploy.mig-manager":"true"})", {"three-vendors"}},
    {"nvidia-device-plugin-chart",
     R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchExpressions":[{"key":"feature.node.kubernetes.io/pci-10de.present","operator":"In","values":["true"]}]},
        {"matchExpressions":[{"key":"feature.node.kubernetes.io/cpu-model.vendor_id","operator":"In",
                              "values":["NVIDIA"]}]},
        {"matchExpressions":[{"key":"nvidia.com/gpu.present","operator":"In","values":["true"]}]}]}}})",
     {"h100", "three-vendors"}},
    {"doca-driver",
     R"("nodeSelector":{"feature.node.kubernetes.io/pci-15b3.present":"true",
        "feature.node.kubernetes.io/kernel-version.full":"5.15.0-1053-nvidia",
        "feature.node.kubernetes.io/system-os_release.ID":"ubuntu",
        "feature.node.kubernetes.io/system-os_release.VERSION_ID":"22.04"})",
     {"h100"}},
    {"rdma-device-plugin",
     R"("nodeSelector":{"feature.node.kubernetes.io/pci-15b3.present":"true",
        "network.nvidia.com/operator.mofed.wait":"false"})",
     {"h100", "three-vendors"}},
    {"amd-device-plugin",
     R"("nodeSelector":{"feature.node.kubernetes.io/amd-gpu":"true"})",
     {"mi300x", "three-vendors"}},
    {"intel-gaudi", R"("nodeSelector":{"intel.feature.node.kubernetes.io/gaudi":"true"})", {"gaudi"}},
    // The driver of three-vendors' Intel GPU is not loaded.
    {"intel-gpu-plugin",
     R"("nodeSelector":{"intel.feature.node.kubernetes.io/gpu":"true","kubernetes.io/arch":"amd64"})",
     {"flex"}},
    {"kata-deploy",
     R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchExpressions":[
          {"key":"feature.node.kubernetes.io/cpu-cpuid.VMX","operator":"In","values":["true"]},
          {"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}]},
        {"matchExpressions":[
          {"key":"feature.node.kubernetes.io/cpu-cpuid.SVM","operator":"In","values":["true"]},
          {"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}]},
        {"matchExpressions":[{"key":"kubernetes.io/arch","operator":"In","values":["arm64"]}]}]}}})",
     {"h100", "mi300x"}},
    {"kata-qemu-snp",
     R"("nodeSelector":{"katacontainers.io/kata-runtime":"true","amd.feature.node.kubernetes.io/snp":"true"})",
     {"mi300x"}},
    {"kata-qemu-tdx",
     R"("nodeSelector":{"katacontainers.io/kata-runtime":"true","intel.feature.node.kubernetes.io/tdx":"true"})",
     {"h100"}},
};

class OperatorsTest : public AgentFixture {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    if (!programs("node").why_not.empty()) GTEST_SKIP() << "skipped: " << programs("node").why_not;
    own = std::make_unique<ControlPlane>();
    cluster = own.get();
    cluster->install_crds();
    write_gpu_machine(machine);
    remove_gpu(machine);
    const std::string card = "/sys/bus/pci/devices/0000:02:00.0/";
    for (const char* file : {"vendor", "subsystem_vendor"}) machine.write(card + file, "0x8086\n");
    for (const char* file : {"device", "subsystem_device"}) machine.write(card + file, "0x56c0\n");
    machine.write(card + "class", "0x038000\n");
    machine.write("/proc/modules", "i915 1 0 - Live 0x0\n");
    cluster->create_namespace(kSpace);
    cluster->start_scheduler();
    cluster->start_controller_manager();
  }

  /// What an agent of that node finds.
  static AgentSetup on(const Machine& each, const std::string& node) {
    AgentSetup setup{.node = node, .config = kQuiet};
    if (*each.recorded != '\0') setup.root = NODESCOUT_SOURCE_DIR "/tests/hosts/" + std::string(each.recorded);
    return setup;
  }

  void create(const StandIn& set) {
    const std::string labels = R"({"app":")" + std::string(set.name) + "\"}";
    must(cluster->admin().create(
        "/apis/apps/v1/namespaces/" + std::string(kSpace) + "/daemonsets",
        json(R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":")" + std::string(set.name) +
             R"("},"spec":{"selector":{"matchLabels":)" + labels + R"(},"template":{"metadata":{"labels":)" + labels +
             R"(},"spec":{)" + set.selects +
             R"(,"tolerations":[{"key":"nvidia.com/gpu","operator":"Exists","effect":"NoSchedule"}],)"
             R"("containers":[{"name":"c","image":"none"}]}}}})")));
  }

  /// The nodes on which each DaemonSet has a Pod that the scheduler bound.
  std::map<std::string, Names> placed() {
    std::map<std::string, Names> on;
    must(cluster->admin().list(collection_path(resources::kPods, kSpace), {}, [&](const Value& pod) {
      const std::string node = text_at(pod, {"spec", "nodeName"});
      if (!node.empty()) on[text_at(pod, {"metadata", "labels", "app"})].insert(node);
    }));
    return on;
  }

  Names nodes_with(const std::string& key) {
    Names names;
    must(cluster->admin().list(collection_path(resources::kNodes), {{"labelSelector", key + "=true"}},
                               [&](const Value& node) {
                                 names.insert(text_at(node, {"metadata", "name"}));
                               }));
    return names;
  }

  void label(const std::string& node, const Names& keys, const std::string& value = "true") {
    Value patch = Value::map();
    Value& labels = patch.add("metadata", Value::map()).add("labels", Value::map());
    for (const std::string& key : keys) labels.add(key, Value::string(value));
    must(cluster->admin().patch(object_path(resources::kNodes, "", node), PatchKind::merge, patch));
  }

  /// What the operators' own controllers write, by the labels that they read.
  void run_operators() {
    for (const char* key : {kVendorId, "feature.node.kubernetes.io/pci-0302_10de.present",
                            "feature.node.kubernetes.io/pci-0300_10de.present"})
      for (const std::string& node : nodes_with(key))
        label(node, {"nvidia.com/gpu.present", kDeploy + "driver", kDeploy + "container-toolkit",
                     kDeploy + "device-plugin", kDeploy + "dcgm-exporter", kDeploy + "operator-validator"});
    for (const std::string& node : nodes_with("nvidia.com/mig.capable")) label(node, {kDeploy + "mig-manager"});
    for (const std::string& node : nodes_with("feature.node.kubernetes.io/pci-15b3.present"))
      label(node, {"network.nvidia.com/operator.mofed.wait"}, "false");
    const auto on = placed();
    if (const auto kata = on.find("kata-deploy"); kata != on.end())
      for (const std::string& node : kata->second) label(node, {"katacontainers.io/kata-runtime"});
  }

  /// Whether each DaemonSet is where it shall be, once the operators have done their part. `wanted` has no empty sets.
  bool are_placed(const std::map<std::string, Names>& wanted) {
    std::map<std::string, Names> seen;
    const bool are = eventually(
        [&] {
          run_operators();
          seen = placed();
          return seen == wanted;
        },
        60s);
    for (const StandIn& each : kStandIns) {
      const auto names = wanted.find(each.name);
      EXPECT_EQ(seen[each.name], names == wanted.end() ? Names() : names->second) << each.name;
    }
    return are;
  }

  std::unique_ptr<ControlPlane> own;
};

TEST_F(OperatorsTest, TheirPodsGoToTheNodesThatAgentsLabelled) {
  for (const StandIn& each : kStandIns) create(each);
  for (const Machine& each : kMachines)
    cluster->create_ready_node(each.node, json(R"({"metadata":{"labels":{"kubernetes.io/arch":"amd64"}}})"));
  EXPECT_TRUE(placed().empty()) << "before there are labels";

  std::map<std::string, std::unique_ptr<AgentProcess>> agents;
  for (const Machine& each : kMachines)
    agents[each.node] = std::make_unique<AgentProcess>(*cluster, machine, on(each, each.node));
  std::map<std::string, Names> wanted;
  for (const StandIn& each : kStandIns)
    if (!each.nodes.empty()) wanted[each.name] = each.nodes;
  EXPECT_TRUE(are_placed(wanted));

  // The operators' labels are theirs: an agent that starts again leaves them alone, and no Pod has to move.
  ASSERT_EQ(nodes_with(kDeploy + "driver"), (Names{"h100", "three-vendors"}));
  const auto since = cluster->now_in_audit_log();
  for (const auto& [node, each] : agents) each->restart();
  const auto has_published = [&](const std::string& node) {  // a Lease is renewed after that
    return std::ranges::any_of(of_agent(cluster->audit(since), node),
                               [](const AuditEntry& entry) { return entry.resource == "leases"; });
  };
  for (const Machine& each : kMachines)
    EXPECT_TRUE(eventually([&] { return has_published(each.node); })) << agents[each.node]->log();
  for (const Machine& each : kMachines)
    EXPECT_EQ(removals(cluster->audit(since), each.node), std::vector<std::string>()) << each.node;
  for (const StandIn& each : kStandIns) EXPECT_EQ(placed()[each.name], each.nodes) << each.name;
}

TEST_F(OperatorsTest, TheirPodsRunOnEachOfManyNodes) {
  if (const std::string why = Kwok::why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  constexpr int kOfEach = 3;
  std::vector<std::string> nodes;
  std::map<std::string, const Machine*> machine_of;
  for (const Machine& each : kMachines)
    for (const std::string& node : numbered(each.node, kOfEach)) {
      nodes.push_back(node);
      machine_of[node] = &each;
    }
  const Kwok kwok(*cluster, nodes);
  ASSERT_TRUE(eventually([&] { return ready_nodes(*cluster) == static_cast<int>(nodes.size()); }, 120s)) << kwok.log();
  std::map<std::string, Names> wanted;
  for (const StandIn& each : kStandIns) {
    create(each);
    for (const std::string& of : each.nodes)
      for (const std::string& node : numbered(of, kOfEach)) wanted[each.name].insert(node);
  }

  const auto label_all = [&] {
    for (const std::string& node : nodes) {
      AgentSetup setup = on(*machine_of[node], node);
      setup.arguments = {"--once"};
      AgentProcess once(*cluster, machine, setup);
      EXPECT_EQ(once.process().wait(60s), 0) << once.log();
    }
  };
  label_all();
  EXPECT_TRUE(are_placed(wanted));
  for (const auto& [set, on_nodes] : wanted)
    cluster->kubectl({"-n", kSpace, "rollout", "status", "daemonset/" + set, "--timeout=60s"});
  const auto since = cluster->now_in_audit_log();
  label_all();
  for (const std::string& node : nodes)
    EXPECT_EQ(removals(cluster->audit(since), node), std::vector<std::string>()) << node;
  EXPECT_EQ(placed(), wanted);
}

}  // namespace
}  // namespace nodescout::test
