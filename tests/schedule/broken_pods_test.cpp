// Pods with one mistake each, on a fleet of 12 GPU Nodes and 20 others: the first sentence names the fix.
#include <gtest/gtest.h>

#include "base/text.h"
#include "schedule/judge.h"
#include "schedule/small_fleet.h"

namespace nodescout::schedule {
namespace {

using namespace test;

const std::string kF = "feature.node.kubernetes.io/";

std::vector<NodeColumns> fleet() {
  std::vector<NodeColumns> nodes;
  const std::string common = R"("kubernetes.io/os":"linux","kubernetes.io/arch":"amd64",)"
                             R"("feature.node.kubernetes.io/system-os_release.VERSION_ID":"22.04",)"
                             R"("feature.node.kubernetes.io/system-os_release.VERSION_ID.major":"22",)"
                             R"("feature.node.kubernetes.io/cpu-cpuid.AVX512F":"true",)";
  const std::string owned = R"("nfd.node.kubernetes.io/feature-labels":"pci-10de.present,nvidia.com/gpu.product,)"
                            R"(cpu-cpuid.AVX512F,system-os_release.VERSION_ID,system-os_release.VERSION_ID.major")";
  for (int i = 0; i < 12; ++i)
    nodes.push_back(node("gpu-" + std::to_string(i),
                         common + R"("pool":"gpu","topology.kubernetes.io/zone":"eu-1a","disk":"nvme",)"
                                  R"("nvidia.com/gpu.product":"NVIDIA-H100-80GB-HBM3","nvidia.com/gpu.count":"8",)"
                                  R"("feature.node.kubernetes.io/pci-10de.present":"true",)"
                                  R"("feature.node.kubernetes.io/gpu.nvlink":"false")",
                         R"("taints":[{"key":"nvidia.com/gpu","value":"present","effect":"NoSchedule"}])",
                         R"("nvidia.com/gpu":"8")", owned));
  for (int i = 0; i < 20; ++i)
    nodes.push_back(node("cpu-" + std::to_string(i),
                         common + R"("pool":"cpu","topology.kubernetes.io/zone":"eu-1b","disk":"ssd")", "", "", owned));
  return nodes;
}

const std::string kTolerates = "tolerations: [{key: nvidia.com/gpu, operator: Exists}]";

std::string gpus(const std::string& amount, const std::string& name = "nvidia.com/gpu") {
  return "initContainers: [{resources: {limits: {" + name + ": " + amount + "}}}]";
}

std::string affinity(const std::string& expressions) {
  return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
         "[{matchExpressions: [" +
         expressions + "]}]}}}";
}

struct Broken {
  const char* name;
  std::string spec;
  std::string fix;      // part of the sentence that says what to do
  std::string finding;  // part of what is said about the term; may be empty
};

const LabelKnowledge kKnowledge{
    {{"gpu-0", "ForeignLabel",
      "node gpu-0: label \"feature.node.kubernetes.io/gpu.nvlink\" belongs to another owner, as \"false\" where "
      "\"all\" is wanted (remove it from the Node, or set restrictions.allowOverwrite: true)"},
     {"gpu-1", "ForeignLabel",
      "node gpu-1: label \"feature.node.kubernetes.io/gpu.nvlink\" belongs to another owner, as \"false\" where "
      "\"all\" is wanted (remove it from the Node, or set restrictions.allowOverwrite: true)"},
     {"gpu-0", "RejectedLabel",
      "team.yaml:3:5 (rule \"team\"): label \"example.com/team\": this agent may not write below \"example.com\" (add "
      "\"example.com\" to extraWritePrefixes in the configuration and to writePrefixes in the ConfigMap "
      "nodescout-policy)"},
     {"gpu-0", "RejectedLabel",
      "board.yaml:3:5 (rule \"board\"): label \"feature.node.kubernetes.io/board\": a label value is at most 63 "
      "characters (\"Some very long name of a board\")"},
     {"gpu-2", "RefusedLabel",
      "node gpu-2: label \"nvidia.com/custom\"=\"1\" was refused: denied by policy (allow it in the admission policy's "
      "ConfigMap, or correct the rule that makes it)"}},
    [](std::string_view key) {
      return key == "feature.node.kubernetes.io/rdma.capable"
                 ? std::vector<std::string>{"feature.node.kubernetes.io/rdma.capable <- rule \"rdma\" <- rdma.port"}
                 : std::vector<std::string>{};
    }};

