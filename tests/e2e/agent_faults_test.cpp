// Whatever goes wrong around the agent removes no label that is still true. The audit log is the witness.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "base/base64.h"
#include "base/text.h"
#include "document/json.h"
#include "e2e/agent_process.h"
#include "e2e/fault_proxy.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class FaultTest : public AgentFixture {
 protected:
  /// Starts an agent on a Node of that name and waits for its labels.
  void start(const std::string& name, AgentSetup setup = {}) {
    node = setup.node = name;
    cluster->create_node(node);
    since = cluster->now_in_audit_log();
    AgentFixture::start(setup);
    ASSERT_TRUE(wait_for_label(*cluster, node, kGpuLabel, "true")) << agent->log();
  }
  void start_through_proxy(const std::string& name) {
    proxy = std::make_unique<FaultProxy>(cluster->authority(), FaultProxy::Options{.upstream_port = cluster->port()});
    start(name, {.config = "nodeRecheck: 1s\nstateFile: ''\n", .server = proxy->server()});
  }
  /// All that was true is on the Node, the agent lives, and nothing was ever taken away.
  void expect_untouched() {
    EXPECT_TRUE(agent->process().running()) << agent->log();
    EXPECT_EQ(label_of(*cluster, node, kGpuLabel), "true");
    EXPECT_EQ(label_of(*cluster, node, kNicLabel), "true");
    EXPECT_EQ(label_of(*cluster, node, "feature.node.kubernetes.io/system-os_release.ID"), "debian");
    EXPECT_EQ(removals(cluster->audit(since), node), std::vector<std::string>());
  }
  /// And it still does its work: a new rule has its label on the Node.
  void expect_alive(const std::string& mark) {
    write_file(agent->rules() / (mark + ".yaml"),
               "- name: alive\n  labels: {e2e-alive-" + mark +
                   ": \"1\"}\n  matchFeatures:\n    - feature: pci.device\n"
                   "      matchExpressions: {vendor: {op: In, value: [\"10de\"]}}\n");
    EXPECT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/e2e-alive-" + mark, "1", 60s))
        << agent->log();
  }
  /// All probes run, several times.
  void probe_for(std::chrono::seconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      agent->process().signal(SIGHUP);
      std::this_thread::sleep_for(500ms);
    }
  }

  std::string node;
  std::uintmax_t since = 0;
  std::unique_ptr<FaultProxy> proxy;
};

// ---- the agent's own end --------------------------------------------------------------------------------------------

TEST_F(FaultTest, KilledAndStartedAgain) {
  start("fault-killed");
  for (int i = 0; i < 3; ++i) {
    agent->process().signal(SIGKILL);
    agent->process().wait(10s);
    agent->restart();
    std::this_thread::sleep_for(1500ms);
  }
  expect_untouched();
  expect_alive("killed");
}

TEST_F(FaultTest, StoppedAndItsDaemonSetDeleted) {
  start("fault-stopped");
  cluster->create_namespace("fault-stopped");
  cluster->kubectl({"create", "-n", "fault-stopped", "-f", [&] {
                      const fs::path file = agent->folder() / "daemonset.yaml";
                      write_file(file,
                                 "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: nodescout}\nspec:\n"
                                 "  selector: {matchLabels: {app: nodescout}}\n  template:\n"
                                 "    metadata: {labels: {app: nodescout}}\n"
                                 "    spec: {containers: [{name: nodescout, image: none}]}\n");
                      return file.string();
                    }()});
  EXPECT_EQ(agent->process().stop(), 0);
  cluster->kubectl({"delete", "-n", "fault-stopped", "daemonset", "nodescout"});
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(label_of(*cluster, node, kGpuLabel), "true");
  EXPECT_EQ(removals(cluster->audit(since), node), std::vector<std::string>());
}

