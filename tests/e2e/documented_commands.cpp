#include "e2e/documented_commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/text.h"
#include "e2e/control_plane.h"
#include "support/run_program.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using How = Step::How;

const std::string kSource = NODESCOUT_SOURCE_DIR "/";
const std::string kInstallChart = "helm install nodescout deploy/helm/nodescout -n nodescout --create-namespace --set ";
const std::string kUninstall = "helm uninstall nodescout -n nodescout --wait";
const std::string kRolledOut = "kubectl -n nodescout rollout status daemonset/nodescout --timeout=120s";

/// What the pages expect of a cluster that NFD is in.
constexpr const char* kOfNfd = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: node-feature-discovery}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: nfd-worker-conf, namespace: node-feature-discovery}
data: {nfd-worker.conf: "core: {labelSources: [pci]}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nfd-master, namespace: node-feature-discovery}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: none}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nfd-gc, namespace: node-feature-discovery}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: none}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: nfd-worker, namespace: node-feature-discovery}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {nodeSelector: {none: none}, containers: [{name: c, image: none}]}}
---
# As NFD's chart names and labels them.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nfd-node-feature-discovery-master
  namespace: node-feature-discovery
  labels: {app.kubernetes.io/name: node-feature-discovery, app.kubernetes.io/instance: nfd, role: master}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: none}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: nfd-node-feature-discovery-worker
  namespace: node-feature-discovery
  labels: {app.kubernetes.io/name: node-feature-discovery, app.kubernetes.io/instance: nfd, role: worker}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {nodeSelector: {none: none}, containers: [{name: c, image: none}]}}
)";

std::string page(const std::string& name) { return must(read_whole_file(kSource + name, 1u << 20)); }

/// The lines of code, and the code within a line, that begin with a program that a reader would start.
std::vector<std::string> commands_of(const std::string& name) {
  const auto starts_with_one_of = [](std::string_view text, const std::vector<std::string_view>& beginnings) {
    return std::ranges::any_of(beginnings, [&](std::string_view each) { return text.starts_with(each); });
  };
  const std::vector<std::string_view> programs{
      "kubectl ",         "helm ", "docker ", "kind ",         "k3s ",
      "skopeo ",          "ctr ",  "sudo ",   "./dev install", "nodescout agent --node NAME --prune",
      "nodescout diff --"};
  std::vector<std::string_view> in_code = programs;  // in prose these may be part of a sentence
  in_code.insert(in_code.end(),
                 {"./dev ", "tar ", "nodescout dump", "nodescout rules ", "nodescout fleet", "nodescout config "});
  std::vector<std::string> commands;
  std::string prose;
  // A line that ends with a backslash goes on; what stands behind two spaces is said about the command.
  std::string joined, text = page(name);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "\\\n") != 0) {
      joined += text[at];
      continue;
    }
    at = text.find_first_not_of(' ', at + 2) - 1;
  }
  for (const std::string_view line : split(joined, '\n')) {
    if (!line.starts_with("    ")) {
      prose += std::string(line) + " ";
      continue;
    }
    std::string_view command = trim(line.substr(0, line.find(" #")));
    command = trim(command.substr(0, command.find("  ")));
    if (starts_with_one_of(command, in_code)) commands.emplace_back(command);
  }
  const auto pieces = split(prose, '`');
  for (std::size_t i = 1; i < pieces.size(); i += 2)
    if (starts_with_one_of(pieces[i], programs)) commands.emplace_back(trim(pieces[i]));
  return commands;
}

}  // namespace