std::vector<Broken> broken_pods() {
  return {
      {"wrong value: the beginning of the right one",
       "nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100}, " + kTolerates,
       "write nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3",
       "no Node has \"NVIDIA-H100\"; 12 have \"NVIDIA-H100-80GB-HBM3\""},
      {"wrong value: case", "nodeSelector: {nvidia.com/gpu.product: nvidia-h100-80gb-hbm3}, " + kTolerates,
       "write nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3", "12 have"},
      {"wrong value: a typing mistake", "nodeSelector: {disk: nvem}, " + kTolerates, "write disk: nvme", "12 have"},
      {"wrong value: True for true", "nodeSelector: {" + kF + "cpu-cpuid.AVX512F: \"True\"}",
       "write " + kF + "cpu-cpuid.AVX512F: true", "32 have"},
      {"wrong value: a model that is not there", "nodeSelector: {nvidia.com/gpu.product: Tesla-T4}, " + kTolerates,
       "choose a value of nvidia.com/gpu.product that Nodes have: \"NVIDIA-H100-80GB-HBM3\" (12)",
       "no Node has \"Tesla-T4\""},
      {"wrong value: false for true", "nodeSelector: {" + kF + "pci-10de.present: \"false\"}, " + kTolerates,
       "that Nodes have: \"true\" (12)", "no Node has \"false\""},
      {"wrong value: zone", "nodeSelector: {topology.kubernetes.io/zone: eu-1}",
       "write topology.kubernetes.io/zone: eu-1", "no Node has \"eu-1\""},
      {"wrong key: a typing mistake", "nodeSelector: {nvidia.com/gpu.prodct: NVIDIA-H100-80GB-HBM3}, " + kTolerates,
       "write nvidia.com/gpu.product instead of nvidia.com/gpu.prodct", "12 Nodes have nvidia.com/gpu.product"},
      {"wrong key: case", "nodeSelector: {" + kF + "cpu-cpuid.avx512f: \"true\"}",
       "write " + kF + "cpu-cpuid.AVX512F instead of", "32 Nodes have"},
      {"wrong key: no prefix", "nodeSelector: {pci-10de.present: \"true\"}, " + kTolerates,
       "write " + kF + "pci-10de.present instead of pci-10de.present", "12 Nodes have"},
      {"wrong key: NFD's form with the class",
       "nodeSelector: {" + kF + "pci-0302_10de.present: \"true\"}, " + kTolerates,
       "write " + kF + "pci-10de.present instead of", "no Node has the label " + kF + "pci-0302_10de.present"},
      {"wrong key and value", "nodeSelector: {nvidia.com/gpu.prodct: NVIDIA-H100}, " + kTolerates,
       "write nvidia.com/gpu.product instead of nvidia.com/gpu.prodct, and \"NVIDIA-H100-80GB-HBM3\" instead of "
       "\"NVIDIA-H100\"",
       ""},
      {"wrong key: zone without its prefix", "nodeSelector: {zone: eu-1a}, " + kTolerates,
       "write topology.kubernetes.io/zone instead of zone", ""},
      {"a label that is nowhere", "nodeSelector: {team: red}",
       "label the Nodes that it should match (kubectl label node NAME "
       "team=red), or remove the term",
       "no Node has the label team"},
      {"a label of ours that no machine shows", "nodeSelector: {" + kF + "rdma.capable: \"true\"}",
       "add such a Node, or remove the term", "no Node has the label"},
      {"Exists of a key with a typing mistake",
       affinity("{key: nvidia.com/gpu.cuont, operator: Exists}") + ", " + kTolerates,
       "write nvidia.com/gpu.count instead of nvidia.com/gpu.cuont", ""},
      {"Gt of a version", affinity("{key: " + kF + "system-os_release.VERSION_ID, operator: Gt, values: [\"20\"]}"),
       "a label whose value is an integer: Gt compares nothing else", "are not integers: \"22.04\" (32)"},
      {"Gt of too much", affinity("{key: nvidia.com/gpu.count, operator: Gt, values: [\"8\"]}") + ", " + kTolerates,
       "compare nvidia.com/gpu.count with a number below 8", "the largest value is 8"},
      {"Gt with a version of its own",
       affinity("{key: " + kF + "system-os_release.VERSION_ID.major, operator: Gt, values: [\"20.04\"]}"),
       "correct the node affinity, whose term is ignored: Gt compares integers, and \"20.04\" is not one", ""},
      {"NotIn of the only value", affinity("{key: kubernetes.io/os, operator: NotIn, values: [linux]}"),
       "remove the term kubernetes.io/os NotIn [linux]", ""},
      {"NotIn of the only value, and another one",
       affinity("{key: kubernetes.io/os, operator: NotIn, values: [windows, linux]}"),
       "remove the value \"linux\" from kubernetes.io/os NotIn [windows, linux]", ""},
      {"DoesNotExist of what all have", affinity("{key: kubernetes.io/arch, operator: DoesNotExist}"),
       "remove the term kubernetes.io/arch DoesNotExist", "32 Nodes have kubernetes.io/arch"},
      {"missing toleration", "nodeSelector: {pool: gpu}",
       "add to the Pod's tolerations {key: nvidia.com/gpu, operator: Equal, value: \"present\", effect: NoSchedule}",
       ""},
      {"toleration with another value",
       "nodeSelector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, value: \"true\"}]",
       "in the toleration of nvidia.com/gpu write value \"present\" instead of \"true\"", ""},
      {"toleration with another effect",
       "nodeSelector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoExecute}]",
       "in the toleration of nvidia.com/gpu write effect NoSchedule instead of NoExecute", ""},
      {"toleration with a mistake in its key",
       "nodeSelector: {pool: gpu}, tolerations: [{key: nvidia.com/gpus, operator: Exists}]",
       "in the tolerations write the key nvidia.com/gpu instead of nvidia.com/gpus", ""},
      {"toleration with an operator that is off",
       "nodeSelector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, operator: Gt, value: \"1\"}]",
       "TaintTolerationComparisonOperators", ""},
      {"more GPUs than a Node has", gpus("16") + ", " + kTolerates, "request at most 8 nvidia.com/gpu for one Pod",
       "12 Nodes have nvidia.com/gpu, at most 8"},
      {"a resource with a typing mistake", gpus("1", "nvidia.com/gpus") + ", " + kTolerates,
       "request nvidia.com/gpu instead of nvidia.com/gpus", "12 Nodes have nvidia.com/gpu"},
      {"a resource that is nowhere", gpus("1", "amd.com/gpu"), "install the device plugin that provides amd.com/gpu",
       "no Node has any amd.com/gpu"},
      {"foreign owner", "nodeSelector: {" + kF + "gpu.nvlink: all}, " + kTolerates,
       "kubectl label node gpu-0 " + kF + "gpu.nvlink-",
       "another owner set " + kF + "gpu.nvlink on 2 Nodes; an Event of Node gpu-0 says: \"node gpu-0: label"},
      {"rejected key", "nodeSelector: {example.com/team: red}, " + kTolerates,
       "correct the rule that makes example.com/team",
       "nodescout left the label out on 1 Node; an Event of Node gpu-0 says: \"team.yaml:3:5"},
      {"rejected value", "nodeSelector: {" + kF + "board: x}, " + kTolerates,
       "correct the rule that makes " + kF + "board", "a label value is at most 63 characters"},
      {"refused by the admission policy", "nodeSelector: {nvidia.com/custom: \"1\"}, " + kTolerates,
       "allow nvidia.com/custom in the admission policy's ConfigMap", "was refused: denied by policy"},
      {"a Node that is not there",
       "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: "
       "[{key: metadata.name, operator: In, values: [gpu-l2]}]}]}}}, " +
           kTolerates,
       "metadata.name", "no Node has \"gpu-l2\""},
      {"an empty term",
       "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
       "[{}]}}}",
       "write an expression into the empty term", ""},
  };
}

