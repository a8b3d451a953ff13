#include "config/config.h"

#include <gtest/gtest.h>

#include <set>

#include "config/config_keys.h"
#include "corridor/builtin_rules.h"
#include "corridor/walk.h"
#include "rule/shipped.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

Config read(const std::string& text) {
  Config config;
  const Status applied = apply_config(config, text, "f");
  EXPECT_TRUE(applied) << (applied ? "" : applied.error().text());
  return config;
}

std::string problems(const Config& config) {
  std::string out;
  for (const Problem& problem : config.problems)
    out += problem.where + " " + problem.what + (problem.todo.empty() ? "" : " (" + problem.todo + ")") + "\n";
  return out;
}

TEST(Config, ReadsAsNfdDoes) {
  const Config config = read(
      "CORE: {labelSources: [all, -cpu], noPublishFeatures: [\"kernel.*\"], sleepInterval: 60s}\n"
      "sources:\n  pci:\n    deviceClassWhitelist: [\"02\", '0200', \"03\"]\n    DEVICELABELFIELDS: [vendor, class, "
      "vendor]\n"
      "  kernel: {configOpts: [A, 1, yes, ~]}\n  fake: {labels: {fakefeature1: 5}, instanceFeatures: [{attr_1: x}]}\n");
  EXPECT_EQ(config.pci.classes, (std::vector<std::string>{"02", "0200", "03"}));
  EXPECT_EQ(config.pci.fields, (std::vector<std::string>{"class", "vendor"}));
  EXPECT_EQ(config.kernel_options, (std::vector<std::string>{"A", "1", "true", "PREEMPT"}));
  EXPECT_EQ(config.fake_labels.at("fakefeature1"), "5");
  EXPECT_EQ(config.fake_labels.size(), 3u);
  EXPECT_EQ(
      config.probes.fake.instances,
      (Instances{
          {{"attr_1", "x"}, {"attr_2", "false"}, {"attr_3", "10"}, {"attr_4", "foobar"}, {"name", "instance_1"}}}));
  EXPECT_EQ(
      problems(config),
      "f:1:83 core.sleepInterval has no meaning here: probes run on events, not on a timer\n"
      "f:6:31 sources.kernel.configOpts: yes without quotes is \"true\" in YAML (write \"yes\" with its quotes)\n");
}

std::vector<std::string> prefixes(const std::string& text) {
  Config config;
  config.prefixes.fallback = {"feature.node.kubernetes.io", "nvidia.com"};
  EXPECT_TRUE(apply_config(config, text, "f"));
  return config.labels.write_prefixes;
}

TEST(Prefixes, ExtraOnesAddAndTheListReplaces) {
  using List = std::vector<std::string>;
  const List fallback{"feature.node.kubernetes.io", "nvidia.com"};
  EXPECT_EQ(prefixes("{}"), fallback);
  EXPECT_EQ(prefixes("extraWritePrefixes: [vendor.example]"),
            (List{"feature.node.kubernetes.io", "nvidia.com", "vendor.example"}));
  EXPECT_EQ(prefixes("extraLabelNs: [vendor.example, \"*.other.example\"]"),
            (List{"feature.node.kubernetes.io", "nvidia.com", "vendor.example", "other.example"}));
  EXPECT_EQ(prefixes("writePrefixes: [vendor.example]\nextraWritePrefixes: [a.vendor.example, b.example]"),
            (List{"vendor.example", "b.example"}));
  EXPECT_EQ(prefixes("writePrefixes: []"), fallback);
  EXPECT_EQ(prefixes("writePrefixes: [\"*\"]"), fallback);
}

TEST(Prefixes, EveryEntryIsValidatedAndTheAdviceIsRight) {
  const auto todo = [](const std::string& list) {
    const Config config = read("extraWritePrefixes: " + list);
    return config.problems.empty() ? "" : config.problems[0].todo;
  };
  EXPECT_EQ(todo("[vendor.example/]"), "write \"vendor.example\"");
  EXPECT_EQ(todo("[vendor.example/gpu]"), "write \"vendor.example\"");
  EXPECT_EQ(todo("[\"*.example\"]"), "write \"example\"");
  EXPECT_EQ(todo("[Vendor.Example]"), "write \"vendor.example\"");
  EXPECT_EQ(todo("[\"*\"]"), "name each namespace that rules write below");
  EXPECT_EQ(todo("[\"a b\"]"), "write a domain such as vendor.example");
  EXPECT_EQ(todo("[vendor.example]"), "");
  EXPECT_EQ(problems(read("writePrefixes: []")),
            "f:1:16 writePrefixes names no namespace, so nothing could be written (the default is used; remove it)\n");
}

