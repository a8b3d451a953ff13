// What an administrator sees of a running controller, and how it behaves as one of several: metrics under NFD's names,
// probes, noPublish, and a Lease that is lost and regained.
#include <algorithm>

#include "e2e/controller_fixture.h"
#include "kube/transport.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

class ControllerServiceTest : public ControllerTest {
 protected:
  /// As start(), but it listens.
  Process& serve(std::vector<std::string> more = {}, const fs::path& kubeconfig = {}) {
    port = free_port();
    std::vector<std::string> words{nodescout_program(), "controller",
                                   "--kubeconfig",      (kubeconfig.empty() ? admin() : kubeconfig).string(),
                                   "--listen",          "127.0.0.1:" + std::to_string(port),
                                   "--config",          config()};
    words.insert(words.end(), more.begin(), more.end());
    processes.push_back(std::make_unique<Process>(words, folder.path() / ("log-" + std::to_string(processes.size()))));
    return *processes.back();
  }
  /// The value of a series as /metrics has it, "name{label=\"x\"}"; empty if it is not there.
  std::string metric(const std::string& series) {
    const std::string text = "\n" + http_get(port, "/metrics").body;
    const std::size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) return "";
    const std::size_t start = at + series.size() + 2;
    return text.substr(start, text.find('\n', start) - start);
  }
  double number(const std::string& series) {
    const std::string value = metric(series);
    return value.empty() ? -1 : std::stod(value);
  }
  int times_in_log(const Process& process, const std::string& text) const {
    std::ifstream file(process.log());
    const std::string whole((std::istreambuf_iterator<char>(file)), {});
    int times = 0;
    for (std::size_t at = whole.find(text); at != std::string::npos; at = whole.find(text, at + 1)) ++times;
    return times;
  }
  /// Requests of the controller since then that change something.
  std::vector<std::string> writes(std::uintmax_t since) {
    std::vector<std::string> out;
    for (const AuditEntry& entry : cluster->audit(since))
      if (entry.user == "controller" && entry.verb != "get" && entry.verb != "list" && entry.verb != "watch")
        out.push_back(entry.verb + " " + entry.resource + " " + entry.name);
    return out;
  }

  int port = 0;
};

TEST_F(ControllerServiceTest, CountsUnderTheNamesOfNfd) {
  rule("counted", R"([{"name":"r","labels":{"from-rule":"true","kubernetes.io/not-allowed":"1"},)"
                  R"("taints":[{"key":"kubernetes.io/no","value":"x","effect":"NoSchedule"}],)"
                  R"("extendedResources":{"kubernetes.io/no":"1"},"matchFeatures":[)"
                  R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]},)"
                  R"({"name":"broken","labelsTemplate":"{{ nonsense }}","matchFeatures":[)"
                  R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatureGroups, "default"),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureGroup","metadata":{"name":"counted"},)"
           R"("spec":{"featureGroupRules":[{"name":"g","matchFeatures":[{"feature":"kernel.loadedmodule",)"
           R"("matchExpressions":{"nvme":{"op":"Exists"}}}]}]}})")));
  for (const char* node : {"svc-a", "svc-gone"}) {
    cluster->create_node(node);
    node_feature(node);
  }
  Process& process = serve({"--collect-after", "1s"});
  ASSERT_TRUE(wait_for_label(*cluster, "svc-a", kLabel, "true")) << process.end_of_log();
  ASSERT_TRUE(wait_for_label(*cluster, "svc-gone", kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return number("nfd_master_node_updates_total") >= 2; }));
  EXPECT_GE(number("nfd_master_node_update_requests_total"), 2);
  EXPECT_EQ(number("nfd_master_node_update_failures_total"), 0);
  EXPECT_GE(number("nfd_master_node_labels_rejected_total"), 2);
  EXPECT_GE(number("nfd_master_node_taints_rejected_total"), 2);
  EXPECT_GE(number("nfd_master_node_extendedresources_rejected_total"), 2);
  EXPECT_GE(number("nfd_master_nodefeaturerule_processing_errors_total"), 2);
  EXPECT_GE(number("nfd_master_nodefeaturerule_processing_duration_seconds_count"), 2);
  EXPECT_TRUE(eventually([&] { return number("nfd_master_node_feature_group_update_requests_total") >= 1; }));
  for (const char* name : {"nfd_master_build_info", "nfd_gc_build_info", "nodescout_build_info"})
    EXPECT_NE(http_get(port, "/metrics").body.find("\n" + std::string(name) + "{version="), std::string::npos) << name;
  EXPECT_EQ(number("nodescout_controller_leads"), 1);
  for (const char* resource : {"nodes", "nodefeatures", "nodefeaturerules", "nodefeaturegroups"})
    EXPECT_EQ(number("nodescout_watch_live{resource=\"" + std::string(resource) + "\"}"), 1) << resource;

  const std::string deleted = R"(nfd_gc_objects_deleted_total{kind="NodeFeature"})";
  EXPECT_EQ(number(deleted), 0) << "from the first scrape on, so that rates are right";
  EXPECT_EQ(number(R"(nfd_gc_object_delete_failures_total{kind="NodeFeature"})"), 0);
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", "svc-gone")));
  EXPECT_TRUE(eventually([&] { return number(deleted) == 1; })) << process.end_of_log();
}

