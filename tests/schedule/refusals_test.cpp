// Mistakes in a file that the API server or kubectl refuses. why_e2e_test asks the real API server about the same Pods.
#include "schedule/refusals.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "schedule/pod.h"
#include "schedule/pod_fields.h"
#include "schedule/refused_pods.h"
#include "schedule/small_fleet.h"
#include "support/temp_host.h"

namespace nodescout::schedule {
namespace {

using namespace test;

struct ReadPod {
  PodDemand demand;
  std::vector<Problem> problems;
};

ReadPod read_pod(const std::string& yaml) {
  ReadPod out;
  auto demands = demands_of_text(yaml, "f.yaml", out.problems);
  if (!demands) throw std::runtime_error(demands.error().text());
  out.demand = demands->at(0);
  return out;
}

std::string text_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& each : problems) out += each.where + ": " + each.what + " (" + each.todo + ")\n";
  return out;
}

TEST(RefusedPods, EachMistakeIsNamedWithItsFix) {
  for (const RefusedPod& each : refused_pods()) {
    const ReadPod read = read_pod(yaml_of(each));
    ASSERT_EQ(read.problems.size(), 1u) << yaml_of(each) << text_of(read.problems);
    EXPECT_TRUE(read.demand.is_refused) << each.spec;
    EXPECT_NE(read.problems[0].what.find(each.what), std::string::npos) << text_of(read.problems);
    EXPECT_NE(read.problems[0].todo.find(each.todo), std::string::npos) << text_of(read.problems);
    EXPECT_EQ(read.problems[0].where.rfind("f.yaml:4:", 0), 0u) << read.problems[0].where;
  }
}

TEST(RefusedPods, WhatIsAcceptedIsNotReported) {
  for (const RefusedPod& each : accepted_pods()) {
    const ReadPod read = read_pod(yaml_of(each));
    EXPECT_TRUE(read.problems.empty()) << each.spec << "\n" << text_of(read.problems);
    EXPECT_FALSE(read.demand.is_refused) << each.spec;
  }
}

TEST(RefusedPods, TheVerdictSaysIt) {
  const Assigned nothing;
  const std::vector<NodeColumns> nodes{node("a", "")};
  EXPECT_TRUE(judged(pod("nodeselector: {a: b}"), nodes, &nothing).is_refused);
  EXPECT_FALSE(judged(pod("nodeSelector: {a: b}"), nodes, &nothing).is_refused);
}

TEST(RefusedPods, ARefusedTolerationToleratesNothing) {
  const Assigned nothing;
  const std::vector<NodeColumns> nodes{node("a", "", R"("taints":[{"key":"k","value":"v","effect":"NoSchedule"}])")};
  for (const char* toleration :
       {"{key: k, operator: Exists, value: v}", "{key: k, value: v, effect: NoSchedule, tolerationSeconds: 60}",
        "{key: k, operator: Exists, tolerationSeconds: 60}", "{operator: Equal, value: v}"})
    EXPECT_EQ(judged(pod("tolerations: [" + std::string(toleration) + "]"), nodes, &nothing).outcome,
              Verdict::Outcome::fits_no_node)
        << toleration;
}

TEST(RefusedPods, FieldsOfOtherKindsAreTheirOwn) {
  const auto knative = [](const std::string& field) {
    return read_pod(
        "kind: Service\napiVersion: serving.knative.dev/v1\nmetadata: {name: s}\nspec: {template: {spec: {" + field +
        ", containers: []}}}\n");
  };
  EXPECT_TRUE(knative("containerConcurrency: 5").problems.empty());
  const ReadPod misspelt = knative("nodeselector: {a: b}");
  ASSERT_EQ(misspelt.problems.size(), 1u);
  EXPECT_EQ(misspelt.problems[0].what.find("kubectl"), std::string::npos) << text_of(misspelt.problems);
  EXPECT_FALSE(misspelt.demand.is_refused);
}

TEST(RefusedPods, FieldsBesideTheSpecOfATemplate) {
  const ReadPod read = read_pod(
      "kind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    nodeSelector: {a: b}\n    spec: {containers: "
      "[]}\n");
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_EQ(read.problems[0].where, "f.yaml:5:5");
  EXPECT_EQ(read.problems[0].todo, "move it to where it belongs: nodeSelector is a field of PodSpec");
}

TEST(RefusedPods, FieldsBesideTheTemplateInsteadOfInIt) {
  struct Case {
    const char* yaml;
    const char* todo;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"kind: Deployment\nspec: {tolerations: [], template: {spec: {containers: []}}}\n",
            "move it to spec.template.spec"},
           {"kind: CronJob\nspec: {jobTemplate: {spec: {nodeSelector: {a: b}, template: {spec: {containers: []}}}}}\n",
            "move it to spec.jobTemplate.spec.template.spec"}}) {
    const ReadPod read = read_pod(each.yaml);
    ASSERT_EQ(read.problems.size(), 1u) << each.yaml;
    EXPECT_EQ(read.problems[0].todo, each.todo);
    EXPECT_TRUE(read.demand.is_refused);
  }
  EXPECT_TRUE(
      read_pod("kind: Job\nspec: {activeDeadlineSeconds: 5, template: {spec: {containers: []}}}\n").problems.empty());
}

TEST(RefusedPods, OurOwnManifestsAreAccepted) {
  std::size_t seen = 0;
  for (const char* folder : {"base", "controller"})  // the overlays have patches
    for (const auto& entry : std::filesystem::recursive_directory_iterator(NODESCOUT_SOURCE_DIR "/deploy/kustomize/" +
                                                                           std::string(folder))) {
      std::vector<Problem> problems;
      if (entry.path().extension() != ".yaml") continue;
      const auto demands = demands_of_text(nodescout::test::read_file(entry.path()), entry.path().string(), problems);
      if (demands) seen += demands->size();
      EXPECT_EQ(text_of(problems), "");
    }
  EXPECT_GE(seen, 2u);
}

