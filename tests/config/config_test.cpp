#include "config/config.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
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

std::string todos(const Config& config) {
  std::string out;
  for (const Problem& problem : config.problems) out += problem.where + " " + problem.todo + "\n";
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
      "f:6:31 sources.kernel.configOpts: yes without quotes is \"true\" in YAML (write \"yes\", with the quotes)\n");
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

TEST(Prefixes, OneMistakeCountsOnce) {
  for (const char* text : {"writePrefixes: [\"*\"]", "writePrefixes: vendor.example", "writePrefixes: []",
                           "writePrefixes:", "writePrefixes: [[a]]", "extraWritePrefixes: vendor.example"})
    EXPECT_EQ(read(text).problems.size(), 1u) << text << "\n" << problems(read(text));
}

TEST(Config, EachGateOfNfdHasItsOwnAdvice) {
  const Config config =
      read("featureGates: {NodeFeatureAPI: false, DisableAutoPrefix: true, NodeFeatureGroupAPI: true}\n");
  ASSERT_EQ(config.problems.size(), 3u) << problems(config);
  EXPECT_EQ(config.problems[0].where, "f:1:16");
  EXPECT_EQ(config.problems[0].what, "unknown key \"featureGates.NodeFeatureAPI\"");
  EXPECT_NE(config.problems[0].todo.find("the agent labels its Node itself"), std::string::npos);
  EXPECT_NE(config.problems[1].todo.find("autoPrefix: false, and every key with a prefix"), std::string::npos);
  EXPECT_EQ(read("featureGates: {Other: true}\n").problems.size(), 1u);
}

TEST(Prefixes, NamespacesOfKubernetesStayClosed) {
  EXPECT_EQ(todos(read("extraWritePrefixes: [kubernetes.io, node-role.kubernetes.io]")),
            "f:1:22 write \"feature.node.kubernetes.io\"\n"
            "f:1:37 remove it; labels in it are allowed by extraLabelNs: [node-role.kubernetes.io]\n");
  EXPECT_EQ(todos(read("writePrefixes: [node.kubernetes.io]")), "f:1:17 write \"feature.node.kubernetes.io\"\n");
  EXPECT_EQ(todos(read("writePrefixes: [feature.node.kubernetes.io, a.profile.node.kubernetes.io, "
                       "nfd.node.kubernetes.io, notkubernetes.io]")),
            "");
}