TEST_F(ControllerServiceTest, ProbesSayWhetherItRunsAndWhetherItKnowsTheCluster) {
  const fs::path nowhere = admin("https://127.0.0.1:" + std::to_string(free_port()));
  Process& cut_off = serve({}, nowhere);
  ASSERT_TRUE(eventually([&] { return http_get(port, "/healthz").status == 200; })) << cut_off.end_of_log();
  const Response unready = http_get(port, "/readyz");
  EXPECT_EQ(unready.status, 503);
  EXPECT_NE(unready.body.find("not all known yet"), std::string::npos) << unready.body;
  cut_off.stop();

  Process& process = serve({"--enable-leader-election"});
  EXPECT_TRUE(eventually([&] { return http_get(port, "/readyz").status == 200; })) << process.end_of_log();
  EXPECT_EQ(http_get(port, "/healthz").status, 200);
  const int leader = port;
  Process& standby = serve({"--enable-leader-election"});
  EXPECT_TRUE(eventually([&] { return http_get(port, "/readyz").status == 200; }))
      << "a standby is ready to take over" << standby.end_of_log();
  EXPECT_NE(port, leader);
}

TEST_F(ControllerServiceTest, UnderNoPublishItEvaluatesAndWritesNothing) {
  more_config = "noPublish: true\n";
  label_rule();
  cluster->create_node("svc-b");
  node_feature("svc-b");
  node_feature("svc-vanished");
  must(cluster->admin().create(
      collection_path(resources::kNodeFeatureGroups, "default"),
      json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureGroup","metadata":{"name":"unwritten"},)"
           R"("spec":{"featureGroupRules":[{"name":"g","matchFeatures":[{"feature":"kernel.loadedmodule",)"
           R"("matchExpressions":{"nvme":{"op":"Exists"}}}]}]}})")));
  object_with_labels("refused", "svc-b", R"({"kubernetes.io/not-allowed":"1"})");
  const auto point = cluster->now_in_audit_log();
  Process& process = serve({"--collect-after", "0s"});
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); })) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "kubernetes.io/not-allowed"); })) << process.end_of_log();
  EXPECT_GE(number("nfd_master_node_update_requests_total"), 1);
  EXPECT_EQ(number("nfd_master_node_updates_total"), 0);
  EXPECT_EQ(label_of(*cluster, "svc-b", kLabel), std::nullopt);
  EXPECT_TRUE(exists(object_path(resources::kNodeFeatures, "default", "svc-vanished")));
  process.stop();
  EXPECT_EQ(writes(point), std::vector<std::string>());

  // --prune does nothing either.
  node_with_old_label("svc-pruned");
  EXPECT_EQ(serve({"--prune"}).wait(20s), 0);
  EXPECT_EQ(label_of(*cluster, "svc-pruned", "feature.node.kubernetes.io/old"), "true");
  EXPECT_EQ(writes(point), std::vector<std::string>());
}