TEST_F(FaultTest, StartedAgainWithLessToSee) {
  start("fault-less");
  // The next one comes while the bus is not readable, and has no memory of its own.
  agent->process().stop();
  fs::rename(machine.path() / "sys/bus", machine.path() / "sys/bus.away");
  write_file(machine.path() / "sys/bus/pci/devices", "no directory\n");
  agent->restart();
  std::this_thread::sleep_for(6s);
  expect_untouched();
  fs::remove_all(machine.path() / "sys/bus");
  fs::rename(machine.path() / "sys/bus.away", machine.path() / "sys/bus");
  agent->process().signal(SIGHUP);
  expect_alive("less");
}

// ---- the cluster ----------------------------------------------------------------------------------------------------

TEST_F(FaultTest, TheApiServerIsDown) {
  start("fault-down", {.config = "nodeRecheck: 1s\nstateFile: ''\n"});
  cluster->kill_api_server();
  probe_for(is_long() ? 120s : 15s);
  cluster->start_api_server();
  expect_alive("down");
  expect_untouched();
}

TEST_F(FaultTest, EtcdIsPaused) {
  start("fault-etcd", {.config = "nodeRecheck: 1s\nstateFile: ''\n"});
  cluster->pause_etcd();
  probe_for(is_long() ? 60s : 12s);
  cluster->resume_etcd();
  expect_alive("etcd");
  expect_untouched();
}

TEST_F(FaultTest, EveryWatchIsGone) {
  start_through_proxy("fault-gone");
  const std::string gone = R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410})";
  proxy->add({.target = "watch=true", .times = 12, .answer = answer_of(410, gone), .close = true});
  proxy->drop_connections();
  std::this_thread::sleep_for(8s);
  expect_untouched();
  proxy->clear();
  expect_alive("gone");
}

TEST_F(FaultTest, TheServerFailsAtEveryCall) {
  start_through_proxy("fault-500");
  for (const int status : {500, 503, 429}) {
    proxy->clear();
    proxy->add(
        {.answer = answer_of(status, R"({"kind":"Status","code":)" + std::to_string(status) + "}"), .close = true});
    proxy->drop_connections();
    probe_for(4s);
  }
  expect_untouched();
  proxy->clear();
  proxy->add({.times = 6, .delay = 15s});  // longer than the agent waits
  probe_for(is_long() ? 30s : 5s);
  proxy->clear();
  proxy->drop_connections();
  expect_alive("500");
  expect_untouched();
}

TEST_F(FaultTest, AnswersAreCutAndGarbled) {
  start_through_proxy("fault-cut");
  for (const std::size_t length : {0u, 10u, 150u, 400u, 900u, 1500u}) {
    proxy->clear();
    proxy->add({.cut = length});
    proxy->drop_connections();
    probe_for(2s);
  }
  proxy->clear();
  proxy->add({.answer = answer_of(200, "[]"), .close = true});
  proxy->drop_connections();
  probe_for(2s);
  proxy->clear();
  proxy->add({.answer = answer_of(200, R"({"kind":"Node","metadata":{"name":"another"}})"), .close = true});
  proxy->drop_connections();
  probe_for(2s);
  proxy->clear();
  proxy->add({.answer = answer_of(200, R"({"kind":"NodeFeatureRuleList","items":[],"metadata":{}})"), .close = true});
  proxy->drop_connections();
  probe_for(2s);
  proxy->clear();
  proxy->drop_connections();
  expect_alive("cut");
  expect_untouched();
}

TEST_F(FaultTest, TheTokenExpires) {
  start_through_proxy("fault-token");
  proxy->add({.answer = answer_of(401, R"({"kind":"Status","code":401,"reason":"Unauthorized"})"), .close = true});
  proxy->drop_connections();
  probe_for(4s);
  proxy->clear();
  proxy->add(
      {.answer = answer_of(403, R"({"kind":"Status","code":403,"reason":"Forbidden","message":"no"})"), .close = true});
  proxy->drop_connections();
  probe_for(4s);
  proxy->clear();
  expect_alive("token");
  expect_untouched();
}

