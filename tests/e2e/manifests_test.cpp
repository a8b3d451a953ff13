// deploy/kustomize as kubectl renders it and a real API server takes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>

#include "base/text.h"
#include "config/config.h"
#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/control_plane.h"
#include "e2e/documented_commands.h"
#include "nodescout/version.h"
#include "support/run_program.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string kManifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";
const std::vector<std::string> kOverlays{"base",          "overlays/watch-node", "overlays/nodefeature",
                                         "overlays/file", "overlays/prune",      "overlays/read-only-host",
                                         "overlays/gpu",  "overlays/gpu-mig"};
/// The second agent of GPU nodes.
const std::vector<std::string> kGpuOverlays{"overlays/gpu", "overlays/gpu-mig", "overlays/gpu-prune"};
constexpr const char* kFeatures = "/host/etc/kubernetes/node-feature-discovery/features.d";

class ManifestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    cluster->create_namespace("nodescout");
  }
  std::vector<Value> rendered(const std::string& overlay) {
    std::vector<Value> objects;
    for (YamlDocument& document : parse_yaml(cluster->kubectl({"kustomize", kManifests + overlay}), overlay)) {
      if (document.error) throw std::runtime_error(document.error->where + ": " + document.error->what);
      objects.push_back(std::move(document.root));
    }
    return objects;
  }
  Value one(const std::string& overlay, const std::string& kind, const std::string& name) {
    for (Value& object : rendered(overlay))
      if (text_at(object, {"kind"}) == kind && text_at(object, {"metadata", "name"}) == name) return object;
    throw std::runtime_error(overlay + " has no " + kind + " " + name);
  }
  Value pod_spec(const std::string& overlay, const std::string& set = "nodescout") {
    return *at(one(overlay, "DaemonSet", set), {"spec", "template", "spec"});
  }
  static std::vector<Value> containers(const Value& spec) {
    std::vector<Value> all;
    for (const char* list : {"initContainers", "containers"})
      if (const Value* some = spec.find(list)) all.insert(all.end(), some->items.begin(), some->items.end());
    return all;
  }
  /// The block of code of a page that begins so.
  static std::string block_of(const std::string& name, const std::string& beginning) {
    const std::string page = must(read_whole_file(NODESCOUT_SOURCE_DIR "/" + name, 1u << 20));
    const std::size_t begin = page.find("```yaml\n" + beginning);
    if (begin == page.npos) throw std::runtime_error(name + " has no block that begins with " + beginning);
    const std::size_t text = page.find('\n', begin) + 1;
    return page.substr(text, page.find("```", text) - text);
  }
  /// An overlay with the patches of that block.
  std::vector<Value> patched_as(const std::string& name, const std::string& beginning, const std::string& overlay) {
    const TempDirectory folder;
    const std::string refers = fs::relative(kManifests + overlay, fs::canonical(folder.path())).string();
    write_file(folder.path() / "kustomization.yaml", "resources: [" + refers + "]\n" + block_of(name, beginning));
    std::vector<Value> objects;
    for (YamlDocument& document : parse_yaml(cluster->kubectl({"kustomize", folder.path().string()}), "patched"))
      objects.push_back(std::move(document.root));
    return objects;
  }
  /// What Kubernetes' own "restricted" standard says to these Pods, leaving aside that host paths are mounted.
  Result<Value> as_restricted_pod(Value spec) {
    cluster->create_namespace("restricted");
    must(
        cluster->admin().patch(object_path(resources::kNamespaces, "", "restricted"), PatchKind::merge,
                               json(R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}})")));
    for (Member& member : spec.members)
      if (member.key == "volumes")
        for (Value& volume : member.value.items)
          for (Member& source : volume.members)
            if (source.key == "hostPath") source = {"emptyDir", {}, Value::map()};
    Value pod = json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"agent"}})");
    pod.add("spec", std::move(spec));
    return cluster->admin().create(collection_path(resources::kPods, "restricted") + "?dryRun=All", pod);
  }

  ControlPlane* cluster = nullptr;
};

TEST_F(ManifestsTest, TheServerTakesEveryOverlay) {
  cluster->install_crds();
  std::vector<std::string> all = kOverlays;
  all.insert(all.end(), {"overlays/central", "overlays/mixed", "overlays/file-prune", "overlays/gpu-prune"});
  // None is forgotten.
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(kManifests + "overlays"))
    folders.insert("overlays/" + entry.path().filename().string());
  EXPECT_EQ(folders, std::set<std::string>(all.begin() + 1, all.end()));
  for (const std::string& overlay : all)
    EXPECT_NO_THROW(cluster->kubectl({"apply", "-k", kManifests + overlay, "--dry-run=server", "--validate=strict"}))
        << overlay;
}

