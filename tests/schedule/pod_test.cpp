// What a Pod demands of a Node, read from objects and files.
#include "schedule/pod.h"

#include <gtest/gtest.h>

#include "base/quantity.h"
#include "base/text.h"
#include "document/json.h"

namespace nodescout::schedule {
namespace {

std::vector<PodDemand> demands(const std::string& text, std::vector<Problem>* problems = nullptr) {
  std::vector<Problem> found;
  auto out = demands_of_text(text, "f.yaml", problems ? *problems : found);
  EXPECT_TRUE(out) << (out ? "" : out.error().text());
  return out ? *std::move(out) : std::vector<PodDemand>{};
}

/// "nvidia.com/gpu 3, x/y 1"
std::string requests_text(const Amounts& amounts) {
  std::vector<std::string> texts;
  for (const auto& [name, amount] : amounts) texts.push_back(name + " " + text_of(amount));
  return join(texts, ", ");
}

TEST(PodAmounts, RoundUp) {
  struct Case {
    const char* quantity;
    std::int64_t thousandths;
  };
  for (const Case& each : std::initializer_list<Case>{{"0", 0},
                                                      {"1", 1000},
                                                      {"1.5", 1500},
                                                      {"500m", 500},
                                                      {"2Ki", 2'048'000},
                                                      {"1e3", 1'000'000},
                                                      {"1u", 1},
                                                      {"1500u", 2},
                                                      {"-3", 0},
                                                      {"1n", 1},
                                                      {"0.0001", 1},
                                                      {"1k", 1'000'000},
                                                      {"2001u", 3},
                                                      {"8", 8000},
                                                      {"1E", 1'000'000'000'000'000'000},
                                                      {"9e99", 1'000'000'000'000'000'000},
                                                      {"1.0000001", 1001}})
    EXPECT_EQ(Quantity::parse(each.quantity)->thousandths(), each.thousandths) << each.quantity;
  EXPECT_EQ(text_of(1), "1");
  EXPECT_EQ(text_of(1000), "1");
  EXPECT_EQ(text_of(1001), "2");
  EXPECT_FALSE(amount_of("much"));
}

TEST(PodRequests, AreThoseOfTheScheduler) {
  struct Case {
    const char* name;
    const char* spec;
    const char* want;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"containers add up",
            R"({"containers":[{"resources":{"requests":{"a/g":"1"}}},{"resources":{"requests":{"a/g":"2"}}}]})",
            "a/g 3"},
           {"a limit is the default", R"({"containers":[{"resources":{"limits":{"a/g":"4"}}}]})", "a/g 4"},
           {"a request counts, not its limit",
            R"({"containers":[{"resources":{"requests":{"a/g":"1"},"limits":{"a/g":"4"}}}]})", "a/g 1"},
           {"the largest init container",
            R"({"containers":[{"resources":{"requests":{"a/g":"1"}}}],)"
            R"("initContainers":[{"resources":{"requests":{"a/g":"3"}}},{"resources":{"requests":{"a/g":"2"}}}]})",
            "a/g 3"},
           {"a sidecar counts beside containers",
            R"({"containers":[{"resources":{"requests":{"a/g":"1"}}}],)"
            R"("initContainers":[{"restartPolicy":"Always","resources":{"requests":{"a/g":"2"}}}]})",
            "a/g 3"},
           {"and beside init containers that come after it, but not before",
            R"({"containers":[],"initContainers":[{"resources":{"requests":{"a/g":"4"}}},)"
            R"({"restartPolicy":"Always","resources":{"requests":{"a/g":"2"}}},)"
            R"({"resources":{"requests":{"a/g":"3"}}}]})",
            "a/g 5"},
           {"overhead", R"({"containers":[{"resources":{"requests":{"a/g":"1"}}}],"overhead":{"a/g":"1","b/h":"2"}})",
            "a/g 2, b/h 2"},
           {"what is not judged", R"({"containers":[{"resources":{"requests":{"cpu":"1","hugepages-2Mi":"4Mi"}}}]})",
            ""},
           {"fractions add up before they are rounded",
            R"({"containers":[{"resources":{"requests":{"f.kubernetes.io/g":"500m"}}},)"
            R"({"resources":{"requests":{"f.kubernetes.io/g":"600m"}}}]})",
            "f.kubernetes.io/g 2"}}) {
    const auto spec = parse_json(each.spec, each.name);
    EXPECT_EQ(requests_text(requests_of(*spec)), each.want) << each.name;
  }
}

