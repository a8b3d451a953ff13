// deploy/helm/nodescout as helm renders it, and installed on a real API server.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/control_plane.h"
#include "kube/lease.h"
#include "kube/resource.h"
#include "nodescout/version.h"
#include "support/run_program.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

const std::string kChart = NODESCOUT_SOURCE_DIR "/deploy/helm/nodescout";
const std::string kManifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";
constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
constexpr const char* kRules = "nodefeaturerules.nfd.k8s-sigs.io";

using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// What Kubernetes merges by a key is in no order; the labels that only Helm sets are left out.
Value comparable(Value value, const std::string& key = "") {
  if (key == "labels")
    for (const char* own :
         {"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"})
      std::erase_if(value.members, [&](const Member& label) { return label.key == own; });
  for (Member& member : value.members) member.value = comparable(std::move(member.value), member.key);
  for (Value& item : value.items) item = comparable(std::move(item));
  if (key == "volumeMounts" || key == "volumes")
    std::ranges::sort(value.items, {}, [](const Value& item) { return text_at(item, {"name"}); });
  return value;
}

/// By kind and name.
std::map<std::string, Value> by_name(const std::string& manifests, const std::string& origin) {
  std::map<std::string, Value> objects;
  for (YamlDocument& document : parse_yaml(manifests, origin)) {
    if (document.error) throw std::runtime_error(document.error->where + ": " + document.error->what);
    const std::string name = text_at(document.root, {"kind"}) + " " + text_at(document.root, {"metadata", "name"});
    EXPECT_TRUE(objects.emplace(name, comparable(std::move(document.root))).second) << origin << " has two " << name;
  }
  return objects;
}

class ChartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    if (!helm_programs().why_not.empty()) GTEST_SKIP() << "skipped: " << helm_programs().why_not;
    cluster = &ControlPlane::shared();
  }
  Ran helm(const Words& words) {
    RunOptions options;
    for (const char* variable : {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"})
      options.environment[variable] = folder.path() / "helm";
    options.environment["KUBECONFIG"] = cluster->admin_kubeconfig();
    return run_program(Words{helm_programs().folder / "helm"} + words, options);
  }
  std::string rendered(const Words& more = {}) {
    const Ran done = helm(Words{"template", "nodescout", kChart, "--namespace", "nodescout"} + more);
    if (done.status != 0) throw std::runtime_error(done.err);
    return done.out;
  }
  void expect_helm(const Words& words) {
    const Ran done = helm(words);
    EXPECT_EQ(done.status, 0) << done.err;
  }
  void refused_with(const Words& words, const std::string& sentence) {
    const Ran done = helm(words);
    EXPECT_NE(done.status, 0) << done.out;
    EXPECT_NE(done.err.find(sentence), std::string::npos) << done.err;
  }
  Value definition(const char* name) { return must(cluster->admin().get(std::string(kDefinitions) + name)); }

  TempDirectory folder;
  ControlPlane* cluster = nullptr;
};

TEST_F(ChartTest, LintFindsNothing) { expect_helm({"lint", "--strict", kChart}); }

TEST_F(ChartTest, ItHasTheVersionOfTheProgram) {
  const std::string chart = must(read_whole_file(kChart + "/Chart.yaml", 1u << 16));
  const Value root = parse_yaml(chart, "Chart.yaml").at(0).root;
  EXPECT_EQ(text_at(root, {"appVersion"}), kVersion);
  EXPECT_EQ(text_at(root, {"version"}), kVersion);
}

TEST_F(ChartTest, TheTableOfValuesIsUpToDate) {
  const Ran page = run_program({NODESCOUT_SOURCE_DIR "/deploy/helm/readme"});
  EXPECT_EQ(page.status, 0) << page.err;
  EXPECT_EQ(page.out, must(read_whole_file(kChart + "/README.md", 1u << 20))) << "run deploy/helm/readme --write";
}

TEST_F(ChartTest, ItMakesTheObjectsOfTheKustomization) {
  const std::map<std::string, Words> cases{
      {"base", {}},
      {"overlays/watch-node", {"--set", "watchNode=true"}},
      {"overlays/nodefeature", {"--set", "publish=nodefeature"}},
      {"overlays/file", {"--set", "publish=file"}},
      {"overlays/prune", {"--set", "prune=true"}},
      {"overlays/file-prune", {"--set", "publish=file,prune=true"}},
      {"overlays/read-only-host", {"--set", "host.readOnly=true"}},
      {"overlays/central", {"--set", "agents.enabled=false,controller.enabled=true"}},
      {"overlays/mixed", {"--set", "controller.enabled=true"}},
  };
  for (const auto& [overlay, values] : cases) {
    const auto kustomized = by_name(cluster->kubectl({"kustomize", kManifests + overlay}), overlay);
    auto charted = by_name(rendered(values + Words{"--set", "crds.install=never"}), "chart for " + overlay);
    for (const auto& [name, object] : kustomized) {
      if (name.starts_with("Namespace ")) continue;  // Helm creates it
      ASSERT_TRUE(charted.contains(name)) << overlay << ": " << name;
      EXPECT_TRUE(same_content(charted[name], object)) << overlay << ": " << name << "\n"
                                                       << to_json(object) << "\n"
                                                       << to_json(charted[name]);
      charted.erase(name);
    }
    for (const auto& [name, object] : charted) ADD_FAILURE() << overlay << " has no " << name;
  }
}

TEST_F(ChartTest, ItsKindsAreThoseOfTheKustomization) {
  auto kinds = by_name(cluster->kubectl({"kustomize", kManifests + "crds"}), "crds");
  const auto charted = by_name(rendered(), "chart");
  EXPECT_EQ(kinds.size(), 3u);
  for (auto& [name, object] : kinds) {
    ASSERT_TRUE(charted.contains(name)) << name;
    EXPECT_TRUE(same_content(*charted.at(name).find("spec"), *object.find("spec"))) << name;
    EXPECT_EQ(text_at(charted.at(name), {"metadata", "annotations", "helm.sh/resource-policy"}), "keep") << name;
  }
  EXPECT_EQ(rendered({"--set", "crds.install=never"}).find("CustomResourceDefinition"), std::string::npos);
}

TEST_F(ChartTest, AKeyOfNfdsChartIsAnsweredWithOurs) {
  const std::map<std::string, std::string> cases{
      {"worker.nodeSelector.x=y", "set nodeSelector instead"},
      {"worker.config.core.labelWhiteList=x", "set config instead"},
      {"master.extraLabelNs={a.example}", "set policy.writePrefixes"},
      {"master.replicaCount=2", "set controller instead"},
      {"gc.enable=false", "set controller.collectAfter"},
      {"prometheus.enable=true", "set monitoring.enabled instead"},
      {"policy.writePrefixes={vendor.example}", "/policy/writePrefixes"},
      {"policy.readinessTaint=site.example/new:NoSchedule", "/policy/readinessTaint"},
      {"networkPolicy.from=null,networkPolicy.namespace=monitoring", "'namespace' not allowed"},
      {"publish=elsewhere", "'node', 'nodefeature', 'file'"},
      {"unheardOf=1", "'unheardOf' not allowed"},
  };
  for (const auto& [value, answer] : cases) refused_with({"template", kChart, "--set", value}, answer);
}

/// Helm prints all violations of the schema at once, so one run is enough.
TEST_F(ChartTest, EveryKeyOfNfdsChartIsOursOrIsAnswered) {
  const std::set<std::string> shared{"image.repository",  "image.pullPolicy",  "image.tag",
                                     "imagePullSecrets",  "nameOverride",      "fullnameOverride",
                                     "namespaceOverride", "priorityClassName", "global.imagePullSecrets"};
  const std::string file = must(read_whole_file(NODESCOUT_SOURCE_DIR "/tests/e2e/nfd-chart-keys", 1u << 16));
  std::map<std::string, std::string> of_section;  // "worker" -> its members as YAML; "" -> those of the top level
  std::vector<std::string> keys;
  for (const std::string_view line : split(file, '\n')) {
    if (line.empty() || line.starts_with("#") || shared.contains(std::string(line))) continue;
    keys.emplace_back(line);
    const std::size_t dot = line.find('.');
    if (dot == line.npos)
      of_section[""] += std::string(line) + ": given\n";
    else
      of_section[std::string(line.substr(0, dot))] += "  " + std::string(line.substr(dot + 1)) + ": given\n";
  }
  ASSERT_GT(keys.size(), 120u);
  std::string values = of_section[""];
  for (const auto& [section, members] : of_section)
    if (!section.empty()) values += section + ":\n" + members;
  write_file(folder.path() / "of-nfd.yaml", values);
  const Ran done = helm({"template", kChart, "--values", folder.path() / "of-nfd.yaml"});
  EXPECT_NE(done.status, 0);
  for (const std::string& key : keys) {
    const std::string whole_section = key.substr(0, key.find('.'));
    const auto is_answered = [&](const std::string& name) {
      return done.err.find("'/" + replace_all(name, ".", "/") + "': value must be 'not a key of this chart: ") !=
             done.err.npos;
    };
    EXPECT_TRUE(is_answered(key) || is_answered(whole_section)) << key;
  }
  EXPECT_EQ(done.err.find("additional propert"), done.err.npos) << done.err;
  expect_helm({"template", kChart, "--set",
               "image.repository=r,image.pullPolicy=Always,image.tag=t,imagePullSecrets={s},nameOverride=n,"
               "fullnameOverride=f,namespaceOverride=e,priorityClassName=p,global.imagePullSecrets={s}"});
}

TEST_F(ChartTest, WhatCannotWorkTogetherIsRefused) {
  refused_with({"template", kChart, "--set", "agents.enabled=false"}, "nothing would run");
  refused_with({"template", kChart, "--set", "publish=file,host.readOnly=true"}, "Change one of the two");
  refused_with({"template", kChart, "--set", "publish=nodefeature,prune=true"}, "Set publish to node or file");
}

TEST_F(ChartTest, ConfigurationAndRulesAreThoseOfTheValues) {
  auto objects = by_name(rendered({"--set", "config.enableTaints=true", "--set-json",
                                   R"(rules={"a.yaml":[{"name":"a","labels":{"x":"1"}}],"b.yaml":"- name: b\n"})"}),
                         "chart");
  EXPECT_EQ(text_at(objects["ConfigMap nodescout-config"], {"data", "nodescout.conf"}), "enableTaints: true\n");
  const Value rule = parse_yaml(text_at(objects["ConfigMap nodescout-rules"], {"data", "a.yaml"}), "a").at(0).root;
  EXPECT_EQ(to_json(rule), R"([{"labels":{"x":"1"},"name":"a"}])");
  EXPECT_EQ(text_at(objects["ConfigMap nodescout-rules"], {"data", "b.yaml"}), "- name: b\n");
}

TEST_F(ChartTest, WithoutLeasesThereIsNoRightToThem) {
  for (const Words& values : {Words{"--set", "lease=false"}, Words{"--set", "lease=false,config.lease.period=10s"},
                              Words{"--set", "lease=false,config=nodeRecheck: 1m"}}) {
    auto objects = by_name(rendered(values), "chart");
    const std::string text = text_at(objects["ConfigMap nodescout-config"], {"data", "nodescout.conf"});
    EXPECT_EQ(text_at(parse_yaml(text, "nodescout.conf").at(0).root, {"lease", "enabled"}), "false") << text;
    EXPECT_FALSE(objects.contains("Role nodescout-lease"));
    EXPECT_FALSE(objects.contains("RoleBinding nodescout-lease"));
  }
}

TEST_F(ChartTest, TheReadinessTaintIsThatOfTheValues) {
  const std::string taint = "startup-taint.cluster-autoscaler.kubernetes.io/site";
  auto objects = by_name(rendered({"--set", "policy.readinessTaint=" + taint}), "chart");
  EXPECT_EQ(text_at(objects["ConfigMap nodescout-policy"], {"data", "readinessTaint"}), taint);
}

/// Prometheus may run in any namespace, so a narrower choice is the administrator's.
TEST_F(ChartTest, WhoReadsTheMetricsIsAChoice) {
  const auto peers = [&](const Words& values) {
    const auto objects = by_name(rendered(values), "chart");
    const auto policy = objects.find("NetworkPolicy nodescout-metrics");
    if (policy == objects.end()) return std::string();
    return to_json(*at(policy->second, {"spec", "ingress"})->items.at(0).find("from"));
  };
  EXPECT_EQ(peers({}), R"([{"namespaceSelector":{}}])");
  const std::string one = R"([{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}])";
  EXPECT_EQ(peers({"--set-json", "networkPolicy.from=" + one}), one);
  EXPECT_EQ(peers({"--set", "networkPolicy.enabled=false"}), "");
}

TEST_F(ChartTest, APodMonitorIsMadeWhereItsKindIsKnown) {
  EXPECT_EQ(rendered({"--set", "monitoring.enabled=true"}).find("PodMonitor"), std::string::npos);
  const Words known{"--api-versions", "monitoring.coreos.com/v1/PodMonitor"};
  EXPECT_EQ(rendered(known).find("kind: PodMonitor"), std::string::npos) << "off by default";
  const std::string text =
      rendered(known + Words{"--set", "monitoring.enabled=true,monitoring.labels.release=prometheus"});
  const Value monitor = by_name(text, "chart").at("PodMonitor nodescout");
  EXPECT_EQ(text_at(monitor, {"metadata", "labels", "release"}), "prometheus");
  EXPECT_EQ(to_json(*at(monitor, {"spec", "selector", "matchLabels"})), R"({"app.kubernetes.io/name":"nodescout"})");
}

/// deploy/monitoring/rules.yaml is their only source, and has unit tests of its own.
TEST_F(ChartTest, TheAlertsAreThoseOfTheFile) {
  const Words known{"--api-versions", "monitoring.coreos.com/v1/PrometheusRule"};
  const Words on{"--set", "monitoring.rules.enabled=true,monitoring.labels.release=prometheus"};
  EXPECT_EQ(rendered(known).find("PrometheusRule"), std::string::npos) << "off by default";
  EXPECT_EQ(rendered(on).find("PrometheusRule"), std::string::npos) << "the cluster has no such kind";
  const std::string file = must(read_whole_file(NODESCOUT_SOURCE_DIR "/deploy/monitoring/rules.yaml", 1u << 20));
  const Value of_file = *parse_yaml(file, "rules.yaml").at(0).root.find("spec");
  const Value rule = by_name(rendered(known + on), "chart").at("PrometheusRule nodescout");
  EXPECT_TRUE(same_content(*rule.find("spec"), of_file)) << to_json(*rule.find("spec")) << "\n" << to_json(of_file);
  EXPECT_EQ(text_at(rule, {"metadata", "labels", "release"}), "prometheus");

  // The Leases are where the agents are.
  const Words elsewhere{"template", "site", kChart, "--namespace", "elsewhere"};
  const Ran done = helm(elsewhere + known + on);
  ASSERT_EQ(done.status, 0) << done.err;
  const Value moved = by_name(done.out, "chart").at("PrometheusRule site-nodescout");
  const Value expected = *parse_yaml(replace_all(file, "namespace=\"nodescout\"", "namespace=\"elsewhere\""), "moved")
                              .at(0)
                              .root.find("spec");
  EXPECT_FALSE(same_content(expected, of_file));
  EXPECT_TRUE(same_content(*moved.find("spec"), expected)) << to_json(*moved.find("spec"));
}

TEST_F(ChartTest, WithinAnotherChartItUsesTheGlobalPullSecrets) {
  const fs::path parent = folder.path() / "parent";
  fs::create_directories(parent / "charts");
  write_file(parent / "Chart.yaml",
             "apiVersion: v2\nname: parent\nversion: 1.0.0\n"
             "dependencies: [{name: nodescout, version: '*', condition: nodescout.enabled}]\n");
  write_file(parent / "values.yaml",
             "global: {imagePullSecrets: [of-all]}\n"
             "nodescout: {enabled: true, imagePullSecrets: [{name: of-this}]}\n");
  expect_helm({"package", kChart, "--destination", parent / "charts"});
  const Ran done = helm({"template", "site", parent, "--namespace", "nodescout"});
  ASSERT_EQ(done.status, 0) << done.err;
  const Value set = by_name(done.out, "parent").at("DaemonSet site-nodescout");
  EXPECT_EQ(to_json(*at(set, {"spec", "template", "spec", "imagePullSecrets"})),
            R"([{"name":"of-all"},{"name":"of-this"}])");
  const Ran without = helm({"template", "site", parent, "--set", "nodescout.enabled=false"});
  EXPECT_EQ(without.status, 0) << without.err;
  EXPECT_EQ(without.out.find("kind:"), std::string::npos) << without.out;
}

/// Install and uninstall, in a namespace, under a name and with a service account that the kustomization does not have.
TEST_F(ChartTest, ItRunsAnywhereUnderAnyName) {
  cluster->install_crds();
  const Words release{"--namespace", "elsewhere"};
  expect_helm(Words{"install", "site", kChart, "--create-namespace", "--set",
                    "serviceAccount.name=scout,policy.writePrefixes={nfd.node.kubernetes.io,vendor.example}"} +
              release);
  cluster->create_node("chart-own");
  cluster->create_node("chart-other");
  Connection agent(cluster->endpoint(), cluster->token("elsewhere", "scout", "chart-own"));
  const auto label = [&](const std::string& node, const std::string& key) {
    return agent.api.patch(
        object_path(resources::kNodes, "", node) + "?dryRun=All", PatchKind::merge,
        json(R"({"metadata":{"labels":{")" + key +
             R"(":"1"},"annotations":{"nfd.node.kubernetes.io/feature-labels":")" + key + R"("}}})"));
  };
  const auto denied_by = [&](const char* policy, const std::string& node, const std::string& key) {
    const auto answer = label(node, key);
    return !answer && answer.error().what.find("'" + std::string(policy) + "'") != std::string::npos;
  };
  // A policy is in force a moment after it was made.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!(denied_by("site-nodescout-node", "chart-other", "vendor.example/x") &&
           denied_by("site-nodescout-keys", "chart-own", "other.example/x"))) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << label("chart-other", "vendor.example/x").error().what;
  }
  const auto inside = label("chart-own", "vendor.example/x");
  EXPECT_TRUE(inside) << inside.error().what;
  const auto outside = label("chart-own", "other.example/x");
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().what.find("ConfigMap site-nodescout-policy"), std::string::npos) << outside.error().what;

  OwnLease lease(agent.api, {"chart-own", "elsewhere", std::chrono::seconds(30)});
  for (const char* digest : {"sha256:x", "sha256:y"}) {
    const Status renewed = lease.renew({"u", {{kLeaseDigest, digest}}}, {});
    EXPECT_TRUE(renewed) << renewed.error().text();
  }

  const std::string sentence =
      "nodescout is in this cluster already: DaemonSet site-nodescout in namespace elsewhere. A Node can have only one "
      "agent";
  refused_with({"install", "second", kChart, "--namespace", "elsewhere"}, sentence);
  refused_with({"install", "site", kChart, "--namespace", "third", "--create-namespace"}, sentence);
  expect_helm(Words{"upgrade", "site", kChart, "--reuse-values", "--set", "watchNode=true"} + release);

  expect_helm(Words{"uninstall", "site"} + release);
  EXPECT_FALSE(cluster->admin().get("/apis/apps/v1/namespaces/elsewhere/daemonsets/site-nodescout"));
  EXPECT_EQ(cluster->kubectl({"get", "validatingadmissionpolicies,clusterroles", "-o", "name", "-l",
                              "app.kubernetes.io/instance=site"}),
            "");
}