TEST_F(ManifestsTest, TheControllersPodsAreRestricted) {
  for (const char* overlay : {"overlays/central", "overlays/mixed"}) {
    const Value deployment = one(overlay, "Deployment", "nodescout-controller");
    const auto admitted = as_restricted_pod(*at(deployment, {"spec", "template", "spec"}));
    EXPECT_TRUE(admitted) << overlay << ": " << admitted.error().text();
  }
}

TEST_F(ManifestsTest, WhoHasTheKindsKeepsThem) {
  cluster->install_crds();
  for (const std::string& overlay : kOverlays)
    for (const Value& object : rendered(overlay))
      EXPECT_NE(text_at(object, {"kind"}), "CustomResourceDefinition") << overlay;
  EXPECT_THROW(cluster->kubectl({"create", "-k", kManifests + "crds"}), std::runtime_error) << "they exist already";
}

TEST_F(ManifestsTest, AllButTheHostsDirectoriesIsRestricted) {
  for (const std::string& overlay : kOverlays) {
    const auto admitted = as_restricted_pod(pod_spec(overlay));
    if (overlay != "overlays/file") {
      EXPECT_TRUE(admitted) << overlay << ": " << admitted.error().text();
      continue;
    }
    // Root, because the directory belongs to root; and nothing else.
    ASSERT_FALSE(admitted);
    const std::string& why = admitted.error().what;
    EXPECT_NE(why.find("runAsNonRoot != true"), std::string::npos) << why;
    EXPECT_NE(why.find("runAsUser=0"), std::string::npos) << why;
    for (const char* other : {"capabilities", "seccompProfile", "allowPrivilegeEscalation", "privileged", "volume"})
      EXPECT_EQ(why.find(other), std::string::npos) << why;
  }
}

TEST_F(ManifestsTest, TheNetworkPolicyIsForTheAgentsPort) {
  for (const std::string& overlay : kOverlays) {
    const Value spec = pod_spec(overlay);
    if (overlay == "crds" || overlay.ends_with("prune")) continue;  // no port
    Value policy;
    for (const Value& object : rendered(overlay))
      if (text_at(object, {"kind"}) == "NetworkPolicy" && text_at(object, {"metadata", "name"}) == "nodescout-metrics")
        policy = object;
    EXPECT_EQ(text_at(policy, {"spec", "podSelector", "matchLabels", "app.kubernetes.io/name"}), "nodescout")
        << overlay;
    const Value* ingress = at(policy, {"spec", "ingress"});
    ASSERT_TRUE(ingress && ingress->items.size() == 1) << overlay;
    EXPECT_EQ(to_json(*ingress->items[0].find("from")), R"([{"namespaceSelector":{}}])")
        << overlay << ": Prometheus may run in any namespace";
    const std::string port = text_at(ingress->items[0].find("ports")->items[0], {"port"});
    bool has_port = false;
    for (const Value& container : containers(spec))
      if (const Value* ports = container.find("ports"))
        for (const Value& each : ports->items) has_port |= text_at(each, {"name"}) == port;
    EXPECT_TRUE(has_port) << overlay << ": " << port;
  }
}

/// Each kind of Pods with a port has a policy of its own. The second agents never use the network themselves.
TEST_F(ManifestsTest, EveryPodWithAPortHasANetworkPolicy) {
  std::vector<std::string> all = kOverlays;
  all.insert(all.end(), {"overlays/central", "overlays/mixed", "overlays/file-prune", "overlays/gpu-prune"});
  for (const std::string& overlay : all) {
    std::set<std::string> with_port, admitted;
    for (const Value& object : rendered(overlay)) {
      const std::string kind = text_at(object, {"kind"});
      if (kind == "DaemonSet" || kind == "Deployment")
        for (const Value& container : at(object, {"spec", "template", "spec", "containers"})->items)
          if (container.find("ports"))
            with_port.insert(text_at(object, {"spec", "template", "metadata", "labels", "app.kubernetes.io/name"}));
      if (kind != "NetworkPolicy") continue;
      const std::string pods = text_at(object, {"spec", "podSelector", "matchLabels", "app.kubernetes.io/name"});
      admitted.insert(pods);
      if (pods == "nodescout-gpu") {
        EXPECT_EQ(to_json(*at(object, {"spec", "policyTypes"})), R"(["Ingress","Egress"])") << overlay;
        EXPECT_EQ(to_json(*at(object, {"spec", "egress"})), "[]") << overlay;
      }
    }
    EXPECT_EQ(admitted, with_port) << overlay;
  }
}

