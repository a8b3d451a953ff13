// The shipped image, manifests and chart on a real node: kubelet, containerd and runc (real_node.h).
//
// One cluster with one node serves all tests. Each test leaves the base installed and its agent ready.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "document/json.h"
#include "document/value_path.h"
#include "e2e/agent_process.h"
#include "e2e/documented_commands.h"
#include "e2e/node_witness.h"
#include "e2e/own_namespaces.h"
#include "e2e/real_node.h"
#include "kube/lease.h"
#include "kube/resource.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

const std::string kManifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";
const std::string kChart = NODESCOUT_SOURCE_DIR "/deploy/helm/nodescout";
const std::string kPrograms = NODESCOUT_SOURCE_DIR "/tests/e2e/";
constexpr const char* kNode = "node1";
constexpr const char* kSpace = "nodescout";
constexpr const char* kKernel = "feature.node.kubernetes.io/kernel-version.full";
constexpr const char* kOwnLabels = "nfd.node.kubernetes.io/feature-labels";
constexpr const char* kFeatureFile = "/etc/kubernetes/node-feature-discovery/features.d/nodescout";

std::string why_not_here;  // found out before the namespaces are entered

using Words = std::vector<std::string>;

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

/// What a process in the file systems of `pid`, with the user 65534 and no capability, gets when it makes a file there:
/// 0 or an errno.
int error_of_writing(pid_t pid, const std::string& path, uid_t user) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int mounts = ::open(("/proc/" + std::to_string(pid) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC);
    if (::setns(mounts, CLONE_NEWNS) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(255);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) ::_exit(errno);
    ::unlink(path.c_str());
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A line of /proc/PID/status.
std::string status_of(pid_t pid, const std::string& field) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/status");
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with(field + ":")) return std::string(trim(line.substr(field.size() + 1)));
  return "";
}

struct Mount {
  std::string point, options;
};

std::vector<Mount> mounts_of(pid_t pid) {
  std::vector<Mount> mounts;
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/mountinfo");
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() > 5) mounts.push_back({std::string(words[4]), std::string(words[5])});
  }
  return mounts;
}

/// The cluster of all tests, which ends before the libraries that it uses are torn down.
class Everything final : public ::testing::Environment {
 public:
  std::unique_ptr<TempDirectory> folder;
  std::unique_ptr<ControlPlane> cluster;
  std::unique_ptr<RealNode> node;
  double labelled_after = 0;
  void TearDown() override {
    node.reset();
    cluster.reset();
    folder.reset();
  }
};

auto* const everything = static_cast<Everything*>(::testing::AddGlobalTestEnvironment(new Everything));

class NodeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!why_not_here.empty() || node) return;
    everything->folder = std::make_unique<TempDirectory>();
    const fs::path image = build_shipped_image(everything->folder->path());
    std::vector<fs::path> images{image};
    if (const char* peer = std::getenv("NODESCOUT_PEER")) {
      images.push_back(everything->folder->path() / "nfd.tar");
      const Ran packed = run_program({kPrograms + "pack-nfd", peer, images.back().string()});
      ASSERT_EQ(packed.status, 0) << packed.err;
    }
    const auto start = steady_clock::now();
    everything->cluster = control_plane_for_real_nodes();
    cluster = everything->cluster.get();
    everything->node =
        std::make_unique<RealNode>(*cluster, RealNode::Setup{.name = kNode, .images = images, .taints = "[]"});
    node = everything->node.get();
    apply("crds", {"--server-side"});
    apply("base");
    const bool is_labelled = eventually([] { return has_label(kKernel); }, 600s);
    everything->labelled_after = seconds_since(start);
    if (!is_labelled) std::printf("%s\n", node->logs().c_str());
  }
  void SetUp() override {
    if (!why_not_here.empty()) GTEST_SKIP() << "skipped: " << why_not_here;
    ASSERT_NE(node, nullptr);
    ASSERT_TRUE(eventually(agent_is_ready, 300s)) << describe();
  }
  void TearDown() override {
    if (HasFailure() && node) std::printf("%s\n", describe().c_str());
  }
  static std::string describe() {
    return cluster->kubectl({"describe", "node", kNode}) + cluster->kubectl({"-n", kSpace, "describe", "pods"}) +
           node->logs();
  }

  static void apply(const std::string& folder, const Words& more = {}) {
    Words words{"apply", "-k", kManifests + folder};
    words.insert(words.end(), more.begin(), more.end());
    cluster->kubectl(words);
  }
  static Value read(const std::string& path) {
    auto answer = cluster->admin().get(path);
    return answer ? *std::move(answer) : Value::map();
  }
  static Value node_now() { return read(object_path(resources::kNodes, "", kNode)); }
  static std::string label(const std::string& key) { return text_at(node_now(), {"metadata", "labels", key}); }
  static bool has_label(const std::string& key) { return !label(key).empty(); }
  /// Those that the ownership annotation lists.
  static std::map<std::string, std::string> own_labels() {
    const Value object = node_now();
    std::map<std::string, std::string> own;
    const std::string names = text_at(object, {"metadata", "annotations", kOwnLabels});
    if (names.empty()) return own;
    for (const std::string_view name : split(names, ',')) {
      const std::string key = name.find('/') == std::string_view::npos
                                  ? "feature.node.kubernetes.io/" + std::string(name)
                                  : std::string(name);
      own[key] = text_at(object, {"metadata", "labels", key});
    }
    return own;
  }
  static std::string condition(const Value& object, const std::string& type, const std::string& member = "status") {
    const Value* conditions = at(object, {"status", "conditions"});
    if (conditions)
      for (const Value& each : conditions->items)
        if (text_at(each, {"type"}) == type) return text_at(each, {member});
    return "";
  }
  static bool is_ready(const Value& object) {
    return condition(object, "Ready") == "True" && !at(object, {"metadata", "deletionTimestamp"});
  }
  static std::vector<Value> pods(const std::string& space = kSpace, const std::string& name = "nodescout") {
    std::vector<Value> found;
    static_cast<void>(cluster->admin().list(collection_path(resources::kPods, space),
                                            {{"labelSelector", "app.kubernetes.io/name=" + name}},
                                            [&](const Value& pod) { found.push_back(pod); }));
    return found;
  }
  static bool agent_is_ready() {
    const auto all = pods();
    return all.size() == 1 && is_ready(all[0]);
  }
  static std::string agent_pod() { return text_at(pods().at(0), {"metadata", "name"}); }
  static std::string agent_container() {
    const auto all = pods();
    const Value* states = all.empty() ? nullptr : at(all[0], {"status", "containerStatuses"});
    return states && !states->items.empty() ? text_at(states->items[0], {"containerID"}) : "";
  }
  static void wait_for_rollout(const std::string& set = "nodescout", const std::string& space = kSpace) {
    cluster->kubectl({"-n", space, "rollout", "status", "daemonset/" + set, "--timeout=300s"});
  }
  /// The kubelet answers: after a kill it is a new one.
  static bool kubelet_answers() {
    return static_cast<bool>(cluster->admin().get("/api/v1/nodes/" + std::string(kNode) + "/proxy/configz"));
  }

  static ControlPlane* cluster;
  static RealNode* node;
};
ControlPlane* NodeTest::cluster = nullptr;
RealNode* NodeTest::node = nullptr;