TEST(Prefixes, ThePolicysListIsTheDefaultWhereItIsMounted) {
  std::vector<Problem> problems;
  EXPECT_EQ(write_prefixes_of_policy(test::TempHost().host().files(), problems), default_write_prefixes());
  const test::TempHost mounted{
      {"/etc/nodescout/policy/writePrefixes", "feature.node.kubernetes.io\nvendor.example\n*.bad.example\n"}};
  EXPECT_EQ(write_prefixes_of_policy(mounted.host().files(), problems),
            (std::vector<std::string>{"feature.node.kubernetes.io", "vendor.example"}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].where, "/etc/nodescout/policy/writePrefixes:3:1");
}

TEST(Config, ListsWithKnownValuesAreChecked) {
  EXPECT_EQ(problems(read("sources: {kernel: {configOpts: [CONFIG_NO_HZ, HZ]}}")),
            "f:1:33 sources.kernel.configOpts: options are written without CONFIG_, so \"CONFIG_NO_HZ\" never matches "
            "(write \"NO_HZ\")\n");
  EXPECT_EQ(
      problems(read("sources: {pci: {deviceClassWhitelist: [0x03, \"030000\", \"0x0b40\", \"03\", \"0B40\", \"\"]}}")),
      "f:1:40 sources.pci.deviceClassWhitelist: 0x03 without quotes is \"3\" in YAML (write \"03\" with its "
      "quotes)\n"
      "f:1:46 sources.pci.deviceClassWhitelist: \"030000\" does not begin any class, which has 4 hex digits "
      "(write \"0300\")\n"
      "f:1:56 sources.pci.deviceClassWhitelist: \"0x0b40\" does not begin any class, which has 4 hex digits "
      "(write \"0b40\")\n");
  EXPECT_EQ(problems(read("sources: {usb: {deviceClassWhitelist: [\"0300\", network]}}")),
            "f:1:40 sources.usb.deviceClassWhitelist: \"0300\" does not begin any class, which has 2 hex digits "
            "(write \"03\")\n"
            "f:1:48 sources.usb.deviceClassWhitelist: \"network\" does not begin any class, which has 2 hex digits "
            "(write hex digits in quotes, such as \"03\")\n");
}

TEST(Config, APatternWithTheNamespaceInIt) {
  EXPECT_EQ(problems(read("labelWhiteList: \"^feature.node.kubernetes.io/cpu-.*\"")),
            "f:1:17 labelWhiteList: \"^feature.node.kubernetes.io/cpu-.*\" matches nothing: it is held against what "
            "follows / in a key (write \"^cpu-.*\")\n");
}

TEST(Config, ShippedRulesAreChosen) {
  EXPECT_FALSE(read("rules: {shipped: false}").shipped_rules);
  EXPECT_EQ(read("rules: {shipped: [nvidia]}").shipped_names, (std::vector<std::string>{"nvidia"}));
  EXPECT_EQ(read("rules: {shipped: nvidia}").problems.size(), 1u);
}

TEST(Config, NullInAListLeavesTheDefaultAtItsPlace) {
  const Config config = read(
      "core: {labelSources: [~, -pci], sources: ~}\n"
      "sources:\n  kernel: {configOpts: [A, ~, B, ~, ~]}\n"
      "  pci: {deviceLabelFields: [device, ~, bogus], deviceClassWhitelist: [\"02\", ~]}\n");
  EXPECT_EQ(config.label_sources, (std::vector<std::string>{"all", "-pci"}));
  EXPECT_EQ(config.kernel_options, (std::vector<std::string>{"A", "NO_HZ_IDLE", "B", "PREEMPT", ""}));
  EXPECT_EQ(config.pci.fields, (std::vector<std::string>{"vendor", "device"}));
  EXPECT_EQ(config.pci.classes, (std::vector<std::string>{"02", "0b40"}));
}

TEST(Config, NullEmptiesAMap) {
  const Config config = read("sources: {fake: {labels: ~, attributeFeatures: {}}}\n");
  EXPECT_TRUE(config.fake_labels.empty());
  EXPECT_EQ(config.probes.fake.attributes.size(), 3u);
}