TEST_F(ManifestsTest, TheDocumentedPatchAdmitsOneNamespaceToTheMetrics) {
  Value from;
  for (const Value& object : patched_as("docs/deploy.md", "patches:\n  - target: {kind: NetworkPolicy", "base"))
    if (text_at(object, {"kind"}) == "NetworkPolicy") from = *at(object, {"spec", "ingress"})->items.at(0).find("from");
  EXPECT_EQ(to_json(from), R"([{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}])");
}

TEST_F(ManifestsTest, TheDocumentedPatchesForEveryPodReachAgentsAndController) {
  const std::string begin = "patches:\n  - target: {kind: DaemonSet|Deployment}";
  std::vector<std::string> kinds;
  for (const Value& object : patched_as("docs/deploy.md", begin, "overlays/mixed"))
    if (const Value* spec = at(object, {"spec", "template", "spec"})) {
      kinds.push_back(text_at(object, {"kind"}));
      const Value* secrets = spec->find("imagePullSecrets");
      EXPECT_TRUE(secrets && to_json(*secrets) == R"([{"name":"pull"}])") << kinds.back();
    }
  EXPECT_EQ(kinds, (std::vector<std::string>{"Deployment", "DaemonSet"}));
  for (const Value& object : patched_as("docs/platforms.md", begin, "overlays/mixed")) {
    const Value* spec = at(object, {"spec", "template", "spec"});
    EXPECT_TRUE(!spec || !spec->find("priorityClassName")) << text_at(object, {"kind"});
  }
}

/// A server that admits these classes only where a ResourceQuota allows them, as GKE's does. The page's is enough.
TEST_F(ManifestsTest, TheDocumentedQuotaAdmitsThePodsWhereTheirClassIsLimited) {
  const TempDirectory folder;
  write_file(folder.path() / "admission.yaml", R"({"apiVersion":"apiserver.config.k8s.io/v1",
    "kind":"AdmissionConfiguration","plugins":[{"name":"ResourceQuota","configuration":{
    "apiVersion":"apiserver.config.k8s.io/v1","kind":"ResourceQuotaConfiguration","limitedResources":[{
    "resource":"pods","matchScopes":[{"scopeName":"PriorityClass","operator":"In",
    "values":["system-node-critical","system-cluster-critical"]}]}]}}]})");
  ControlPlane::Options options;
  options.api_server_flags = {"--admission-control-config-file=" + (folder.path() / "admission.yaml").string()};
  ControlPlane limited(options);
  limited.create_namespace("nodescout");
  const auto create = [&](const std::string& overlay, const std::string& kind, const std::string& name) {
    Value pod = json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"pod-"}})");
    for (const Value& object : rendered(overlay))
      if (text_at(object, {"kind"}) == "ServiceAccount")
        static_cast<void>(limited.admin().create(collection_path(resources::kServiceAccounts, "nodescout"), object));
    pod.add("spec", *at(one(overlay, kind, name), {"spec", "template", "spec"}));
    return limited.admin().create(collection_path(resources::kPods, "nodescout"), pod);
  };
  const auto refused = create("base", "DaemonSet", "nodescout");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("insufficient quota to match these scopes"), std::string::npos)
      << refused.error().text() << ": the words that the pages give";
  write_file(folder.path() / "quota.yaml", block_of("docs/platforms.md", "apiVersion: v1\nkind: ResourceQuota"));
  limited.kubectl({"apply", "-f", (folder.path() / "quota.yaml").string()});
  // There is no controller here that counts what is used.
  must(limited.admin().patch("/api/v1/namespaces/nodescout/resourcequotas/nodescout-critical/status", PatchKind::merge,
                             json(R"({"status":{"hard":{"pods":"10000"},"used":{"pods":"0"}}})")));
  for (const auto& [kind, name] : std::vector<std::pair<std::string, std::string>>{
           {"DaemonSet", "nodescout"}, {"Deployment", "nodescout-controller"}}) {
    Result<Value> admitted = create("overlays/mixed", kind, name);
    // The server learns of the quota by its watch.
    for (int tries = 0; !admitted && tries < 100; ++tries) {
      std::this_thread::sleep_for(100ms);
      admitted = create("overlays/mixed", kind, name);
    }
    EXPECT_TRUE(admitted) << name << ": " << admitted.error().text();
  }
}

