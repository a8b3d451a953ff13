// `nodescout config check`, on the program as users start it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "document/json.h"
#include "document/value_path.h"
#include "support/run_program.h"
#include "support/shared.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

using test::Ran;
using test::TempHost;

Ran check(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {test::nodescout_program(), "config", "check"});
  return test::run_program(arguments);
}

TEST(ConfigCheck, NamesEveryMistakeAtItsPlace) {
  const TempHost files{{"/nfd-worker.conf",
                        "core:\n"
                        "  labelSources: [al, custom]\n"
                        "  sleepInterval: 60\n"
                        "  labelWhiteList: \"(\"\n"
                        "sources:\n"
                        "  pci:\n"
                        "    deviceLabelField: [vendor]\n"
                        "    deviceClassWhitelist: [0200]\n"
                        "  local: {hooksEnabled: true}\n"
                        "  custom:\n"
                        "    - name: r\n"
                        "      labels: {a: \"1\"}\n"
                        "      matchFeatures:\n"
                        "        - {feature: pci.devices, matchExpressions: {vendor: {op: Exists}}}\n"}};
  const std::string path = (files.path() / "nfd-worker.conf").string();
  const Ran ran = check({path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.err, "");
  for (const char* text :
       {":2:18: unknown source \"al\"\n    |   labelSources: [al, custom]\n    |                  ^\n",
        ":4:19: core.labelWhiteList: bad regular expression \"(\"",
        ":7:5: unknown key \"sources.pci.deviceLabelField\"\n", "    did you mean \"sources.pci.deviceLabelFields\"?\n",
        ":8:28: sources.pci.deviceClassWhitelist: 0200 without", ":9:11: unknown key \"sources.local.hooksEnabled\"",
        ":14:21: unknown feature \"pci.devices\"", "keys of nfd-worker\n", "core.sleepInterval                ",
        "no meaning here: probes run on events", "6 mistakes\n"})
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\nin\n" << ran.out;
}

TEST(ConfigCheck, ShippedRulesAndFakeLabels) {
  const TempHost files{{"/f.conf",
                        "rules: {shipped: [nope, nvidai, nvidia]}\n"
                        "sources: {fake: {labels: {ok: \"not legal\", \"a b\": c, fine: \"1\"}}}\n"}};
  const Ran ran = check({(files.path() / "f.conf").string()});
  EXPECT_EQ(ran.status, 3);
  for (const char* text : {":1:19: rules.shipped: no shipped rule or rule file is named \"nope\"\n",
                           "    the files are accelerators, amd, ", ":1:25: rules.shipped",
                           "    did you mean \"nvidia\"?\n", ":2:31: sources.fake.labels: \"ok\": the value must",
                           ":2:44: sources.fake.labels: \"a b\": the name must", "4 mistakes\n"})
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\nin\n" << ran.out;
}

TEST(ConfigCheck, ExitStatus) {
  const TempHost files{{"/good.conf", "enableTaints: true\nwatchNode: true\ngpu: {migStrategy: mixed}\n"},
                       {"/empty.conf", "# nothing\n"},
                       {"/gfd.yaml", "version: v1\nflags: {migStrategy: single, plugin: {deviceIDStrategy: uuid}}\n"},
                       {"/bad.yaml", "version: v1\nflags: {migStrategie: single}\n"}};
  const auto path = [&](const char* name) { return (files.path() / name).string(); };
  const Ran good = check({path("good.conf")});
  EXPECT_EQ(good.status, 0) << good.out;
  EXPECT_NE(good.out.find("keys of nodescout, nfd-master\n"), std::string::npos) << good.out;
  EXPECT_NE(good.out.find("(a change takes effect at the next start)"), std::string::npos) << good.out;
  EXPECT_EQ(check({path("empty.conf")}).status, 0);
  const Ran gfd = check({path("gfd.yaml")});
  EXPECT_EQ(gfd.status, 0) << gfd.out;
  EXPECT_NE(gfd.out.find("keys of gpu-feature-discovery\n"), std::string::npos) << gfd.out;
  const Ran bad = check({path("bad.yaml")});
  EXPECT_EQ(bad.status, 3);
  EXPECT_NE(bad.out.find(":2:9: unknown key \"flags.migStrategie\""), std::string::npos) << bad.out;
  const TempHost none{{"/none.conf", "core: {featureSources: [cpu, -cpu]}\n"}};
  EXPECT_NE(check({(none.path() / "none.conf").string()}).out.find(":1:24: core.featureSources leaves no probe to run"),
            std::string::npos);
  EXPECT_EQ(check({"/no/such/file"}).status, 2);
  EXPECT_EQ(check({files.path().string()}).status, 2);
  const Ran both = check({path("bad.yaml"), "/no/such/file", path("good.conf")});
  EXPECT_EQ(both.status, 2);
  EXPECT_NE(both.out.find("1 mistake\n"), std::string::npos) << both.out;
}

TEST(ConfigCheck, FindsTheConfigurationInItsContainer) {
  const TempHost files{{"/nfd.yaml",
                        "apiVersion: nfd.openshift.io/v1\nkind: NodeFeatureDiscovery\nmetadata: {name: i}\nspec:\n"
                        "  workerConfig:\n    configData: |\n      core:\n        labelSource: [all]\n"}};
  const Ran ran = check({(files.path() / "nfd.yaml").string()});
  EXPECT_EQ(ran.status, 3);
  EXPECT_NE(ran.out.find(
                "nfd.yaml:8:9: unknown key \"core.labelSource\"\n    |         labelSource: [all]\n    |         ^\n"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("spec.workerConfig.configData of the NodeFeatureDiscovery i: no key is set"),
            std::string::npos)
      << ran.out;
}

TEST(ConfigCheck, ShippedConfigurationsAreGood) {
  const std::filesystem::path deploy = std::filesystem::path(NODESCOUT_SOURCE_DIR) / "deploy";
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(deploy)) {
    if (entry.path().extension() != ".conf") continue;
    const Ran ran = check({entry.path().string()});
    EXPECT_EQ(ran.status, 0) << ran.out;
    ++files;
  }
  EXPECT_GT(files, 0);
}

/// What NFD drops in silence there is a mistake of the author, too: rules of its former syntax, a key at the wrong
/// place.
TEST(ConfigCheck, PublicConfigurationsAreGoodOrWrongForNfdToo) {
  NODESCOUT_NEEDS_SHARED();
  int files = 0, good = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_folder() / "corpus/rules")) {
    const std::string name = entry.path().filename().string();
    if (name.find("-workerconf-") == std::string::npos) continue;
    const Ran ran = check({"-o", "json", entry.path().string()});
    const auto document = parse_json(ran.out, name);
    ASSERT_TRUE(document) << ran.out << ran.err;
    const Value& problems = *document->find("problems");
    EXPECT_EQ(ran.status, problems.items.empty() ? 0 : 3) << name;
    const bool is_legacy = name.find("-legacy") != std::string::npos;
    for (const Value& problem : problems.items) {
      const std::string what = text_at(problem, {"what"});
      EXPECT_TRUE(is_legacy ? what.find("matchOn") != what.npos || what.find("makes nothing") != what.npos
                            : what == "unknown key \"config\"")
          << name << " " << text_at(problem, {"where"}) << " " << what;
    }
    ++files;
    good += problems.items.empty() ? 1 : 0;
  }
  EXPECT_GT(files, 0);
  EXPECT_GT(good, 0);
}