/// RBAC is missing, then given: it blames no key meanwhile, and soon goes on.
TEST_F(FaultTest, WithoutTheRightToPatchItIsNotReadyAndBlamesNoKey) {
  node = "fault-rights";
  const std::string account = "agent-" + node;
  const auto rights = [](const char* nodes) {
    return R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":)" + std::string(nodes) +
           R"(},{"apiGroups":["events.k8s.io"],"resources":["events"],"verbs":["create"]},)"
           R"({"apiGroups":["nfd.k8s-sigs.io"],"resources":["nodefeatures","nodefeaturerules"],)"
           R"("verbs":["get","list","watch"]}])";
  };
  cluster->create_service_account("nodescout-e2e", account, rights(R"(["get"])"));
  cluster->create_node(node);
  since = cluster->now_in_audit_log();
  const int port = free_port();
  AgentFixture::start({.node = node, .config = kQuiet, .listen = "127.0.0.1:" + std::to_string(port)});
  ASSERT_TRUE(eventually([&] { return agent->log().find("cannot patch resource") != std::string::npos; }))
      << agent->log();
  const auto patches = [&] {
    int count = 0;
    for (const AuditEntry& entry : of_agent(cluster->audit(since), node)) count += entry.verb == "patch";
    return count;
  };
  // Several attempts, each of two requests for each part of the Node at most.
  ASSERT_TRUE(eventually([&] { return patches() >= 6; })) << agent->log();
  probe_for(3s);
  EXPECT_EQ(http_get(port, "/readyz").status, 503);
  EXPECT_EQ(http_get(port, "/healthz").status, 200);
  EXPECT_LE(patches(), 24);
  EXPECT_EQ(agent->log().find("was refused"), std::string::npos) << agent->log();

  must(cluster->admin().patch("/apis/rbac.authorization.k8s.io/v1/clusterroles/" + account, PatchKind::merge,
                              json(R"({"rules":)" + rights(R"(["get","patch"])") + "}")));
  const auto took = wait_for_label(*cluster, node, kGpuLabel, "true", 60s);
  ASSERT_TRUE(took) << agent->log();
  std::cout << "the label came " << took->count() << " ms after the right\n";
  EXPECT_LE(*took, 40s) << "the longest pause between two attempts, and its jitter";
  EXPECT_TRUE(eventually([&] { return http_get(port, "/readyz").status == 200; }));
  EXPECT_EQ(agent->log().find("was refused"), std::string::npos) << agent->log();
  expect_untouched();
}

/// A new authority for the API server: the kubeconfig has it, and the agent, which runs, reads it.
TEST_F(FaultTest, TheCertificateAuthorityRotates) {
  start_through_proxy("fault-authority");
  const CertificateAuthority next;
  proxy->rotate(next);
  EXPECT_TRUE(eventually([&] { return agent->log().find("certificate") != std::string::npos; })) << agent->log();
  const fs::path kubeconfig = cluster->folder() / ("agent-" + node + ".kubeconfig");
  std::string text = must(read_whole_file(kubeconfig.string(), 1u << 20));
  const std::string old = encode_base64(cluster->authority().certificate());
  ASSERT_NE(text.find(old), std::string::npos);
  write_file(kubeconfig, replace_all(text, old, encode_base64(next.certificate())));
  expect_alive("authority");
  expect_untouched();
}