TEST(PodFiles, EveryKindWithAPodTemplate) {
  const auto found = demands(R"(
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: ns}
spec: {containers: [{name: x}], nodeSelector: {disk: ssd}}
---
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: x}]}}}
---
kind: CronJob
metadata: {name: c}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: x}]}}}}}
---
kind: Service
metadata: {name: s}
spec: {ports: [{port: 80}]}
---
kind: List
items:
- {kind: StatefulSet, metadata: {name: s}, spec: {template: {spec: {containers: []}}}}
- {kind: Job, metadata: {generateName: j-}, spec: {template: {spec: {containers: []}}}}
- {kind: ReplicaSet, metadata: {name: r}, spec: {template: {spec: {containers: []}}}}
---
kind: PyTorchJob
metadata: {name: p}
spec:
  pytorchReplicaSpecs:
    Master: {template: {spec: {containers: [{name: x}]}}}
    Worker: {template: {spec: {containers: [{name: x}]}}}
)");
  std::vector<std::string> names;
  for (const PodDemand& demand : found) names.push_back(demand.name);
  const std::vector<std::string> want{"Pod ns/a",
                                      "Deployment d",
                                      "CronJob c",
                                      "StatefulSet s",
                                      "Job j-...",
                                      "ReplicaSet r",
                                      "PyTorchJob p (spec.pytorchReplicaSpecs.Master.template)",
                                      "PyTorchJob p (spec.pytorchReplicaSpecs.Worker.template)"};
  EXPECT_EQ(names, want);
}

TEST(PodFiles, NothingToJudgeIsAnError) {
  std::vector<Problem> problems;
  EXPECT_FALSE(demands_of_text("kind: Service\n", "f.yaml", problems));
  EXPECT_FALSE(demands_of_text("", "f.yaml", problems));
  EXPECT_TRUE(problems.empty());
  const auto broken = demands_of_text("kind: [\n", "f.yaml", problems);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().what.find("f.yaml:"), std::string::npos) << broken.error().text();
}

TEST(PodFiles, ABrokenDocumentCostsItself) {
  std::vector<Problem> problems;
  const auto found = demands("kind: [\n---\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n", &problems);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_EQ(problems.size(), 1u);
}

TEST(PodFiles, ADaemonSetToleratesWhatItsControllerAdds) {
  const auto found = demands("kind: DaemonSet\nmetadata: {name: d}\nspec: {template: {spec: {containers: []}}}\n");
  const Taint cordon{"node.kubernetes.io/unschedulable", "", "NoSchedule", {}};
  const auto does = [&](const Taint& taint) {
    return std::any_of(found.at(0).tolerations.begin(), found.at(0).tolerations.end(),
                       [&](const Toleration& each) { return each.tolerates(taint); });
  };
  EXPECT_TRUE(does(cordon));
  EXPECT_TRUE(does({"node.kubernetes.io/not-ready", "", "NoExecute", {}}));
  EXPECT_FALSE(does({"node.kubernetes.io/not-ready", "", "NoSchedule", {}}));
}

TEST(PodFiles, WhatTheApiServerRefusesIsReported) {
  struct Case {
    const char* spec;
    const char* want;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"{nodeSelector: {gpu: true}, containers: []}", "write it in quotes: \"true\""},
           {"{nodeSelector: {count: 010}, containers: []}", "write it in quotes: \"010\""},
           {"{tolerations: [{key: a, value: yes}], containers: []}", "write it in quotes: \"yes\""},
           {"{tolerations: [{key: a, effect: NoSchedul}], containers: []}", "use NoSchedule"},
           {"{tolerations: [{key: a, operator: Exists, value: b}], containers: []}", "leave the value out"},
           {"{containers: [{resources: {requests: {nvidia.com/gpu: 1}}}]}", "set limits: {nvidia.com/gpu: 1}"},
           {"{containers: [{resources: {limits: {nvidia.com/gpu: 0.5}}}]}", "whole number"},
           {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
            "[{matchExpressions: [{key: a, operator: Exist}]}]}}}, containers: []}",
            "write Exists"}}) {
    std::vector<Problem> problems;
    demands("kind: Pod\nmetadata: {name: a}\nspec: " + std::string(each.spec) + "\n", &problems);
    ASSERT_EQ(problems.size(), 1u) << each.spec;
    EXPECT_NE(problems[0].todo.find(each.want), std::string::npos) << problems[0].todo;
    EXPECT_EQ(problems[0].where.rfind("f.yaml:3:", 0), 0u) << problems[0].where;
  }
}

