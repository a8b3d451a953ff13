#include "corridor/wanted_by.h"

#include <gtest/gtest.h>

#include "corridor/walk.h"

namespace nodescout {
namespace {

RuleLayers layers_of(const std::string& rule) {
  ParsedRules parsed = parse_rules("- " + rule + "\n", "test.yaml");
  EXPECT_TRUE(parsed.findings.empty()) << parsed.findings[0].problem.what;
  RuleLayers rules;
  rules.put(Layer::custom, std::move(parsed.documents.at(0).rules));
  return rules;
}

const std::vector<std::string_view> kOnDemand = {"cpu.model",  "cpu.security", "kernel.config",
                                                 "pci.device", "usb.device",   "x.y"};

TEST(Wanted, IsEverythingThatIsNotOnDemand) {
  const RuleLayers rules = layers_of("{name: r, labels: {a: '1'}}");
  EXPECT_TRUE(wanted_by(rules, {}).has("kernel.config", "HZ"));
  const Wanted wanted = wanted_by(rules, {"kernel.config"});
  EXPECT_FALSE(wanted.has("kernel.config"));
  EXPECT_TRUE(wanted.has("pci.device", "class") && !wanted.elements("pci.device"));
}

TEST(Wanted, IsWhatTermsAndReferencesName) {
  const Wanted wanted = wanted_by(
      layers_of(
          "{name: r, labels: {a: '@kernel.config.HZ', b: '@cpu.security.sgx.enabled', c: '@', d: '@x.y'},"
          " matchFeatures: [{feature: Kernel.Config, matchExpressions: {NO_HZ: {op: Exists}, X: {op: DoesNotExist}}},"
          " {feature: cpu.model, matchExpressions: {id: {op: Exists}}}, {feature: usb.device}],"
          " matchAny: [{matchFeatures: [{feature: kernel.config, matchExpressions: {Z: {op: Exists}}}]}]}"),
      kOnDemand);
  ASSERT_TRUE(wanted.has("kernel.config") && wanted.elements("kernel.config"));
  EXPECT_EQ(*wanted.elements("kernel.config"), (FlagSet{"HZ", "NO_HZ", "X", "Z"}));
  EXPECT_TRUE(wanted.has("cpu.security", "sgx.enabled") && wanted.has("cpu.model", "id"));
  EXPECT_FALSE(wanted.has("cpu.model", "family") || wanted.has("cpu.security", "sgx.epc"));
  EXPECT_TRUE(wanted.has("usb.device"));  // a term without expressions asks whether there is any
  EXPECT_FALSE(wanted.has("x.y") || wanted.has("pci.device"));
}

TEST(Wanted, SomeRulesMaySeeAllElements) {
  for (const char* rule :
       {"{name: r, matchFeatures: [{feature: kernel.config, matchName: {op: InRegexp, value: [^NO]}}]}",
        "{name: r, labelsTemplate: 'a={{ . }}', matchFeatures: [{feature: kernel.config, matchExpressions: {Z: {op: "
        "Exists}}}]}",
        "{name: r, varsTemplate: 'a={{ .kernel }}', matchAny: [{matchFeatures: [{feature: kernel.config}]}]}"}) {
    const Wanted wanted = wanted_by(layers_of(rule), kOnDemand);
    EXPECT_TRUE(wanted.has("kernel.config", "HZ") && !wanted.elements("kernel.config")) << rule;
  }
}

TEST(Wanted, IsWhatTemplatesName) {
  const Wanted wanted =
      wanted_by(layers_of("{name: r, matchFeatures: [{feature: PCI.device, matchExpressions: {class: {op: Exists}}}],"
                          " labelsTemplate: '{{ range .PCI.device }}a-{{ .vendor }}=1{{ end }}', varsTemplate: '{{ "
                          "range .PCI.device }}v={{ index"
                          " . \"driver\" }}{{ end }}'}"),
                kOnDemand);
  ASSERT_TRUE(wanted.elements("pci.device"));
  EXPECT_EQ(*wanted.elements("pci.device"), (FlagSet{"class", "driver", "vendor"}));
}

TEST(Wanted, AReferenceThatATemplateMakesGoesBeyond) {
  const RuleLayers rules = layers_of(
      "{name: r, labelsTemplate: '{{ range .kernel.version }}a=@kernel.config.{{ .Value }}{{ end }}',"
      " matchFeatures: [{feature: kernel.version, matchExpressions: {full: {op: Exists}}}]}");
  Features features;
  features.attributes["kernel.version"]["full"] = "HZ";
  const Wanted wanted = wanted_by(rules, kOnDemand);
  const Walk walked = walk(rules, {features}, {});
  EXPECT_TRUE(refers_beyond(wanted, walked.layers));
  EXPECT_FALSE(refers_beyond(Wanted(), walked.layers));
}

}  // namespace
}  // namespace nodescout