/// One answer refuses a key, the following ones do not know the caller any more.
TEST_F(FaultTest, TheTokenExpiresInTheMiddleOfAnAttempt) {
  start_through_proxy("fault-middle");
  const auto status_of = [](int code, const std::string& message) {
    return answer_of(code, R"({"kind":"Status","code":)" + std::to_string(code) + R"(,"message":")" + message + "\"}");
  };
  proxy->add({.method = "PATCH", .times = 1, .answer = status_of(403, "a webhook says no")});
  proxy->add({.method = "PATCH", .times = 1});  // one that changes nothing: the caller has rights
  proxy->add({.method = "PATCH", .times = 6, .answer = status_of(401, "Unauthorized")});
  // Two labels: the first refusal does not say which of them is meant.
  write_file(agent->rules() / "middle.yaml",
             "- {name: middle, labels: {e2e-middle-a: \"1\", e2e-middle-b: \"1\"}, matchFeatures: []}\n");
  for (const char* key : {"e2e-middle-a", "e2e-middle-b"})
    EXPECT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/" + std::string(key), "1", 60s))
        << agent->log();
  EXPECT_NE(agent->log().find("Unauthorized"), std::string::npos) << "the fault took place\n" << agent->log();
  EXPECT_EQ(agent->log().find("was refused"), std::string::npos) << agent->log();
  expect_untouched();
}

TEST_F(FaultTest, TheNodeIsDeletedAndComesAgain) {
  start("fault-node", {.config = "nodeRecheck: 1s\nstateFile: ''\n"});
  cluster->kubectl({"delete", "node", node});
  std::this_thread::sleep_for(3s);
  cluster->create_node(node);
  EXPECT_TRUE(wait_for_label(*cluster, node, kGpuLabel, "true", 60s));
  expect_alive("node");
  expect_untouched();
}

TEST_F(FaultTest, TheCrdsGoAndCome) {
  start("fault-crds");
  const fs::path crds = NODESCOUT_SOURCE_DIR "/deploy/kustomize/crds/crds.yaml";
  cluster->kubectl({"delete", "-f", crds.string()});
  std::this_thread::sleep_for(4s);
  expect_untouched();
  cluster->install_crds();
  expect_alive("crds");
}

// ---- rules and configuration ----------------------------------------------------------------------------------------

TEST_F(FaultTest, ABrokenConfigurationAndBrokenRules) {
  const std::string good = "nodeRecheck: 0\nstateFile: ''\n";
  start("fault-broken", {.config = good});
  const std::string rule =
      "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: fault-broken}\nspec:\n  rules:\n"
      "    - name: good\n      labels: {e2e-good: \"1\"}\n      matchFeatures:\n        - feature: pci.device\n"
      "          matchExpressions: {vendor: {op: In, value: [\"10de\"]}}\n";
  const fs::path object = agent->folder() / "object.yaml";
  write_file(object, rule);
  cluster->kubectl({"apply", "-f", object.string()});
  write_file(agent->rules() / "file.yaml",
             "- name: file\n  labels: {e2e-file: \"1\"}\n  matchFeatures:\n    - feature: pci.device\n"
             "      matchExpressions: {vendor: {op: In, value: [\"10de\"]}}\n");
  ASSERT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/e2e-good", "1"));
  ASSERT_TRUE(wait_for_label(*cluster, node, "feature.node.kubernetes.io/e2e-file", "1"));

  write_file(agent->config_file(), "core: [\n");
  write_file(agent->rules() / "file.yaml", "- name: file\n  labels: {e2e-file\n");
  // The API server takes any template, and any operator below an expression map that it does not look into.
  write_file(object, rule + "          matchName: {op: InRegexp, value: [\"(\"]}\n");
  cluster->kubectl({"apply", "-f", object.string()});
  probe_for(5s);
  EXPECT_EQ(label_of(*cluster, node, "feature.node.kubernetes.io/e2e-file"), "1");
  expect_untouched();
  EXPECT_NE(agent->log().find("configuration-refused"), std::string::npos) << agent->log();
  EXPECT_TRUE(eventually([&] {
    return cluster->kubectl({"get", "events", "-A", "-o", "yaml"}).find("ConfigurationRefused") != std::string::npos;
  })) << "its author looks at the Node";

  // Started again, it has no memory of what the broken ones once were, and takes nothing away either.
  write_file(agent->config_file(), good);
  agent->restart();
  std::this_thread::sleep_for(6s);
  EXPECT_EQ(label_of(*cluster, node, "feature.node.kubernetes.io/e2e-file"), "1");
  expect_untouched();
  cluster->kubectl({"delete", "-f", object.string()});
}

