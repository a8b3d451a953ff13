#include <gtest/gtest.h>

#include <random>

#include "nodescout/rules.h"
#include "rule/explain.h"
#include "rule/pack.h"

namespace nodescout {
namespace {

Features machine() {
  Features features;
  features.flags["cpu.cpuid"] = {"AVX", "AVX2"};
  features.attributes["cpu.cpuid"] = {{"AVX10_VERSION", "1"}};
  features.attributes["kernel.version"] = {{"full", "6.8.0-45"}, {"major", "6"}, {"minor", ""}};
  features.flags["kernel.loadedmodule"] = {"nvidia"};
  features.attributes["empty.set"] = {};
  features.instances["none.at.all"] = {};
  features.instances["pci.device"] = {{{"class", "0200"}, {"vendor", "15b3"}},
                                      {{"class", "0302"}, {"vendor", "10de"}, {"sriov_totalvfs", "16"}}};
  features.instances["network.device"] = {{{"name", "a"}, {"speed", "1000"}, {"operstate", "up"}},
                                          {{"name", "b"}, {"speed", "junk"}, {"operstate", "down"}}};
  return features;
}

/// The rules of a NodeFeatureRule's list.
std::vector<Rule> rules_of(const std::string& list) {
  std::string text =
      "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n  rules:\n" + list;
  ParsedRules parsed = parse_rules(text, "t");
  for (const Finding& finding : parsed.findings)
    ADD_FAILURE() << finding.problem.where << " " << finding.problem.what << "\n" << text;
  return parsed.documents.empty() ? std::vector<Rule>{} : parsed.documents[0].rules;
}

/// "yes", "no" or "error": what one matchFeatures list does on the machine.
std::string matches(const std::string& terms) {
  const RuleSet set(rules_of("    - {name: r, labels: {x: \"1\"}, matchFeatures: " + terms + "}\n"));
  const Outcome outcome = set.evaluate(machine());
  return !outcome.problems.empty() ? "error" : outcome.labels.empty() ? "no" : "yes";
}

TEST(Evaluate, Terms) {
  struct Case {
    const char* terms;
    const char* want;
  };
  for (const Case& c : {
           Case{"[{feature: cpu.cpuid, matchExpressions: {AVX2: {op: Exists}}}]", "yes"},
           {"[{feature: CPU.Cpuid, matchExpressions: {AVX2: {op: Exists}}}]", "yes"},
           {"[{feature: cpu.cpuid, matchExpressions: {avx2: {op: Exists}}}]", "no"},
           {"[{feature: cpu.cpuid, matchExpressions: {AVX2: {op: In, value: [\"true\"]}}}]", "no"},
           {"[{feature: cpu.cpuid, matchExpressions: {AVX10_VERSION: {op: Ge, value: [\"1\"]}, AVX: {op: Exists}}}]",
            "yes"},
           {"[{feature: cpu.cpuid, matchExpressions: {AVX: {op: DoesNotExist}}}]", "no"},
           {"[{feature: cpu.cpuid, matchExpressions: {AVX10_VERSION: {op: DoesNotExist}}}]", "no"},
           {"[{feature: cpu.cpuid, matchExpressions: {NOSUCH: {op: DoesNotExist}}}]", "yes"},
           {"[{feature: no.such, matchExpressions: {x: {op: DoesNotExist}}}]", "no"},
           {"[{feature: no.such}]", "no"},
           {"[{feature: empty.set}]", "yes"},
           {"[{feature: empty.set, matchExpressions: {}}]", "yes"},
           {"[{feature: empty.set, matchName: {op: Exists}}]", "no"},
           {"[{feature: none.at.all}]", "yes"},
           {"[{feature: none.at.all, matchExpressions: {}}]", "no"},
           {"[{feature: pci.device, matchExpressions: {}}]", "yes"},
           {"[{feature: pci.device, matchExpressions: {vendor: {op: In, value: [10de]}, class: {op: In, value: "
            "[\"0302\"]}}}]",
            "yes"},
           {"[{feature: pci.device, matchExpressions: {vendor: {op: In, value: [10de]}, class: {op: In, value: "
            "[\"0200\"]}}}]",
            "no"},
           {"[{feature: pci.device, matchExpressions: {vendor: {op: In, value: [10de]}}}, {feature: pci.device, "
            "matchExpressions: {vendor: {op: In, value: [15b3]}}}]",
            "yes"},
           {"[{feature: pci.device, matchExpressions: {sriov_totalvfs: {op: Gt, value: [\"0\"]}}}]", "yes"},
           {"[{feature: pci.device, matchExpressions: {sriov_totalvfs: {op: DoesNotExist}, vendor: {op: In, value: "
            "[15b3]}}}]",
            "yes"},
           {"[{feature: pci.device, matchName: {op: In, value: [sriov_totalvfs]}}]", "yes"},
           {"[{feature: pci.device, matchName: {op: In, value: [numa_node]}}]", "no"},
           {"[{feature: cpu.cpuid, matchName: {op: InRegexp, value: [\"^AVX\"]}}]", "yes"},
           {"[{feature: cpu.cpuid, matchName: {op: NotIn, value: [AVX, AVX2]}}]", "yes"},
           {"[{feature: kernel.loadedmodule, matchName: {op: NotIn, value: [nvidia]}}]", "no"},
           {"[{feature: kernel.version, matchName: {op: Gt, value: [\"1\"]}}]", "error"},
           {"[{feature: kernel.version, matchExpressions: {major: {op: Gt, value: [\"5\"]}}, matchName: {op: In, "
            "value: [full]}}]",
            "yes"},
           {"[{feature: kernel.version, matchExpressions: {major: {op: Gt, value: [\"5\"]}}, matchName: {op: In, "
            "value: [none]}}]",
            "no"},
           {"[{feature: kernel.version, matchExpressions: {minor: {op: In, value: [\"\"]}}}]", "yes"},
           // A clean non-match of the same set wins over an error, whatever the order.
           {"[{feature: kernel.version, matchExpressions: {full: {op: Gt, value: [\"1\"]}, major: {op: In, value: "
            "[\"5\"]}}}]",
            "no"},
           {"[{feature: kernel.version, matchExpressions: {full: {op: Gt, value: [\"1\"]}, major: {op: In, value: "
            "[\"6\"]}}}]",
            "error"},
           {"[{feature: network.device, matchExpressions: {speed: {op: Gt, value: [\"10\"]}, operstate: {op: In, "
            "value: [up]}}}]",
            "yes"},
           {"[{feature: network.device, matchExpressions: {speed: {op: Gt, value: [\"10\"]}}}]", "error"},
           {"[{feature: no.such}, {feature: kernel.version, matchExpressions: {full: {op: Gt, value: [\"1\"]}}}]",
            "no"},
       })
    EXPECT_EQ(matches(c.terms), c.want) << c.terms;
}

TEST(Evaluate, AnyAndAll) {
  const auto labels = [](const std::string& body) {
    const Outcome outcome = RuleSet(rules_of("    - {name: r, labels: {x: \"1\"}" + body + "}\n")).evaluate(machine());
    return outcome.labels.size();
  };
  const std::string yes = "{feature: cpu.cpuid}", no = "{feature: no.such}";
  EXPECT_EQ(labels(""), 1u);
  EXPECT_EQ(labels(", matchAny: [{matchFeatures: [" + no + "]}, {matchFeatures: [" + yes + "]}]"), 1u);
  EXPECT_EQ(labels(", matchAny: [{matchFeatures: [" + no + "]}]"), 0u);
  EXPECT_EQ(labels(", matchAny: [{matchFeatures: [" + yes + "]}], matchFeatures: [" + no + "]"), 0u);
  EXPECT_EQ(labels(", matchAny: [{matchFeatures: []}]"), 1u);
}

TEST(Evaluate, BackreferencesFlowForward) {
  const RuleSet set(rules_of(R"(
    - {name: first, matchFeatures: [{feature: rule.matched, matchExpressions: {x: {op: DoesNotExist}}}], labels: {first: "1"}}
    - {name: second, matchFeatures: [{feature: rule.matched, matchExpressions: {x: {op: DoesNotExist}}}], labels: {second: "1"}}
    - {name: makes, labels: {both: label, a: "1"}, vars: {both: var}}
    - {name: uses, matchFeatures: [{feature: rule.matched, matchExpressions: {both: {op: In, value: [var]}, a: {op: IsTrue}}}], labels: {wrong: "1"}}
    - {name: fails, matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: Gt, value: ["1"]}}}], labels: {from-failed: "1"}}
    - {name: after, matchFeatures: [{feature: rule.matched, matchExpressions: {both: {op: In, value: [var]}, from-failed: {op: DoesNotExist}}}], labels: {after: "1"}}
)"));
  const Outcome outcome = set.evaluate(machine());
  std::string labels;
  for (const auto& [key, made] : outcome.labels) labels += key + " ";
  EXPECT_EQ(labels, "a after both second ");  // rule.matched does not exist for the very first rule
  ASSERT_EQ(outcome.problems.size(), 1u);
  EXPECT_NE(outcome.problems[0].where.find("fails"), std::string::npos);
  EXPECT_EQ(outcome.matched.at("both"), "var");
}

