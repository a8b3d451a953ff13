// deploy/helm/nodescout as helm renders it, and installed on a real API server.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "config/config_keys.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/control_plane.h"
#include "kube/lease.h"
#include "kube/resource.h"
#include "nodescout/version.h"
#include "support/patience.h"
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
  if (key == "volumeMounts" || key == "volumes" || key == "env")
    std::ranges::sort(value.items, {}, [](const Value& item) {
      return std::pair(text_at(item, {"name"}), text_at(item, {"mountPath"}));
    });
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
      {"overlays/gpu", {"--set", "gpu.enabled=true"}},
      {"overlays/gpu-mig", {"--set", "gpu.enabled=true,gpu.mig=true"}},
      {"overlays/gpu-prune", {"--set", "gpu.enabled=true,gpu.prune=true"}},
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
  for (const char* without_features_d : {"publish=file", "host.readOnly=true"})
    refused_with({"template", kChart, "--set", "gpu.enabled=true," + std::string(without_features_d)},
                 "needs features.d");
  refused_with({"template", kChart, "--set", "config=- a list"}, "config is not a map in YAML");
}

/// Agents remove the taint of their configuration, and the policy lets them remove the one of its own.
TEST_F(ChartTest, TheReadinessGateHasOneKey) {
  const std::string policy = "policy.readinessTaint=site.example/new";
  for (const Words& values :
       {Words{"--set", policy}, Words{"--set", "config.readinessGate.taint=site.example/new"},
        Words{"--set", policy + ",config.readinessGate.taint=site.example/other"},
        Words{"--set", "config=ReadinessGate: {Taint: site.example/new}"}, Words{"--set", policy + ",config=a: b"}})
    refused_with(Words{"template", kChart} + values, "The readiness gate needs the same key in two places");
  for (const Words& values : {Words{"--set", policy + ",config.readinessGate.taint=site.example/new"},
                              Words{"--set", policy + ",config=READINESSGATE: {taint: site.example/new}"},
                              Words{"--set", "publish=file,config.readinessGate.taint=site.example/new"}})
    expect_helm(Words{"template", kChart} + values);
}

/// They are read at the start only, so that a changed one must replace the Pods; the others are read at once.
TEST_F(ChartTest, PodsAreReplacedForTheKeysThatCountAtTheStart) {
  const auto settings = [&](const Words& values, const std::string& set = "nodescout") {
    const std::string file = set == "nodescout" ? "daemonset" : "gpu";
    const auto objects = by_name(rendered(values + Words{"--show-only", "templates/" + file + ".yaml"}), "chart");
    return text_at(objects.at("DaemonSet " + set),
                   {"spec", "template", "metadata", "annotations", "nodescout.dev/start-settings"});
  };
  EXPECT_EQ(settings({}), "");
  std::string read_at_once = "config.enableTaints=true";
  for (const ConfigKey& key : config_keys()) {
    const std::string value = ",config." + std::string(key.name) + "=a/b";
    if (key.counts != Counts::at_start)
      read_at_once += value;
    else
      EXPECT_NE(
          settings({"--set", "policy.readinessTaint=" + std::string(key.name.ends_with(".taint") ? "a/b" : "") + value})
              .find("a/b"),
          std::string::npos)
          << key.name;
  }
  EXPECT_EQ(settings({"--set", read_at_once}), "");
  EXPECT_EQ(settings({"--set", "rules.a\\.yaml=x"}), "");
  const std::string without_lease = R"({"lease":{"enabled":false}})";
  EXPECT_EQ(settings({"--set", "lease=false"}), without_lease);
  EXPECT_EQ(settings({"--set", "lease=false,config=autoPrefix: false"}), without_lease) << "text";
  EXPECT_EQ(settings({"--set", "config=WatchNode: true\nautoPrefix: false"}), R"({"WatchNode":true})");
  EXPECT_EQ(settings({"--set", "lease=false,gpu.enabled=true"}, "nodescout-gpu"), without_lease);
  EXPECT_EQ(settings({"--set", "annotations.nodescout\\.dev/x=y"}), "") << "beside those of the values";

  // The controller reads all of its configuration at the start.
  const auto checksum = [&](const std::string& config) {
    const auto objects = by_name(rendered({"--set", "controller.enabled=true", "--set-json", config}), "chart");
    return text_at(objects.at("Deployment nodescout-controller"),
                   {"spec", "template", "metadata", "annotations", "nodescout.dev/config-checksum"});
  };
  EXPECT_EQ(checksum("controller.config={}"), "");
  EXPECT_EQ(checksum(R"(controller.config={"enableTaints":true})").size(), 64u);
  EXPECT_NE(checksum(R"(controller.config={"enableTaints":true})"),
            checksum(R"(controller.config={"enableTaints":false})"));
}