const std::vector<Step>& documented_steps() {
  static const std::vector<Step> steps{
      // ---- README.md
      {"./dev run", How::elsewhere, "builds the release: CI runs it"},
      {"./dev test", How::elsewhere, "is what runs this"},
      {"./dev install", How::elsewhere, "the tests of the installation"},
      {"./dev package", How::elsewhere, "package_test.cpp makes the packages"},
      {"nodescout rules check big-memory.yaml", How::run},
      {"nodescout rules explain big-memory.yaml", How::run},
      {"nodescout dump --rules big-memory.yaml", How::run},
      {"docker build -t REGISTRY/nodescout:0.1.0 -f deploy/Dockerfile .", How::elsewhere,
       "needs a container engine; the tests make the same image without one"},
      {"docker push REGISTRY/nodescout:0.1.0", How::elsewhere, "needs a container engine and a registry"},
      {kInstallChart + "image.repository=REGISTRY/nodescout", How::on_node},
      {"kubectl -n nodescout rollout status daemonset/nodescout", How::on_node},
      {"nodescout fleet", How::run},
      {"nodescout fleet outliers", How::run},
      {"nodescout fleet -o html > f.html", How::run},
      {"kubectl nodescout", How::elsewhere, "kubectl_test.cpp starts the plugin"},
      {"nodescout diff --node NAME", How::run, "", "", "", 3},
      {"nodescout config check FILE", How::run},
      {"nodescout agent --node NAME --prune --dry-run", How::run},
      // ---- docs/deploy.md and docs/platforms.md: with Helm
      {"helm upgrade nodescout deploy/helm/nodescout -n nodescout --reset-then-reuse-values", How::on_node},
      {"helm history nodescout -n nodescout", How::on_node},
      {"helm rollback nodescout -n nodescout --wait", How::on_node},
      {"helm package deploy/helm/nodescout", How::on_node},
      {"helm install nodescout nodescout-0.1.0.tgz -n nodescout --create-namespace --set "
       "image.repository=REGISTRY/nodescout",
       How::on_node, "", kRolledOut + " && " + kUninstall},
      {kInstallChart + "host.readOnly=true --set image.repository=REGISTRY/nodescout", How::on_node, "",
       kRolledOut + " && " + kUninstall},
      // ---- docs/deploy.md, docs/operations.md and docs/troubleshooting.md: with kustomize
      {"kubectl create -k deploy/kustomize/crds", How::run, "",
       kUninstall + " && kubectl delete namespace nodescout && kubectl delete -k deploy/kustomize/crds"},
      {"kubectl apply -k deploy/kustomize/overlays/read-only-host", How::run},
      {"kubectl apply -k deploy/kustomize/base", How::run},
      {"kubectl -n nodescout create secret docker-registry pull --docker-server=REGISTRY --docker-username=USER "
       "--docker-password=PASSWORD",
       How::run},
      {"kubectl get daemonset nodescout -n nodescout -o yaml", How::run},
      {"kubectl label namespace nodescout pod-security.kubernetes.io/enforce=privileged", How::run},
      {"ctr -n k8s.io images import build/packages/nodescout-0.1.0-linux-amd64.oci.tar", How::elsewhere,
       "node-init imports the tests' image in this way"},
      {"skopeo copy oci-archive:build/packages/nodescout-0.1.0-linux-amd64.oci.tar docker://REGISTRY/nodescout:0.1.0",
       How::elsewhere, "needs a registry"},
      {"skopeo copy --all oci-archive:nodescout.tar docker://REGISTRY/nodescout:0.1.0", How::elsewhere,
       "needs a registry; package_test.cpp makes an archive of two architectures"},
      {"docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/nodescout:0.1.0 --push -f deploy/Dockerfile "
       ".",
       How::elsewhere, "needs a container engine and a registry"},
      {"kubectl label node NODE example.com/x=1 --dry-run=server --field-manager=nodescout "
       "--as=system:serviceaccount:nodescout:nodescout --as-user-extra=authentication.kubernetes.io/node-name=NODE",
       How::elsewhere, "rights_test.cpp tries such writes as an agent"},
      {"./dev install /usr", How::elsewhere, "the tests of the installation"},
      {"sudo xargs rm -v < build/release/install_manifest.txt", How::elsewhere, "changes the system"},
      {"sudo apt install ./build/packages/nodescout_0.1.0-1_amd64.deb", How::elsewhere,
       "package_test.cpp installs it in a Debian of its own"},
      {"nodescout dump", How::run},
      {"sudo tar -xzf build/packages/nodescout-0.1.0-linux-amd64.tar.gz -C /opt", How::elsewhere,
       "package_test.cpp unpacks the archive"},
      {"sudo ln -s /opt/nodescout-0.1.0-linux-amd64/bin/nodescout /usr/local/bin/nodescout", How::elsewhere,
       "package_test.cpp starts the archive's program through a link"},
      {"sudo systemctl enable --now nodescout.timer", How::elsewhere, "needs systemd as the first process"},
      {"kubectl -n nodescout exec POD -- nodescout diff", How::on_node, "", kRolledOut},
      {"kubectl -n nodescout logs -l app.kubernetes.io/name=nodescout --prefix", How::on_node},
      {"kubectl -n nodescout logs --tail=-1 $(kubectl -n nodescout get pods -l app.kubernetes.io/name=nodescout "
       "--field-selector spec.nodeName=NAME -o name)",
       How::on_node},
      {"kubectl -n nodescout rollout restart daemonset/nodescout", How::run},
      {"kubectl describe node NAME", How::run},
      {"kubectl get node NAME -o yaml", How::run},
      {"kubectl get leases -n nodescout", How::run},
      {"kubectl get lease -n nodescout NODE -o jsonpath='{.metadata.annotations}'", How::run},
      {"kubectl get configmap -n node-feature-discovery nfd-worker-conf -o yaml | nodescout config check -", How::run},
      {"kubectl -n node-feature-discovery scale deployment nfd-master nfd-gc --replicas 0", How::run},
      {"kubectl -n NAMESPACE scale deployment -l \"app.kubernetes.io/name=node-feature-discovery,role in (master,gc)\" "
       "--replicas 0",
       How::run},
      {"kubectl -n node-feature-discovery delete daemonset nfd-worker", How::run},
      {"kubectl -n NAMESPACE delete daemonset -l app.kubernetes.io/name=node-feature-discovery,role=worker", How::run},
      {"helm uninstall RELEASE -n NAMESPACE --no-hooks", How::elsewhere,
       "needs NFD's chart; the takeover on the real node runs what its hook runs"},
      {"kubectl annotate node NAME --overwrite nfd.node.kubernetes.io/feature-labels=LIST,KEY", How::run, "",
       "kubectl label node NAME feature.node.kubernetes.io/KEY=1"},
      {"kubectl apply -k deploy/kustomize/overlays/prune", How::run},
      {"kubectl delete -k deploy/kustomize/overlays/prune", How::run, "", kRolledOut, " --wait=false"},
      {"kubectl delete -k deploy/kustomize/crds", How::run},
      // ---- docs/consumers.md and docs/platforms.md
      {"helm upgrade --install gpu-operator nvidia/gpu-operator -n gpu-operator --create-namespace --set "
       "nfd.enabled=false --set gfd.enabled=false",
       How::elsewhere, "needs NVIDIA's chart; operators_test.cpp has stand-ins of its DaemonSets"},
      {"docker build -t nodescout:0.1.0 -f deploy/Dockerfile .", How::elsewhere,
       "needs a container engine; the tests make the same image without one"},
      {"kind load docker-image nodescout:0.1.0", How::elsewhere, "needs kind and a container engine"},
      {"kind load image-archive ARCHIVE.oci.tar", How::elsewhere, "needs kind and a container engine"},
      {"ctr -n k8s.io images import ARCHIVE.oci.tar", How::elsewhere, "node-init imports the tests' image in this way"},
      {"k3s ctr images import ARCHIVE.oci.tar", How::elsewhere, "needs k3s"},
      {"k3s kubectl apply -k deploy/kustomize/base", How::elsewhere, "needs k3s"},
      {"nodescout diff --node NAME --kubeconfig /etc/rancher/k3s/k3s.yaml", How::elsewhere,
       "needs k3s; diff --node NAME is run"},
  };
  return steps;
}