/// Else 5,000 Nodes would try it again and again, each on its own.
TEST_F(ControllerServiceTest, WithoutTheRightToPatchOneNodeTriesForAll) {
  label_rule();
  const auto name = [](int i) { return "svc-denied-" + std::to_string(i); };
  constexpr int kNodes = 40;
  for (int i = 0; i < kNodes; ++i) {
    cluster->create_node(name(i));
    node_feature(name(i));
  }
  const auto rights = [](const char* nodes) {
    return R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":)" + std::string(nodes) +
           R"(},{"apiGroups":["nfd.k8s-sigs.io"],"resources":["*"],"verbs":["get","list","watch"]},)"
           R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","list"]}])";
  };
  cluster->create_service_account("default", "controller-denied", rights(R"(["get","list","watch"])"));
  const std::string token = cluster->token("default", "controller-denied", name(0));
  Process& process = serve({}, cluster->kubeconfig("denied", R"({"token":")" + token + "\"}"));
  EXPECT_TRUE(eventually([&] { return log_has(process, "no Node is written"); })) << process.end_of_log();
  const auto point = cluster->now_in_audit_log();
  // Nodes that were denied before the pause began are tried once more on their own, and then wait as well.
  const auto denied = [&] {
    std::vector<AuditEntry> found;
    for (AuditEntry& entry : cluster->audit(point))
      if (entry.verb == "patch" && entry.resource == "nodes" && entry.code == 403 &&
          entry.user == "system:serviceaccount:default:controller-denied")
        found.push_back(std::move(entry));
    return found;
  };
  // A try is a write of the Node, and one of nothing that says whether the account may write at all.
  const auto are_rare = [&] {
    const auto all = denied();
    return all.size() >= 4 && all.back().received - all[all.size() - 3].received >= 3s;
  };
  EXPECT_TRUE(eventually(are_rare, 60s)) << "they get rarer";
  // Each Node that was under way when the pause began, and those few. If each tried on its own, it would be hundreds.
  EXPECT_LE(denied().size(), 2u * kNodes + 20u);
  EXPECT_FALSE(log_has(process, "all Nodes are up to date"));
  EXPECT_EQ(times_in_log(process, "no Node is written"), 1);
  must(cluster->admin().patch("/apis/rbac.authorization.k8s.io/v1/clusterroles/controller-denied", PatchKind::merge,
                              json(R"({"rules":)" + rights(R"(["get","list","watch","patch"])") + "}")));
  for (int i = 0; i < kNodes; ++i)
    EXPECT_TRUE(wait_for_label(*cluster, name(i), kLabel, "true", 70s)) << name(i) << process.end_of_log();
}

/// The process that lost the Lease goes on watching, writes nothing meanwhile, and does all of its work once it leads
/// again: Nodes that changed, and Nodes that went.
TEST_F(ControllerServiceTest, ALeaseThatIsLostIsRegained) {
  more_config = "leaderElection: {leaseDuration: 4s, renewDeadline: 2s, retryPeriod: 500ms}\n";
  label_rule();
  for (const char* node : {"svc-c", "svc-d", "svc-e"}) cluster->create_node(node);
  for (const char* node : {"svc-c", "svc-e"}) node_feature(node);
  Process& process = serve({"--enable-leader-election", "--collect-after", "1s"});
  ASSERT_TRUE(wait_for_label(*cluster, "svc-c", kLabel, "true")) << process.end_of_log();
  ASSERT_TRUE(wait_for_label(*cluster, "svc-e", kLabel, "true")) << process.end_of_log();
  ASSERT_TRUE(eventually([&] { return number("nodescout_controller_leads") == 1; }));

  // Another process takes it, renews it for a while, and dies.
  const std::string path = object_path(resources::kLeases, "default", "nfd-master.nfd.kubernetes.io");
  int renewals = 0;
  const auto take = [&] {
    return cluster->admin()
        .patch(path, PatchKind::merge,
               json(R"({"spec":{"holderIdentity":"another","leaseDurationSeconds":4,"leaseTransitions":)" +
                    std::to_string(100 + ++renewals) + "}}"))
        .has_value();
  };
  ASSERT_TRUE(take());
  ASSERT_TRUE(eventually([&] { return log_has(process, "not leading"); }));
  const auto point = cluster->now_in_audit_log();
  EXPECT_EQ(number("nodescout_controller_leads"), 0);
  node_feature("svc-d");
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", "svc-e")));
  const auto looks = [&] {
    const auto audit = cluster->audit(point);
    return std::count_if(audit.begin(), audit.end(), [](const AuditEntry& entry) {
      return entry.user == "controller" && entry.verb == "get" && entry.resource == "leases";
    });
  };
  EXPECT_TRUE(eventually([&] { return take() && looks() >= 6; })) << "it goes on watching the Lease";
  EXPECT_EQ(writes(point), std::vector<std::string>());
  EXPECT_EQ(label_of(*cluster, "svc-d", kLabel), std::nullopt);

  EXPECT_TRUE(wait_for_label(*cluster, "svc-d", kLabel, "true", 30s)) << process.end_of_log();
  EXPECT_EQ(times_in_log(process, "msg=leading"), 2) << process.end_of_log();
  EXPECT_EQ(number("nodescout_controller_leads"), 1);
  // It deletes once every watch has said something since; else within a minute, when bookmarks come.
  cluster->create_node("svc-f");
  node_feature("svc-f");
  rule("another", "[]");
  EXPECT_TRUE(wait_for_label(*cluster, "svc-f", kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return !exists(object_path(resources::kNodeFeatures, "default", "svc-e")); }))
      << process.end_of_log();
  EXPECT_EQ(text_at(must(cluster->admin().get(path)), {"spec", "leaseTransitions"}), std::to_string(101 + renewals));
}

}  // namespace
}  // namespace nodescout::test
