#include "e2e/kubelet.h"

#include <unistd.h>

#include <stdexcept>

#include "document/value_path.h"
#include "kube/resource.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSpace = "nodescout";

fs::path public_folder(const fs::path& path) {
  fs::create_directories(path);
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read |
                            fs::perms::others_exec);
  return path;
}

}  // namespace

Kubelet::Kubelet(ControlPlane& cluster, fs::path image, std::string node)
    : cluster_(cluster), image_(std::move(image)), node_(std::move(node)), port_(free_port()) {
  public_folder(folder_.path());
  public_folder(features());
}

std::string Kubelet::why_not() {
  if (::geteuid() != 0) return "only root can mount and change the root directory";
  const Ran tried = run_program({"/usr/bin/unshare", "--mount", "/bin/mount", "-t", "tmpfs", "none", "/mnt"});
  return tried.status == 0 ? "" : "mounting is not permitted here: " + tried.err;
}

Value Kubelet::pod_spec() {
  const Value set = must(cluster_.admin().get("/apis/apps/v1/namespaces/nodescout/daemonsets/nodescout"));
  return *set.find("spec")->find("template")->find("spec");
}

fs::path Kubelet::token() {
  const fs::path folder = public_folder(folder_.path() / "serviceaccount");
  write_file(folder / "token", cluster_.token(kSpace, "nodescout", node_));
  write_file(folder / "ca.crt", cluster_.authority().certificate());
  write_file(folder / "namespace", kSpace);
  return folder;
}

fs::path Kubelet::volume(const Value& volume) {
  const fs::path own = folder_.path() / text_at(volume, {"name"});
  if (const Value* host = volume.find("hostPath")) {
    const std::string path = text_at(*host, {"path"});
    if (path.ends_with("/features.d")) return features();
    return fs::exists(path) ? fs::path(path) : public_folder(own);
  }
  if (const Value* map = volume.find("configMap")) {
    const auto object = cluster_.admin().get(object_path(resources::kConfigMaps, kSpace, text_at(*map, {"name"})));
    if (!object && text_at(*map, {"optional"}) != "true") throw std::runtime_error(object.error().text());
    public_folder(own);
    if (const Value* data = object ? object->find("data") : nullptr)
      for (const Member& file : data->members) write_file(own / file.key, file.value.text);
    return own;
  }
  if (!volume.find("emptyDir")) throw std::runtime_error("a volume of an unknown kind: " + own.string());
  fs::create_directories(own);
  fs::permissions(own, fs::perms::all);
  return own;
}

std::unique_ptr<Process> Kubelet::start(const std::string& list, std::size_t index, const std::string& command) {
  const Value spec = pod_spec();
  const Value container = spec.find(list)->items.at(index);
  const std::string name = text_at(container, {"name"}) + command;
  std::vector<std::string> words{"/usr/bin/env", "-i", "KUBERNETES_SERVICE_HOST=127.0.0.1",
                                 "KUBERNETES_SERVICE_PORT=" + std::to_string(cluster_.port())};
  for (const Value& variable : container.find("env")->items) {
    const std::string field = text_at(variable, {"valueFrom", "fieldRef", "fieldPath"});
    const std::string value = field == "spec.nodeName"   ? node_
                              : field == "metadata.name" ? "nodescout-on-" + node_
                              : field == "metadata.uid"  ? "0b0ce1f0-0000-4000-8000-000000000000"
                                                         : text_at(variable, {"value"});
    words.push_back(text_at(variable, {"name"}) + "=" + value);
  }
  // The part of every sanitizer's report that a mount namespace of its own spoils.
  words.insert(words.end(), {"ASAN_OPTIONS=detect_leaks=0", NODESCOUT_CONTAIN, image_.string(),
                             text_at(spec, {"securityContext", "runAsUser"})});
  for (const Value& mount : container.find("volumeMounts")->items)
    for (const Value& each : spec.find("volumes")->items)
      if (text_at(each, {"name"}) == text_at(mount, {"name"}))
        words.push_back(volume(each).string() + ":" + text_at(mount, {"mountPath"}) +
                        (text_at(mount, {"readOnly"}) == "true" ? ":ro" : ":rw"));
  if (text_at(spec, {"automountServiceAccountToken"}) == "true")
    words.push_back(token().string() + ":/var/run/secrets/kubernetes.io/serviceaccount:ro");
  words.insert(words.end(), {"--", "/usr/bin/nodescout"});
  if (command.empty()) {
    for (const Value& argument : container.find("args")->items) words.push_back(argument.text);
    if (container.find("ports")) words.insert(words.end(), {"--listen", "127.0.0.1:" + std::to_string(port_)});
  } else {
    words.push_back(command);
  }
  return std::make_unique<Process>(words, folder_.path() / (name + ".log"));
}

int Kubelet::probe(const std::string& which) {
  Endpoint endpoint;
  endpoint.server = "http://127.0.0.1:" + std::to_string(port_);
  const auto transport = must(http_transport(endpoint));
  Request request;
  request.target = text_at(pod_spec().find("containers")->items.at(0), {which, "httpGet", "path"});
  const auto answer = transport->send(request);
  return answer ? answer->status : 0;
}

}  // namespace nodescout::test