TEST(Config, NamesOfSourcesAreExact) {
  const Config config = read("sources:\n  PCI: {deviceClassWhitelist: [\"02\"]}\n");
  EXPECT_EQ(config.pci.classes, (std::vector<std::string>{"03", "0b40", "12"}));
  EXPECT_EQ(problems(config), "f:2:3 unknown key \"sources.PCI\" (did you mean \"sources.pci\"?)\n");
}

TEST(Config, TheOctalTrapIsSaid) {
  const Config config = read("sources: {pci: {deviceClassWhitelist: [0200, 03, 0b40]}}\n");
  EXPECT_EQ(config.pci.classes, (std::vector<std::string>{"128", "3", "0b40"}));
  EXPECT_NE(problems(config).find("0200 without quotes is \"128\" in YAML (write \"0200\" with its quotes)"),
            std::string::npos)
      << problems(config);
}

TEST(Config, ABadKeyCostsItself) {
  const Config config = read(
      "core: {labelWhitelist: a, noPublish: maybe, compat: gfd}\nsources: {pci: {deviceLabelFields: [vender]}, usb: "
      "[x], gpu: {}}\nenableTaints: true\nunknown: 1\n");
  EXPECT_TRUE(config.labels.taints);
  EXPECT_TRUE(config.publish);
  EXPECT_EQ(config.pci.fields, (std::vector<std::string>{"class", "vendor"}));
  EXPECT_EQ(problems(config),
            "f:4:1 unknown key \"unknown\" (remove it)\n"
            "f:1:38 core.noPublish must be true or false, not the text \"maybe\" (the default is used)\n"
            "f:1:53 core.compat knows only \"nfd\", not \"gfd\"\n"
            "f:2:57 unknown key \"sources.gpu\" (did you mean \"gpu\" at the top level?)\n"
            "f:2:37 sources.pci.deviceLabelFields: unknown field \"vender\" (did you mean vendor?)\n"
            "f:2:52 sources.usb must be a map, not a list (the default is used)\n")
      << problems(config);
}

TEST(Config, TextThatIsNoConfigurationChangesNothing) {
  Config config;
  EXPECT_FALSE(apply_config(config, "[1, 2]", "f"));
  EXPECT_FALSE(apply_config(config, "a: [1", "f"));
  EXPECT_TRUE(apply_config(config, "# nothing\n", "f"));
}

TEST(Config, WhatIsUnknownIsSaidWithWhatWasMeant) {
  const Config config = read(
      "labelSources: [cpu]\nenableTaint: true\nautoDefaultNs: false\nresourceLabels: [x]\n"
      "restrictions: {disableTaints: true, enableTaints: true}\n"
      "sources: {local: {hooksEnabled: true}, memory: {x: 1}}\n"
      "leaderElection: {leaseDuration: soon, retryperiod: 2s, renewDedline: 3s}\n"
      "nfdApiParallelism: 0\nenabletaints: true\nENABLETAINTS: false\n");
  EXPECT_FALSE(config.labels.taints) << "the last one counts";
  EXPECT_EQ(
      problems(config),
      "f:1:1 unknown key \"labelSources\" (did you mean \"core.labelSources\"?)\n"
      "f:2:1 unknown key \"enableTaint\" (did you mean \"enableTaints\"?)\n"
      "f:3:1 unknown key \"autoDefaultNs\" (write autoPrefix)\n"
      "f:4:1 unknown key \"resourceLabels\" (write a NodeFeatureRule with "
      "extendedResources: {NAME: \"@DOMAIN.FEATURE.ELEMENT\"}; remove the key)\n"
      "f:10:1 ENABLETAINTS is there more than once (the last one counts; remove the others)\n"
      "f:6:19 unknown key \"sources.local.hooksEnabled\": sources.local has no options (hooks (source.d) are gone "
      "since NFD 0.17: let the script write a file of features.d, and remove the key)\n"
      "f:6:49 unknown key \"sources.memory.x\": sources.memory has no options (remove it)\n"
      "f:8:20 nfdApiParallelism must be a whole number of at least 1, not the number 0 (NFD does not start with it; "
      "here the key has no meaning)\n"
      "f:7:56 unknown key \"leaderElection.renewDedline\" (did you mean \"leaderElection.renewDeadline\"?)\n"
      "f:7:33 leaderElection.leaseDuration must be a duration such as 60s, not the text \"soon\" (NFD does not start "
      "with it; here the key has no meaning)\n"
      "f:5:16 unknown key \"restrictions.disableTaints\" (NFD shows it in a sample, but never had it: taints are off "
      "unless enableTaints is true; remove the key)\n"
      "f:5:37 unknown key \"restrictions.enableTaints\" (did you mean \"enableTaints\" at the top level?)\n");
}