TEST(RefusedPods, APatchOfKustomizeIsNoPod) {
  const ReadPod read =
      read_pod("kind: DaemonSet\nspec: {template: {spec: {containers: [], volumes: [{name: v, $patch: delete}]}}}\n");
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_NE(read.problems[0].todo.find("kubectl kustomize"), std::string::npos) << text_of(read.problems);
}

TEST(PodFieldTable, IsSortedAndReachable) {
  for (const PodFields* fields : pod_fields())
    EXPECT_TRUE(std::is_sorted(fields->fields.begin(), fields->fields.end(), [](const PodField& a, const PodField& b) {
      return a.name < b.name;
    })) << fields->name;
}

/// The advice about tolerations, taken literally.
TEST(TaintAdvice, TakenLiterallyItWorks) {
  struct Case {
    const char* tolerations;
    std::vector<Taint> taints;
    const char* fix;     // of all, as the verdict joins them
    const char* heeded;  // the tolerations then
  };
  const Taint soft{"k", "v", "NoSchedule", {}}, hard{"k", "v", "NoExecute", {}}, other{"k", "w", "NoExecute", {}};
  for (const Case& each : std::initializer_list<Case>{
           {"{key: k, value: x, effect: NoExecute}",
            {soft},
            "in the toleration of k write value \"v\" instead of \"x\" and effect NoSchedule instead of NoExecute",
            "{key: k, value: v, effect: NoSchedule}"},
           {"{key: k, value: x}",
            {soft},
            "in the toleration of k write value \"v\" instead of \"x\", or operator Exists without a value",
            "{key: k, value: v}"},
           {"{key: k, value: x}",
            {soft, hard},
            "in the toleration of k write value \"v\" instead of \"x\", or operator Exists without a value",
            "{key: k, operator: Exists}"},
           {"{key: k, value: v, effect: NoExecute}",
            {soft},
            "in the toleration of k write effect NoSchedule instead of NoExecute, or leave the effect out",
            "{key: k, value: v}"},
           {"{key: k, value: v, effect: NoExecute}",
            {soft, hard},
            "in the toleration of k write no effect, which means every effect",
            "{key: k, value: v}"},
           {"{key: k, value: v}",
            {soft, other},
            "add to the Pod's tolerations {key: k, operator: Equal, value: \"w\", effect: NoExecute}",
            "{key: k, value: v}, {key: k, operator: Equal, value: \"w\", effect: NoExecute}"},
           {"{key: k, value: x}",
            {soft, other},
            "in the toleration of k write value \"v\" instead of \"x\", or operator Exists without a value; and add to "
            "the Pod's tolerations {key: k, operator: Equal, value: \"w\", effect: NoExecute}",
            "{key: k, value: v}, {key: k, operator: Equal, value: \"w\", effect: NoExecute}"},
           {"{key: k, operator: Exists, value: v, effect: NoSchedule}",
            {soft},
            "in the toleration of k write no value with operator Exists",
            "{key: k, operator: Exists, effect: NoSchedule}"},
           {"{key: k, operator: exists}",
            {soft},
            "in the toleration of k write operator Exists instead of exists",
            "{key: k, operator: Exists}"},
           {"{key: k, value: v, effect: NoSchedule, tolerationSeconds: 9}",
            {soft},
            "in the toleration of k write no tolerationSeconds beside the effect NoSchedule",
            "{key: k, value: v, effect: NoSchedule}"},
           {"{key: k, value: v, effect: NoExecute, tolerationSeconds: 9}",
            {soft},
            "in the toleration of k write effect NoSchedule instead of NoExecute and no tolerationSeconds beside the "
            "effect NoSchedule",
            "{key: k, value: v, effect: NoSchedule}"},
           {"{key: k, operator: Exists, value: x, effect: NoExecute}, {key: k, value: v, effect: NoExecut}",
            {soft},
            "in the toleration of k write effect NoSchedule instead of NoExecut, or leave the effect out",
            "{key: k, value: v}"}}) {
    std::string taints;
    for (const Taint& taint : each.taints)
      taints += std::string(taints.empty() ? "" : ",") + R"({"key":")" + taint.key + R"(","value":")" + taint.value +
                R"(","effect":")" + taint.effect + R"("})";
    const std::vector<NodeColumns> nodes{node("a", "", R"("taints":[)" + taints + "]")};
    const Assigned nothing;
    const auto verdict = [&](const std::string& tolerations) {
      return judged(pod("tolerations: [" + tolerations + "]"), nodes, &nothing);
    };
    EXPECT_EQ(verdict(each.tolerations).fix, each.fix) << each.tolerations;
    EXPECT_EQ(verdict(each.heeded).fix, "") << each.tolerations;
  }
}

/// The API server adds tolerations to every Pod: whoever wrote the file does not know them.
TEST(TaintAdvice, NeverChangesWhatTheClusterAdds) {
  const Assigned nothing;
  const Verdict verdict =
      judged(pod(""), {node("a", "", R"("taints":[{"key":"node.kubernetes.io/unreachabel","effect":"NoSchedule"}])")},
             &nothing);
  EXPECT_EQ(verdict.fix,
            "add to the Pod's tolerations {key: node.kubernetes.io/unreachabel, operator: Exists, effect: NoSchedule}");
}

}  // namespace
}  // namespace nodescout::schedule