/// Whoever has the CRDs keeps them; ours stay when the release goes, and give way to newer ones.
TEST_F(ChartTest, CrdsAreNeverDeletedOrDowngraded) {
  cluster->install_crds();
  const Words release{"--namespace", "kinds"};
  const auto owner = [&] {
    return text_at(definition(kRules), {"metadata", "annotations", "meta.helm.sh/release-name"});
  };
  expect_helm(Words{"install", "kinds", kChart, "--create-namespace"} + release);
  EXPECT_EQ(owner(), "") << "another owner installed it";
  expect_helm(Words{"uninstall", "kinds"} + release);

  cluster->kubectl({"delete", "--wait", "-f", kManifests + "crds/crds.yaml"});
  expect_helm(Words{"install", "kinds", kChart} + release);
  EXPECT_EQ(owner(), "kinds");
  cluster->kubectl({"annotate", "--overwrite", "crd", kRules, "nodescout.dev/chart-version=99.0.0", "mark=newer"});
  expect_helm(Words{"upgrade", "kinds", kChart, "--set", "watchNode=true"} + release);
  EXPECT_EQ(text_at(definition(kRules), {"metadata", "annotations", "nodescout.dev/chart-version"}), "99.0.0");
  expect_helm(Words{"uninstall", "kinds"} + release);
  EXPECT_EQ(text_at(definition(kRules), {"metadata", "annotations", "mark"}), "newer");
}

TEST_F(ChartTest, BesideAKustomizationItIsRefused) {
  cluster->kubectl({"apply", "-k", kManifests + "base"});
  refused_with({"install", "beside", kChart, "--namespace", "beside", "--create-namespace"},
               "DaemonSet nodescout in namespace nodescout. A Node can have only one agent");
  cluster->kubectl({"delete", "--wait", "daemonset", "-n", "nodescout", "nodescout"});
}

}  // namespace
}  // namespace nodescout::test