// ---- the machine ----------------------------------------------------------------------------------------------------

class ReadFaultTest : public FaultTest {
 protected:
  void start_with_shim(const std::string& name) {
    fs::create_directories(machine.path() / "run");
    control = machine.path() / "run/faults";
    start(name, {.environment = {{"LD_PRELOAD", NODESCOUT_FAULT_SHIM},
                                 {"FAULT_SHIM", control.string()},
                                 {"ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0"}}});
  }
  fs::path control;
};

/// Every read below a place gives EIO ("eio"), or ends early ("cut").
class EveryReadTest : public ReadFaultTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(ReadFaults, EveryReadTest, ::testing::Values("eio", "cut"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(EveryReadTest, OfEachPlaceInTurn) {
  const std::string fault = GetParam();
  start_with_shim("fault-reads-" + fault);
  for (const char* part :
       {"/sys/bus/pci", "/proc/modules", "/etc/os-release", "/proc/sys/kernel/osrelease", "/sys", "/proc", "/etc"}) {
    write_file(control, fault + " " + machine.path().string() + part + "\n");
    probe_for(5s);
    expect_untouched();
    if (HasFailure()) FAIL() << "after " << fault << " below " << part;
  }
  write_file(control, "");
  expect_alive("reads-" + fault);
}

TEST_F(ReadFaultTest, TheCalendarJumps) {
  start_with_shim("fault-clock");
  for (const char* jump : {"jump 86400\n", "jump -86400\n", "jump 315360000\n"}) {
    write_file(control, jump);
    probe_for(2s);
  }
  expect_untouched();
  write_file(control, "");
  expect_alive("clock");
}

TEST_F(FaultTest, SysfsIsGone) {
  start("fault-sysfs");
  fs::rename(machine.path() / "sys", machine.path() / "sys.away");
  probe_for(6s);
  expect_untouched();
  fs::rename(machine.path() / "sys.away", machine.path() / "sys");
  expect_alive("sysfs");
}

TEST_F(FaultTest, TheDiskOfTheStateFileIsFull) {
  TempDirectory disk;
  if (::mount("none", disk.path().c_str(), "tmpfs", 0, "size=4k") != 0)
    GTEST_SKIP() << "skipped: no file system can be mounted here";
  struct Unmount {
    const fs::path& path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } later{disk.path()};
  write_file(disk.path() / "full", std::string(8192, 'x'));
  start("fault-disk", {.config = "nodeRecheck: 0\nstateFile: " + (disk.path() / "state.json").string() + "\n"});
  probe_for(2s);
  agent->restart();
  std::this_thread::sleep_for(1s);
  expect_untouched();
  expect_alive("disk");
  EXPECT_NE(agent->log().find("No space left"), std::string::npos) << agent->log();
}

TEST_F(FaultTest, TheStateFileSurvivesAndIsNotTrusted) {
  TempDirectory disk;
  const fs::path state = disk.path() / "state.json";
  start("fault-state", {.config = "nodeRecheck: 0\nstateFile: " + state.string() + "\n"});
  ASSERT_TRUE(eventually([&] { return fs::exists(state); }));
  agent->process().stop();
  // What it knew survives a start at which the bus cannot be read.
  fs::rename(machine.path() / "sys/bus/pci", machine.path() / "sys/bus/away");
  agent->restart();
  std::this_thread::sleep_for(6s);
  expect_untouched();
  fs::rename(machine.path() / "sys/bus/away", machine.path() / "sys/bus/pci");
  agent->process().stop();
  write_file(state, "{\"features\": [");
  agent->restart();
  std::this_thread::sleep_for(1s);
  expect_untouched();
  expect_alive("state");
}

}  // namespace
}  // namespace nodescout::test