TEST(BrokenPods, EachIsExplainedByASentenceThatNamesTheFix) {
  const std::vector<NodeColumns> nodes = fleet();
  const Assigned nothing;
  const std::vector<Broken> all = broken_pods();
  EXPECT_GE(all.size(), 30u);
  for (const Broken& each : all) {
    const Verdict verdict = judged(pod(each.spec), nodes, &nothing, kKnowledge);
    EXPECT_EQ(verdict.outcome, Verdict::Outcome::fits_no_node) << each.name;
    EXPECT_NE(verdict.fix.find(each.fix), std::string::npos) << each.name << ": " << verdict.fix;
    std::vector<std::string> findings;
    for (const TermReport& term : verdict.terms) findings.push_back(term.finding);
    EXPECT_NE(join(findings, "\n").find(each.finding), std::string::npos) << each.name << ": " << join(findings, "\n");
    EXPECT_TRUE(verdict.rules_out_most) << each.name;
  }
}

TEST(BrokenPods, UsedUpDevices) {
  Assigned assigned;
  for (int i = 0; i < 12; ++i)
    assigned.add(parsed(R"({"spec":{"nodeName":"gpu-)" + std::to_string(i) +
                        R"(","containers":[{"resources":{"requests":{"nvidia.com/gpu":"8"}}}]}})"));
  const Verdict verdict = judged(pod(gpus("1") + ", " + kTolerates), fleet(), &assigned, kKnowledge);
  EXPECT_EQ(verdict.closest.at(0).lacks.at(0).text, "8 of 8 nvidia.com/gpu in use, 1 wanted");
  EXPECT_EQ(verdict.closest.at(0).nodes, 12);
  EXPECT_NE(verdict.fix.find("wait until Pods on Node gpu-0 free 1 nvidia.com/gpu"), std::string::npos) << verdict.fix;
}

