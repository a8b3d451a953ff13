// Nodes and Pods of a test, as the API server gives them.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "document/json.h"
#include "schedule/fleet.h"
#include "schedule/judge.h"
#include "schedule/pod.h"

namespace nodescout::schedule::test {

inline Value parsed(const std::string& text) {
  auto value = parse_json(text, "test");
  if (!value) throw std::runtime_error(value.error().text() + " in " + text);
  return *std::move(value);
}

/// `labels` as JSON members, `spec` and `status` as well: R"("a":"b")".
inline NodeColumns node(const std::string& name, const std::string& labels, const std::string& spec = "",
                        const std::string& allocatable = "", const std::string& annotations = "") {
  const std::string amounts = R"({"pods":"110")" + (allocatable.empty() ? "" : "," + allocatable) + "}";
  return columns_of(parsed(R"({"metadata":{"name":")" + name + R"(","labels":{)" + labels + R"(},"annotations":{)" +
                           annotations + R"(}},"spec":{)" + spec + R"(},"status":{"allocatable":)" + amounts +
                           R"(,"capacity":)" + amounts + "}}"));
}

/// A Pod whose spec has these members, in YAML's flow style.
inline PodDemand pod(const std::string& spec) {
  std::vector<Problem> problems;
  auto demands = demands_of_text(
      "kind: Pod\nmetadata: {name: p}\nspec: {containers: []" + (spec.empty() ? "" : ", " + spec) + "}\n", "pod.yaml",
      problems);
  if (!demands) throw std::runtime_error(demands.error().text());
  return demands->at(0);
}

inline Verdict judged(const PodDemand& demand, const std::vector<NodeColumns>& nodes, const Assigned* assigned,
                      const LabelKnowledge& labels = {}) {
  Census census({demand});
  Judge judge(demand, assigned);
  for (const NodeColumns& each : nodes) {
    census.add(each);
    judge.add(each);
  }
  // What a verdict says of failures must not outlive the judge; tests look at texts only.
  Verdict verdict = judge.conclude(census, labels);
  for (NodeGroup& group : verdict.closest)
    for (Lack& lack : group.lacks) lack.failures.clear();
  return verdict;
}

}  // namespace nodescout::schedule::test
