// Where in a file the configuration is.
#include "config/enclosed.h"

#include <gtest/gtest.h>

#include "document/value_path.h"

namespace nodescout {
namespace {

/// "NAME: line:column of the first key", one line each; then the problems.
std::string found_in(const std::string& text) {
  const EnclosedConfigs configs = find_configs(text, "f");
  std::string out;
  for (const EnclosedConfig& config : configs.found)
    out += config.name + "|" + (config.root.members.empty() ? "" : place("f", config.root.members[0].mark)) + "\n";
  for (const Problem& problem : configs.problems) out += problem.where + " " + problem.what + "\n";
  return out;
}

TEST(EnclosedConfig, TheFileItself) {
  EXPECT_EQ(found_in("core: {labelSources: [all]}\n"), "|f:1:1\n");
  EXPECT_EQ(found_in("nonsense: 1\n"), "|f:1:1\n") << "its keys are reported as unknown";
  EXPECT_EQ(found_in("# nothing\n"), "");
  EXPECT_EQ(found_in("core: {}\n---\nsources: {}\n"),
            "|f:1:1\nf:3:1 only the first document of a configuration is read\n");
  EXPECT_EQ(found_in("- name: r\n"), "f:1:1 a configuration must be a map, not a list\n");
  EXPECT_EQ(found_in("core: [\n").substr(0, 2), "f:");
}

TEST(EnclosedConfig, ATextOfAConfigMap) {
  EXPECT_EQ(
      found_in("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nfd}\ndata:\n  nfd-worker.conf: |\n    # hello\n"
               "    core:\n      x: 1\n  nfd-topology-updater.conf: |\n    excludeList: {}\n  other: |\n    a: b\n"),
      "data.nfd-worker.conf of the ConfigMap nfd|f:7:5\n");
  EXPECT_EQ(found_in("kind: ConfigMap\nmetadata: {name: nfd}\ndata:\n  any: |-\n    core: [\n").substr(0, 4), "f:5:");
  EXPECT_EQ(found_in("kind: ConfigMap\nmetadata: {name: nfd}\ndata:\n  nfd-worker.conf: |\n"),
            "data.nfd-worker.conf of the ConfigMap nfd|\n");
  EXPECT_EQ(found_in("kind: ConfigMap\nmetadata: {name: nfd}\ndata:\n  nfd-worker.conf:\n    core: {}\n"),
            "data.nfd-worker.conf of the ConfigMap nfd|f:5:5\n"
            "f:5:5 data.nfd-worker.conf of the ConfigMap nfd must be a string, not a map\n");
  // Of the device plugin: each entry is a configuration.
  EXPECT_EQ(found_in("kind: ConfigMap\nmetadata: {name: plugin}\ndata:\n  mig: |\n    version: v1\n    flags: {}\n"
                     "  sliced: |\n    version: v1\n    sharing: {}\n"),
            "data.mig of the ConfigMap plugin|f:5:5\ndata.sliced of the ConfigMap plugin|f:8:5\n");
  // JSON, as kubectl prints it.
  EXPECT_EQ(found_in("{\"kind\": \"List\", \"items\": [{\"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"c\"},\n"
                     "\"data\": {\"nfd-master.conf\": \"enableTaints: true\\nx: 1\\n\"}}]}\n"),
            "data.nfd-master.conf of the ConfigMap c|f:2:30\n");
}

TEST(EnclosedConfig, OfOperatorsAndCharts) {
  EXPECT_EQ(
      found_in("apiVersion: nfd.openshift.io/v1\nkind: NodeFeatureDiscovery\nmetadata:\n  name: instance\nspec:\n"
               "  operand: {image: x}\n  workerConfig:\n    configData: |\n      core:\n        sleepInterval: 60s\n"
               "  customConfig:\n    configData: \"\"\n"),
      "spec.workerConfig.configData of the NodeFeatureDiscovery instance|f:9:7\n"
      "spec.customConfig.configData of the NodeFeatureDiscovery instance|\n");
  EXPECT_EQ(found_in("image: {tag: x}\nmaster:\n  enable: true\n  config: {}\nworker:\n  config:\n    sources: {}\n"),
            "master.config of these Helm values|\nworker.config of these Helm values|f:7:5\n");
  EXPECT_EQ(found_in("driver: {enabled: true}\nnode-feature-discovery:\n  worker:\n    config:\n      core: {}\n"),
            "node-feature-discovery.worker.config of these Helm values|f:5:7\n");
  EXPECT_EQ(found_in("config:\n  map:\n    default: |\n      version: v1\n      flags: {}\n"),
            "config.map.default of these Helm values|f:4:7\n");
  EXPECT_EQ(found_in("kind: HelmRelease\nmetadata: {name: nfd}\nspec:\n  values:\n    worker:\n      config:\n"
                     "        core: {}\n"),
            "spec.values.worker.config of the HelmRelease nfd|f:7:9\n");
}

TEST(EnclosedConfig, HelmValuesWithoutAConfiguration) {
  EXPECT_EQ(found_in("worker:\n  config:\n    # core: {}\nimage: {tag: x}\n"),
            "f:2:10 these are Helm values, and worker.config is empty\n");
  EXPECT_EQ(found_in("worker: {config: null}\nmaster: {config: ~}\n"),
            "f:1:18 these are Helm values, and worker.config and master.config are empty\n");
  EXPECT_EQ(found_in("image: {tag: x}\nnodeSelector: {}\n"), "f:1:1 there is no configuration in these Helm values\n");
  // As in our own chart, whose values have a key "rules" as a configuration has.
  EXPECT_EQ(found_in("image: {tag: x}\nrules: {}\nconfig: {}\n"), "f:3:9 these are Helm values, and config is empty\n");
  EXPECT_EQ(found_in("image: {tag: x}\nrules: {}\nconfig: {core: {}}\n"), "config of these Helm values|f:3:10\n");
}

TEST(EnclosedConfig, ATextWhoseLinesAreJoined) {
  const std::string start = "kind: ConfigMap\nmetadata: {name: c}\ndata:\n  nfd-master.conf: >\n";
  EXPECT_EQ(found_in(start + "    autoPrefix: true\n    enableTaints: true\n"),
            "f:4:20 data.nfd-master.conf of the ConfigMap c: > joins the lines of the text into one\n");
  EXPECT_EQ(found_in(start + "    autoPrefix: true\n"), "data.nfd-master.conf of the ConfigMap c|f:4:20\n");
}

TEST(EnclosedConfig, RulesAreNoConfiguration) {
  EXPECT_EQ(
      found_in("kind: NodeFeatureDiscovery\nmetadata: {name: x}\nspec:\n  workerConfig: {configData: 'core: {}'}\n"
               "  customConfig:\n    configData: |\n      - name: r\n"),
      "spec.workerConfig.configData of the NodeFeatureDiscovery x|f:4:31\n");
  EXPECT_EQ(found_in("kind: ConfigMap\nmetadata: {name: c}\ndata:\n  a.yaml: |\n    kind: NodeFeatureRule\n"),
            "f:4:3 the rules are the text data.a.yaml of the ConfigMap c, and no configuration\n");
}

TEST(EnclosedConfig, WhatHoldsNoneIsSaid) {
  EXPECT_EQ(found_in("kind: NodeFeatureRule\nspec: {rules: []}\n"),
            "f:1:7 there is no configuration in this NodeFeatureRule\n");
  EXPECT_EQ(found_in("kind: DaemonSet\nspec: {x: 1}\n---\nkind: Secret\n"),
            "f:1:7 there is no configuration in this DaemonSet\nf:4:7 there is no configuration in this Secret\n");
  // Beside one that does, it is part of a manifest.
  EXPECT_EQ(found_in("kind: Namespace\n---\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'core: {}'}\n"),
            "data.a of the ConfigMap c|f:5:12\n");
}

}  // namespace
}  // namespace nodescout