TEST(BrokenPods, WithTheFixAppliedEachFits) {
  const Assigned nothing;
  for (const std::string& spec :
       {"nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}, " + kTolerates,
        "nodeSelector: {" + kF + "pci-10de.present: \"true\"}, " + kTolerates, gpus("8") + ", " + kTolerates,
        std::string("nodeSelector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, operator: Equal, value: present, "
                    "effect: NoSchedule}]"),
        affinity("{key: nvidia.com/gpu.count, operator: Gt, values: [\"7\"]}") + ", " + kTolerates})
    EXPECT_EQ(judged(pod(spec), fleet(), &nothing, kKnowledge).outcome, Verdict::Outcome::fits) << spec;
}

/// What is to be done is meant for the closest Node, whatever the rest of the fleet has.
TEST(BrokenPods, TheFixIsForTheClosestNode) {
  struct Case {
    const char* name;
    std::string spec;
    std::vector<NodeColumns> nodes;  // the first is the closest
    const char* fix;
  };
  const std::string taint = R"("taints":[{"key":"k","effect":"NoSchedule"}])";
  const LabelKnowledge knowledge{
      {{"far", "ForeignLabel", "node far: label \"x\" belongs to another owner, as \"b\" where \"a\" is wanted"},
       {"far", "RejectedLabel", "t.yaml:1:1: label \"x\": not allowed (allow it)"}},
      {}};
  for (const Case& each : std::initializer_list<Case>{
           {"a value that the Node has",
            "nodeSelector: {x: a}",
            {node("near", R"("x":"b")"), node("far", R"("x":"c")", taint), node("far2", R"("x":"c")", taint)},
            "choose a value of x that Nodes have: \"b\" (1)"},
           {"like the Node's value, not like another",
            "nodeSelector: {x: eu-1}",
            {node("near", R"("x":"eu-1b")"), node("far", R"("x":"eu-1a")", taint)},
            "write x: eu-1b"},
           {"another Node has it",
            "nodeSelector: {x: a, w: a}",
            {node("near", R"("x":"b","w":"a")"), node("far", R"("x":"a")", taint)},
            "remove x=a, or make the Node with it fit"},
           {"one of several values",
            "nodeSelector: {w: a}, " + affinity("{key: x, operator: In, values: [a, d]}"),
            {node("near", R"("x":"b","w":"a")"), node("far", R"("x":"a")", taint), node("far2", R"("x":"d")", taint)},
            "remove x In [a, d], or make one of the 2 Nodes with it fit"},
           {"a number below the Node's",
            affinity("{key: x, operator: Gt, values: [\"9\"]}"),
            {node("near", R"("x":"4")"), node("far", R"("x":"8")", taint)},
            "compare x with a number below 4"},
           {"a number above the Node's",
            affinity("{key: x, operator: Lt, values: [\"2\"]}"),
            {node("near", R"("x":"8")"), node("far", R"("x":"4")", taint)},
            "compare x with a number above 8"},
           {"no number is below 0",
            affinity("{key: x, operator: Gt, values: [\"0\"]}"),
            {node("near", R"("x":"0")")},
            "remove the term x Gt 0, or add a Node with a larger value"},
           {"no integer",
            affinity("{key: x, operator: Gt, values: [\"0\"]}"),
            {node("near", R"("x":"b")"), node("far", R"("x":"0")", taint)},
            "use In with the value \"b\""},
           {"a Node without the key",
            "nodeSelector: {x: a}",
            {node("near", ""), node("far", R"("x":"b")", taint)},
            "label the Nodes that it should match (kubectl label node near x=a), or remove the term"},
           {"a Node without the key, one with the number",
            affinity("{key: x, operator: Gt, values: [\"3\"]}"),
            {node("near", ""), node("far", R"("x":"2")", taint)},
            "kubectl label node near x=4"},
           {"a key like the Node's, not like another's",
            "nodeSelector: {zoen: a}",
            {node("near", R"("zone":"a")"), node("far", R"("zones":"a")", taint)},
            "write zone instead of zoen"},
           {"with the Node's value of that key",
            "nodeSelector: {zoen: eu-1}",
            {node("near", R"("zone":"eu-1b")"), node("far", R"("zone":"eu-1a")", taint)},
            "write zone instead of zoen, and \"eu-1b\" instead of \"eu-1\""},
           {"the Node that has the value under the other key",
            "nodeSelector: {zoen: west}",
            {node("near", R"("zone":"west")"), node("a", R"("zone":"east")")},
            "write zone instead of zoen"},
           {"a comparison of that key",
            affinity("{key: cuont, operator: Gt, values: [\"9\"]}"),
            {node("near", R"("count":"4")"), node("far", R"("count":"8")", taint)},
            "write count instead of cuont, and compare count with a number below 4"},
           {"another owner elsewhere",
            "nodeSelector: {x: a}",
            {node("near", R"("x":"c")"), node("far", R"("x":"b")", taint)},
            "choose a value of x that Nodes have: \"c\" (1)"},
           {"rejected elsewhere",
            "nodeSelector: {x: a}",
            {node("near", ""), node("far", "", taint)},
            "kubectl label node NAME x=a"}}) {
    const Assigned nothing;
    const Verdict verdict = judged(pod(each.spec), each.nodes, &nothing, knowledge);
    EXPECT_EQ(verdict.closest.at(0).names.at(0), "near") << each.name;
    EXPECT_NE(verdict.fix.find(each.fix), std::string::npos) << each.name << ": " << verdict.fix;
  }
}

