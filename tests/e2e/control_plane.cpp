#include "e2e/control_plane.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "base/base64.h"
#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "kube/node_client.h"
#include "kube/resource.h"
#include "support/patience.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kAuditPolicy = R"(apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: ["system:apiserver"]
  - level: Request
)";

struct Run {
  int status;
  std::string output, complaint;
};

/// A program to its end. `complaint` is what it wrote to stderr.
Run run(const std::string& command) {
  const TempDirectory folder;
  const fs::path out = folder.path() / "out", err = folder.path() / "err";
  const int status = std::system((command + " >" + out.string() + " 2>" + err.string()).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, must(read_whole_file(out, 64u << 20)),
          must(read_whole_file(err, 64u << 20))};
}

std::string shell_quoted(const std::string& word) { return "'" + replace_all(word, "'", "'\\''") + "'"; }

/// Kubernetes' MicroTime, "2026-11-22T10:00:00.123456Z".
std::chrono::system_clock::time_point micro_time(std::string_view text) {
  const auto seconds = parse_rfc3339(text);
  const std::size_t dot = text.find('.');
  if (!seconds || dot == std::string_view::npos) throw std::runtime_error("not a MicroTime: " + std::string(text));
  return *seconds + std::chrono::microseconds(parse_int(text.substr(dot + 1, 6)).value_or(0));
}

constexpr const char* kClusterIp = "10.0.0.1";  // of the service "kubernetes": the first of the range
constexpr const char* kOldEtcd = "/usr/bin/etcd";

}  // namespace

const Programs& programs(const std::string& what) {
  static std::map<std::string, Programs> found;
  const auto known = found.find(what);
  if (known != found.end()) return known->second;
  const Run script = run(NODESCOUT_SOURCE_DIR "/tests/e2e/control-plane --no-build " + what);
  return found[what] = script.status == 0 ? Programs{fs::path(trim(script.output)), ""}
                                          : Programs{{}, std::string(trim(script.complaint))};
}

const Programs& helm_programs() {
  const char* version = std::getenv("NODESCOUT_HELM");
  if (!version || !*version) return programs("helm");
  static const Programs only_long{{}, "helm 4 is only in the long form of the tests"};
  return std::getenv("NODESCOUT_LONG") ? programs(version) : only_long;
}

Value json(std::string_view text) { return must(parse_json(text, "a literal in a test")); }

std::string ControlPlane::why_not(bool old_etcd) {
  if (!programs().why_not.empty()) return programs().why_not;
  if (old_etcd && !fs::exists(kOldEtcd)) return "Debian's etcd-server is not installed";
  return "";
}

namespace {

/// Ends the shared control plane before the libraries that it uses are torn down.
class SharedControlPlane final : public ::testing::Environment {
 public:
  std::unique_ptr<ControlPlane> one;
  void TearDown() override { one.reset(); }
};

auto* const shared_control_plane =
    static_cast<SharedControlPlane*>(::testing::AddGlobalTestEnvironment(new SharedControlPlane));

}  // namespace

ControlPlane& ControlPlane::shared() {
  if (!shared_control_plane->one) shared_control_plane->one = std::make_unique<ControlPlane>();
  return *shared_control_plane->one;
}

ControlPlane::ControlPlane(const Options& options)
    : programs_(programs().folder), options_(options), address_(options.for_real_nodes ? kClusterIp : "127.0.0.1") {
  port_ = options.for_real_nodes ? 443 : free_port();
  server_ = "https://" + address_ + ":" + std::to_string(port_);
  write_files();
  start_etcd(options.old_etcd);
  admin_kubeconfig_ = kubeconfig("admin", client_certificate_user("admin", {"system:masters"}));
  admin_ = std::make_unique<Connection>(endpoint_as("admin", {"system:masters"}));
  admin_->api.write_as("tests");  // this name distinguishes it from what an agent wrote
  start_api_server();
}

ControlPlane::~ControlPlane() = default;