TEST(Prefixes, NamespacesOfNfdAreValidated) {
  EXPECT_EQ(todos(read("extraLabelNs: [Vendor.Example, \"*.other.example\", a b, ok.example, x.kubernetes.io]")),
            "f:1:16 write \"vendor.example\"\nf:1:32 write \"other.example\"\n"
            "f:1:51 write a domain such as vendor.example\n");
  EXPECT_EQ(todos(read("denyLabelNs: [\"*.foo\", \"*\", \"*foo\", foo, \"x/\", \"*.X\"]")),
            "f:1:42 write \"x\"\nf:1:48 write \"*.x\"\n");
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

TEST(Config, OneOfNfdsFilesThatCannotBeReadKeepsNoAgentFromStarting) {
  const std::string folder = "/etc/kubernetes/node-feature-discovery/";
  const test::TempHost host{{folder + "nfd-worker.conf", "core: {labelSources: [pci]}\nsources: [\n"},
                            {folder + "nfd-master.conf", "enableTaints: true\n"}};
  const auto config = load_config("", host.host().files());
  ASSERT_TRUE(config) << config.error().text();
  ASSERT_TRUE(config->unread);
  EXPECT_EQ(config->label_sources, std::vector<std::string>{"all"}) << "its keys have their defaults";
  EXPECT_TRUE(config->labels.taints) << "the other file counts";
  ASSERT_EQ(config->problems.size(), 1u);
  EXPECT_EQ(config->problems[0].code, "configuration-refused");
  EXPECT_TRUE(config->problems[0].where.starts_with(folder + "nfd-worker.conf:")) << config->problems[0].where;
  // A file that is nodescout's own, or named, is an error: its author is there to correct it.
  const test::TempHost own{{"/etc/nodescout/nodescout.conf", "core: [\n"}};
  EXPECT_FALSE(load_config("", own.host().files()));
  const test::TempHost none;
  EXPECT_FALSE(load_config("", none.host().files())->unread);
}

TEST(Config, AnAgentHasALeaseUnlessItIsOffOrOfAnInstance) {
  const auto keeps_lease = [](const std::string& text) {
    Config config;
    EXPECT_TRUE(apply_config(config, text, "test"));
    return config.keeps_lease();
  };
  EXPECT_TRUE(keeps_lease("{}"));
  EXPECT_FALSE(keeps_lease("lease: {enabled: false}"));
  EXPECT_FALSE(keeps_lease("instance: x"));
}

TEST(Config, ListsWithKnownValuesAreChecked) {
  EXPECT_EQ(
      problems(read("sources: {kernel: {configOpts: [CONFIG_NO_HZ, HZ]}}")),
      "f:1:33 sources.kernel.configOpts: \"CONFIG_NO_HZ\" never matches: options are in capitals, without CONFIG_ "
      "and without a value (write \"NO_HZ\")\n");
  EXPECT_EQ(todos(read("sources: {kernel: {configOpts: [no_hz, \"NO_HZ=y\", VIDEO_mxb]}}")),
            "f:1:33 write \"NO_HZ\"\nf:1:40 write \"NO_HZ\"\n");
  EXPECT_EQ(todos(read("sources: {kernel: {cmdlineNames: [\"iommu=pt\", quiet]}}")), "f:1:35 write \"iommu\"\n");
  EXPECT_EQ(
      problems(read("sources: {pci: {deviceClassWhitelist: [0x03, \"030000\", \"0x0b40\", \"03\", \"0B40\", \"\"]}}")),
      "f:1:40 sources.pci.deviceClassWhitelist: 0x03 without quotes is \"3\" in YAML (write \"03\", with the "
      "quotes)\n"
      "f:1:46 sources.pci.deviceClassWhitelist: \"030000\" does not match the beginning of any class, which has 4 hex "
      "digits (write \"0300\")\n"
      "f:1:56 sources.pci.deviceClassWhitelist: \"0x0b40\" does not match the beginning of any class, which has 4 hex "
      "digits (write \"0b40\")\n");
  EXPECT_EQ(problems(read("sources: {usb: {deviceClassWhitelist: [\"0300\", network]}}")),
            "f:1:40 sources.usb.deviceClassWhitelist: \"0300\" does not match the beginning of any class, which has 2 "
            "hex digits (write \"03\")\n"
            "f:1:48 sources.usb.deviceClassWhitelist: \"network\" does not match the beginning of any class, which has "
            "2 hex digits "
            "(write hex digits in quotes, such as \"03\")\n");
}

TEST(Config, KeysAndTextsAreNamedAsTheyAreWritten) {
  EXPECT_EQ(problems(read("sources: {network: {y: 1}, y: 2}\ny: 3\n")),
            "f:2:1 unknown key \"y\" (remove it)\n"
            "f:1:28 unknown key \"sources.y\" (remove it)\n"
            "f:1:21 unknown key \"sources.network.y\": sources.network has no options (remove it)\n");
  EXPECT_EQ(todos(read("sources: {fake: {labels: {y: 010}, attributeFeatures: {a: on}, flagFeatures: [no], "
                       "instanceFeatures: [{name: 0x1}]}}")),
            "f:1:27 write \"y\", with the quotes\nf:1:30 write \"010\", with the quotes\n"
            "f:1:79 write \"no\", with the quotes\nf:1:59 write \"on\", with the quotes\n"
            "f:1:110 write \"0x1\", with the quotes\n");
}

TEST(Config, RemarksOnTheYamlAreReported) {
  EXPECT_EQ(todos(read("instance: “a”\nstateFile: !x y\n")),
            "f:1:11 write \"a\", with the quotes\nf:2:12 remove it, or put the whole value in quotes\n");
}

/// What holds a configuration as a part is not read for one: the part is named.
TEST(Config, ATextInsideOfSomethingElseIsNamed) {
  const auto named = [](const std::string& text) {
    const Config config = read(text);
    EXPECT_EQ(config.labels.label_white_list, nullptr);
    return problems(config);
  };
  const std::string cure = " (write that into a file of its own; until then the defaults are used)\n";
  const std::string part = "the configuration is only a part of this file: it is ";
  EXPECT_EQ(named("kind: ConfigMap\nmetadata: {name: c}\ndata:\n  nfd-master.conf: |\n    labelWhiteList: a\n"),
            "f:5:5 " + part + "data.nfd-master.conf of the ConfigMap c" + cure);
  EXPECT_EQ(named("kind: NodeFeatureDiscovery\nmetadata: {name: i}\nspec:\n  workerConfig:\n    configData: |\n"
                  "      core: {}\n"),
            "f:6:7 " + part + "spec.workerConfig.configData of the NodeFeatureDiscovery i" + cure);
  EXPECT_EQ(named("master:\n  config:\n    labelWhiteList: a\n"),
            "f:3:5 " + part + "master.config of these Helm values" + cure);
  EXPECT_EQ(named("kind: NodeFeatureRule\nspec: {rules: []}\n"),
            "f:1:7 there is no configuration in this NodeFeatureRule (check it with `nodescout rules check`)\n");
  EXPECT_EQ(named("nonsense: 1\n"), "f:1:1 unknown key \"nonsense\" (remove it)\n");
  Config plain;
  EXPECT_TRUE(apply_config(plain, "labelWhiteList: a\n", "f"));
  EXPECT_NE(plain.labels.label_white_list, nullptr);
}

TEST(Config, APatternWithTheNamespaceInIt) {
  EXPECT_EQ(problems(read("labelWhiteList: \"^feature.node.kubernetes.io/cpu-.*\"")),
            "f:1:17 labelWhiteList: \"^feature.node.kubernetes.io/cpu-.*\" matches nothing: it is compared with the "
            "part of a key after / (write \"^cpu-.*\")\n");
  const auto advice = [](const std::string& pattern) {
    const auto problems = read("labelWhiteList: '" + pattern + "'").problems;
    return problems.empty() ? "" : problems[0].todo;
  };
  EXPECT_EQ(advice("^a.example/x|b.example/y$"), "write \"^x|y$\"");
  EXPECT_EQ(advice("^a\\.example/cpu-(b|c/d).*"), "write \"^cpu-(b|c/d).*\"");
  EXPECT_EQ(advice("^a.example/"), "write a pattern of names, without /");
  EXPECT_EQ(advice("/+a"), "write a pattern of names, without /");
  // Each of these is found in some name.
  for (const char* some : {"^a.example/x|^cpu-", "(a/b|c)", "(a.example/)?cpu", "[/a]x", "[]/]x", "a/?b", "a/*b",
                           "a/{0,1}b", "\\Qa|\\E/", "cpu|"})
    EXPECT_EQ(advice(some), "") << some;
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
  EXPECT_NE(problems(config).find("0200 without quotes is \"128\" in YAML (write \"0200\", with the quotes)"),
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
            "f:1:38 core.noPublish must be true or false, not the string \"maybe\" (the default is used)\n"
            "f:1:53 core.compat accepts only \"nfd\", not \"gfd\" (write nfd, or remove it)\n"
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
      "f:10:1 ENABLETAINTS is given more than once (the last one is used; remove the others)\n"
      "f:6:19 unknown key \"sources.local.hooksEnabled\": sources.local has no options (hooks (source.d) were removed "
      "in NFD 0.17: have the script write a file in features.d, and remove the key)\n"
      "f:6:49 unknown key \"sources.memory.x\": sources.memory has no options (remove it)\n"
      "f:8:20 nfdApiParallelism must be a whole number of at least 1, not the number 0 (NFD does not start with it; "
      "here the key has no meaning)\n"
      "f:7:56 unknown key \"leaderElection.renewDedline\" (did you mean \"leaderElection.renewDeadline\"?)\n"
      "f:7:33 leaderElection.leaseDuration must be a duration such as 60s, not the string \"soon\" (NFD does not start "
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

/// Every key of NFD's two files, from its structures, and what it does here: it changes the configuration, or it is
/// reported with the reason why it does not.
struct NfdKey {
  const char* name;
  const char* text;
  std::function<bool(const Config&)> is_used;  // none: it has no meaning here
};
using Texts = std::vector<std::string>;

const std::vector<NfdKey>& nfd_keys() {
  static const std::vector<NfdKey> kKeys = {
      {"core.klog", "core: {klog: {v: 4, addDirHeader: true, logFile: /x}}", {}},
      {"core.labelWhiteList", "core: {labelWhiteList: '^a'}",
       [](const Config& c) { return c.labels.worker_white_list != nullptr; }},
      {"core.noPublish", "core: {noPublish: true}", [](const Config& c) { return !c.publish; }},
      {"core.noPublishFeatures", "core: {noPublishFeatures: [a]}",
       [](const Config& c) { return c.unpublished_features == Texts{"a"}; }},
      {"core.noOwnerRefs", "core: {noOwnerRefs: true}", [](const Config& c) { return c.owner_references.empty(); }},
      {"core.ownerRefs", "core: {ownerRefs: [node]}",
       [](const Config& c) { return c.owner_references == Texts{"node"}; }},
      {"core.featureSources", "core: {featureSources: [cpu]}",
       [](const Config& c) { return c.feature_sources == Texts{"cpu"}; }},
      {"core.labelSources", "core: {labelSources: [cpu]}",
       [](const Config& c) { return c.label_sources == Texts{"cpu"}; }},
      {"core.sources", "core: {sources: [cpu]}", [](const Config& c) { return c.label_sources == Texts{"cpu"}; }},
      {"core.sleepInterval", "core: {sleepInterval: 60s}", {}},
      {"sources.cpu.cpuid.attributeBlacklist", "sources: {cpu: {cpuid: {attributeBlacklist: [AVX]}}}",
       [](const Config& c) { return c.cpuid.denied == Texts{"AVX"}; }},
      {"sources.cpu.cpuid.attributeWhitelist", "sources: {cpu: {cpuid: {attributeWhitelist: [AVX]}}}",
       [](const Config& c) { return c.cpuid.allowed == Texts{"AVX"}; }},
      {"sources.kernel.kconfigFile", "sources: {kernel: {kconfigFile: /k}}",
       [](const Config& c) { return c.probes.kconfig_file == "/k"; }},
      {"sources.kernel.configOpts", "sources: {kernel: {configOpts: [A]}}",
       [](const Config& c) { return c.kernel_options == Texts{"A"}; }},
      {"sources.pci.deviceClassWhitelist", "sources: {pci: {deviceClassWhitelist: ['02']}}",
       [](const Config& c) { return c.pci.classes == Texts{"02"}; }},
      {"sources.pci.deviceLabelFields", "sources: {pci: {deviceLabelFields: [vendor]}}",
       [](const Config& c) { return c.pci.fields == Texts{"vendor"}; }},
      {"sources.usb.deviceClassWhitelist", "sources: {usb: {deviceClassWhitelist: ['02']}}",
       [](const Config& c) { return c.usb.classes == Texts{"02"}; }},
      {"sources.usb.deviceLabelFields", "sources: {usb: {deviceLabelFields: [vendor]}}",
       [](const Config& c) { return c.usb.fields == Texts{"vendor"}; }},
      {"sources.fake.labels", "sources: {fake: {labels: {x: z}}}",
       [](const Config& c) { return c.fake_labels.contains("x"); }},
      {"sources.fake.flagFeatures", "sources: {fake: {flagFeatures: [x]}}",
       [](const Config& c) { return c.probes.fake.flags == Texts{"x"}; }},
      {"sources.fake.attributeFeatures", "sources: {fake: {attributeFeatures: {x: z}}}",
       [](const Config& c) { return c.probes.fake.attributes.contains("x"); }},
      {"sources.fake.instanceFeatures", "sources: {fake: {instanceFeatures: [{x: z}]}}",
       [](const Config& c) { return c.probes.fake.instances.size() == 1; }},
      {"sources.custom", "sources: {custom: [{name: x, labels: {a: b}, matchFeatures: []}]}",
       [](const Config& c) { return c.custom_rules.size() == 1; }},
      // Sections without options: an empty one is legal in NFD, and there is nothing to report.
      {"sources.local", "sources: {local: {}}", [](const Config& c) { return c.problems.empty(); }},
      {"sources.memory", "sources: {memory: {}}", [](const Config& c) { return c.problems.empty(); }},
      {"sources.network", "sources: {network: {}}", [](const Config& c) { return c.problems.empty(); }},
      {"sources.storage", "sources: {storage: {}}", [](const Config& c) { return c.problems.empty(); }},
      {"sources.system", "sources: {system: {}}", [](const Config& c) { return c.problems.empty(); }},

      {"noPublish", "noPublish: true", [](const Config& c) { return !c.publish; }},
      {"enableTaints", "enableTaints: false", [](const Config& c) { return !c.labels.taints; }},
      {"denyLabelNs", "denyLabelNs: [x.io]",
       [](const Config& c) { return c.labels.denied_namespaces == Texts{"x.io"}; }},
      {"extraLabelNs", "extraLabelNs: [x.io]",
       [](const Config& c) { return c.labels.extra_namespaces == Texts{"x.io"}; }},
      {"labelWhiteList", "labelWhiteList: '^a'", [](const Config& c) { return c.labels.label_white_list != nullptr; }},
      {"resyncPeriod", "resyncPeriod: 1h", {}},
      {"nfdApiParallelism", "nfdApiParallelism: 10", {}},
      {"informerPageSize", "informerPageSize: 200", {}},
      {"leaderElection", "leaderElection: {leaseDuration: 15s, renewDeadline: 10s, retryPeriod: 2s}", {}},
      {"klog", "klog: {v: 4}", {}},
      {"restrictions.nodeFeatureNamespaceSelector",
       "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {a: b}}}",
       [](const Config& c) { return c.objects.selector.has_value(); }},
      {"restrictions.disableLabels", "restrictions: {disableLabels: true}",
       [](const Config& c) { return !c.labels.labels; }},
      {"restrictions.disableExtendedResources", "restrictions: {disableExtendedResources: true}",
       [](const Config& c) { return !c.labels.extended_resources; }},
      {"restrictions.disableAnnotations", "restrictions: {disableAnnotations: true}",
       [](const Config& c) { return !c.labels.annotations; }},
      {"restrictions.denyNodeFeatureLabels", "restrictions: {denyNodeFeatureLabels: true}",
       [](const Config& c) { return !c.objects.labels; }},
      {"restrictions.allowOverwrite", "restrictions: {allowOverwrite: true}",
       [](const Config& c) { return c.allow_overwrite; }},
  };
  return kKeys;
}

TEST(Config, EveryKeyOfNfdIsUsedOrReported) {
  for (const NfdKey& key : nfd_keys()) {
    Config untouched;
    const Config config = read(key.text);
    if (key.is_used) {
      const bool is_section = std::string(key.text).ends_with(": {}}");
      EXPECT_TRUE(is_section || !key.is_used(untouched)) << key.name << ": the example is the default";
      EXPECT_TRUE(key.is_used(config)) << key.name;
      EXPECT_EQ(problems(config), "") << key.name;
    } else {
      ASSERT_EQ(config.problems.size(), 1u) << key.name;
      EXPECT_EQ(config.problems[0].code, "meaningless-config-key") << key.name;
      EXPECT_NE(config.problems[0].what.find(std::string(key.name) + " has no meaning here: "), std::string::npos);
    }
  }
  // The rows that say that a key is NFD's are these and no others.
  std::set<std::string> rows, here;
  for (const ConfigKey& key : config_keys())
    if (key.owner == KeyOwner::worker || key.owner == KeyOwner::master) rows.emplace(key.name);
  for (const NfdKey& key : nfd_keys()) here.emplace(key.name);
  EXPECT_EQ(rows, here);
}

TEST(Config, WhichNodeFeatureObjectsCount) {
  const Config config = read(
      "nodeFeatures: {namespaces: [vendor, \"*\"], mayOverride: true, deniedKeys: [a.io/x, \"b.io/*\"]}\n"
      "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {a: \"1\"}, matchExpressions: [\n"
      "  {key: b, operator: NotIn, values: [x, z]}, {key: c, operator: Exists}, {key: d, operator: DoesNotExist}]}}\n");
  EXPECT_EQ(problems(config), "");
  EXPECT_EQ(config.objects.namespaces, (Texts{"vendor", "*"}));
  EXPECT_TRUE(config.objects.may_override);
  EXPECT_EQ(config.objects.denied_keys, (Texts{"a.io/x", "b.io/*"}));
  using enum LabelSelector::Operator;
  EXPECT_EQ(config.objects.selector->terms,
            (std::vector<LabelSelector::Term>{
                {"a", in, {"1"}}, {"b", not_in, {"x", "z"}}, {"c", exists, {}}, {"d", does_not_exist, {}}}));
  EXPECT_EQ(read("{}").objects, ObjectPolicy());
  EXPECT_EQ(read("nodeFeatures: {namespaces: }").objects.namespaces, std::nullopt) << "nothing is said";
  EXPECT_EQ(read("nodeFeatures: {namespaces: []}").objects.namespaces, Texts{}) << "this is a decision";
  EXPECT_EQ(read("restrictions: {nodeFeatureNamespaceSelector: }").objects.selector, std::nullopt);
  EXPECT_EQ(read("restrictions: {nodeFeatureNamespaceSelector: {}}").objects.selector, LabelSelector());
}

TEST(Config, MistakesAboutNodeFeatureObjects) {
  EXPECT_EQ(problems(read("nodeFeatures: {namespaces: [\"a*\", vendor], deniedKeys: [mig.config, \"x.io/*y\"]}\n")),
            "f:1:29 nodeFeatures.namespaces: \"a*\" is not the name of a namespace (name each namespace in full, or "
            "write \"*\" for all)\n"
            "f:1:57 nodeFeatures.deniedKeys: \"mig.config\" has no domain, so it means a label without one, which is "
            "below feature.node.kubernetes.io (write the whole key, such as \"nvidia.com/mig.config\")\n"
            "f:1:69 nodeFeatures.deniedKeys: \"x.io/*y\" denies nothing: * has a meaning only at the end (write what "
            "the keys begin with, such as \"nvidia.com/gpu.deploy.*\")\n");
  for (const char* selector :
       {"7", "[a]", "{matchLabels: [a]}", "{matchLabels: {a: [b]}}", "{matchExpressions: {a: b}}",
        "{matchExpressions: [a]}", "{matchExpressions: [{operator: Exists}]}", "{matchExpressions: [{key: a}]}",
        "{matchExpressions: [{key: a, operator: exists}]}", "{matchExpressions: [{key: a, operator: In}]}",
        "{matchExpressions: [{key: a, operator: Exists, values: [x]}]}"}) {
    const Config config = read("restrictions: {nodeFeatureNamespaceSelector: " + std::string(selector) + "}\n");
    ASSERT_TRUE(config.objects.selector) << selector;
    EXPECT_FALSE(config.objects.selector->matches({{"a", "b"}})) << selector << " selects nothing";
    ASSERT_EQ(config.problems.size(), 1u) << selector;
    EXPECT_NE(config.problems[0].todo.find("objects of other namespaces do not count"), std::string::npos) << selector;
  }
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

/// What an agent says when its files change, for each of these keys; the others are read at once.
TEST(Config, AChangeThatCountsAtTheNextStartIsReported) {
  const std::map<std::string, std::pair<std::string, std::string>, std::less<>> samples{
      {"core.noPublish", {"core: {noPublish: true}", "from false to true"}},
      {"core.noPublishFeatures", {"core: {noPublishFeatures: [cpu.*]}", "from [] to [cpu.*]"}},
      {"core.ownerRefs", {"core: {ownerRefs: [node]}", "from [pod, ds] to [node]"}},
      {"core.noOwnerRefs", {"core: {noOwnerRefs: true}", "from false to true"}},
      {"noPublish", {"noPublish: true", "from false to true"}},
      {"limits.nodeFeatureObjects", {"limits: {nodeFeatureObjects: 65}", "from 64 to 65"}},
      {"limits.nodeFeatureBytes", {"limits: {nodeFeatureBytes: 2Mi}", "from 1048576 to 2097152"}},
      {"watchNode", {"watchNode: true", "from false to true"}},
      {"lease.enabled", {"lease: {enabled: false}", "from true to false"}},
      {"lease.period", {"lease: {period: 1m}", "from 30s to 60s"}},
      {"readinessGate.taint", {"readinessGate: {taint: a/b}", "from \"\" to \"a/b\""}},
      {"readinessGate.requires", {"readinessGate: {requires: [x/y]}", "from [] to [x/y]"}},
      {"readinessGate.deadline", {"readinessGate: {deadline: 10m}", "from 300s to 600s"}},
      {"readinessGate.onDeadline", {"readinessGate: {onDeadline: remove}", "from keep to remove"}},
      {"stateFile", {"stateFile: /x", "from \"/run/nodescout/state.json\" to \"/x\""}}};
  const StartKeys shipped = start_keys(read(""));
  std::size_t at_start = 0;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_EQ(shipped.contains(key.name), key.counts == Counts::at_start) << key.name;
    if (key.counts != Counts::at_start) continue;
    ++at_start;
    const auto sample = samples.find(key.name);
    ASSERT_NE(sample, samples.end()) << key.name;
    const auto& [text, change] = sample->second;
    const StartKeys changed = start_keys(read(text + "\n"));
    const auto problems = changes_for_next_start(shipped, changed);
    ASSERT_EQ(problems.size(), 1u) << key.name;
    EXPECT_EQ(problems[0].code, "counts-at-start");
    EXPECT_TRUE(problems[0].where.starts_with("f:1:")) << problems[0].where;
    EXPECT_EQ(problems[0].what,
              std::string(key.name) + " changed " + change + ": this key takes effect at the next start of the agent");
    EXPECT_TRUE(changes_for_next_start(changed, changed).empty()) << key.name;
    const auto removed = changes_for_next_start(changed, shipped);
    ASSERT_EQ(removed.size(), 1u) << key.name;
    EXPECT_EQ(removed[0].where, key.name) << "no line has it";
  }
  EXPECT_EQ(at_start, samples.size());
  for (const char* same : {"lease: {enabled: true, period: 30s}", "watchNode: false", "enableTaints: true"})
    EXPECT_TRUE(changes_for_next_start(shipped, start_keys(read(std::string(same) + "\n"))).empty()) << same;
}

TEST(Config, SourcesAreReportedAtTheirPlaces) {
  const Config config = read("core: {labelSources: [all, cpuu]}\nsources: {kernel: {kconfigFile: /none}}\n");
  std::vector<Problem> found;
  select_sources(config.label_sources, {"cpu"}, {}, "core.labelSources", found, config.places_of_labels);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].where, "f:1:28");
  EXPECT_EQ(config.probes.kconfig_place, "f:2:33");
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