TEST(BrokenPods, TheAmountIsThatOfTheNodesThatAreMeant) {
  const std::string taint = R"("taints":[{"key":"k","effect":"NoSchedule"}])";
  const std::vector<NodeColumns> nodes{node("a", R"("pool":"s","kind":"old")", "", R"("a/g":"2")"),
                                       node("b", R"("pool":"s")", "", R"("a/g":"4")"),
                                       node("c", R"("pool":"l","kind":"old")", "", R"("a/g":"8")"),
                                       node("d", R"("pool":"l")", taint, R"("a/g":"16")"),
                                       node("e", R"("pool":"none")", ""),
                                       node("f", R"("pool":"typo")", "", R"("a/gs":"8")")};
  struct Case {
    const char* spec;
    const char* fix;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"nodeSelector: {pool: s}",
            "request at most 4 a/g for one Pod: that is the most that Nodes which satisfy the other terms have"},
           {"nodeSelector: {pool: s, kind: old}", "request at most 2 a/g for one Pod: that is the most"},
           {"nodeSelector: {pool: l}", "request at most 6 a/g for one Pod: that is the most"},
           {"nodeSelector: {pool: l}, tolerations: [{operator: Exists}]",
            "request at most 16 a/g for one Pod, which is what the largest Node has"},
           {"nodeSelector: {pool: none}", "remove the request of a/g, or make one of the 4 Nodes with it fit"}}) {
    Assigned assigned;
    assigned.add(parsed(R"({"spec":{"nodeName":"c","containers":[{"resources":{"requests":{"a/g":"2"}}}]}})"));
    const Verdict verdict = judged(pod(each.spec + std::string(", ") + gpus("20", "a/g")), nodes, &assigned);
    EXPECT_EQ(verdict.fix.rfind(each.fix, 0), 0u) << each.spec << ": " << verdict.fix;
  }
}