void ControlPlane::write_files() {
  const SigningKey tokens = make_signing_key();
  const KeyPair serving = authority_.for_server({"IP:127.0.0.1", "IP:::1", "IP:" + std::string(kClusterIp),
                                                 "IP:10.0.2.2",  // see virtual_machine.h
                                                 "DNS:localhost", "DNS:kubernetes.default.svc", "DNS:kubernetes"});
  const KeyPair to_kubelets = authority_.for_user("kube-apiserver", {"system:masters"});
  write_file(folder() / "to-kubelets.crt", to_kubelets.certificate);
  write_file(folder() / "to-kubelets.key", to_kubelets.key);
  write_file(folder() / "sa.key", tokens.private_key);
  write_file(folder() / "sa.pub", tokens.public_key);
  write_file(folder() / "ca.crt", authority_.certificate());
  write_file(folder() / "server.crt", serving.certificate);
  write_file(folder() / "server.key", serving.key);
  write_file(folder() / "audit-policy.yaml", kAuditPolicy);
  write_file(folder() / "audit.log", "");
}

void ControlPlane::start_etcd(bool old) {
  etcd_port_ = free_port();
  const std::string client = "http://127.0.0.1:" + std::to_string(etcd_port_);
  const std::string peer = "http://127.0.0.1:" + std::to_string(free_port());
  std::vector<std::string> words{old ? kOldEtcd : (programs_ / "etcd").string(),
                                 "--data-dir=" + (folder() / "etcd").string(),
                                 "--listen-client-urls=" + client,
                                 "--advertise-client-urls=" + client,
                                 "--listen-peer-urls=" + peer,
                                 "--unsafe-no-fsync"};
  etcd_ = std::make_unique<Process>(words, folder() / "etcd.log");
}

void ControlPlane::start_api_server() {
  const std::string at = folder().string() + "/";
  std::vector<std::string> words{
      (programs_ / "kube-apiserver").string(),
      "--etcd-servers=http://127.0.0.1:" + std::to_string(etcd_port_),
      "--bind-address=" + address_,
      "--secure-port=" + std::to_string(port_),
      "--cert-dir=" + at + "generated",
      "--tls-cert-file=" + at + "server.crt",
      "--tls-private-key-file=" + at + "server.key",
      "--client-ca-file=" + at + "ca.crt",
      "--service-account-key-file=" + at + "sa.pub",
      "--service-account-signing-key-file=" + at + "sa.key",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--authorization-mode=Node,RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--allow-privileged",
      "--audit-policy-file=" + at + "audit-policy.yaml",
      "--audit-log-path=" + at + "audit.log",
      "--audit-log-maxsize=100000",
  };
  if (options_.for_real_nodes)
    words.insert(words.end(), {"--enable-admission-plugins=NodeRestriction", "--advertise-address=" + address_,
                               "--kubelet-preferred-address-types=InternalIP",
                               "--kubelet-client-certificate=" + at + "to-kubelets.crt",
                               "--kubelet-client-key=" + at + "to-kubelets.key"});
  else
    words.push_back("--disable-admission-plugins=ServiceAccount");
  words.insert(words.end(), options_.api_server_flags.begin(), options_.api_server_flags.end());
  api_server_ = std::make_unique<Process>(words, folder() / "kube-apiserver.log");
  wait_until_ready();
}

void ControlPlane::wait_until_ready() {
  Patience patience(120s);
  Request ready;
  ready.target = "/readyz";
  ready.timeout = 2s;
  while (true) {
    const auto answer = admin_->transport->send(ready);
    if (answer && answer->status == 200) return;
    if (!api_server_->running() || patience.is_over())
      throw std::runtime_error("kube-apiserver did not become ready:\n" + api_server_->end_of_log());
    std::this_thread::sleep_for(50ms);
  }
}

void ControlPlane::kill_api_server() {
  api_server_->signal(SIGKILL);
  api_server_->wait(10s);
}