TEST(Evaluate, LaterRulesOverrideAndTaintsAddUp) {
  const RuleSet set(rules_of(R"(
    - {name: a, labels: {x: "1"}, annotations: {note: "1"}, taints: [{key: feature.node.kubernetes.io/t, effect: NoSchedule}]}
    - {name: b, labels: {x: "2"}, extendedResources: {r: "3"}, taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoExecute}]}
)"));
  const Outcome outcome = set.evaluate(machine());
  EXPECT_EQ(outcome.labels.at("x").value, "2");
  EXPECT_EQ(outcome.labels.at("x").rule, 1u);
  EXPECT_EQ(outcome.taints.size(), 2u);
  EXPECT_EQ(outcome.extended_resources.at("r").value, "3");
}

TEST(Evaluate, FeaturesMaySupplyRuleMatched) {
  Features features = machine();
  features.attributes["rule.matched"] = {{"x", "given"}};
  const RuleSet set(
      rules_of("    - {name: r, labels: {made: \"1\"}, matchFeatures: [{feature: rule.matched, matchExpressions: {x: {op: "
               "In, value: [given]}}}]}\n"));
  EXPECT_EQ(set.evaluate(features).labels.size(), 1u);
}

TEST(Evaluate, TemplatesShareTheStepsOfASet) {
  const auto problems = [](int rules) {
    std::string text;
    for (int i = 0; i < rules; ++i)
      text +=
          "    - name: r" + std::to_string(i) +
          "\n      labelsTemplate: \"{{ range 50000 }}{{ end }}x=1\"\n      matchFeatures: [{feature: cpu.cpuid}]\n";
    return RuleSet(rules_of(text)).evaluate(machine()).problems;
  };
  EXPECT_TRUE(problems(20).empty());
  EXPECT_EQ(problems(1000).size(), 1000u);  // 20,000 steps each: no set of rules takes minutes
}