TEST_F(ChartTest, TheSecondAgentOfGpuNodesIsThatOfTheValues) {
  const auto pods = [&](const std::string& values) {
    const auto objects = by_name(rendered({"--set", "gpu.enabled=true" + values}), "chart");
    return *at(objects.at("DaemonSet nodescout-gpu"), {"spec", "template", "spec"});
  };
  Value spec = pods(",gpu.runtimeClassName=own,gpu.migStrategy=single,gpu.extraEnvs[0].name=GFD_NO_TIMESTAMP");
  EXPECT_EQ(text_at(spec, {"runtimeClassName"}), "own");
  const std::string env = to_json(*spec.find("containers")->items.at(0).find("env"));
  EXPECT_NE(env.find(R"({"name":"GFD_MIG_STRATEGY","value":"single"})"), std::string::npos) << env;
  EXPECT_NE(env.find("GFD_NO_TIMESTAMP"), std::string::npos) << env;
  EXPECT_EQ(pods(",gpu.runtimeClassName=").find("runtimeClassName"), nullptr);
  spec = pods(",gpu.affinity.nodeAffinity.x=y");
  EXPECT_EQ(to_json(*spec.find("affinity")), R"({"nodeAffinity":{"x":"y"}})");

  // What it wrote goes with both ways to prune, on every Node, without its driver and without rights.
  for (const char* values : {",gpu.prune=true,gpu.mig=true", ",prune=true"}) {
    spec = pods(values);
    ASSERT_NE(spec.find("initContainers"), nullptr) << values;
    const Value& prune = spec.find("initContainers")->items.at(0);
    EXPECT_EQ(to_json(*prune.find("args")), R"(["agent","--publish","file","--prune"])") << values;
    const Value& after = spec.find("containers")->items.at(0);
    EXPECT_EQ(to_json(*after.find("args")), R"(["agent","--publish","none"])") << values;
    EXPECT_EQ(text_at(after, {"securityContext", "privileged"}), "false") << values;
    for (const char* absent : {"runtimeClassName", "affinity"}) EXPECT_EQ(spec.find(absent), nullptr) << values;
  }
  const Words with_pod_monitors{"--api-versions", "monitoring.coreos.com/v1/PodMonitor", "--set"};
  EXPECT_TRUE(by_name(rendered(with_pod_monitors + Words{"monitoring.enabled=true,gpu.enabled=true"}), "chart")
                  .contains("PodMonitor nodescout-gpu"));
}

TEST_F(ChartTest, TheImageMayBeGivenByItsDigest) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string text = rendered({"--set", "image.repository=r.example/x,image.tag=t,image.digest=" + digest +
                                                  ",controller.enabled=true,gpu.enabled=true,prune=true"});
  std::size_t images = 0;
  for (const std::string_view line : split(text, '\n'))
    if (trim(line).starts_with("image: ")) {
      EXPECT_EQ(trim(line), "image: r.example/x@" + digest);
      ++images;
    }
  EXPECT_EQ(images, 5u);
  refused_with({"template", kChart, "--set", "image.digest=latest"}, "/image/digest");
}