void ControlPlane::start_scheduler() {
  const fs::path program = programs_ / "kube-scheduler";
  if (!fs::exists(program)) throw std::runtime_error("there is no kube-scheduler in " + programs_.string());
  scheduler_ =
      std::make_unique<Process>(std::vector<std::string>{program.string(), "--kubeconfig=" + admin_kubeconfig_.string(),
                                                         "--leader-elect=false", "--secure-port=0"},
                                folder() / "kube-scheduler.log");
}

void ControlPlane::start_controller_manager() {
  const Programs& found = programs("node");
  if (!found.why_not.empty()) throw std::runtime_error(found.why_not);
  controller_manager_ = std::make_unique<Process>(
      std::vector<std::string>{(found.folder / "kube-controller-manager").string(),
                               "--kubeconfig=" + admin_kubeconfig_.string(), "--leader-elect=false", "--secure-port=0",
                               "--use-service-account-credentials=true", "--node-monitor-period=1s",
                               "--node-monitor-grace-period=15s", "--root-ca-file=" + (folder() / "ca.crt").string(),
                               "--service-account-private-key-file=" + (folder() / "sa.key").string()},
      folder() / "kube-controller-manager.log");
}

// ---- who talks to it ------------------------------------------------------------------------------------------------

Endpoint ControlPlane::endpoint() const {
  Endpoint endpoint;
  endpoint.server = server_;
  endpoint.authorities = authority_.certificate();
  endpoint.user_agent = "nodescout-tests";
  return endpoint;
}

Endpoint ControlPlane::endpoint_as(const std::string& user, const std::vector<std::string>& groups) const {
  Endpoint endpoint = this->endpoint();
  const KeyPair pair = authority_.for_user(user, groups);
  endpoint.certificate = pair.certificate;
  endpoint.key = pair.key;
  return endpoint;
}

std::string ControlPlane::client_certificate_user(const std::string& user,
                                                  const std::vector<std::string>& groups) const {
  const KeyPair pair = authority_.for_user(user, groups);
  return R"({"client-certificate-data":")" + encode_base64(pair.certificate) + R"(","client-key-data":")" +
         encode_base64(pair.key) + "\"}";
}

