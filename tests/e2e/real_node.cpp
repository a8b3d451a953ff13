#include "e2e/real_node.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "base/text.h"
#include "document/value_path.h"
#include "e2e/own_namespaces.h"
#include "kube/resource.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string kScripts = NODESCOUT_SOURCE_DIR "/tests/e2e/";

/// What Debian's packages containerd, runc, containernetworking-plugins and iproute2 bring.
constexpr const char* kPrograms[] = {"/usr/bin/containerd",     "/usr/bin/ctr", "/usr/sbin/runc", "/usr/lib/cni/ptp",
                                     "/usr/lib/cni/host-local", "/usr/sbin/ip"};

Ran must_run(const std::vector<std::string>& words) {
  Ran done = run_program(words);
  if (done.status != 0) throw std::runtime_error(words[0] + ": " + done.out + done.err);
  return done;
}

void ip(const std::string& words) {
  std::vector<std::string> command{"/usr/sbin/ip"};
  for (const std::string_view word : split(words, ' ')) command.emplace_back(word);
  must_run(command);
}

// All of them are in the network of the caller, who has one of its own.
const std::string kGateway = "172.30.1.1", kAddress = "172.30.1.2", kPods = "10.244.1.0/24";
constexpr const char* kLink = "to-node";

/// The build whose programs the image gets.
fs::path build_folder() {
  const char* release = std::getenv("NODESCOUT_RELEASE_PROGRAM");
  return release && *release ? fs::path(release).parent_path() : fs::path(NODESCOUT_BUILD_DIR);
}

}  // namespace

std::unique_ptr<ControlPlane> control_plane_for_real_nodes() {
  ip("link set lo up");
  ip("address replace 10.0.0.1/32 dev lo");
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
  ControlPlane::Options options;
  options.for_real_nodes = true;
  auto cluster = std::make_unique<ControlPlane>(options);
  cluster->start_controller_manager();
  cluster->start_scheduler();
  return cluster;
}

std::string why_no_shipped_image() {
#ifdef __SANITIZE_ADDRESS__
  const bool is_sanitized = build_folder() == fs::path(NODESCOUT_BUILD_DIR);
#else
  const bool is_sanitized = false;
#endif
  return is_sanitized ? "the image takes programs without a sanitizer: name those of build/release in "
                        "NODESCOUT_RELEASE_PROGRAM, as ./dev test does"
                      : "";
}

fs::path build_shipped_root(const fs::path& folder) {
  const fs::path installed = folder / "installed", root = folder / "image";
  must_run(
      {NODESCOUT_CMAKE, "--install", build_folder().string(), "--strip", "--prefix", (installed / "usr").string()});
  must_run({NODESCOUT_SOURCE_DIR "/deploy/image-root", installed.string(), root.string()});
  return root;
}

fs::path build_shipped_image(const fs::path& folder) {
  const fs::path root = build_shipped_root(folder), archive = folder / "nodescout.tar";
  must_run({NODESCOUT_SOURCE_DIR "/deploy/image/build", archive.string(), "docker.io/library/nodescout:0.1.0",
            root.string()});
  return archive;
}

std::string RealNode::why_not() {
  if (const std::string why = why_no_own_namespaces(); !why.empty()) return why;
  for (const char* program : kPrograms)
    if (!fs::exists(program)) return std::string(program) + " is not installed";
  return programs("node").why_not;
}

RealNode::RealNode(ControlPlane& cluster, const Setup& setup)
    : cluster_(cluster), setup_(setup), folder_(cluster.folder() / setup.name) {
  fs::create_directories(folder_);
  const std::string user = "system:node:" + setup_.name;
  const KeyPair serving = cluster.authority().for_server({"IP:" + kAddress, "DNS:" + setup_.name});
  write_file(folder_ / "ca.crt", cluster.authority().certificate());
  write_file(folder_ / "kubelet.crt", serving.certificate);
  write_file(folder_ / "kubelet.key", serving.key);
  fs::copy(cluster.kubeconfig(setup_.name, cluster.client_certificate_user(user, {"system:nodes"})),
           folder_ / "kubeconfig");
  const fs::path images = folder_ / "images";
  fs::create_directories(images);
  const fs::path pause = folder_ / "pause";
  fs::create_directories(pause);
  fs::copy(NODESCOUT_PAUSE, pause / "pause");
  must_run({kScripts + "pack-image", pause.string(), "localhost/pause:1", (images / "pause.tar").string(), "/pause"});
  for (const fs::path& image : setup_.images) fs::copy(image, images);
  start();
}