TEST_F(ChartTest, PodsHaveTheLabelsOfTheValues) {
  const auto objects = by_name(
      rendered({"--set",
                "labels.team=a,labels.app\\.kubernetes\\.io/name=other,gpu.enabled=true,controller.enabled=true,"
                "controller.labels.team=b,controller.labels.app\\.kubernetes\\.io/name=other"}),
      "chart");
  for (const auto& [name, team] : std::map<std::string, std::string>{
           {"DaemonSet nodescout", "a"}, {"DaemonSet nodescout-gpu", "a"}, {"Deployment nodescout-controller", "b"}}) {
    const Value* labels = at(objects.at(name), {"spec", "template", "metadata", "labels"});
    EXPECT_EQ(text_at(*labels, {"team"}), team) << name;
    EXPECT_EQ(text_at(*labels, {"app.kubernetes.io/name"}), name.substr(name.find(' ') + 1)) << "the selector";
  }
}

TEST_F(ChartTest, TheControllersAccountAndPlaceAreThoseOfTheValues) {
  const Words on{"--set", "agents.enabled=false,controller.enabled=true", "--set"};
  auto objects =
      by_name(rendered(on + Words{"controller.serviceAccount.name=own,controller.serviceAccount.annotations.a=b,"
                                  "controller.deploymentAnnotations.c=d,controller.revisionHistoryLimit=3,"
                                  "controller.affinity.podAffinity.x=y"}),
              "chart");
  EXPECT_EQ(text_at(objects.at("ServiceAccount own"), {"metadata", "annotations", "a"}), "b");
  const Value& deployment = objects.at("Deployment nodescout-controller");
  EXPECT_EQ(text_at(deployment, {"metadata", "annotations", "c"}), "d");
  EXPECT_EQ(text_at(deployment, {"spec", "revisionHistoryLimit"}), "3");
  EXPECT_EQ(text_at(deployment, {"spec", "template", "spec", "serviceAccountName"}), "own");
  EXPECT_EQ(to_json(*at(deployment, {"spec", "template", "spec", "affinity"})), R"({"podAffinity":{"x":"y"}})");
  for (const char* binding : {"ClusterRoleBinding nodescout-controller", "RoleBinding nodescout-controller-leases"})
    EXPECT_EQ(text_at(objects.at(binding).find("subjects")->items.at(0), {"name"}), "own") << binding;
  objects = by_name(rendered(on + Words{"controller.serviceAccount.create=false"}), "chart");
  EXPECT_FALSE(objects.contains("ServiceAccount nodescout-controller"));
}