fs::path ControlPlane::kubeconfig(const std::string& name, const std::string& user, const std::string& server) const {
  const fs::path path = folder() / (name + ".kubeconfig");
  write_file(path, R"(apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test}}]
clusters: [{name: test, cluster: {server: ")" +
                       (server.empty() ? server_ : server) + R"(", certificate-authority-data: )" +
                       encode_base64(authority_.certificate()) + R"(}}]
users: [{name: test, user: )" +
                       user + "}]\n");
  return path;
}

std::string ControlPlane::kubectl(const std::vector<std::string>& words) const {
  std::string command =
      shell_quoted((programs_ / "kubectl").string()) + " --kubeconfig " + shell_quoted(admin_kubeconfig_.string());
  for (const std::string& word : words) command += " " + shell_quoted(word);
  Run done = run(command);
  if (done.status != 0) throw std::runtime_error(command + "\n" + done.output + done.complaint);
  return std::move(done.output);
}

// ---- objects --------------------------------------------------------------------------------------------------------

void ControlPlane::create_namespace(const std::string& name) {
  Value space = json(R"({"apiVersion":"v1","kind":"Namespace"})");
  space.add("metadata", Value::map()).add("name", Value::string(name));
  const auto created = admin().create(collection_path(resources::kNamespaces), space);
  if (!created && created.error().code != Errc::conflict) must(created);
}

void ControlPlane::install_crds() {
  const std::string file = NODESCOUT_SOURCE_DIR "/deploy/kustomize/crds/crds.yaml";
  kubectl({"apply", "--server-side", "-f", file});
  kubectl({"wait", "--for=condition=Established", "--timeout=60s", "-f", file});
  // The first request for a new kind is refused until the server's cache of it is filled.
  for (const Resource& kind : {resources::kNodeFeatures, resources::kNodeFeatureRules, resources::kNodeFeatureGroups})
    must(admin().get(collection_path(kind)));
}

void ControlPlane::install(const std::string& overlay) {
  kubectl({"apply", "-k", NODESCOUT_SOURCE_DIR "/deploy/kustomize/" + overlay});
  // A policy is in force a moment after it was made: wait until each of them refuses what it is there for.
  if (!admin().get(object_path(resources::kNodes, "", "policy-probe"))) create_node("policy-probe");
  Connection agent(endpoint(), token("nodescout", "nodescout", "policy-probe"));
  const std::string nodes = collection_path(resources::kNodes);
  const auto refuses = [&](const Result<Value>& answer, const char* policy) {
    return !answer && answer.error().what.find(policy) != std::string::npos;
  };
  const auto in_force = [&] {
    return refuses(agent.api.patch(nodes + "/policy-probe?dryRun=All", PatchKind::merge,
                                   json(R"({"spec":{"unschedulable":true}})")),
                   "'nodescout-node'") &&
           refuses(agent.api.patch(nodes + "/policy-probe?dryRun=All", PatchKind::merge,
                                   json(R"({"metadata":{"labels":{"policy.example/probe":"1"}}})")),
                   "'nodescout-keys'") &&
           refuses(agent.api.create(collection_path(resources::kEvents, "default") + "?dryRun=All",
                                    event_object({"elsewhere", false, "Probe", "Probing", "x"}, "test",
                                                 std::chrono::system_clock::now())),
                   "'nodescout-objects'");
  };
  for (int tries = 0; !in_force(); ++tries) {
    if (tries == 600) throw std::runtime_error("the admission policies are not in force after 30 s");
    std::this_thread::sleep_for(50ms);
  }
}

Value ControlPlane::create_node(const std::string& name, const Value& patch, const Value& status) {
  Value node = json(R"({"apiVersion":"v1","kind":"Node"})");
  node.add("metadata", Value::map()).add("name", Value::string(name));
  Value made = must(admin().create(collection_path(resources::kNodes), node));
  const std::string path = object_path(resources::kNodes, "", name);
  if (patch.is(Value::Kind::map)) made = must(admin().patch(path, PatchKind::merge, patch));
  if (status.is(Value::Kind::map)) made = must(admin().patch(path + "/status", PatchKind::merge, status));
  return made;
}

Value ControlPlane::create_ready_node(const std::string& name, const Value& patch) {
  create_node(name, json(R"({"spec":{"taints":null}})"),
              json(R"({"status":{"capacity":{"cpu":"4","memory":"8Gi","pods":"110"},)"
                   R"("allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},)"
                   R"("conditions":[{"type":"Ready","status":"True","reason":"Test","message":"said by a test"}]}})"));
  return must(admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge,
                            patch.is(Value::Kind::map) ? patch : Value::map()));
}

void ControlPlane::create_service_account(const std::string& space, const std::string& name, const std::string& rules) {
  create_namespace(space);
  const auto create = [&](const std::string& collection, const std::string& object) {
    const auto created = admin().create(collection, json(object));
    if (!created && created.error().code != Errc::conflict) must(created);
  };
  const std::string metadata = R"("metadata":{"name":")" + name + "\"}";
  const std::string rbac = R"("apiVersion":"rbac.authorization.k8s.io/v1",)";
  create(collection_path(resources::kServiceAccounts, space),
         R"({"apiVersion":"v1","kind":"ServiceAccount",)" + metadata + "}");
  create("/apis/rbac.authorization.k8s.io/v1/clusterroles",
         "{" + rbac + R"("kind":"ClusterRole",)" + metadata + R"(,"rules":)" + rules + "}");
  create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
         "{" + rbac + R"("kind":"ClusterRoleBinding",)" + metadata +
             R"(,"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":")" + name +
             R"("},"subjects":[{"kind":"ServiceAccount","name":")" + name + R"(","namespace":")" + space + "\"}]}");
}