TEST(BrokenPods, AnAmountBeyondCounting) {
  const Assigned nothing;
  const Verdict verdict =
      judged(pod("nodeSelector: {x: a}, " + gpus("1")),
             {node("a", "", "", R"("nvidia.com/gpu":"9223372036854775807")"), node("b", "")}, &nothing);
  std::vector<std::string> findings;
  for (const TermReport& term : verdict.terms) findings.push_back(term.finding);
  EXPECT_NE(join(findings, "\n").find("1 Node has nvidia.com/gpu"), std::string::npos) << join(findings, "\n");
  EXPECT_EQ(join(findings, "\n").find("at most"), std::string::npos) << join(findings, "\n");
  EXPECT_EQ(judged(pod("nodeSelector: {x: aaaa}"), {node("n", R"("x":"aaab")")}, &nothing).terms[0].finding,
            "no Node has \"aaaa\"; 1 has \"aaab\"");
}

TEST(BrokenPods, CordonsAndSickNodes) {
  const Assigned nothing;
  struct Case {
    const char* spec;
    const char* fix;
  };
  for (const Case& each : std::initializer_list<Case>{
           {R"("unschedulable":true)", "kubectl uncordon a"},
           {R"("unschedulable":true,"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule"}])",
            "kubectl uncordon a"},
           {R"("taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}])", "kubectl describe node a"},
           {R"("taints":[{"key":"node.kubernetes.io/disk-pressure","effect":"NoSchedule"}])",
            "kubectl describe node a"},
           {R"("taints":[{"key":"team.example.com/no-pressure","effect":"NoSchedule"}])",
            "add to the Pod's tolerations {key: team.example.com/no-pressure"},
           {R"("taints":[{"key":"readiness.k8s.io/network","effect":"NoSchedule"}])", "wait until Node a has started"}})
    EXPECT_NE(judged(pod(""), {node("a", "", each.spec)}, &nothing).fix.find(each.fix), std::string::npos) << each.spec;
  NodeColumns sick = node("a", "", "", R"("nvidia.com/gpu":"0")");
  sick.capacity["nvidia.com/gpu"] = 8 * kUnit;
  EXPECT_NE(judged(pod(gpus("1")), {sick}, &nothing).fix.find("see why the device plugin reports no healthy"),
            std::string::npos);
}

}  // namespace
}  // namespace nodescout::schedule