TEST(PodFiles, WhatIsNotJudgedIsNamed) {
  struct Case {
    const char* spec;
    const char* field;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"containers: [{resources: {requests: {memory: 1Gi, cpu: 1}}}]", "cpu, memory"},
           {"containers: [], resources: {requests: {cpu: 1}}", "cpu"},
           {"containers: [{ports: [{hostPort: 80}]}]", "hostPort"},
           {"hostNetwork: true, containers: [{ports: [{containerPort: 80}]}]", "hostPort"},
           {"hostNetwork: true, containers: [{ports: [{containerPort: 80, hostPort: 0}]}]", "hostPort"},
           {"containers: [], volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]", "volumes"},
           {"containers: [], topologySpreadConstraints: [{maxSkew: 1}]", "topologySpreadConstraints"},
           {"containers: [], affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}",
            "podAffinity"},
           {"containers: [], affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}",
            "podAntiAffinity"},
           {"containers: [], schedulingGates: [{name: g}]", "schedulingGates"},
           {"containers: [], nodeName: n", "nodeName"},
           {"containers: [], schedulerName: volcano", "schedulerName"},
           {"containers: [], resourceClaims: [{name: gpu}]", "resourceClaims"},
           {"containers: [], runtimeClassName: kata", "runtimeClassName"}}) {
    const auto found = demands("kind: Pod\nmetadata: {name: a}\nspec: {" + std::string(each.spec) + "}\n");
    ASSERT_EQ(found.at(0).unjudged.size(), 1u) << each.spec;
    EXPECT_EQ(found.at(0).unjudged[0].field, each.field);
  }
  for (const char* spec :
       {"containers: [{ports: [{containerPort: 80, hostPort: 0}]}]", "containers: []",
        "hostNetwork: false, containers: [{ports: [{containerPort: 80}]}]", "hostNetwork: true, containers: []",
        "containers: [], volumes: [{name: v, emptyDir: {}}]", "containers: [], schedulerName: default-scheduler"})
    EXPECT_TRUE(demands("kind: Pod\nmetadata: {name: a}\nspec: {" + std::string(spec) + "}\n").at(0).unjudged.empty())
        << spec;
}

TEST(PodFiles, FindsWhatIsNotJudgedByItsField) {
  auto found = demands(
      "kind: Pod\nmetadata: {name: a}\nspec: {containers: [], resourceClaims: [{name: gpu}], runtimeClassName: kata, "
      "nodeName: n}\n");
  PodDemand& demand = found.at(0);
  ASSERT_NE(demand.unjudged.back().field, kResourceClaims) << "or this test shows nothing";
  ASSERT_TRUE(demand.find_unjudged(kResourceClaims));
  EXPECT_NE(demand.find_unjudged(kResourceClaims)->what.find("ResourceSlices"), std::string::npos);
  EXPECT_FALSE(demand.find_unjudged("volumes"));
}

TEST(PodFiles, TermsThatTheSchedulerIgnores) {
  struct Case {
    const char* expression;
    bool is_ignored;
  };
  for (const Case& each : std::initializer_list<Case>{{"{key: a, operator: In, values: [b]}", false},
                                                      {"{key: a, operator: In}", true},
                                                      {"{key: a, operator: NotIn, values: []}", true},
                                                      {"{key: a, operator: Exists}", false},
                                                      {"{key: a, operator: Exists, values: [b]}", true},
                                                      {"{key: a, operator: DoesNotExist, values: [b]}", true},
                                                      {"{key: a, operator: Gt, values: [\"1\"]}", false},
                                                      {"{key: a, operator: Gt, values: [\"1.5\"]}", true},
                                                      {"{key: a, operator: Lt, values: [\"1\", \"2\"]}", true},
                                                      {"{key: a, operator: Lt}", true},
                                                      {"{key: a, operator: In, values: [\"b c\"]}", true},
                                                      {"{key: a b, operator: Exists}", true},
                                                      {"{key: a, operator: Gt, values: [\"-1\"]}", true}}) {
    const auto found = demands(
        "kind: Pod\nmetadata: {name: a}\nspec: {containers: [], affinity: {nodeAffinity: "
        "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [" +
        std::string(each.expression) + "]}]}}}}\n");
    EXPECT_EQ(!found.at(0).affinity.at(0).defect.empty(), each.is_ignored) << each.expression;
  }
}

TEST(PodTolerations, Match) {
  struct Case {
    Toleration toleration;
    bool want;
  };
  const Taint taint{"k", "v", "NoSchedule", {}};
  for (const Case& each : std::initializer_list<Case>{{{"k", "Equal", "v", "NoSchedule"}, true},
                                                      {{"k", "Equal", "v", ""}, true},
                                                      {{"k", "", "v", ""}, true},
                                                      {{"k", "Equal", "w", ""}, false},
                                                      {{"k", "Exists", "", "NoSchedule"}, true},
                                                      {{"k", "Exists", "", "NoExecute"}, false},
                                                      {{"", "Exists", "", ""}, true},
                                                      {{"", "Exists", "", "NoExecute"}, false},
                                                      {{"K", "Exists", "", ""}, false},
                                                      {{"k", "Gt", "v", ""}, false},
                                                      {{"k", "exists", "", ""}, false}})
    EXPECT_EQ(each.toleration.tolerates(taint), each.want) << each.toleration.text() << " " << each.toleration.op;
}

}  // namespace
}  // namespace nodescout::schedule