std::string ControlPlane::token(const std::string& space, const std::string& account, const std::string& node) {
  const std::string name = account + "-on-" + node;
  const auto made = admin().create(
      collection_path(resources::kPods, space),
      json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + R"("},"spec":{"nodeName":")" + node +
           R"(","serviceAccountName":")" + account + R"(","containers":[{"name":"agent","image":"none"}]}})"));
  const Value pod = made ? *made : must(admin().get(object_path(resources::kPods, space, name)));
  const Value request =
      json(R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"boundObjectRef":)"
           R"({"apiVersion":"v1","kind":"Pod","name":")" +
           name + R"(","uid":")" + text_at(pod, {"metadata", "uid"}) + R"("},"expirationSeconds":3600}})");
  const Value answer = must(admin().create(object_path(resources::kServiceAccounts, space, account, "token"), request));
  return text_at(answer, {"status", "token"});
}

// ---- witnesses ------------------------------------------------------------------------------------------------------

std::uintmax_t ControlPlane::now_in_audit_log() const { return fs::file_size(folder() / "audit.log"); }

std::vector<AuditEntry> ControlPlane::audit(std::uintmax_t since) {
  // Entries are written as requests end, which may be just after their answers arrived: wait for one of our own.
  const std::string sentinel = "sentinel-" + std::to_string(++sentinels_);
  static_cast<void>(admin().get(object_path(resources::kConfigMaps, "default", sentinel)));
  std::string text;
  for (int tries = 0; tries < 200 && text.find(sentinel) == std::string::npos; ++tries) {
    std::this_thread::sleep_for(10ms);
    std::ifstream file(folder() / "audit.log", std::ios::binary);
    file.seekg(static_cast<std::streamoff>(since));
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<AuditEntry> entries;
  std::set<std::string> ids;
  for (const std::string_view line : split(text, '\n')) {
    const auto event = parse_json(line, "audit log");
    if (!event || text_at(*event, {"objectRef", "name"}).starts_with("sentinel-")) continue;
    AuditEntry entry;
    entry.id = text_at(*event, {"auditID"});
    entry.user = text_at(*event, {"user", "username"});
    entry.verb = text_at(*event, {"verb"});
    entry.resource = text_at(*event, {"objectRef", "resource"});
    if (const std::string sub = text_at(*event, {"objectRef", "subresource"}); !sub.empty())
      entry.resource += "/" + sub;
    entry.space = text_at(*event, {"objectRef", "namespace"});
    entry.name = text_at(*event, {"objectRef", "name"});
    entry.uri = text_at(*event, {"requestURI"});
    entry.user_agent = text_at(*event, {"userAgent"});
    entry.received = micro_time(text_at(*event, {"requestReceivedTimestamp"}));
    entry.code = static_cast<int>(parse_int(text_at(*event, {"responseStatus", "code"})).value_or(0));
    if (const Value* body = event->find("requestObject")) entry.request = *body;
    // A watch that began has two entries, of which the first counts; that may be one from before `since`.
    const bool end_of_watch =
        entry.verb == "watch" && entry.code == 200 && text_at(*event, {"stage"}) == "ResponseComplete";
    if (!end_of_watch && ids.insert(entry.id).second) entries.push_back(std::move(entry));
  }
  return entries;
}

double ControlPlane::etcd_bytes() const {
  constexpr std::string_view kMetric = "etcd_debugging_mvcc_total_put_size_in_bytes ";
  Endpoint endpoint;
  endpoint.server = "http://127.0.0.1:" + std::to_string(etcd_port_);
  const Connection etcd(endpoint);
  Request metrics;
  metrics.target = "/metrics";
  const Response answer = must(etcd.transport->send(metrics));
  for (const std::string_view line : split(answer.body, '\n'))
    if (line.starts_with(kMetric)) return std::stod(std::string(line.substr(kMetric.size())));
  throw std::runtime_error("etcd does not say how much was written");
}

}  // namespace nodescout::test