TEST_F(ManifestsTest, TheHostIsReadOnly) {
  for (const std::string& overlay : kOverlays) {
    const Value spec = pod_spec(overlay);
    EXPECT_EQ(text_at(spec, {"hostUsers"}), "true") << "uevents are sent to the host's user namespace only";
    for (const char* shared : {"hostNetwork", "hostPID", "hostIPC"}) EXPECT_EQ(spec.find(shared), nullptr) << shared;
    std::set<std::string> host;
    for (const Value& volume : spec.find("volumes")->items)
      if (volume.find("hostPath")) host.insert(text_at(volume, {"name"}));
    EXPECT_GE(host.size(), overlay == "overlays/read-only-host" ? 5u : 8u);
    std::set<std::string> writable;
    for (const Value& container : containers(spec)) {
      EXPECT_EQ(text_at(container, {"securityContext", "readOnlyRootFilesystem"}), "true") << overlay;
      EXPECT_EQ(text_at(container, {"image"}), "nodescout:" + std::string(kVersion)) << overlay;
      for (const Value& mount : container.find("volumeMounts")->items) {
        const std::string path = text_at(mount, {"mountPath"});
        const bool is_host = host.contains(text_at(mount, {"name"}));
        EXPECT_EQ(is_host, path.starts_with("/host/")) << overlay << ": " << path;
        if (text_at(mount, {"readOnly"}) != "true") writable.insert(path);
      }
    }
    std::set<std::string> expected{"/run/nodescout"};
    if (overlay == "overlays/file") expected.insert(kFeatures);
    EXPECT_EQ(writable, expected) << overlay;
  }
}

/// It runs as root: only what it writes is writable, and gpu-mig is the only one with rights.
TEST_F(ManifestsTest, TheSecondAgentOfGpuNodesWritesOnlyItsFile) {
  for (const std::string& overlay : kGpuOverlays) {
    const Value spec = pod_spec(overlay, "nodescout-gpu");
    EXPECT_EQ(text_at(spec, {"automountServiceAccountToken"}), "false") << overlay;
    for (const char* shared : {"hostNetwork", "hostPID", "hostIPC"}) EXPECT_EQ(spec.find(shared), nullptr) << shared;
    const bool is_privileged = overlay == "overlays/gpu-mig";
    for (const Value& container : containers(spec)) {
      EXPECT_EQ(text_at(container, {"image"}), "nodescout:" + std::string(kVersion)) << overlay;
      EXPECT_EQ(text_at(container, {"securityContext", "privileged"}), is_privileged ? "true" : "false") << overlay;
      EXPECT_EQ(text_at(container, {"securityContext", "readOnlyRootFilesystem"}), "true") << overlay;
      EXPECT_EQ(at(container, {"securityContext", "capabilities"}) != nullptr, !is_privileged) << overlay;
      std::set<std::string> writable;
      for (const Value& mount : container.find("volumeMounts")->items)
        if (text_at(mount, {"readOnly"}) != "true") writable.insert(text_at(mount, {"mountPath"}));
      std::set<std::string> expected{"/run/nodescout", kFeatures};
      if (is_privileged) expected.insert("/dev");
      if (overlay == "overlays/gpu-prune")
        expected = {text_at(container, {"name"}) == "prune" ? kFeatures : "/run/nodescout"};
      EXPECT_EQ(writable, expected) << overlay;
    }
  }
}