TEST_F(NodeTest, TheAgentIsReadyAndItsNodeHasLabels) {
  EXPECT_TRUE(is_ready(node_now()));
  EXPECT_TRUE(has_label(kKernel));
  EXPECT_GT(own_labels().size(), 10u);
  expect_at_most(everything->labelled_after, 20, "from an empty cluster to labels");
  // The kubelet's own times, in whole seconds.
  const Value pod = pods().at(0);
  const Value* container = at(pod, {"status", "containerStatuses"});
  const auto started = parse_rfc3339(text_at(container->items.at(0), {"state", "running", "startedAt"}));
  const auto ready = parse_rfc3339(condition(pod, "Ready", "lastTransitionTime"));
  ASSERT_TRUE(started && ready) << to_json(pod);
  expect_at_most(std::chrono::duration<double>(*ready - *started).count(), 5, "from the container's start to Ready");
}

TEST_F(NodeTest, TheContainerHasNoRights) {
  const pid_t agent = node->process_of(kSpace, agent_pod(), "nodescout");
  ASSERT_GT(agent, 0);
  EXPECT_EQ(status_of(agent, "Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_of(agent, "Gid"), "65534\t65534\t65534\t65534");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(status_of(agent, set), "0000000000000000") << set;
  EXPECT_EQ(status_of(agent, "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(agent, "Seccomp"), "2") << "a filter";
}

TEST_F(NodeTest, TheContainerCanWriteOnlyItsState) {
  const pid_t agent = node->process_of(kSpace, agent_pod(), "nodescout");
  ASSERT_GT(agent, 0);
  std::map<std::string, std::string> seen;
  for (const Mount& mount : mounts_of(agent)) seen[mount.point] = mount.options;
  for (const char* point :
       {"/", "/etc/nodescout", "/host/sys", "/host/proc", "/host/boot", "/host/lib", "/host/usr/lib",
        "/host/etc/os-release", "/host/run/udev", "/host/etc/kubernetes/node-feature-discovery/features.d"}) {
    ASSERT_TRUE(seen.contains(point)) << point;
    EXPECT_TRUE(seen[point].starts_with("ro")) << point << " " << seen[point];
  }
  EXPECT_EQ(error_of_writing(agent, "/run/nodescout/x", 65534), 0);
  EXPECT_EQ(error_of_writing(agent, "/x", 0), EROFS) << "not even as root";
  for (const auto& [point, options] : seen) {
    // containerd 1.6 makes only the mount itself read-only, not what is mounted below it.
    if (point == "/run/nodescout" || point.starts_with("/dev") || point.starts_with("/proc")) continue;
    EXPECT_NE(error_of_writing(agent, point + "/x", 65534), 0) << point << " " << options;
  }
}

TEST_F(NodeTest, CommandsRunInThePod) {
  const std::string diff = cluster->kubectl({"-n", kSpace, "exec", agent_pod(), "--", "/usr/bin/nodescout", "diff"});
  EXPECT_NE(diff.find("nothing would change"), std::string::npos) << diff;
  const Value dump = must(parse_json(
      cluster->kubectl({"-n", kSpace, "exec", agent_pod(), "--", "/usr/bin/nodescout", "dump", "-o", "json"}), "dump"));
  EXPECT_EQ(text_at(dump, {"labels", kKernel}), label(kKernel));
}

/// The agent reads watchNode when it starts: without a new Pod the label would be back only at the recheck.
TEST_F(NodeTest, TheOverlayWatchNodeReplacesThePodAndRestoresALabel) {
  const std::string before = agent_container();
  apply("overlays/watch-node");
  wait_for_rollout();
  ASSERT_TRUE(eventually(agent_is_ready, 120s));
  EXPECT_NE(agent_container(), before);
  cluster->kubectl({"label", "node", kNode, std::string(kKernel) + "-"});
  EXPECT_TRUE(eventually([] { return has_label(kKernel); }, 60s));
  apply("base");
  wait_for_rollout();
}

// ---- every state of the Node that the API server serves has every label ---------------------------------------------

class NodeLabelsStayTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    labels = own_labels();
    ASSERT_GT(labels.size(), 10u);
    witness = std::make_unique<NodeWitness>(*cluster, kNode);
  }
  void TearDown() override {
    if (witness) {
      EXPECT_TRUE(eventually(agent_is_ready, 300s));
      const auto states = witness->states();
      for (const Value& state : states)
        for (const auto& [key, value] : labels)
          EXPECT_EQ(text_at(state, {"metadata", "labels", key}), value)
              << key << " at " << text_at(state, {"metadata", "resourceVersion"});
      std::printf("%zu states of the Node, %zu labels in each\n", states.size(), labels.size());
      EXPECT_EQ(own_labels(), labels);
    }
    NodeTest::TearDown();
  }

  std::map<std::string, std::string> labels;
  std::unique_ptr<NodeWitness> witness;
};

TEST_F(NodeLabelsStayTest, DuringARollout) {
  const std::string before = agent_pod();
  const auto start = steady_clock::now();
  cluster->kubectl({"-n", kSpace, "rollout", "restart", "daemonset/nodescout"});
  wait_for_rollout();
  std::printf("rollout: %.1f s\n", seconds_since(start));
  EXPECT_NE(agent_pod(), before);
}

TEST_F(NodeLabelsStayTest, DuringADrain) {
  const std::string before = agent_pod();
  cluster->kubectl({"drain", kNode, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s"});
  EXPECT_EQ(text_at(node_now(), {"spec", "unschedulable"}), "true");
  EXPECT_EQ(agent_pod(), before) << "a DaemonSet's Pod stays";
  cluster->kubectl({"uncordon", kNode});
}

TEST_F(NodeLabelsStayTest, WhenTheAgentIsKilled) {
  const std::string before = agent_container();
  const pid_t agent = node->process_of(kSpace, agent_pod(), "nodescout");
  ASSERT_EQ(::kill(agent, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return !agent_container().empty() && agent_container() != before; }, 120s));
}

TEST_F(NodeLabelsStayTest, WhenTheKubeletIsKilled) {
  const std::string before = agent_container();
  node->kill("kubelet");
  EXPECT_TRUE(eventually(kubelet_answers, 120s));
  EXPECT_EQ(agent_container(), before);
}

TEST_F(NodeLabelsStayTest, WhenTheApiServerIsKilled) {
  const std::string before = agent_container();
  cluster->kill_api_server();
  cluster->start_api_server();
  EXPECT_TRUE(eventually(kubelet_answers, 120s));
  EXPECT_EQ(agent_container(), before);
}

TEST_F(NodeLabelsStayTest, WhenThePowerIsCut) {
  const std::string before = agent_container();
  node->cut_power();
  EXPECT_TRUE(eventually([] { return condition(node_now(), "Ready") == "Unknown"; }, 120s));
  node->start();
  EXPECT_TRUE(eventually([&] { return agent_is_ready() && agent_container() != before; }, 300s));
}

TEST_F(NodeLabelsStayTest, WhenTheDaemonSetIsDeleted) {
  cluster->kubectl({"-n", kSpace, "delete", "daemonset", "nodescout", "--wait"});
  EXPECT_TRUE(eventually([] { return pods().empty(); }, 120s));
  apply("base");
}

/// The Lease of the agent has the Node as its owner: the garbage collector deletes it, and the agent watches it.
TEST_F(NodeTest, ANodeThatRegistersAgainIsLabelledAtOnce) {
  const auto labels = own_labels();
  const std::string before = text_at(node_now(), {"metadata", "uid"});
  cluster->kubectl({"delete", "node", kNode, "--wait"});
  node->kill("kubelet");  // which registers when it starts
  ASSERT_TRUE(eventually([&] { return !text_at(node_now(), {"metadata", "uid"}).empty(); }, 120s));
  const auto registered = steady_clock::now();
  EXPECT_NE(text_at(node_now(), {"metadata", "uid"}), before);
  ASSERT_TRUE(eventually([] { return has_label(kKernel); }, 120s)) << "the recheck alone comes after 4 minutes";
  expect_at_most(seconds_since(registered), 10, "from registered again to labels");
  EXPECT_EQ(own_labels(), labels);
  EXPECT_TRUE(eventually([] { return is_ready(node_now()); }, 120s));
}

// ---- overlays and chart ---------------------------------------------------------------------------------------------

/// The node boots with a root that cannot be written and has no /boot. The base shows what the overlay avoids.
TEST_F(NodeTest, OnAReadOnlyHostItsOverlayStartsAndTheBaseDoesNot) {
  const auto labels = own_labels();
  apply("overlays/read-only-host");
  wait_for_rollout();
  const std::string before = agent_container();
  node->cut_power();
  node->make_root_read_only(true);
  node->start();
  EXPECT_TRUE(eventually([&] { return agent_is_ready() && agent_container() != before; }, 300s));
  EXPECT_NE(node->run({"/usr/bin/test", "-e", "/boot"}).status, 0);
  EXPECT_NE(node->run({"/bin/mkdir", "/boot"}).err.find("Read-only file system"), std::string::npos);
  EXPECT_EQ(own_labels(), labels);

  apply("base");
  const auto why_it_waits = [] {
    std::string why;
    for (const Value& pod : pods())
      if (const Value* states = at(pod, {"status", "containerStatuses"}); states && !states->items.empty())
        why += text_at(states->items[0], {"state", "waiting", "message"});
    return why;
  };
  EXPECT_TRUE(eventually([&] { return why_it_waits().find("read-only file system") != std::string::npos; }, 120s))
      << why_it_waits();
  node->cut_power();
  node->make_root_read_only(false);
  node->start();
  EXPECT_TRUE(eventually(agent_is_ready, 300s));
  EXPECT_EQ(own_labels(), labels);
}

TEST_F(NodeTest, TheOverlayNodefeaturePublishesAnObject) {
  apply("overlays/nodefeature");
  wait_for_rollout();
  const std::string path = object_path(resources::kNodeFeatures, kSpace, kNode);
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(cluster->admin().get(path)); }, 60s));
  cluster->kubectl({"-n", kSpace, "delete", "nodefeature", kNode});
  apply("base");
  wait_for_rollout();
}

