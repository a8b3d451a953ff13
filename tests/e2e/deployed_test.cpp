// The shipped DaemonSet and its overlays, run: the image in a read-only root, as the Pod template says, against a real
// API server with the shipped rights.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "document/json.h"
#include "e2e/control_plane.h"
#include "e2e/kubelet.h"
#include "support/patience.h"
#include "support/run_program.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kKernel = "feature.node.kubernetes.io/kernel-version.full";
constexpr const char* kBooks = "nfd.node.kubernetes.io/feature-labels";
constexpr const char* kAgent = "system:serviceaccount:nodescout:nodescout";
const std::string kManifests = NODESCOUT_SOURCE_DIR "/deploy/kustomize/";

class DeployedTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!ControlPlane::why_not().empty() || !Kubelet::why_not().empty()) return;
    folder = new TempDirectory;
    fs::permissions(folder->path(), fs::perms::others_exec | fs::perms::others_read, fs::perm_options::add);
    const std::string installed = folder->path() / "installed";
    const Ran install =
        run_program({NODESCOUT_CMAKE, "--install", NODESCOUT_BUILD_DIR, "--prefix", installed + "/usr"});
    ASSERT_EQ(install.status, 0) << install.err;
    const Ran made = run_program({NODESCOUT_SOURCE_DIR "/deploy/image-root", installed, image()});
    ASSERT_EQ(made.status, 0) << made.err;
    ControlPlane::shared().install_crds();
    ControlPlane::shared().install();
  }
  static void TearDownTestSuite() { delete std::exchange(folder, nullptr); }
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    if (const std::string why = Kubelet::why_not(); !why.empty()) GTEST_SKIP() << "skipped: " << why;
    cluster = &ControlPlane::shared();
  }
  static std::string image() { return folder->path() / "image"; }

  void apply(const std::string& overlay) { cluster->kubectl({"apply", "-k", kManifests + overlay}); }
  Value node(const std::string& name) { return must(cluster->admin().get(object_path(resources::kNodes, "", name))); }
  std::string on_node(const std::string& name, const char* map, const char* key) {
    const Value object = node(name);
    const Value* all = object.find("metadata")->find(map);
    const Value* found = all ? all->find(key) : nullptr;
    return found ? found->text : "";
  }
  std::size_t labels_on(const std::string& name) {
    const Value object = node(name);
    const Value* all = object.find("metadata")->find("labels");
    return all ? all->members.size() : 0;
  }
  static bool within(std::chrono::seconds patience, const std::function<bool()>& done) {
    Patience left(patience);
    while (!done()) {
      if (left.is_over()) return false;
      std::this_thread::sleep_for(50ms);
    }
    return true;
  }
  /// Of Nodes.
  std::size_t writes_since(std::uintmax_t mark) {
    std::size_t count = 0;
    for (const AuditEntry& entry : cluster->audit(mark))
      count += entry.user == kAgent && entry.resource.starts_with("nodes") && entry.verb != "get";
    return count;
  }

  static TempDirectory* folder;
  ControlPlane* cluster = nullptr;
};
TempDirectory* DeployedTest::folder = nullptr;

TEST_F(DeployedTest, TheAgentLabelsItsNodeAndLeavesItLabelled) {
  apply("base");
  cluster->kubectl({"-n", "nodescout", "patch", "configmap", "nodescout-rules", "--type=merge", "-p",
                    R"({"data":{"site.yaml":"- name: site\n  labels: {site: \"yes\", example.com/x: \"1\"}\n"}})"});
  cluster->create_node("deployed-base");
  Kubelet kubelet(*cluster, image(), "deployed-base");
  auto agent = kubelet.start("containers", 0);
  EXPECT_TRUE(within(30s, [&] { return !on_node("deployed-base", "labels", kKernel).empty(); })) << agent->end_of_log();
  EXPECT_EQ(on_node("deployed-base", "labels", "feature.node.kubernetes.io/site"), "yes") << "rules of the ConfigMap";
  EXPECT_TRUE(within(
      10s,
      [&] {
        return cluster->kubectl({"describe", "node", "deployed-base"}).find("example.com/x") != std::string::npos;
      }))
      << "an Event says what was rejected\n"
      << agent->end_of_log();
  EXPECT_TRUE(within(10s, [&] { return kubelet.probe("readinessProbe") == 200; })) << agent->end_of_log();
  EXPECT_EQ(kubelet.probe("livenessProbe"), 200);
  EXPECT_EQ(kubelet.probe("startupProbe"), 200);
  for (const char* trouble : {"level=error", "uevents cannot", "Read-only file system", "Permission denied"})
    EXPECT_EQ(agent->end_of_log().find(trouble), std::string::npos) << agent->end_of_log();
  EXPECT_TRUE(within(5s, [&] { return fs::exists(kubelet.scratch("state") / "state.json"); })) << "what it remembers";

  const auto diff = kubelet.start("containers", 0, "diff");
  const int compared = diff->wait(30s);
  EXPECT_TRUE(WIFEXITED(compared) && WEXITSTATUS(compared) == 0) << diff->end_of_log();
  EXPECT_NE(diff->end_of_log().find("nothing would change"), std::string::npos) << diff->end_of_log();

  const Value before = node("deployed-base");
  const int status = agent->stop();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << agent->end_of_log();
  cluster->kubectl({"delete", "-n", "nodescout", "daemonset", "nodescout"});
  EXPECT_TRUE(same_content(node("deployed-base"), before)) << "a DaemonSet that goes takes nothing with it";

  apply("base");
  const auto mark = cluster->now_in_audit_log();
  agent = kubelet.start("containers", 0);
  EXPECT_TRUE(within(30s, [&] { return kubelet.probe("readinessProbe") == 200; })) << agent->end_of_log();
  EXPECT_EQ(writes_since(mark), 0u) << "an agent that finds what it wrote writes nothing";
}

