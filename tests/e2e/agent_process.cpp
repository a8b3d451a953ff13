#include "e2e/agent_process.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/text.h"
#include "document/value_path.h"
#include "support/patience.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kSpace = "nodescout-e2e";

/// What deploy/kustomize/base grants, and what its overlays add.
constexpr const char* kRights = R"([{"apiGroups":[""],"resources":["nodes"],"verbs":["get","patch","watch"]},)"
                                R"({"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]},)"
                                R"({"apiGroups":[""],"resources":["pods","namespaces"],"verbs":["get"]},)"
                                R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],)"
                                R"("verbs":["get","create","update","watch"]},)"
                                R"({"apiGroups":["events.k8s.io"],"resources":["events"],"verbs":["create"]},)"
                                R"({"apiGroups":["nfd.k8s-sigs.io"],"resources":["nodefeatures","nodefeaturerules"],)"
                                R"("verbs":["get","list","watch","create","update","delete"]}])";

std::string account_of(const std::string& node) { return "agent-" + node; }

}  // namespace

void write_gpu_machine(TempHost& machine) {
  const auto device = [&](const std::string& address, const char* vendor, const char* id, const char* device_class) {
    const std::string folder = "/sys/bus/pci/devices/" + address + "/";
    machine.write(folder + "vendor", std::string(vendor) + "\n");
    machine.write(folder + "device", std::string(id) + "\n");
    machine.write(folder + "class", std::string(device_class) + "\n");
    machine.write(folder + "subsystem_vendor", std::string(vendor) + "\n");
    machine.write(folder + "subsystem_device", std::string(id) + "\n");
  };
  device("0000:00:1f.6", "0x8086", "0x15bb", "0x020000");
  device("0000:01:00.0", "0x10de", "0x20b0", "0x030200");
  machine.write("/proc/modules", "nvidia 1 0 - Live 0x0\n");
  machine.write("/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
  machine.write("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
  machine.write("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  machine.write("/sys/class/net/", "");
}

void remove_gpu(const TempHost& machine) { fs::remove_all(machine.path() / "sys/bus/pci/devices/0000:01:00.0"); }

void expect_at_most(double seconds, double bound, const std::string& what) {
  const bool is_idle = load_per_processor() <= 1.5;
  std::printf("%s: %.2f s%s\n", what.c_str(), seconds, is_idle ? "" : " (not judged: the machine is busy)");
  if (is_idle) {
    EXPECT_LE(seconds, bound) << what;
  }
}

bool send_uevent() {
  std::ofstream file("/sys/class/net/lo/uevent");
  file << "change" << std::flush;
  return file.good();
}

std::string release_program() {
  const char* program = std::getenv("NODESCOUT_RELEASE_PROGRAM");
  return program ? program : "";
}

fs::path agent_kubeconfig(ControlPlane& cluster, const std::string& node, const std::string& server) {
  cluster.create_service_account(kSpace, account_of(node), kRights);
  const std::string token = cluster.token(kSpace, account_of(node), node);
  return cluster.kubeconfig(account_of(node), R"({"token":")" + token + "\"}", server);
}

AgentProcess::AgentProcess(ControlPlane& cluster, const TempHost& machine, const AgentSetup& setup) {
  const fs::path kubeconfig =
      setup.kubeconfig.empty() ? agent_kubeconfig(cluster, setup.node, setup.server) : fs::path(setup.kubeconfig);
  write_file(config_file(), setup.config);
  fs::create_directories(rules());
  const std::string program = setup.program.empty() ? nodescout_program() : setup.program;
  words_ = {"/usr/bin/env"};
  for (const auto& [name, value] : setup.environment) words_.push_back(name + "=" + value);
  for (const std::string& word :
       {program, std::string("agent"), "--node=" + setup.node, "--kubeconfig=" + kubeconfig.string(),
        "--root=" + (setup.root.empty() ? machine.path().string() : setup.root),
        std::string(setup.live ? "--log-format=text" : "--no-live"), "--config=" + config_file().string(),
        "--rules=" + rules().string(), std::string("--listen"), setup.listen})
    words_.push_back(word);
  words_.insert(words_.end(), setup.arguments.begin(), setup.arguments.end());
  start();
}

void AgentProcess::start() { process_ = std::make_unique<Process>(words_, folder_.path() / "agent.log"); }

void AgentProcess::restart() {
  process_.reset();
  start();
}

std::string AgentProcess::log() const {
  std::ifstream file(folder_.path() / "agent.log", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void AgentFixture::SetUp() {
  NODESCOUT_NEEDS_CONTROL_PLANE();
  cluster = &ControlPlane::shared();
  cluster->install_crds();
  write_gpu_machine(machine);
}

void AgentFixture::TearDown() {
  if (HasFailure() && agent) std::fprintf(stderr, "the agent's log:\n%s\n", agent->log().c_str());
}

AgentProcess& AgentFixture::start(const AgentSetup& setup) {
  agent = std::make_unique<AgentProcess>(*cluster, machine, setup);
  return *agent;
}

Response http_get(int port, const std::string& path) {
  Endpoint endpoint;
  endpoint.server = "http://127.0.0.1:" + std::to_string(port);
  const Connection agent(endpoint);
  Request request;
  request.target = path;
  request.timeout = 5s;
  const auto answer = agent.transport->send(request);
  return answer.value_or(Response{});
}

bool is_long() { return std::getenv("NODESCOUT_LONG") != nullptr; }

// ---- what the Node says ---------------------------------------------------------------------------------------------

Value node_object(ControlPlane& cluster, const std::string& node) {
  return must(cluster.admin().get(object_path(resources::kNodes, "", node)));
}

std::optional<std::string> label_of(ControlPlane& cluster, const std::string& node, const std::string& key) {
  const Value object = node_object(cluster, node);
  const Value* labels = at(object, {"metadata", "labels"});
  const Value* label = labels ? labels->find(key) : nullptr;
  return label ? std::optional(label->text) : std::nullopt;
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds patience) {
  Patience left(patience);
  while (!condition()) {
    if (left.is_over()) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

std::optional<std::chrono::milliseconds> wait_for_label(ControlPlane& cluster, const std::string& node,
                                                        const std::string& key, std::optional<std::string> value,
                                                        std::chrono::seconds patience) {
  const auto start = std::chrono::steady_clock::now();
  if (!eventually([&] { return label_of(cluster, node, key) == value; }, patience)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

// ---- what the audit log says ----------------------------------------------------------------------------------------

std::vector<std::string> removals(const std::vector<AuditEntry>& audit, const std::string& node) {
  std::vector<std::string> out;
  const auto nulls = [&](const Value* map, const std::string& kind) {
    if (!map) return;
    for (const Member& member : map->members)
      if (member.value.is(Value::Kind::null) && !member.key.starts_with("nfd.node.kubernetes.io/"))
        out.push_back(kind + " " + member.key);
  };
  for (const AuditEntry& entry : audit) {
    if (entry.name != node || entry.verb != "patch" || !entry.resource.starts_with("nodes")) continue;
    if (!entry.user.ends_with(":" + account_of(node))) continue;
    nulls(at(entry.request, {"metadata", "labels"}), "label");
    nulls(at(entry.request, {"metadata", "annotations"}), "annotation");
    nulls(at(entry.request, {"status", "capacity"}), "resource");
  }
  return out;
}

std::vector<AuditEntry> of_agent(const std::vector<AuditEntry>& audit, const std::string& node) {
  std::vector<AuditEntry> out;
  for (const AuditEntry& entry : audit)
    if (entry.user.ends_with(":" + account_of(node))) out.push_back(entry);
  return out;
}

}  // namespace nodescout::test