/// Also where the GPU was taken out, so it is bound to no label and to no container toolkit.
TEST_F(ManifestsTest, TheFileOfTheSecondAgentCanBePrunedOnEveryNode) {
  const Value spec = pod_spec("overlays/gpu-prune", "nodescout-gpu");
  ASSERT_EQ(spec.find("initContainers")->items.size(), 1u);
  EXPECT_EQ(to_json(*spec.find("initContainers")->items[0].find("args")), R"(["agent","--publish","file","--prune"])");
  EXPECT_EQ(to_json(*spec.find("containers")->items[0].find("args")), R"(["agent","--publish","none"])");
  EXPECT_EQ(spec.find("runtimeClassName"), nullptr);
  EXPECT_EQ(spec.find("affinity"), nullptr);
  EXPECT_EQ(to_json(*spec.find("nodeSelector")), R"({"kubernetes.io/os":"linux"})");
  for (const Value& volume : spec.find("volumes")->items) {
    const std::string path = text_at(volume, {"hostPath", "path"});
    EXPECT_FALSE(path.ends_with("nvidia") || path.ends_with("plugins")) << path << ": would be created on every node";
  }
}

/// No server here knows the kind; what it allows is compared with what the Pods ask for.
TEST_F(ManifestsTest, TheDocumentedSccAdmitsThePods) {
  const std::string page = must(read_whole_file(NODESCOUT_SOURCE_DIR "/docs/platforms.md", 1u << 20));
  const std::size_t begin = page.find("  apiVersion: security.openshift.io/v1");
  ASSERT_NE(begin, page.npos);
  const auto parsed = parse_yaml(page.substr(begin, page.find("```", begin) - begin), "platforms.md");
  const Value& scc = parsed.at(0).root;
  ASSERT_FALSE(parsed.at(0).error);
  const auto list = [&](const char* key) {
    std::set<std::string> texts;
    for (const Value& item : scc.find(key)->items) texts.insert(item.text);
    return texts;
  };
  EXPECT_EQ(list("users"), std::set<std::string>{"system:serviceaccount:nodescout:nodescout"});
  for (const char* key : {"allowHostIPC", "allowHostNetwork", "allowHostPID", "allowHostPorts",
                          "allowPrivilegeEscalation", "allowPrivilegedContainer"})
    EXPECT_EQ(text_at(scc, {key}), "false") << key;
  EXPECT_EQ(text_at(scc, {"allowHostDirVolumePlugin"}), "true");
  EXPECT_EQ(text_at(scc, {"readOnlyRootFilesystem"}), "true");
  EXPECT_EQ(list("requiredDropCapabilities"), std::set<std::string>{"ALL"});
  EXPECT_TRUE(list("allowedCapabilities").empty());
  const std::set<std::string> volumes = list("volumes");
  EXPECT_TRUE(volumes.contains("projected")) << "the token";
  for (const std::string& overlay : kOverlays) {
    const Value spec = pod_spec(overlay);
    for (const Value& volume : spec.find("volumes")->items)
      for (const Member& source : volume.members)
        EXPECT_TRUE(source.key == "name" || volumes.contains(source.key)) << overlay << ": " << source.key;
    EXPECT_EQ(text_at(spec, {"securityContext", "seccompProfile", "type"}), "RuntimeDefault") << overlay;
    for (const Value& container : containers(spec)) {
      EXPECT_EQ(text_at(container, {"securityContext", "allowPrivilegeEscalation"}), "false") << overlay;
      EXPECT_EQ(to_json(*at(container, {"securityContext", "capabilities"})), R"({"drop":["ALL"]})") << overlay;
    }
  }
}

/// What a runtime would have to create on the host, or may not exist there, keeps a Pod from starting on a read-only
/// one.
TEST_F(ManifestsTest, OnAReadOnlyHostNothingIsCreated) {
  const Value spec = pod_spec("overlays/read-only-host");
  for (const Value& volume : spec.find("volumes")->items) {
    const std::string path = text_at(volume, {"hostPath", "path"});
    const std::set<std::string> everywhere{"", "/sys", "/proc", "/usr/lib", "/etc/os-release", "/run/udev"};
    EXPECT_TRUE(everywhere.contains(path)) << path;
  }
}

TEST_F(ManifestsTest, AgentsAreNotEvictedFromAFullNode) {
  for (const std::string& overlay : kOverlays)
    EXPECT_EQ(text_at(pod_spec(overlay), {"priorityClassName"}), "system-node-critical") << overlay;
}

