#include "corridor/rule_layers.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

std::optional<FlagSet> named_by(const std::string& rule) {
  ParsedRules parsed = parse_rules("- " + rule + "\n", "test.yaml");
  EXPECT_TRUE(parsed.findings.empty()) << parsed.findings[0].problem.what;
  RuleLayers rules;
  rules.layers.push_back({Layer::custom, RuleSet(std::move(parsed.documents.at(0).rules))});
  return elements_named(rules, "kernel.config");
}

TEST(ElementsNamed, AreThoseOfEveryTermAndReference) {
  EXPECT_EQ(named_by("{name: r, labels: {a: '1'}}"), FlagSet{});
  EXPECT_EQ(named_by("{name: r, labels: {a: '@kernel.config.HZ', b: '@kernel.version.major'},"
                     " matchFeatures: [{feature: Kernel.Config, matchExpressions: {NO_HZ: {op: Exists}, X: {op: "
                     "DoesNotExist}}}, {feature: cpu.model, matchExpressions: {id: {op: Exists}}}],"
                     " matchAny: [{matchFeatures: [{feature: kernel.config, matchExpressions: {Z: {op: Exists}}}]}]}"),
            (FlagSet{"HZ", "NO_HZ", "X", "Z"}));
  EXPECT_EQ(named_by("{name: r, labelsTemplate: '{{ range .kernel.config }}{{ .Name }}=1{{ end }}',"
                     " matchFeatures: [{feature: kernel.config, matchExpressions: {NO_HZ: {op: Exists}}}]}"),
            FlagSet{"NO_HZ"});
}

TEST(ElementsNamed, SomeRulesMaySeeThemAll) {
  EXPECT_EQ(named_by("{name: r, matchFeatures: [{feature: kernel.config}]}"), std::nullopt);
  EXPECT_EQ(named_by("{name: r, matchFeatures: [{feature: kernel.config, matchName: {op: InRegexp, value: [^NO]}}]}"),
            std::nullopt);
  EXPECT_EQ(named_by("{name: r, labelsTemplate: 'a=@kernel.config.HZ'}"), std::nullopt);
}

}  // namespace
}  // namespace nodescout
