#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "nodescout/rules.h"
#include "support/bare_rules.h"
#include "support/print_rules.h"
#include "support/shared.h"

namespace nodescout {
namespace {

std::string api(const std::string& rules) {
  return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec:\n  rules:\n" +
         rules;  // rules begin on line 6
}

/// "line:column code" of every finding.
std::string findings(const std::string& text) {
  std::string out;
  for (const Finding& finding : parse_rules(text, "f").findings) {
    out += finding.problem.where.substr(2) + " " + finding.problem.code +
           (finding.severity == Severity::mistake ? "?" : "") + "\n";
  }
  return out;
}

TEST(Parse, EveryMistakeAtOnceWithItsPlace) {
  EXPECT_EQ(findings(api("    - name: a\n"
                         "      lables: {x: y}\n"
                         "      labels: {k: 5, k: 6}\n"
                         "      matchFeatures:\n"
                         "        - feature: pci.device\n"
                         "          matchExpressions:\n"
                         "            vendor: {op: Inn, value: [\"10de\"]}\n"
                         "            class: {op: In, value: [0302, 03]}\n"
                         "            device: {op: In, values: [x]}\n"
                         "            other:\n"
                         "            last: {value: [x]}\n"
                         "        - matchName: {op: Exists}\n")),
            "7:7 unknown-field?\n"
            "8:22 duplicate-key?\n"
            "8:19 unquoted-text\n"
            "8:25 unquoted-text\n"
            "12:26 unknown-operator\n"
            "13:37 unquoted-text\n"
            "13:43 unquoted-text\n"
            "14:30 unknown-field?\n"
            "15:13 empty-expression?\n"
            "16:19 missing-operator\n"
            "17:11 missing-feature\n");
}

TEST(Parse, ABadRuleCostsItself) {
  const ParsedRules parsed = parse_rules(
      api("    - name: good\n      labels: {a: b}\n"
          "    - name: bad\n      labels: [a]\n"
          "    - just text\n"
          "    - name: scalar value\n      matchFeatures: [{feature: a.b, matchExpressions: {x: {op: In, value: y}}}]\n"
          "    - name: also good\n      labels: {c: d}\n"),
      "f");
  ASSERT_EQ(parsed.documents.size(), 1u);
  std::string names;
  for (const Rule& rule : parsed.documents[0].rules) names += rule.name + ",";
  EXPECT_EQ(names, "good,also good,");
  EXPECT_EQ(parsed.findings.size(), 3u);
}

TEST(Parse, ABadDocumentCostsItself) {
  const ParsedRules parsed =
      parse_rules(api("    - {name: a}\n") + "---\nkind: Pod\n---\n[1\n---\n" + api("    - {name: b}\n"), "f");
  EXPECT_EQ(parsed.documents.size(), 2u);
  ASSERT_EQ(parsed.findings.size(), 2u);
  EXPECT_EQ(parsed.findings[0].problem.where, "f:8:7");
}

TEST(Parse, LargeFilesTakeLinearTime) {
  // Each of these once took time that grew with the square: 50,000 of them took minutes.
  std::string labels = "    - name: a\n      labels: {";
  std::string terms = "    - name: b\n      matchFeatures: [{feature: cpu.cpuid, matchExpressions: {";
  for (int i = 0; i < 50'000; ++i) {
    labels += "l" + std::to_string(i) + ": \"1\", ";
    terms += "e" + std::to_string(i) + ": {op: Exists}, ";
  }
  const ParsedRules parsed = parse_rules(api(labels + "}\n" + terms + "}}]\n"), "f");
  EXPECT_TRUE(parsed.findings.empty());
  ASSERT_EQ(parsed.documents.size(), 1u);
  ASSERT_EQ(parsed.documents[0].rules.size(), 2u);
  EXPECT_EQ(parsed.documents[0].rules[0].labels.size(), 50'000u);
  EXPECT_EQ(parsed.documents[0].rules[1].match_features[0].expressions->size(), 50'000u);
}

TEST(Parse, KindsOfDocuments) {
  EXPECT_EQ(parse_rules(api("    - {name: a}\n"), "f").documents[0].kind, RuleDocument::Kind::rules);
  EXPECT_EQ(parse_rules("- {name: a}\n", "f").documents[0].kind, RuleDocument::Kind::list);
  EXPECT_EQ(parse_rules("sources: {custom: [{name: a}]}\n", "f").documents[0].rules.size(), 1u);
  const ParsedRules list = parse_rules(
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: nfd.k8s-sigs.io/v1alpha1\n  kind: NodeFeatureGroup\n  "
      "metadata: {name: g, namespace: n}\n  spec: {featureGroupRules: [{name: a, matchFeatures: [{feature: a.b}]}]}\n",
      "f");
  ASSERT_EQ(list.documents.size(), 1u);
  EXPECT_EQ(list.documents[0].kind, RuleDocument::Kind::group);
  EXPECT_EQ(list.documents[0].name, "g");
  EXPECT_TRUE(list.findings.empty());
}

TEST(Parse, TheWorkersShortForms) {
  const ParsedRules parsed = parse_rules(
      "- name: a\n  matchFeatures:\n  - feature: x.y\n    matchExpressions: {s: v, l: [a, b], t: true, i: 5, e: , o: "
      "{op: In, value: one}}\n"
      "  - feature: x.z\n    matchExpressions: [flag, \"key=value\"]\n",
      "f");
  ASSERT_TRUE(parsed.findings.empty()) << parsed.findings[0].problem.what;
  const Rule& rule = parsed.documents[0].rules[0];
  EXPECT_EQ(rule.dialect, Dialect::worker);
  std::string out;
  for (const Term& term : rule.match_features)
    for (const NamedExpression& named : *term.expressions) {
      out += named.name + " " + std::string(name_of(named.expression.op));
      for (const std::string& value : named.expression.values) out += " " + value;
      out += "; ";
    }
  EXPECT_EQ(out, "s In v; l In a b; t In true; i In 5; e Exists; o In one; flag Exists; key In value; ");
}

TEST(Parse, TheWorkerLacksSomeOperators) {
  EXPECT_EQ(findings("- name: a\n  matchFeatures: [{feature: x.y, matchExpressions: {z: {op: Ge, value: [\"1\"]}}}]\n"),
            "2:61 unknown-operator\n");
}

TEST(Parse, Suggestions) {
  const auto todo = [](const std::string& text) {
    const ParsedRules parsed = parse_rules(text, "f");
    return parsed.findings.empty() ? "" : parsed.findings[0].problem.todo;
  };
  EXPECT_EQ(todo(api("    - {name: a, matchfeature: []}\n")), "did you mean \"matchFeatures\"?");
  EXPECT_EQ(todo("apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeaturRule\n"), "did you mean NodeFeatureRule?");
  EXPECT_EQ(todo(api("    - {name: a, matchFeatures: [{feature: a.b, matchExpressions: {c: {op: exists}}}]}\n")),
            "did you mean \"Exists\"?");
}

TEST(Print, ParsesBackToTheSame) {
  const std::string text =
      api("    - name: \"yes\"\n      labels: {a: \"0200\", b: \"\", c: \"@x.y.z\", d: \"a: b\"}\n      "
          "labelsTemplate: |\n        {{ range .pci.device }}\n        x={{ .class }}\n        {{ end }}\n"
          "      matchAny: [{matchFeatures: []}]\n      matchFeatures: [{feature: a.b, matchExpressions: {}}, "
          "{feature: a.b, matchName: {op: GeLe, value: [\"1\", \"2\"], type: version}}]\n");
  const ParsedRules parsed = parse_rules(text, "f");
  EXPECT_TRUE(parsed.findings.empty());
  const ParsedRules again = parse_rules(test::print_rules(parsed.documents), "f");
  EXPECT_TRUE(again.findings.empty()) << test::print_rules(parsed.documents);
  EXPECT_EQ(test::bare(again.documents), test::bare(parsed.documents)) << test::print_rules(parsed.documents);
}

TEST(Print, ParsesBackTheWholeCorpus) {
  NODESCOUT_NEEDS_SHARED();
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_folder() / "corpus/rules")) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const ParsedRules parsed = parse_rules(text.str(), "f");
    const ParsedRules again = parse_rules(test::print_rules(parsed.documents), "f");
    EXPECT_EQ(test::bare(again.documents), test::bare(parsed.documents)) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace nodescout