TEST_F(ManifestsTest, ARolloutSurvivesNodesThatAreDown) {
  const Value set = one("base", "DaemonSet", "nodescout");
  EXPECT_EQ(text_at(set, {"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}), "34%") << "see kwok_test.cpp";
  ASSERT_NE(at(set, {"spec", "template", "spec", "tolerations"}), nullptr);
  EXPECT_EQ(to_json(*at(set, {"spec", "template", "spec", "tolerations"})), R"([{"operator":"Exists"}])");
}

TEST_F(ManifestsTest, PolicyAndProgramHaveTheSamePrefixes) {
  const Value parameters = one("base", "ConfigMap", "nodescout-policy");
  std::vector<std::string> prefixes;
  const std::string lines = text_at(parameters, {"data", "writePrefixes"});
  for (const std::string_view line : split(lines, '\n'))
    if (!line.empty()) prefixes.emplace_back(line);
  EXPECT_EQ(prefixes, default_write_prefixes());
}

/// What the admission policy reads is the default of what the agent writes: see write_prefixes_of_policy.
TEST_F(ManifestsTest, TheAgentSeesThePrefixesOfThePolicy) {
  for (const char* overlay : {"base", "overlays/watch-node"}) {
    const Value set = one(overlay, "DaemonSet", "nodescout");
    const Value* volumes = at(set, {"spec", "template", "spec", "volumes"});
    const Value* containers = at(set, {"spec", "template", "spec", "containers"});
    ASSERT_TRUE(volumes && containers);
    bool is_mounted = false, has_key = false;
    for (const Value& mount : containers->items.at(0).find("volumeMounts")->items)
      is_mounted |= text_at(mount, {"name"}) == "policy" && text_at(mount, {"mountPath"}) == "/etc/nodescout/policy";
    for (const Value& volume : volumes->items)
      if (text_at(volume, {"name"}) == "policy")
        has_key = text_at(volume, {"configMap", "name"}) == "nodescout-policy" &&
                  text_at(volume.find("configMap")->find("items")->items.at(0), {"path"}) == "writePrefixes";
    EXPECT_TRUE(is_mounted && has_key) << overlay;
  }
}

TEST_F(ManifestsTest, TheConfigurationsAreUnderstood) {
  const auto is_prose = [](std::string_view line) { return line.size() > 2 && line[1] == ' ' && line[2] != ' '; };
  for (const char* overlay : {"base", "overlays/watch-node"}) {
    std::string text = text_at(one(overlay, "ConfigMap", "nodescout-config"), {"data", "nodescout.conf"});
    ASSERT_NE(text, "");
    // As it is, and with every example in it switched on.
    std::string examples;
    for (const std::string_view line : split(text, '\n'))
      examples += std::string(line.starts_with("#") && !is_prose(line) ? line.substr(1) : line) + "\n";
    for (const std::string& version : {text, examples}) {
      Config config;
      config.labels.taints = false;
      config.prefixes.fallback = default_write_prefixes();
      const Status applied = apply_config(config, version, overlay);
      ASSERT_TRUE(applied) << applied.error().text();
      for (const Problem& problem : config.problems) ADD_FAILURE() << problem.where << ": " << problem.what;
      EXPECT_EQ(config.labels.taints, version == examples);
      std::vector<std::string> prefixes = default_write_prefixes();
      if (version == examples) prefixes.emplace_back("vendor.example");
      EXPECT_EQ(config.labels.write_prefixes, prefixes);
    }
  }
}

TEST_F(ManifestsTest, WithoutTheClusterThereAreNoRightsInIt) {
  const std::set<std::string> without_rights{"Namespace", "ServiceAccount", "ConfigMap", "DaemonSet", "NetworkPolicy"};
  for (const Value& object : rendered("overlays/file")) {
    const std::string kind = text_at(object, {"kind"});
    EXPECT_TRUE(without_rights.contains(kind)) << kind;
  }
  EXPECT_EQ(text_at(pod_spec("overlays/file"), {"automountServiceAccountToken"}), "false");
}

TEST_F(ManifestsTest, TheExampleInTheDocumentationWorks) {
  const std::string page = must(read_whole_file(NODESCOUT_SOURCE_DIR "/docs/deploy.md", 1u << 20));
  const std::size_t begin = page.find("# kustomization.yaml\n");
  ASSERT_NE(begin, page.npos);
  std::string example = page.substr(begin, page.find("```", begin) - begin);
  for (const char* overlay : {"base", "overlays/prune"}) {
    const TempDirectory folder;
    const std::string refers = fs::relative(kManifests + overlay, fs::canonical(folder.path())).string();
    write_file(folder.path() / "kustomization.yaml", replace_all(example, "nodescout/deploy/kustomize/base", refers));
    write_file(folder.path() / "site-rules.yaml", "- name: x\n  labels: {x: y}\n");
    write_file(folder.path() / "nodescout.conf", "enableTaints: true\n");
    const std::string out = cluster->kubectl({"kustomize", folder.path().string()});
    EXPECT_EQ(out.find("image: nodescout:"), out.npos) << out;
    EXPECT_NE(out.find("image: registry.example/tools/nodescout:0.1.0"), out.npos) << out;
    EXPECT_NE(out.find("site-rules.yaml: |"), out.npos) << out;
    EXPECT_NE(out.find("enableTaints: true"), out.npos) << out;
    EXPECT_EQ(out.find("#enableTaints"), out.npos) << "in place of the shipped one";
  }
}

TEST_F(ManifestsTest, PruningGoesBeforeAnAgentThatDoesNothing) {
  const Value spec = pod_spec("overlays/prune");
  ASSERT_EQ(spec.find("initContainers")->items.size(), 1u);
  EXPECT_EQ(to_json(*spec.find("initContainers")->items[0].find("args")), R"(["agent","--prune"])");
  EXPECT_EQ(to_json(*spec.find("containers")->items[0].find("args")), R"(["agent","--publish","none"])");
}

TEST_F(ManifestsTest, TheFileOfEachHostCanBePruned) {
  const Value spec = pod_spec("overlays/file-prune");
  ASSERT_EQ(spec.find("initContainers")->items.size(), 1u);
  const Value& prune = spec.find("initContainers")->items[0];
  EXPECT_EQ(to_json(*prune.find("args")), R"(["agent","--publish","file","--prune"])");
  EXPECT_EQ(text_at(prune, {"image"}), "nodescout:" + std::string(kVersion));
  EXPECT_EQ(to_json(*spec.find("containers")->items[0].find("args")), R"(["agent","--publish","none"])");
  EXPECT_EQ(text_at(spec, {"automountServiceAccountToken"}), "false");
  for (const Value& container : containers(spec))
    for (const Value& mount : container.find("volumeMounts")->items) {
      const bool is_features = text_at(mount, {"mountPath"}) == kFeatures;
      const bool may_write = text_at(mount, {"readOnly"}) != "true";
      EXPECT_EQ(may_write, text_at(mount, {"mountPath"}) == "/run/nodescout" ||
                               (is_features && text_at(container, {"name"}) == "prune"))
          << text_at(mount, {"mountPath"});
    }
}

/// The kubelet asks at its own pace: a Pod whose first answer was "not yet" is asked again within this time.
TEST_F(ManifestsTest, ReadyComesWithinFiveSeconds) {
  for (const auto& [overlay, name] : std::vector<std::pair<std::string, std::string>>{
           {"base", "nodescout"}, {"overlays/file", "nodescout"}, {"overlays/gpu", "nodescout-gpu"}}) {
    const Value set = one(overlay, "DaemonSet", name);
    const Value& container = at(set, {"spec", "template", "spec", "containers"})->items.at(0);
    for (const char* probe : {"startupProbe", "livenessProbe", "readinessProbe"})
      EXPECT_EQ(text_at(container, {probe, "httpGet", "port"}), "http") << overlay << " " << probe;
    EXPECT_LE(std::stoi(text_at(container, {"startupProbe", "periodSeconds"})) +
                  std::stoi(text_at(container, {"readinessProbe", "periodSeconds"})),
              5);
  }
}

/// deploy/package/chart.
TEST(ReleasedChartTest, ItsDefaultIsTheImageOfTheRelease) {
  if (!helm_programs().why_not.empty()) GTEST_SKIP() << "skipped: " << helm_programs().why_not;
  const TempDirectory folder;
  RunOptions options;
  options.environment["PATH"] = helm_programs().folder.string() + ":/usr/bin:/bin";
  for (const char* variable : {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"})
    options.environment[variable] = folder.path() / "helm";
  const std::string repository = "registry.example/site/nodescout", out = folder.path() / "out";
  const Ran made = run_program({NODESCOUT_SOURCE_DIR "/deploy/package/chart", repository, out}, options);
  ASSERT_EQ(made.status, 0) << made.err;
  const std::string archive(trim(made.out));
  const Ran objects = run_program(
      {helm_programs().folder / "helm", "template", "x", archive, "--set", "controller.enabled=true"}, options);
  ASSERT_EQ(objects.status, 0) << objects.err;
  int images = 0;
  for (const std::string_view line : split(objects.out, '\n')) {
    if (!trim(line).starts_with("image: ")) continue;
    ++images;
    EXPECT_NE(line.find(repository + ":" + std::string(kVersion)), std::string_view::npos) << line;
  }
  EXPECT_EQ(images, 2) << "of the agents and of the controller";
  const Ran readme = run_program({"/bin/tar", "-xzOf", archive, "nodescout/README.md"});
  EXPECT_NE(readme.out.find("| `image.repository` | `" + repository + "` |"), std::string::npos);
  EXPECT_EQ(readme.out.find("It is not published"), std::string::npos);
}

// ---- the commands of the pages --------------------------------------------------------------------------------------

TEST(DocumentedCommandsTest, EachIsRunAsWrittenOrSaysWhereItIs) {
  std::set<std::string> known;
  for (const Step& step : documented_steps()) EXPECT_TRUE(known.insert(step.command).second) << step.command;
  const auto commands = documented_commands();
  const std::set<std::string> written(commands.begin(), commands.end());
  for (const std::string& command : written)
    EXPECT_TRUE(known.contains(command)) << "documented_steps() lacks what a page tells: " << command;
  for (const std::string& command : known) EXPECT_TRUE(written.contains(command)) << "no page has " << command;
}

/// On a real node: node_test.cpp.
TEST(DocumentedCommandsTest, ThoseThatTakeNoKubeletRun) {
  NODESCOUT_NEEDS_CONTROL_PLANE();
  ControlPlane cluster;
  cluster.create_node("documented");
  cluster.create_namespace("nodescout");
  must(cluster.admin().create(collection_path(resources::kLeases, "nodescout"),
                              json(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
                                   R"("metadata":{"name":"documented"}})")));
  const TempDirectory folder;
  const DocumentedCommands commands(folder.path() / "work", cluster.admin_kubeconfig(),
                                    {{"NAME", "documented"},
                                     {"NODE", "documented"},
                                     {"NAMESPACE", "node-feature-discovery"},
                                     {"FILE", "deploy/kustomize/base/nodescout.conf"}});
  for (Step step : documented_steps()) {
    if (step.how == Step::How::on_node) continue;
    step.command += step.more;
    commands.run(step);
  }
}

/// What the page says of a site's own nodescout.conf over watch-node, and of removing the site's own installation.
TEST_F(ManifestsTest, ASitesOwnFilesSurviveWhatThePageTells) {
  const auto with = [&](const std::string& overlay, const std::string& conf) {
    const TempDirectory folder;
    const std::string refers = fs::relative(kManifests + overlay, fs::canonical(folder.path())).string();
    write_file(folder.path() / "kustomization.yaml",
               "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [" + refers +
                   "]\nimages: [{name: nodescout, newName: registry.example/x, newTag: v7}]\n"
                   "configMapGenerator:\n  - {name: nodescout-config, namespace: nodescout, behavior: merge, files: "
                   "[nodescout.conf]}\ngeneratorOptions: {disableNameSuffixHash: true}\npatches:\n  - patch: |-\n"
                   "      {apiVersion: v1, kind: ConfigMap, metadata: {name: nodescout-policy, namespace: nodescout}, "
                   "data: {writePrefixes: site.example}}\n");
    write_file(folder.path() / "nodescout.conf", conf);
    return cluster->kubectl({"kustomize", folder.path().string()});
  };
  const std::string page = must(read_whole_file(NODESCOUT_SOURCE_DIR "/docs/deploy.md", 1u << 20));
  ASSERT_NE(page.find("`watchNode: true`"), std::string::npos);
  EXPECT_EQ(with("overlays/watch-node", "enableTaints: true\n").find("watchNode: true"), std::string::npos)
      << "if this no longer holds, the page need not say so";
  EXPECT_NE(with("overlays/watch-node", "watchNode: true\nenableTaints: true\n").find("watchNode: true"),
            std::string::npos);
  const std::string pruned = with("overlays/prune", "instance: site\n");
  EXPECT_EQ(pruned.find("image: nodescout:"), std::string::npos);
  EXPECT_NE(pruned.find("image: registry.example/x:v7"), std::string::npos);
  EXPECT_NE(pruned.find("instance: site"), std::string::npos);
  EXPECT_NE(pruned.find("writePrefixes: site.example"), std::string::npos) << pruned;
}

}  // namespace
}  // namespace nodescout::test
