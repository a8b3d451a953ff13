// Which entries rules may still make that look at features which were not read whole.
#include "keep/doubt.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

const std::string kF = "feature.node.kubernetes.io/";

Doubt doubt(const std::string& rules, std::set<std::string, std::less<>> stale = {"pci.device"}) {
  const ParsedRules parsed = parse_rules(rules, "t");
  EXPECT_TRUE(parsed.findings.empty()) << parsed.findings.front().problem.what;
  std::vector<RuleSet> sets;
  for (const RuleDocument& document : parsed.documents) sets.emplace_back(document.rules);
  std::vector<const RuleSet*> pointers;
  for (const RuleSet& set : sets) pointers.push_back(&set);
  Doubt doubt;
  doubt.add_stale(pointers, stale);
  return doubt;
}

/// A NodeFeatureRule with these rules, as YAML's flow style.
std::string document(const std::string& rules) {
  return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: t}\nspec: {rules: [" + rules +
         "]}\n";
}
std::string rule(const std::string& what, const std::string& match) {
  return document("{name: r, " + what + ", " + match + "}");
}
constexpr const char* kPci = "matchFeatures: [{feature: pci.device, matchExpressions: {class: {op: Exists}}}]";

TEST(Doubt, IsAboutEveryKindOfEntryOfARule) {
  const Doubt d =
      doubt(rule("labels: {l: \"1\", vendor.io/l: \"1\"}, annotations: {a: \"1\"}, extendedResources: {r: \"1\"}, "
                 "taints: [{key: vendor.io/t, value: v, effect: NoSchedule}]",
                 kPci));
  for (const std::string& key : {kF + "l", std::string("l"), std::string("vendor.io/l"), kF + "a", kF + "r",
                                 std::string("vendor.io/t:NoSchedule")})
    EXPECT_EQ(d.about(key), Kept::facts_stale) << key;
  for (const std::string& key : {kF + "x", kF + "vendor.io/l", std::string("vendor.io/t:NoExecute"), kF + "ll"})
    EXPECT_EQ(d.about(key), std::nullopt) << key;
}

TEST(Doubt, IsAboutRulesThatLookAtWhatIsStale) {
  struct Case {
    const char* name;
    std::string match;
    bool want;
  };
  const std::string cpu = "{feature: cpu.model, matchExpressions: {family: {op: Exists}}}";
  const std::string pci = "{feature: PCI.device, matchExpressions: {class: {op: Exists}}}";
  const std::string matched = "{feature: rule.matched, matchExpressions: {x: {op: Exists}}}";
  for (const Case& c : {
           Case{"another feature", "matchFeatures: [" + cpu + "]", false},
           {"one of two terms", "matchFeatures: [" + cpu + ", " + pci + "]", true},
           {"the result of other rules", "matchFeatures: [" + matched + "]", true},
           {"any: another feature", "matchAny: [{matchFeatures: [" + cpu + "]}]", false},
           {"any: one of two", "matchAny: [{matchFeatures: [" + cpu + "]}, {matchFeatures: [" + pci + "]}]", true},
           {"any, and not the other", "matchFeatures: [" + cpu + "], matchAny: [{matchFeatures: [" + pci + "]}]", true},
           {"nothing at all", "matchFeatures: []", false},
       })
    EXPECT_EQ(doubt(rule("labels: {l: \"1\"}", c.match)).about(kF + "l").has_value(), c.want) << c.name;
}

TEST(Doubt, IsAboutNothingWhileEverythingWasReadWhole) {
  EXPECT_FALSE(doubt(rule("labels: {l: \"1\"}", kPci), {}).about(kF + "l"));
  const std::string follows = "matchFeatures: [{feature: rule.matched, matchExpressions: {x: {op: Exists}}}]";
  EXPECT_FALSE(doubt(rule("labels: {l: \"1\"}", follows), {}).about(kF + "l"));
}

TEST(Doubt, KnowsWhichLabelsATemplateMakes) {
  const Doubt d = doubt(rule(
      R"(labelsTemplate: "{{ range .pci.device }}pci-{{ .class }}=1\nvendor.io/n-{{ .class }}=1\nall=1\n{{ end }}")",
      kPci));
  for (const std::string& key : {kF + "pci-0300", std::string("pci-0300"), std::string("vendor.io/n-0300"), kF + "all"})
    EXPECT_EQ(d.about(key), Kept::facts_stale) << key;
  for (const std::string& key :
       {kF + "usb-1", std::string("vendor.io/m"), kF + "vendor.io/n-1", kF + "all-1", kF + "pc"})
    EXPECT_EQ(d.about(key), std::nullopt) << key;
}

TEST(Doubt, IsAboutAllWhereATemplateMayMakeAnything) {
  for (const char* source : {"{{ range .pci.device }}{{ .class }}=1\\n{{ end }}", "{{ not a template"}) {
    const std::string text = rule("labelsTemplate: \"" + std::string(source) + "\"", kPci);
    Doubt d;
    const ParsedRules parsed = parse_rules(text, "t");
    ASSERT_EQ(parsed.documents.size(), 1u);
    const RuleSet set(parsed.documents[0].rules);
    d.add_stale({&set}, {"pci.device"});
    EXPECT_EQ(d.about("any/key"), Kept::facts_stale) << source;
    Doubt calm;
    calm.add_stale({&set}, {"cpu.model"});
    EXPECT_EQ(calm.about("any/key"), std::nullopt) << source;
  }
}

TEST(Doubt, RulesOfEverySetCount) {
  const std::string match = std::string(", ") + kPci + "}";
  const Doubt d = doubt(document("{name: a, labels: {a: \"1\"}" + match + ", {name: b, labels: {b: \"1\"}" + match) +
                        "---\n" + document("{name: c, labels: {c: \"1\"}" + match));
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(d.about(kF + key)) << key;
}

TEST(Doubt, TheFirstReasonForAllCounts) {
  Doubt d;
  EXPECT_EQ(d.about("k"), std::nullopt);
  d.add_all(Kept::rule_failing);
  d.add_all(Kept::rule_unreadable);
  EXPECT_EQ(d.about("k"), Kept::rule_failing);
}

}  // namespace
}  // namespace nodescout