TEST_F(NodeTest, TheOverlayFileLeavesAFileAndItsPruneTakesItAway) {
  const auto file_exists = [] { return node->run({"/usr/bin/test", "-s", kFeatureFile}).status == 0; };
  apply("overlays/file");
  wait_for_rollout();
  EXPECT_TRUE(eventually(file_exists, 60s));
  const pid_t agent = node->process_of(kSpace, agent_pod(), "nodescout");
  EXPECT_EQ(status_of(agent, "Uid"), "0\t0\t0\t0") << "features.d belongs to root";
  EXPECT_EQ(status_of(agent, "CapEff"), "0000000000000000");
  apply("overlays/file-prune");
  wait_for_rollout();
  EXPECT_FALSE(file_exists());
  apply("base");
  wait_for_rollout();
}

TEST_F(NodeTest, TheOverlayPruneRemovesTheLabels) {
  const auto labels = own_labels();
  apply("overlays/prune");
  wait_for_rollout();
  EXPECT_FALSE(has_label(kKernel));
  EXPECT_TRUE(own_labels().empty());
  apply("base");
  wait_for_rollout();
  EXPECT_TRUE(eventually([&] { return own_labels() == labels; }, 60s));
}

/// Beside the agents, for Nodes without one: here a Node that has no kubelet.
TEST_F(NodeTest, TheOverlayMixedRunsAControllerThatLeadsAndLabels) {
  const auto labels = own_labels();
  const auto since = cluster->now_in_audit_log();
  apply("overlays/mixed");
  cluster->kubectl({"-n", kSpace, "rollout", "status", "deployment/nodescout-controller", "--timeout=300s"});
  std::vector<std::string> names;
  for (const Value& pod : pods(kSpace, "nodescout-controller")) {
    EXPECT_TRUE(is_ready(pod)) << to_json(pod);
    names.push_back(text_at(pod, {"metadata", "name"}));
  }
  ASSERT_EQ(names.size(), 2u);
  const pid_t controller = node->process_of(kSpace, names[0], "controller");
  ASSERT_GT(controller, 0);
  EXPECT_EQ(status_of(controller, "Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_of(controller, "CapEff"), "0000000000000000");
  EXPECT_EQ(status_of(controller, "Seccomp"), "2") << "a filter";
  const auto leader = [] {
    return text_at(read(object_path(resources::kLeases, kSpace, "nfd-master.nfd.kubernetes.io")),
                   {"spec", "holderIdentity"});
  };
  EXPECT_TRUE(eventually([&] { return !leader().empty(); }, 60s));
  EXPECT_TRUE(std::ranges::any_of(names, [&](const std::string& name) { return leader().starts_with(name + "_"); }))
      << leader();

  const std::string other = "without-agent", key = "feature.node.kubernetes.io/of-object";
  cluster->create_node(other);
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatures, kSpace),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + other +
           R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + other +
           R"("}},"spec":{"features":{"flags":{},"attributes":{},"instances":{}},"labels":{"of-object":"yes"}}})")));
  EXPECT_TRUE(eventually([&] { return label_of(*cluster, other, key) == "yes"; }, 60s));
  EXPECT_EQ(own_labels(), labels);
  for (const AuditEntry& entry : cluster->audit(since))
    EXPECT_FALSE(entry.user == "system:serviceaccount:nodescout:nodescout-controller" && entry.name == kNode &&
                 entry.resource.starts_with("nodes") && entry.verb != "get")
        << entry.verb << " " << entry.uri << ": the Node with an agent is the agent's";
  cluster->kubectl({"-n", kSpace, "delete", "nodefeature", other});
  cluster->kubectl({"delete", "node", other});
  cluster->kubectl({"delete", "-k", kManifests + "controller", "--wait"});
}