TEST_F(DeployedTest, PruningTakesBackWhatTheAgentWrote) {
  apply("base");
  cluster->create_node("deployed-prune", json(R"({"metadata":{"labels":{"nvidia.com/gpu.deploy.driver":"true"}}})"));
  Kubelet kubelet(*cluster, image(), "deployed-prune");
  auto agent = kubelet.start("containers", 0);
  ASSERT_TRUE(within(30s, [&] { return !on_node("deployed-prune", "labels", kKernel).empty(); }))
      << agent->end_of_log();
  agent->stop();

  apply("overlays/prune");
  const auto prune = kubelet.start("initContainers", 0);
  const int status = prune->wait(30s);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << prune->end_of_log();
  EXPECT_EQ(labels_on("deployed-prune"), 1u) << to_json(node("deployed-prune"));
  EXPECT_EQ(on_node("deployed-prune", "labels", "nvidia.com/gpu.deploy.driver"), "true");
  EXPECT_EQ(on_node("deployed-prune", "annotations", kBooks), "");

  const auto mark = cluster->now_in_audit_log();
  agent = kubelet.start("containers", 0);
  EXPECT_TRUE(within(30s, [&] { return kubelet.probe("readinessProbe") == 200; })) << agent->end_of_log();
  EXPECT_EQ(writes_since(mark), 0u);
  EXPECT_EQ(labels_on("deployed-prune"), 1u);
  apply("base");
}

TEST_F(DeployedTest, PruningFailsWhileAKeyIsLeft) {
  cluster->create_node("deployed-left",
                       json(R"({"metadata":{"labels":{"example.com/nfd":"1","feature.node.kubernetes.io/x":"1"},
    "annotations":{"nfd.node.kubernetes.io/feature-labels":"example.com/nfd,x"}}})"));
  apply("overlays/prune");
  Kubelet kubelet(*cluster, image(), "deployed-left");
  const auto prune = kubelet.start("initContainers", 0);
  const int status = prune->wait(30s);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status << prune->end_of_log();
  EXPECT_NE(prune->end_of_log().find("not removed, still owned: label example.com/nfd"), std::string::npos)
      << prune->end_of_log();
  EXPECT_EQ(on_node("deployed-left", "labels", "feature.node.kubernetes.io/x"), "") << "one key costs itself";
  apply("base");
}

TEST_F(DeployedTest, AsNodeFeatureItLeavesTheNodeAlone) {
  apply("overlays/nodefeature");
  cluster->create_node("deployed-object");
  const Value before = node("deployed-object");
  Kubelet kubelet(*cluster, image(), "deployed-object");
  const auto agent = kubelet.start("containers", 0);
  const std::string path = object_path(resources::kNodeFeatures, "nodescout", "deployed-object");
  EXPECT_TRUE(within(30s, [&] { return static_cast<bool>(cluster->admin().get(path)); })) << agent->end_of_log();
  EXPECT_TRUE(within(10s, [&] { return kubelet.probe("readinessProbe") == 200; })) << agent->end_of_log();
  const Value object = must(cluster->admin().get(path));
  EXPECT_NE(object.find("spec")->find("features")->find("attributes")->find("kernel.version"), nullptr);
  EXPECT_TRUE(same_content(node("deployed-object"), before));
  apply("base");
}

TEST_F(DeployedTest, AsFileItNeedsNoCluster) {
  // Applied to no server that has the base: what the overlay lacks would stay.
  ControlPlane alone;
  alone.kubectl({"apply", "-k", kManifests + "overlays/file"});
  alone.create_node("deployed-file");
  Kubelet kubelet(alone, image(), "deployed-file");
  const auto mark = alone.now_in_audit_log();
  const auto agent = kubelet.start("containers", 0);
  EXPECT_TRUE(within(30s, [&] { return kubelet.probe("readinessProbe") == 200; })) << agent->end_of_log();
  const auto text = read_whole_file((kubelet.features() / "nodescout").string(), 1u << 20);
  ASSERT_TRUE(text) << agent->end_of_log();
  EXPECT_NE(text->find(kKernel), std::string::npos) << *text;
  for (const AuditEntry& entry : alone.audit(mark)) EXPECT_EQ(entry.user.find("serviceaccount"), std::string::npos);
}

}  // namespace
}  // namespace nodescout::test