TEST(Config, EveryKeyIsOneRowThatSaysWhatItMeans) {
  std::set<std::string> names;
  std::vector<ConfigKey> keys = config_keys();
  for (const ConfigKey& key : keys) {
    EXPECT_TRUE(names.insert(std::string(key.name)).second) << key.name << " is there twice";
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    for (const ConfigKey& other : keys)
      EXPECT_FALSE(other.name.starts_with(std::string(key.name) + ".")) << key.name << " is a key and a section";
  }
  EXPECT_GT(keys.size(), 50u);
}

TEST(Config, DurationsOfTheRecheck) {
  EXPECT_EQ(read("nodeRecheck: 0\n").node_recheck.count(), 0);
  EXPECT_EQ(read("nodeRecheck: 1h1.5m\n").node_recheck.count(), 3690);
  EXPECT_EQ(read("nodeRecheck: 30\n").node_recheck.count(), 30);
  EXPECT_EQ(read("nodeRecheck: soon\n").node_recheck.count(), 300);
}

TEST(Config, LeaseAndReadinessGate) {
  const Config fallback = read("");
  EXPECT_TRUE(fallback.lease);
  EXPECT_EQ(fallback.lease_period.count(), 30);
  EXPECT_EQ(fallback.readiness_gate.taint, "") << "off";
  const Config config = read(
      "lease: {enabled: false, period: 1m}\n"
      "readinessGate: {taint: a/b, deadline: 10m, requires: [x/y], onDeadline: remove}\n");
  EXPECT_FALSE(config.lease);
  EXPECT_EQ(config.lease_period.count(), 60);
  EXPECT_EQ(config.readiness_gate.taint, "a/b");
  EXPECT_EQ(config.readiness_gate.deadline.count(), 600);
  EXPECT_EQ(config.readiness_gate.required, std::vector<std::string>{"x/y"});
  EXPECT_TRUE(config.readiness_gate.is_taint_removed_at_deadline);
  for (const char* wrong : {"lease: {period: 0}", "lease: {period: 100ms}", "readinessGate: {deadline: 0}",
                            "readinessGate: {onDeadline: delete}", "readinessGate: {require: [x/y]}"}) {
    const Config mistaken = read(std::string(wrong) + "\n");
    EXPECT_EQ(mistaken.problems.size(), 1u) << wrong;
    EXPECT_EQ(mistaken.lease_period.count(), 30) << wrong;
    EXPECT_EQ(mistaken.readiness_gate.deadline.count(), 300) << wrong;
  }
}

TEST(Config, SelectionIsLeftToRight) {
  std::vector<Problem> problems;
  const std::vector<std::string_view> known{"cpu", "fake", "pci"}, off{"fake"};
  const auto select = [&](std::vector<std::string> wanted) {
    return select_sources(wanted, known, off, "k", problems);
  };
  EXPECT_EQ(select({"all"}), (std::vector<std::string>{"cpu", "pci"}));
  EXPECT_EQ(select({"all", "fake", "-cpu"}), (std::vector<std::string>{"fake", "pci"}));
  EXPECT_EQ(select({"-cpu", "all"}), (std::vector<std::string>{"cpu", "pci"}));
  EXPECT_TRUE(select({}).empty());
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(select({"pcj"}).size(), 0u);
  EXPECT_EQ(problems[0].todo, "did you mean pci?");
}

TEST(Config, CustomRulesComeAlong) {
  const Config config = read("sources: {custom: [{name: a, labels: {x: v}}, {name: b, labels: 5}]}\n");
  EXPECT_EQ(config.custom_rules.size(), 1u);
  EXPECT_EQ(config.problems.size(), 1u);
}

TEST(Builtin, EveryLabelSourceCanBeSwitchedOff) {
  Config config;
  config.label_sources = {"cpu", "fake", "kernel", "pci", "usb"};
  EXPECT_EQ(builtin_rules(config).size(), 1u + 3u + 8u + 2u + 1u);
  config.label_sources.clear();
  EXPECT_TRUE(builtin_rules(config).empty());
}

TEST(Builtin, TheFileBelongsToLabelSources) {
  const std::set<std::string> sources{"cpu", "kernel", "memory", "network", "storage", "system", "custom"};
  for (const Rule& rule : shipped_rules("builtin"))
    EXPECT_TRUE(sources.contains(rule.name.substr(0, rule.name.find('-')))) << rule.name;
}

}  // namespace
}  // namespace nodescout