TEST_F(ChartTest, ReadOnlyMountsAreAsStrictAsTheValueSays) {
  for (const char* value : {"IfPossible", "Enabled", "Disabled"}) {
    const std::string text =
        rendered({"--set", "gpu.enabled=true,gpu.mig=true,host.recursiveReadOnly=" + std::string(value)});
    std::size_t mounts = 0;
    for (std::size_t at = text.find("recursiveReadOnly: "); at != text.npos;
         at = text.find("recursiveReadOnly: ", at + 1))
      mounts += text.compare(at + 19, std::string(value).size(), value) == 0;
    EXPECT_EQ(mounts, 10u) << value;
  }
  refused_with({"template", kChart, "--set", "host.recursiveReadOnly=yes"}, "/host/recursiveReadOnly");
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
  auto objects =
      by_name(rendered({"--set", "policy.readinessTaint=" + taint + ",config.readinessGate.taint=" + taint}), "chart");
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

/// In a namespace where another policy denies what Pods connect to, the API server must be allowed.
TEST_F(ChartTest, WhatPodsConnectToIsAChoice) {
  const auto rules = [&](const Words& values) {
    const auto objects = by_name(rendered(Words{"--set", "controller.enabled=true"} + values), "chart");
    std::set<std::string> found;
    for (const char* name : {"NetworkPolicy nodescout-metrics", "NetworkPolicy nodescout-controller-metrics"}) {
      const Value& spec = *objects.at(name).find("spec");
      const Value* egress = spec.find("egress");
      found.insert(to_json(*spec.find("policyTypes")) + (egress ? to_json(*egress) : ""));
    }
    return found;
  };
  EXPECT_EQ(rules({}), std::set<std::string>{R"(["Ingress"])"});
  const std::string api = R"([{"ports":[{"port":6443}]}])";
  EXPECT_EQ(rules({"--set-json", "networkPolicy.egress=" + api}),
            std::set<std::string>{R"(["Ingress","Egress"])" + api});
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

/// An agent is stale after three periods; without Leases nobody renews those that are left.
TEST_F(ChartTest, TheAlertForStaleAgentsKnowsTheirPeriod) {
  const auto stale = [&](const Words& values) {
    const std::string text = rendered(
        Words{"--api-versions", "monitoring.coreos.com/v1/PrometheusRule", "--set", "monitoring.rules.enabled=true"} +
        values);
    EXPECT_NE(text.find("NodescoutPublishFailing"), std::string::npos) << "the others stay";
    const std::size_t rule = text.find("NodescoutAgentStale");
    if (rule == text.npos) return std::string("none");
    const std::size_t after = text.find("(.+)\") > ", rule) + 9;
    return text.substr(after, text.find(')', after) - after);
  };
  EXPECT_EQ(stale({}), "90");
  EXPECT_EQ(stale({"--set", "config.lease.period=5m"}), "900");
  EXPECT_EQ(stale({"--set", "config.lease.period=1m30s"}), "270");
  EXPECT_EQ(stale({"--set", "config.lease.period=1500ms"}), "4.5");
  EXPECT_EQ(stale({"--set", "config.lease.period=40"}), "120") << "a bare number is seconds";
  EXPECT_EQ(stale({"--set", "config=Lease: {Period: 1h}"}), "10800");
  EXPECT_EQ(stale({"--set", "lease=false"}), "none");
  EXPECT_EQ(stale({"--set", "config.lease.enabled=false"}), "none");
}

TEST_F(ChartTest, TheNotesNameCommandsOfThisRelease) {
  const auto commands = [&](const std::string& values) {
    const Ran done = helm({"install", "site", kChart, "--namespace", "elsewhere", "--dry-run=client", "--set",
                           "crds.install=never" + values});
    EXPECT_EQ(done.status, 0) << done.err;
    Words found;
    const std::string notes = done.out.substr(std::min(done.out.size(), done.out.find("NOTES:")));
    for (const std::string_view line : split(notes, '\n'))
      if (line.starts_with("    ")) found.emplace_back(trim(line));
    return found;
  };
  const std::string pods = "-l app.kubernetes.io/name=nodescout";
  const Words common{"kubectl -n elsewhere logs " + pods + " --prefix",
                     "kubectl -n elsewhere logs --tail=-1 $(kubectl -n elsewhere get pods " + pods +
                         " --field-selector spec.nodeName=NODE -o name)",
                     "kubectl label namespace elsewhere pod-security.kubernetes.io/enforce=privileged"};
  const std::string rollout = "kubectl -n elsewhere rollout status daemonset/site-nodescout";
  const std::string uninstall = "helm uninstall -n elsewhere site";
  const Words removal{"helm upgrade -n elsewhere site CHART --reuse-values --set prune=true", rollout, uninstall};
  const std::string labels = "kubectl get nodes -L feature.node.kubernetes.io/kernel-version.full";
  EXPECT_EQ(commands(""), (Words{rollout, labels} + common + removal));
  EXPECT_EQ(commands(",publish=nodefeature"), (Words{rollout, "kubectl -n elsewhere get nodefeatures"} + common));
  EXPECT_EQ(
      commands(",publish=file"),
      (Words{rollout, "kubectl -n elsewhere exec daemonset/site-nodescout -- nodescout dump"} + common + removal));
  EXPECT_EQ(commands(",prune=true"), (Words{rollout, labels} + common + Words{uninstall}));
  EXPECT_EQ(commands(",agents.enabled=false,controller.enabled=true"),
            (Words{"kubectl -n elsewhere rollout status deployment/site-nodescout-controller",
                   "kubectl -n elsewhere logs " + pods + "-controller --prefix"}));
  Words with_gpu{rollout,   labels,           common[0],
                 common[1], rollout + "-gpu", "kubectl -n elsewhere logs " + pods + "-gpu --prefix",
                 common[2]};
  EXPECT_EQ(commands(",gpu.enabled=true"), with_gpu + removal);
}

TEST_F(ChartTest, TheNotesSayWhatHasNoEffect) {
  const auto notes = [&](const std::string& values) {
    const Ran done = helm({"install", "site", kChart, "--dry-run=client", "--set", values});
    EXPECT_EQ(done.status, 0) << done.err;
    return done.out.substr(std::min(done.out.size(), done.out.find("NOTES:")));
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != text.npos; };
  EXPECT_TRUE(has(notes("monitoring.enabled=true"), "this cluster has no PodMonitor"));
  EXPECT_TRUE(has(notes("monitoring.rules.enabled=true"), "this cluster has no PrometheusRule"));
  EXPECT_TRUE(has(notes("config.core.enableTaints=true"), "the admission policy refuses every taint"));
  const std::string none = notes("config.core.enableTaints=true,policy.taints=true");
  for (const char* part : {"has no PodMonitor", "has no PrometheusRule", "refuses every taint"})
    EXPECT_FALSE(has(none, part)) << part;
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
  Patience patience(std::chrono::seconds(30));
  while (!(denied_by("site-nodescout-node", "chart-other", "vendor.example/x") &&
           denied_by("site-nodescout-keys", "chart-own", "other.example/x"))) {
    ASSERT_FALSE(patience.is_over()) << label("chart-other", "vendor.example/x").error().what;
  }
  const auto inside = label("chart-own", "vendor.example/x");
  EXPECT_TRUE(inside) << inside.error().what;
  const auto outside = label("chart-own", "other.example/x");
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().what.find("ConfigMap site-nodescout-policy"), std::string::npos) << outside.error().what;

  // What tells a controller that the Node has an agent without a Lease. It is in force with the other policies.
  const auto agent_annotation =
      agent.api.patch(object_path(resources::kNodes, "", "chart-own") + "?dryRun=All", PatchKind::merge,
                      json(R"({"metadata":{"annotations":{"nfd.node.kubernetes.io/feature-annotations":")" +
                           std::string(kAgentAnnotation) + R"(",")" + kAgentAnnotation + R"(":"1"}}})"));
  EXPECT_TRUE(agent_annotation) << agent_annotation.error().what;

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
  // A controller elsewhere would not see the Leases of these agents.
  refused_with({"install", "central", kChart, "--namespace", "third", "--create-namespace", "--set",
                "agents.enabled=false,controller.enabled=true"},
               "DaemonSet site-nodescout in namespace elsewhere. Agents and controllers must be in one namespace");
  expect_helm({"install", "central", kChart, "--namespace", "elsewhere", "--dry-run=server", "--set",
               "agents.enabled=false,controller.enabled=true"});
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

  cluster->kubectl({"apply", "-k", kManifests + "overlays/central"});
  for (const char* values : {"crds.install=auto", "agents.enabled=false,controller.enabled=true"})
    refused_with(
        {"install", "beside", kChart, "--namespace", "beside", "--create-namespace", "--set", values},
        "Deployment nodescout-controller in namespace nodescout. Agents and controllers must be in one namespace");
  expect_helm({"install", "beside", kChart, "--namespace", "nodescout", "--dry-run=server"});
  cluster->kubectl({"delete", "--wait", "deployment", "-n", "nodescout", "nodescout-controller"});
}

}  // namespace
}  // namespace nodescout::test