std::vector<std::string> documented_commands() {
  std::vector<std::string> all;
  for (const char* name : {"README.md", "docs/deploy.md", "docs/operations.md", "docs/consumers.md",
                           "docs/platforms.md", "docs/troubleshooting.md"})
    for (const std::string& command : commands_of(name))
      if (std::ranges::find(all, command) == all.end()) all.push_back(command);
  return all;
}

DocumentedCommands::DocumentedCommands(const std::string& folder, const std::string& kubeconfig,
                                       std::map<std::string, std::string> words)
    : folder_(folder), kubeconfig_(kubeconfig), words_(std::move(words)) {
  fs::create_directories(folder_);
  fs::create_directory_symlink(kSource + "deploy", fs::path(folder_) / "deploy");
  write_file(fs::path(folder_) / "of-nfd.yaml", kOfNfd);
  run_shell("kubectl create -f of-nfd.yaml");
  const std::string readme = page("README.md"), title = "# big-memory.yaml\n";
  const std::size_t begin = readme.find(title);
  if (begin == readme.npos) throw std::runtime_error("README.md has no big-memory.yaml");
  write_file(fs::path(folder_) / "big-memory.yaml", readme.substr(begin, readme.find("```", begin) - begin));
}

void DocumentedCommands::run(const Step& step) const {
  if (step.how == How::elsewhere) {
    std::printf("not run here: %s (%s)\n", step.command.c_str(), step.why.c_str());
    return;
  }
  run_shell(step.command, step.also);
}

void DocumentedCommands::run_shell(const std::string& command, int also) const {
  std::string typed = command;
  for (const auto& [word, stands_for] : words_) {
    // As a word of its own: NAME is a part of NODE_NAME.
    for (std::size_t at = typed.find(word); at != typed.npos; at = typed.find(word, at)) {
      const auto is_part = [&](std::size_t place) {
        return place < typed.size() && (std::isalnum(static_cast<unsigned char>(typed[place])) || typed[place] == '_');
      };
      if ((at > 0 && is_part(at - 1)) || is_part(at + word.size())) {
        at += word.size();
        continue;
      }
      typed.replace(at, word.size(), stands_for);
      at += stands_for.size();
    }
  }
  RunOptions options;
  options.environment["KUBECONFIG"] = kubeconfig_;
  options.environment["PATH"] = programs().folder.string() + ":" + helm_programs().folder.string() + ":" +
                                fs::path(nodescout_program()).parent_path().string() + ":/usr/sbin:/usr/bin:/sbin:/bin";
  for (const char* variable : {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"})
    options.environment[variable] = folder_ + "/helm";
  const Ran ran = run_program({"/bin/bash", "-c", "set -o pipefail; cd '" + folder_ + "'; " + typed}, options);
  EXPECT_TRUE(ran.status == 0 || ran.status == also) << typed << " ended with status " << ran.status << "\n"
                                                     << ran.out << ran.err;
}

}  // namespace nodescout::test