TEST(ConfigCheck, NamesTheDefaultsThatWritePrefixesLoses) {
  const TempHost files{{"/a.conf", "writePrefixes: [vendor.example, nvidia.com]\n"},
                       {"/b.conf", "writePrefixes: [vendor.example]\nextraWritePrefixes: [kubernetes.io]\n"},
                       {"/c.conf", "extraWritePrefixes: [vendor.example]\n"},
                       {"/d.conf", "writePrefixes: [nvidia.com]\n"}};
  const auto run = [&](const char* name) { return check({(files.path() / name).string()}); };
  const Ran a = run("a.conf");
  EXPECT_EQ(a.status, 0) << a.out;
  EXPECT_NE(a.out.find("a.conf:1:16: note: writePrefixes replaces the default, so keys below "
                       "feature.node.kubernetes.io, profile.node.kubernetes.io, amd.com, intel.com, "
                       "nfd.node.kubernetes.io are no longer written\n    to keep them, write extraWritePrefixes: "
                       "[vendor.example] in place of writePrefixes\n"),
            std::string::npos)
      << a.out;
  EXPECT_NE(run("d.conf").out.find("    to keep them, remove writePrefixes\n"), std::string::npos);
  EXPECT_EQ(run("c.conf").out.find("note:"), std::string::npos);
  const Ran json = check({"-o", "json", (files.path() / "a.conf").string()});
  const auto document = parse_json(json.out, "a.conf");
  ASSERT_TRUE(document) << json.err;
  EXPECT_EQ(document->find("configurations")->items[0].find("notes")->items.size(), 1u) << json.out;
}