RealNode::~RealNode() { cut_power(); }

void RealNode::start() {
  const std::string kubelet = programs("node").folder / "kubelet";
  std::vector<std::string> command{"/usr/bin/env"};
  for (const std::string& variable :
       {"FOLDER=" + folder_.string(), "NAME=" + setup_.name, "ADDRESS=" + kAddress, "GATEWAY=" + kGateway,
        "PODS=" + kPods, "CGROUP=" + own_control_group(), "KUBELET=" + kubelet, "TAINTS=" + setup_.taints,
        std::string("READ_ONLY=") + (setup_.is_root_read_only ? "1" : "")})
    command.push_back(variable);
  for (const char* word : {"/usr/bin/unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
                           "--propagation=private"})
    command.emplace_back(word);
  command.push_back(kScripts + "node-init");
  process_ = std::make_unique<Process>(command, folder_ / "node-init.log");
  connect();
}

/// A pair of network devices: one end is here, the other is the node's.
void RealNode::connect() {
  const std::string here = kLink;
  for (int tries = 0; init() == 0; ++tries) {
    if (tries == 200 || !process_->running()) throw std::runtime_error("the node did not start:\n" + logs());
    std::this_thread::sleep_for(10ms);
  }
  ip("link add " + here + " type veth peer name eth0 netns " + std::to_string(init()));
  ip("address add " + kGateway + "/24 dev " + here);
  ip("link set " + here + " up");
  ip("route replace " + kPods + " via " + kAddress);
}

pid_t RealNode::init() const {
  const std::string pid = std::to_string(process_->pid());
  // `env` becomes `unshare`, whose child is node-init.
  const std::string children = read_file("/proc/" + pid + "/task/" + pid + "/children");
  return static_cast<pid_t>(parse_int(trim(children)).value_or(0));
}

void RealNode::cut_power() {
  if (!process_) return;
  const pid_t first = init();
  process_->signal(SIGKILL);
  process_->wait(30s);
  // The kernel ends the first process with its parent, everything else with the first process, and hands that to us,
  // who are the first process here.
  if (first != 0) ::waitpid(first, nullptr, 0);
  process_.reset();
  static_cast<void>(run_program({"/usr/sbin/ip", "link", "delete", kLink}));
}

void RealNode::kill(const std::string& program) const {
  const std::string pid(trim(read_file(folder_ / (program + ".pid"))));
  const Ran done = run({"/bin/kill", "-KILL", pid});
  if (done.status != 0) throw std::runtime_error("kill " + program + ": " + done.err);
}

Ran RealNode::run(const std::vector<std::string>& words) const {
  std::vector<std::string> command{
      "/usr/bin/nsenter", "--target=" + std::to_string(init()), "--net", "--mount", "--pid", "--ipc", "--uts"};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command);
}

pid_t RealNode::process_of(const std::string& space, const std::string& pod, const std::string& container) const {
  const Value object = must(cluster_.admin().get(object_path(resources::kPods, space, pod)));
  const Value* status = object.find("status");
  const Value* all = status ? status->find("containerStatuses") : nullptr;
  if (!all) return 0;
  for (const Value& each : all->items) {
    const std::string id = text_at(each, {"containerID"});
    if (text_at(each, {"name"}) != container || !id.starts_with("containerd://")) continue;
    const std::string group = "/" + id.substr(std::strlen("containerd://"));
    for (const auto& process : fs::directory_iterator("/proc")) {
      const auto number = parse_int(process.path().filename().string());
      if (number && read_file(process.path() / "cgroup").find(group) != std::string::npos)
        return static_cast<pid_t>(*number);
    }
  }
  return 0;
}

std::string RealNode::logs() const {
  std::string all;
  for (const char* name : {"node-init", "containerd", "kubelet"}) {
    const std::string text = read_file(folder_ / (std::string(name) + ".log"));
    all += "---- " + std::string(name) + "\n" + text.substr(text.size() - std::min<std::size_t>(text.size(), 6000));
  }
  return all;
}

}  // namespace nodescout::test