/// Stand-ins for DaemonSets of operators, with their real selectors, whose Pods are bound by the scheduler, admitted by
/// the kubelet and run. `selects` is their nodeSelector or their affinity (docs/consumers.md).
struct StandIn {
  std::string name, selects;
  bool runs;
};

/// This machine has no GPU of NVIDIA, and a NIC only in some clouds. A file in features.d says that it has both: the
/// agent makes the labels that the stand-ins and the second agent select on.
TEST_F(NodeTest, PodsOfOperatorsAndOfTheOverlayGpuMigFollowTheLabels) {
  const std::string folder = fs::path(kFeatureFile).parent_path(), file = folder + "/site";
  const auto file_exists = [] { return node->run({"/usr/bin/test", "-e", kFeatureFile}).status == 0; };
  const std::string prefix = "feature.node.kubernetes.io/", vendor = prefix + "pci-10de.present";
  const auto of_driver = [&](const std::string& kernel) {
    return R"("nodeSelector":{")" + prefix + R"(pci-15b3.present":"true",")" + prefix + R"(kernel-version.full":")" +
           kernel + R"(",")" + prefix + R"(system-os_release.ID":")" + label(prefix + "system-os_release.ID") +
           R"(",")" + prefix + R"(system-os_release.VERSION_ID":")" + label(prefix + "system-os_release.VERSION_ID") +
           "\"}";
  };
  const bool has_nic = has_label(prefix + "pci-15b3.present");
  const std::vector<StandIn> stand_ins{
      {"nvidia-device-plugin",
       R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
          {"matchExpressions":[{"key":"feature.node.kubernetes.io/pci-10de.present","operator":"In","values":["true"]}]},
          {"matchExpressions":[{"key":"feature.node.kubernetes.io/cpu-model.vendor_id","operator":"In",
                                "values":["NVIDIA"]}]},
          {"matchExpressions":[{"key":"nvidia.com/gpu.present","operator":"In","values":["true"]}]}]}}})",
       true},
      {"doca-driver", of_driver(label(kKernel)), true},
      {"doca-driver-of-another-kernel", of_driver("5.15.0-1053-nvidia"), false},
      {"amd-device-plugin", R"("nodeSelector":{"feature.node.kubernetes.io/amd-gpu":"true"})", false},
  };
  const auto runs_anyway = [&](const StandIn& each) { return has_nic && each.name == "doca-driver"; };
  const std::string sets = "/apis/apps/v1/namespaces/nodescout/daemonsets";
  for (const StandIn& each : stand_ins) {
    const std::string app = R"({"app.kubernetes.io/name":")" + each.name + "\"}";
    must(cluster->admin().create(
        sets, json(R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":")" + each.name +
                   R"("},"spec":{"selector":{"matchLabels":)" + app + R"(},"template":{"metadata":{"labels":)" + app +
                   R"(},"spec":{)" + each.selects + R"(,"automountServiceAccountToken":false,
                       "terminationGracePeriodSeconds":1,"containers":[
                       {"name":"pause","image":"localhost/pause:1","imagePullPolicy":"Never"}]}}}})")));
  }
  const auto runs = [](const std::string& name) {
    const auto all = pods(kSpace, name);
    return all.size() == 1 && is_ready(all[0]);
  };
  const auto is_considered = [&](const std::string& name) {
    return text_at(read(sets + "/" + name), {"status", "observedGeneration"}) == "1";
  };
  apply("overlays/gpu-mig");
  wait_for_rollout();
  for (const StandIn& each : stand_ins) {
    EXPECT_TRUE(eventually([&] { return is_considered(each.name); }, 60s)) << each.name;
    EXPECT_EQ(pods(kSpace, each.name).empty(), !runs_anyway(each)) << each.name;
  }
  EXPECT_TRUE(pods(kSpace, "nodescout-gpu").empty());

  const Ran written =
      node->run({"/bin/sh", "-euc", R"(printf 'pci-10de.present=true\npci-15b3.present=true\n' >"$1")", "sh", file});
  ASSERT_EQ(written.status, 0) << written.err;
  EXPECT_TRUE(eventually([&] { return runs("nodescout-gpu"); }, 120s));
  for (const StandIn& each : stand_ins) {
    if (each.runs) {
      EXPECT_TRUE(eventually([&] { return runs(each.name); }, 120s)) << each.name;
    } else {
      EXPECT_TRUE(pods(kSpace, each.name).empty()) << each.name;
    }
  }

  // What the second agent would have written on a machine with a GPU.
  ASSERT_EQ(node->run({"/bin/sh", "-euc", R"(echo nvidia.com/gpu.count=1 >"$1")", "sh", kFeatureFile}).status, 0);
  EXPECT_TRUE(eventually([&] { return label("nvidia.com/gpu.count") == "1"; }, 60s));
  apply("overlays/gpu-prune");
  wait_for_rollout("nodescout-gpu");
  EXPECT_FALSE(file_exists());
  cluster->kubectl({"-n", kSpace, "delete", "daemonset", "nodescout-gpu", "--wait"});
  ASSERT_EQ(node->run({"/bin/rm", file}).status, 0);
  apply("base");
  wait_for_rollout();
  EXPECT_TRUE(eventually([&] { return !has_label(vendor) && !has_label("nvidia.com/gpu.count"); }, 60s));
  for (const StandIn& each : stand_ins) {
    if (runs_anyway(each)) continue;
    EXPECT_TRUE(eventually([&] { return pods(kSpace, each.name).empty(); }, 60s)) << each.name;
  }
  for (const StandIn& each : stand_ins) cluster->kubectl({"-n", kSpace, "delete", "daemonset", each.name});
}

class NodeChartTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!helm_programs().why_not.empty()) GTEST_SKIP() << "skipped: " << helm_programs().why_not;
    cluster->kubectl({"delete", "-k", kManifests + "base", "--wait"});
    is_base_away = true;
  }
  void TearDown() override {
    if (is_base_away) {
      static_cast<void>(helm({"uninstall", "site", "--namespace", "elsewhere", "--wait"}));
      apply("base");
      wait_for_rollout();
    }
    NodeTest::TearDown();
  }
  Ran helm(const Words& words) {
    RunOptions options;
    for (const char* variable : {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"})
      options.environment[variable] = folder.path();
    options.environment["KUBECONFIG"] = cluster->admin_kubeconfig();
    Words command{helm_programs().folder / "helm"};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command, options);
  }
  /// Installs or upgrades the release, and waits until its Pods are ready.
  void deploy(const Words& values) {
    Words words{"upgrade", "--install", "site", kChart,  "--namespace",        "elsewhere",     "--create-namespace",
                "--wait",  "--timeout", "300s", "--set", "crds.install=never", "--reset-values"};
    words.insert(words.end(), values.begin(), values.end());
    const Ran done = helm(words);
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    wait_for_rollout("site-nodescout", "elsewhere");
  }
  /// Runs `nfd-master -prune` in a Pod of its own, as the hook of NFD's chart does after the release was deleted: it
  /// removes everything that the shared annotations list. `bound`: how long the Node may lack the agent's labels.
  void expect_labels_back_after_prune(const std::map<std::string, std::string>& labels, double bound,
                                      const std::string& how) {
    const auto since = cluster->now_in_audit_log();
    must(cluster->admin().create(collection_path(resources::kPods, "nfd"), json(R"({"apiVersion":"v1","kind":"Pod",
        "metadata":{"name":"prune"},"spec":{"serviceAccountName":"nfd","restartPolicy":"Never","containers":[
        {"name":"nfd","image":"nfd:peer","imagePullPolicy":"Never","command":["/usr/bin/nfd-master","-prune"]}]}})")));
    const auto phase = [] { return text_at(read(object_path(resources::kPods, "nfd", "prune")), {"status", "phase"}); };
    EXPECT_TRUE(eventually([&] { return phase() == "Succeeded" || phase() == "Failed"; }, 120s)) << phase();
    EXPECT_TRUE(eventually([&] { return own_labels() == labels; }, 60s));
    std::optional<std::chrono::system_clock::time_point> gone, back;
    for (const AuditEntry& entry : cluster->audit(since)) {
      if (entry.name != kNode || entry.resource != "nodes" || entry.code != 200) continue;
      const bool is_write = entry.verb == "patch" || entry.verb == "update";
      if (is_write && !gone && entry.user == "system:serviceaccount:nfd:nfd") gone = entry.received;
      if (is_write && gone && entry.user == "system:serviceaccount:elsewhere:site-nodescout" &&
          at(entry.request, {"metadata", "labels", kKernel}))
        back = entry.received;
    }
    ASSERT_TRUE(gone && back) << "nfd-master removed nothing, or the agent did not write it again";
    expect_at_most(std::chrono::duration<double>(*back - *gone).count(), bound,
                   "from nfd-master -prune to labels, " + how);
    cluster->kubectl({"-n", "nfd", "delete", "pod", "prune", "--wait"});
  }

  TempDirectory folder;
  bool is_base_away = false;
};

TEST_F(NodeChartTest, ItsVariantsRunInAnotherNamespace) {
  const auto labels = own_labels();
  for (const Words& values : std::vector<Words>{{},
                                                {"--set", "watchNode=true"},
                                                {"--set", "lease=false"},
                                                {"--set", "host.readOnly=true"},
                                                {"--set", "port=9090"},
                                                {"--set", "controller.enabled=true"},
                                                {"--set", "publish=nodefeature"},
                                                {"--set", "publish=file"},
                                                {"--set", "publish=file,prune=true"}}) {
    SCOPED_TRACE(values.empty() ? "defaults" : values.back());
    deploy(values);
    EXPECT_EQ(own_labels(), labels);
  }
  deploy({"--set", "prune=true"});
  EXPECT_TRUE(own_labels().empty());
  deploy({});
  EXPECT_TRUE(eventually([&] { return own_labels() == labels; }, 60s));
}

/// What agents read when they start counts after an upgrade, and what they read at once replaces no Pod.
TEST_F(NodeChartTest, AnUpgradeReplacesThePodsForKeysThatCountAtTheStart) {
  const auto container = [] {
    const auto all = pods("elsewhere");
    const Value* states = all.size() == 1 ? at(all[0], {"status", "containerStatuses"}) : nullptr;
    return states && !states->items.empty() ? text_at(states->items[0], {"containerID"}) : "";
  };
  const auto has_lease = [] { return !at(node_now(), {"metadata", "annotations", kAgentAnnotation}); };
  deploy({});
  ASSERT_TRUE(eventually([] { return has_label(kKernel); }, 60s));
  std::string before = container();
  ASSERT_NE(before, "");
  deploy({"--set", "config.extraWritePrefixes={vendor.example}"});
  EXPECT_EQ(container(), before);

  deploy({"--set", "watchNode=true"});
  EXPECT_NE(container(), before);
  cluster->kubectl({"label", "node", kNode, std::string(kKernel) + "-"});
  EXPECT_TRUE(eventually([] { return has_label(kKernel); }, 60s)) << "the recheck alone comes after 4 minutes";

  before = container();
  EXPECT_TRUE(has_lease());
  deploy({"--set", "lease=false"});
  EXPECT_NE(container(), before);
  EXPECT_TRUE(eventually([&] { return !has_lease(); }, 60s));
  deploy({});
  EXPECT_TRUE(eventually(has_lease, 60s));
}

TEST_F(NodeChartTest, TheCommandsOfItsNotesWork) {
  const Ran done = helm(
      {"install", "site", kChart, "--namespace", "elsewhere", "--create-namespace", "--set", "crds.install=never"});
  ASSERT_EQ(done.status, 0) << done.err;
  RunOptions options;
  options.environment["KUBECONFIG"] = cluster->admin_kubeconfig();
  options.environment["PATH"] = programs().folder.string() + ":" + helm_programs().folder.string() + ":/usr/bin:/bin";
  for (const char* variable : {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"})
    options.environment[variable] = folder.path();
  int commands = 0;
  for (const std::string_view line : split(done.out, '\n')) {
    if (!line.starts_with("    ")) continue;
    if (line.find("helm upgrade") != line.npos) {
      EXPECT_GT(own_labels().size(), 10u);
    }
    const std::string command = replace_all(replace_all(trim(line), "NODE", kNode), "CHART", kChart);
    const Ran ran = run_program({"/bin/bash", "-c", command}, options);
    EXPECT_EQ(ran.status, 0) << command << "\n" << ran.out << ran.err;
    if (command.find("--prefix") != command.npos) {
      EXPECT_TRUE(ran.out.starts_with("[pod/site-nodescout-")) << ran.out;
    }
    if (command.find("--tail=-1") != command.npos) {
      EXPECT_NE(ran.out.find("started"), std::string::npos) << ran.out;
    }
    ++commands;
  }
  EXPECT_EQ(commands, 8);
  EXPECT_TRUE(own_labels().empty()) << "the notes end with removing it";
}

TEST_F(NodeChartTest, AnUpgradeAndARollbackKeepEveryLabel) {
  deploy({});
  ASSERT_TRUE(eventually([] { return own_labels().size() > 10; }, 60s));
  const auto labels = own_labels();
  const auto start = steady_clock::now();
  const auto since = cluster->now_in_audit_log();
  NodeWitness witness(*cluster, kNode);
  const auto memory = [&] {
    return cluster->kubectl(
        {"-n", "elsewhere", "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].resources.limits.memory}"});
  };
  const std::string before = memory();

  deploy({"--set", "resources.limits.memory=128Mi,watchNode=true"});
  EXPECT_TRUE(eventually([&] { return memory() == "128Mi"; }, 60s)) << memory();
  EXPECT_EQ(own_labels(), labels);

  const Ran back = helm({"rollback", "site", "1", "--namespace", "elsewhere", "--wait", "--timeout", "300s"});
  EXPECT_EQ(back.status, 0) << back.out << back.err;
  wait_for_rollout("site-nodescout", "elsewhere");
  EXPECT_TRUE(eventually([&] { return memory() == before; }, 60s)) << memory();
  EXPECT_EQ(own_labels(), labels);
  std::printf("upgrade and rollback: %.1f s\n", seconds_since(start));

  const auto states = witness.states();
  for (const Value& state : states)
    for (const auto& [key, value] : labels)
      EXPECT_EQ(text_at(state, {"metadata", "labels", key}), value)
          << key << " at " << text_at(state, {"metadata", "resourceVersion"});
  EXPECT_EQ(removals(cluster->audit(since), kNode), Words());
}

/// From README on, as a new user types them, on a cluster in which nothing of ours is.
TEST_F(NodeChartTest, TheCommandsOfThePagesWork) {
  cluster->kubectl({"delete", "-k", kManifests + "crds"});
  const std::string now =
      "$(kubectl get node NAME -o jsonpath='{.metadata.annotations." + replace_all(kOwnLabels, ".", "\\.") + "}')";
  const DocumentedCommands commands(
      folder.path() / "work", cluster->admin_kubeconfig(),
      {{"NAME", kNode},
       {"NODE", kNode},
       {"NAMESPACE", "node-feature-discovery"},
       {"POD", "$(kubectl -n nodescout get pods -o jsonpath='{.items[0].metadata.name}')"},
       {"FILE", "deploy/kustomize/base/nodescout.conf"},
       {"REGISTRY", "docker.io/library"},
       {"LIST", replace_all(now, "NAME", kNode)},
       {"KEY", "site-own"}});
  const auto start = steady_clock::now();
  for (const Step& step : documented_steps()) {
    if (step.how == Step::How::elsewhere) continue;
    if (!step.before.empty()) commands.run_shell(step.before);
    commands.run(step);
    if (HasFailure()) break;
    if (step.command == "kubectl -n nodescout rollout status daemonset/nodescout") {
      EXPECT_TRUE(eventually([] { return own_labels().size() > 10; }, 60s));
      std::printf("from README to labels: %.1f s\n", seconds_since(start));
    }
  }
  std::printf("the commands of the pages: %.0f s\n", seconds_since(start));
  EXPECT_TRUE(own_labels().empty()) << "the pages end with removing it";
  commands.run_shell(
      "kubectl delete namespace node-feature-discovery; kubectl label node NAME feature.node.kubernetes.io/KEY-");
  apply("crds", {"--server-side"});
}

/// A new Node registers with the startup taint, and a Pod that would fit is not bound before its labels are there.
TEST_F(NodeChartTest, TheReadinessGateKeepsPodsAway) {
  const std::string taint = "startup-taint.cluster-autoscaler.kubernetes.io/nodescout";
  deploy({"--set", "policy.readinessTaint=" + taint, "--set-json",
          R"(config={"readinessGate":{"taint":")" + taint + R"(","requires":[")" + kKernel + R"("]}})"});
  node->cut_power();
  cluster->kubectl({"delete", "node", kNode, "--wait"});
  cluster->create_namespace("gated");
  ASSERT_TRUE(eventually(
      [] {
        return static_cast<bool>(cluster->admin().get(object_path(resources::kServiceAccounts, "gated", "default")));
      },
      60s));
  must(cluster->admin().create(
      collection_path(resources::kPods, "gated"),
      json(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"gated"},"spec":{"automountServiceAccountToken":false,
      "terminationGracePeriodSeconds":1,
      "containers":[{"name":"pause","image":"localhost/pause:1","imagePullPolicy":"Never"}]}})")));
  const auto since = cluster->now_in_audit_log();
  node->register_with("[{key: " + taint + ", effect: NoSchedule}]");
  node->start();
  EXPECT_TRUE(eventually([] { return is_ready(read(object_path(resources::kPods, "gated", "gated"))); }, 300s));
  EXPECT_EQ(condition(node_now(), "NodescoutReady"), "True");

  int labelled = -1, untainted = -1, bound = -1, place = 0;
  for (const AuditEntry& entry : cluster->audit(since)) {
    const bool is_agent = entry.user == "system:serviceaccount:elsewhere:site-nodescout" && entry.verb == "patch";
    if (is_agent && at(entry.request, {"metadata", "labels", kKernel})) labelled = place;
    if (is_agent && at(entry.request, {"spec", "taints"})) untainted = place;
    if (entry.resource == "pods/binding" && entry.name == "gated") bound = place;
    ++place;
  }
  EXPECT_GE(labelled, 0);
  EXPECT_GE(untainted, labelled);
  EXPECT_GT(bound, untainted);

  cluster->kubectl({"delete", "namespace", "gated"});
  node->register_with("[]");
}

/// The order of docs/deploy.md: no state of the Node lacks a label that NFD made.
TEST_F(NodeChartTest, NfdsPodsHandOverAndTakeBack) {
  if (!std::getenv("NODESCOUT_PEER"))
    GTEST_SKIP() << "skipped: name a folder with nfd-worker, nfd-master and nfd-gc in NODESCOUT_PEER";
  deploy({"--set", "prune=true"});
  ASSERT_EQ(helm({"uninstall", "site", "--namespace", "elsewhere", "--wait"}).status, 0);
  const auto nfd = [&](Words words) {
    words.insert(words.begin(), {"-n", "nfd"});
    cluster->kubectl(words);
  };
  const auto rolled_out = [&](const std::string& what) { nfd({"rollout", "status", what, "--timeout=300s"}); };
  cluster->kubectl({"apply", "-f", kPrograms + "nfd.yaml"});
  for (const char* what : {"deployment/master", "deployment/gc", "daemonset/worker"}) rolled_out(what);
  ASSERT_TRUE(eventually([] { return has_label(kKernel); }, 120s));
  const auto of_nfd = own_labels();
  ASSERT_GT(of_nfd.size(), 10u);
  const auto expect_every_label = [&](NodeWitness& witness) {
    for (const Value& state : witness.states())
      for (const auto& [key, value] : of_nfd)
        EXPECT_EQ(text_at(state, {"metadata", "labels", key}), value)
            << key << " at " << text_at(state, {"metadata", "resourceVersion"});
  };
  auto witness = std::make_unique<NodeWitness>(*cluster, kNode);

  nfd({"scale", "deployment", "master", "gc", "--replicas=0"});
  deploy({"--set", "config.core.compat=nfd,config.nodeRecheck=10s"});
  nfd({"delete", "daemonset", "worker", "--wait"});
  // The same labels, which are the agent's now.
  const auto of_agent = own_labels();
  for (const auto& [key, value] : of_nfd) EXPECT_TRUE(of_agent.contains(key)) << "NFD alone has " << key;
  for (const auto& [key, value] : of_agent) EXPECT_TRUE(of_nfd.contains(key)) << "NFD does not have " << key;
  expect_every_label(*witness);

  // What removing NFD's chart does unless it is told not to.
  expect_labels_back_after_prune(of_agent, 15, "at the recheck, here every 10 s");
  deploy({"--set", "config.core.compat=nfd,watchNode=true"});
  cluster->kubectl({"-n", "elsewhere", "rollout", "restart", "daemonset/site-nodescout"});
  wait_for_rollout("site-nodescout", "elsewhere");
  expect_labels_back_after_prune(of_agent, 5, "with watchNode");

  witness = std::make_unique<NodeWitness>(*cluster, kNode);
  cluster->kubectl({"apply", "-f", kPrograms + "nfd.yaml", "-l", "app.kubernetes.io/name=worker"});
  rolled_out("daemonset/worker");
  ASSERT_TRUE(eventually(
      [] { return static_cast<bool>(cluster->admin().get(object_path(resources::kNodeFeatures, "nfd", kNode))); },
      60s));
  ASSERT_EQ(helm({"uninstall", "site", "--namespace", "elsewhere", "--wait"}).status, 0);
  nfd({"scale", "deployment", "master", "gc", "--replicas=1"});
  rolled_out("deployment/master");
  expect_every_label(*witness);
  cluster->kubectl({"delete", "-f", kPrograms + "nfd.yaml", "--wait"});
}

}  // namespace
}  // namespace nodescout::test

int main(int argc, char** argv) {
  using namespace nodescout::test;
  ::testing::InitGoogleTest(&argc, argv);
  why_not_here = ControlPlane::why_not();
  if (why_not_here.empty()) why_not_here = RealNode::why_not();
  if (why_not_here.empty()) why_not_here = why_no_shipped_image();
  if (why_not_here.empty() && std::getenv("NODESCOUT_HELM")) why_not_here = helm_programs().why_not;
  if (why_not_here.empty() && !GTEST_FLAG_GET(list_tests)) enter_own_namespaces();
  return RUN_ALL_TESTS();
}