TEST(ConfigCheck, NamesInListsAreChecked) {
  const TempHost files{{"/f.conf",
                        "core:\n"
                        "  labelSources: [All, Kernl]\n"
                        "  noPublishFeatures: [cpu.cpuidd, cpu, \"kernel.*\", \"kernl.*\", pci.device]\n"
                        "sources:\n"
                        "  kernel:\n"
                        "    cmdlineNames: [\"iommu*\", iommu=pt, quiet]\n"
                        "readinessGate:\n"
                        "  taint: site.example/new=:NoSchedule\n"
                        "  requires: [cpu-model.family, a b, feature.node.kubernetes.io/x]\n"}};
  const Ran ran = check({(files.path() / "f.conf").string()});
  for (const char* text :
       {":2:18: unknown source \"All\"\n", "    did you mean all?\n", ":2:23: unknown source \"Kernl\"\n",
        "    did you mean kernel?\n", ":3:23: core.noPublishFeatures: no feature is named \"cpu.cpuidd\"\n",
        "    did you mean \"cpu.cpuid\"?\n", ":3:35: core.noPublishFeatures: no feature is named \"cpu\"\n",
        "    write \"cpu.*\" for all of that source\n", "no feature is named \"kernl.*\"\n",
        ":6:20: sources.kernel.cmdlineNames: \"iommu*\" never matches",
        ":6:30: sources.kernel.cmdlineNames: \"iommu=pt\"",
        ":8:10: readinessGate.taint: \"site.example/new=:NoSchedule\" is not a key", "    write \"site.example/new\"\n",
        ":9:14: readinessGate.requires: \"cpu-model.family\" has no prefix",
        "    write \"feature.node.kubernetes.io/cpu-model.family\"\n",
        ":9:32: readinessGate.requires: \"a b\" is not a key", "10 mistakes\n"})
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\nin\n" << ran.out;
}

TEST(ConfigCheck, ANoBreakSpaceIsOneMistake) {
  const TempHost files{{"/f.conf", "core:\n  labelSources: [all]\n\u00A0\u00A0noPublish: true\n"}};
  const Ran ran = check({(files.path() / "f.conf").string()});
  EXPECT_NE(ran.out.find(":3:1: a no-break space (U+00A0) is part of the value for YAML\n"), std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("\n1 mistake\n"), std::string::npos) << ran.out;
}

/// One text that is not YAML hides no mistake of the others.
TEST(ConfigCheck, EachTextOfAConfigMapIsChecked) {
  const TempHost files{{"/c.yaml",
                        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
                        "  first: |\n    core:\n      labelSources: [all\n    enableTaints: true\n"
                        "  notes: |\n    some words: [and a bracket\n"
                        "  second: |\n    enableTaint: true\n    core: {}\n"
                        "  nfd-master.conf: |\n    noPublish: 3\n"}};
  const Ran ran = check({(files.path() / "c.yaml").string()});
  EXPECT_EQ(ran.status, 3);
  for (const char* text : {"c.yaml:7:21: this [ is never closed", "c.yaml:12:5: unknown key \"enableTaint\"",
                           "c.yaml:15:16: noPublish must be true or false", "3 mistakes\n"})
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\nin\n" << ran.out;
}

}  // namespace
}  // namespace nodescout
