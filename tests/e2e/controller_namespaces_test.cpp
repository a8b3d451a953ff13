// restrictions.nodeFeatureNamespaceSelector through the controller: which NodeFeature objects count by the labels of
// their namespaces, as these change, come and go.
#include "e2e/controller_fixture.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOwn = "feature.node.kubernetes.io/own";

class ControllerNamespacesTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    if (IsSkipped()) return;
    label_rule();
    more_config =
        "nodeFeatures: {namespaces: ['*']}\n"
        "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {trusted: 'yes'}}}\n";
  }
  void create_space(const std::string& name, bool is_trusted) {
    cluster->create_namespace(name);
    trust(name, is_trusted);
  }
  void trust(const std::string& space, bool is_trusted) {
    must(cluster->admin().patch(object_path(resources::kNamespaces, "", space), PatchKind::merge,
                                json(is_trusted ? R"({"metadata":{"labels":{"trusted":"yes"}}})"
                                                : R"({"metadata":{"labels":{"trusted":null}}})")));
  }
  /// Without a controller manager, as it does once nothing is in it any more.
  void delete_space(const std::string& name) {
    const std::string path = object_path(resources::kNamespaces, "", name);
    ASSERT_TRUE(cluster->admin().remove(path));
    auto there = cluster->admin().get(path);
    if (there) {
      replace(*there, "spec", json(R"({"finalizers":[]})"));
      (void)cluster->admin().update(path + "/finalize", *there);
    }
    ASSERT_TRUE(eventually([&] { return !exists(path); }));
  }
  /// A Node with an object in `space`, and one in the controller's own namespace, so that something of it counts.
  void node_with_objects(const std::string& node, const std::string& space) {
    cluster->create_node(node);
    node_feature(node, space);
    object_with_labels("own-" + node, node, R"({"own":"true"})");
  }
};

TEST_F(ControllerNamespacesTest, LabelsOfNamespacesDecideAndMayChange) {
  create_space("sel-yes", true);
  create_space("sel-no", false);
  node_with_objects("sel-a", "sel-yes");
  node_with_objects("sel-b", "sel-no");
  Process& process = start();
  EXPECT_TRUE(wait_for_label(*cluster, "sel-a", kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(wait_for_label(*cluster, "sel-b", kOwn, "true"));
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }));
  EXPECT_EQ(label_of(*cluster, "sel-b", kLabel), std::nullopt);

  trust("sel-no", true);
  EXPECT_TRUE(wait_for_label(*cluster, "sel-b", kLabel, "true")) << process.end_of_log();
  trust("sel-yes", false);
  EXPECT_TRUE(wait_for_label(*cluster, "sel-a", kLabel, std::nullopt)) << process.end_of_log();
  EXPECT_EQ(label_of(*cluster, "sel-a", kOwn), "true");
  EXPECT_EQ(label_of(*cluster, "sel-b", kLabel), "true");
}

TEST_F(ControllerNamespacesTest, ANamespaceThatGoesLeavesNoTrustBehind) {
  create_space("sel-goes", true);
  node_with_objects("sel-c", "sel-goes");
  Process& process = start();
  ASSERT_TRUE(wait_for_label(*cluster, "sel-c", kLabel, "true")) << process.end_of_log();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, "sel-goes", "sel-c")));
  delete_space("sel-goes");
  EXPECT_TRUE(wait_for_label(*cluster, "sel-c", kLabel, std::nullopt)) << process.end_of_log();
  // Another namespace of that name is not trusted. The later object says that the earlier one has been seen.
  cluster->create_namespace("sel-goes");
  node_with_objects("sel-d", "sel-goes");
  EXPECT_TRUE(wait_for_label(*cluster, "sel-d", kOwn, "true"));
  EXPECT_EQ(label_of(*cluster, "sel-d", kLabel), std::nullopt);
}

TEST_F(ControllerNamespacesTest, WithoutTheRightToReadNamespacesNothingIsRemoved) {
  create_space("sel-yes", true);
  node_with_objects("sel-e", "sel-yes");
  Process& before = start();
  ASSERT_TRUE(wait_for_label(*cluster, "sel-e", kLabel, "true")) << before.end_of_log();
  ASSERT_TRUE(wait_for_label(*cluster, "sel-e", kOwn, "true"));
  before.stop();

  cluster->create_service_account(
      "default", "controller-no-namespaces",
      R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":["get","list","watch","patch"]},)"
      R"({"apiGroups":["nfd.k8s-sigs.io"],"resources":["*"],"verbs":["get","list","watch","patch"]},)"
      R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","list"]}])");
  const std::string token = cluster->token("default", "controller-no-namespaces", "sel-e");
  const auto point = cluster->now_in_audit_log();
  cluster->create_node("sel-f");
  object_with_labels("own-sel-f", "sel-f", R"({"own":"true"})");
  Process& process = start({}, cluster->kubeconfig("no-namespaces", R"({"token":")" + token + "\"}"));
  EXPECT_TRUE(wait_for_label(*cluster, "sel-f", kOwn, "true")) << process.end_of_log();
  EXPECT_TRUE(log_has(process, "namespaces")) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }));
  EXPECT_EQ(label_of(*cluster, "sel-e", kLabel), "true");
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

}  // namespace
}  // namespace nodescout::test