TEST(Incremental, RunsOnlyWhatItsInputsTouch) {
  const RuleSet rules(rules_of(R"(
    - {name: cpu, labels: {cpu: "1"}, vars: {c: "1"}, matchFeatures: [{feature: cpu.cpuid, matchExpressions: {AVX2: {op: Exists}}}]}
    - {name: pci, labels: {pci: "1"}, matchFeatures: [{feature: pci.device, matchExpressions: {vendor: {op: In, value: [10de]}}}]}
    - {name: back, labels: {back: "1"}, matchFeatures: [{feature: rule.matched, matchExpressions: {c: {op: Exists}}}]}
)"));
  RuleCache cache;
  Features features = machine();
  EXPECT_EQ(cache.evaluate(rules, features).labels.size(), 3u);
  EXPECT_EQ(cache.last_evaluated(), 3u);
  cache.evaluate(rules, features);
  EXPECT_EQ(cache.last_evaluated(), 0u);
  features.instances["usb.device"] = {{{"class", "ff"}}};
  cache.evaluate(rules, features);
  EXPECT_EQ(cache.last_evaluated(), 0u);
  features.instances["pci.device"].pop_back();
  EXPECT_EQ(cache.evaluate(rules, features).labels.size(), 2u);
  EXPECT_EQ(cache.last_evaluated(), 2u);  // pci, and back because an earlier result changed
  features.flags.erase("cpu.cpuid");
  EXPECT_EQ(cache.evaluate(rules, features).labels.size(), 0u);
  EXPECT_EQ(cache.last_evaluated(), 2u);
  const RuleSet copy = rules;
  cache.evaluate(copy, features);
  EXPECT_EQ(cache.last_evaluated(), 0u) << "a copy is the same set";
  EXPECT_EQ(cache.evaluate(RuleSet(rules.rules()), features).labels.size(), 0u);
  EXPECT_EQ(cache.last_evaluated(), 3u) << "rules that were compiled anew start anew";
}

/// Whatever changes, keeping results gives what a fresh evaluation gives.
TEST(Incremental, EqualsAFreshEvaluation) {
  const auto list = rules_of(R"(
    - {name: a, labels: {a: "1"}, vars: {v: "1"}, matchFeatures: [{feature: s.one, matchExpressions: {x: {op: Exists}}}]}
    - {name: b, labels: {b: "1"}, matchFeatures: [{feature: s.two, matchExpressions: {x: {op: Gt, value: ["1"]}}}]}
    - {name: c, labels: {c: "1"}, matchFeatures: [{feature: rule.matched, matchExpressions: {a: {op: Exists}, b: {op: DoesNotExist}}}]}
    - {name: d, labels: {d: "1"}, matchFeatures: [{feature: rule.matched, matchExpressions: {c: {op: Exists}}}, {feature: s.three}]}
)");
  const RuleSet fresh(list);
  RuleCache kept;
  std::mt19937 random(7);
  Features features;
  for (int i = 0; i < 500; ++i) {
    const char* set = std::array{"s.one", "s.two", "s.three", "rule.matched"}[random() % 4];
    switch (random() % 4) {
      case 0: features.attributes.erase(set); break;
      case 1: features.attributes[set]["x"] = std::to_string(random() % 3); break;
      case 2: features.attributes[set]["x"] = "junk"; break;
      default: features.flags[set] = {"x"};
    }
    const Outcome want = fresh.evaluate(features);
    const Outcome& got = kept.evaluate(fresh, features);
    ASSERT_EQ(got.matched, want.matched) << i;
    ASSERT_EQ(got.matching, want.matching) << i;
    ASSERT_EQ(got.problems.size(), want.problems.size()) << i;
  }
}

TEST(Explain, SaysWhichTermFailedAndWhatThereWas) {
  const RuleSet set(rules_of(R"(
    - name: gpu
      labels: {x: "1"}
      matchFeatures:
        - {feature: cpu.cpuid, matchExpressions: {AVX2: {op: Exists}}}
        - {feature: pci.device, matchExpressions: {vendor: {op: In, value: ["1002"]}, class: {op: In, value: ["0302"]}}}
)"));
  const std::vector<RuleTrace> traces = explain(set, machine());
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].result.verdict, Verdict::no);
  ASSERT_NE(traces[0].first_failed(), nullptr);
  EXPECT_EQ(traces[0].first_failed()->term->feature, "pci.device");
  const TermTrace& term = traces[0].match_features.terms[1];
  EXPECT_EQ(term.found, "2 instances");
  EXPECT_EQ(term.expressions[0].wanted, "In [1002]");
  EXPECT_EQ(term.expressions[0].found, "0 of 2 instances; there are 15b3, 10de");
  EXPECT_EQ(term.expressions[1].found, "1 of 2 instances");
  EXPECT_EQ(term.closest, "#1: vendor is \"10de\"");
}

TEST(Pack, UnpacksToTheSame) {
  const auto list = rules_of(R"(
    - name: all of it
      labels: {a: "1", b: "@x.y.z"}
      labelsTemplate: "{{ .x }}"
      annotations: {note: v}
      vars: {v: "2"}
      varsTemplate: "v=1"
      extendedResources: {r: "3"}
      taints: [{key: feature.node.kubernetes.io/t, value: v, effect: NoExecute}]
      matchAny: [{matchFeatures: [{feature: a.b, matchName: {op: InRegexp, value: ["^x", "y$"]}}]}]
      matchFeatures: [{feature: c.d, matchExpressions: {e: {op: GtLt, value: ["1", "2"], type: version}, f: {op: Exists}}}]
    - {name: nothing}
)");
  const std::string bytes = pack(list);
  const std::vector<Rule> again = unpack(bytes);
  ASSERT_EQ(again.size(), list.size());
  EXPECT_EQ(pack(again), bytes);
  EXPECT_EQ(again[0].match_features[0].expressions->at(0).expression.values, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(again[0].labels.at("b").text, "@x.y.z");
  EXPECT_EQ(place_of(again[0]), place_of(list[0]));
}

}  // namespace
}  // namespace nodescout
