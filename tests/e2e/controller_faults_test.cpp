// `nodescout controller` while the API server, its objects, their kinds or its rights fail: nothing true goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/base64.h"
#include "base/text.h"
#include "e2e/controller_fixture.h"
#include "e2e/fault_proxy.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

class ControllerFaultTest : public ControllerTest {
 protected:
  static constexpr int kNodes = 30;

  void SetUp() override {
    ControllerTest::SetUp();
    if (!cluster) return;
    proxy = std::make_unique<FaultProxy>(
        cluster->authority(),
        FaultProxy::Options{.upstream_port = cluster->port(),
                            .identity = cluster->authority().for_user("controller", {"system:masters"})});
    label_rule();
    for (int i = 0; i < kNodes; ++i) {
      cluster->create_node(name(i));
      node_feature(name(i));
    }
  }
  static std::string name(int i) { return "fn-" + std::to_string(i); }
  Process& start_through_proxy(std::vector<std::string> more = {}) {
    return start(std::move(more), admin(proxy->server()));
  }
  bool are_labelled() {
    for (int i = 0; i < kNodes; ++i)
      if (label_of(*cluster, name(i), kLabel) != "true") return false;
    return true;
  }
  /// Labelled by a controller that is gone.
  std::uintmax_t labelled_before() {
    Process& process = start();
    EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
    process.stop();
    return cluster->now_in_audit_log();
  }

  std::unique_ptr<FaultProxy> proxy;
};

TEST_F(ControllerFaultTest, AListThatIsCutRemovesNothing) {
  const auto point = labelled_before();
  for (const char* what : {"nodefeatures", "nodefeaturerules", "nodes"})
    for (const std::size_t bytes : {900u, 5000u})
      proxy->add({.target = std::string("/") + what + "?", .times = 2, .cut = bytes});
  Process& process = start_through_proxy();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s)) << process.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  EXPECT_TRUE(are_labelled());
}

TEST_F(ControllerFaultTest, WatchesThatEndWithGoneRemoveNothing) {
  const auto point = labelled_before();
  Process& process = start_through_proxy();
  ASSERT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s));
  proxy->add(
      {.target = "watch=", .times = 6, .answer = answer_of(410, R"({"kind":"Status","code":410,"reason":"Expired"})")});
  proxy->drop_connections();
  std::this_thread::sleep_for(3s);
  cluster->create_node("fn-new");
  node_feature("fn-new");
  EXPECT_TRUE(wait_for_label(*cluster, "fn-new", kLabel, "true", 60s)) << process.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerFaultTest, RulesThatCannotBeListedRemoveNothing) {
  const auto point = labelled_before();
  proxy->add({.target = "/nodefeaturerules", .answer = answer_of(403, R"({"kind":"Status","code":403})")});
  start_through_proxy();
  std::this_thread::sleep_for(8s);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

/// The new object has generation 1, as the old one had, and the watch reports it as a change.
TEST_F(ControllerFaultTest, ARuleThatIsDeletedAndCreatedAgainUnseenIsAnother) {
  Process& process = start_through_proxy();
  ASSERT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s));
  proxy->add({.target = "/nodefeaturerules", .answer = answer_of(503, R"({"kind":"Status","code":503})")});
  proxy->drop_connections();
  ASSERT_TRUE(eventually([&] { return log_has(process, "watch-in-trouble"); }, 60s));
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "by-module")));
  rule("by-module", R"([{"name":"r","labels":{"from-rule":"another"},"matchFeatures":[)"
                    R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}}]}])");
  proxy->clear();
  for (const int i : {0, kNodes - 1})
    EXPECT_TRUE(wait_for_label(*cluster, name(i), kLabel, "another", 60s)) << process.end_of_log();
}

/// What is removed waits until everything is known, and then it is removed, although nothing more happens.
TEST_F(ControllerFaultTest, NodesThatWereJudgedDuringTroubleAreJudgedAgain) {
  labelled_before();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "by-module")));
  proxy->add({.target = "/nodefeaturerules", .answer = answer_of(403, R"({"kind":"Status","code":403})")});
  Process& process = start_through_proxy();
  cluster->create_node("fn-late");
  node_feature("fn-late");
  ASSERT_TRUE(wait_for_label(*cluster, "fn-late", kWorkerLabel, "true", 60s)) << process.end_of_log();
  EXPECT_TRUE(are_labelled()) << "rules are not known";
  proxy->clear();
  EXPECT_TRUE(eventually([&] { return !label_of(*cluster, name(0), kLabel); }, 90s)) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return !label_of(*cluster, name(kNodes - 1), kLabel); }, 30s));
}

class ControllerCrdTest : public ControllerFaultTest {
 protected:
  static std::string definition(const Resource& resource) {
    return "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + std::string(resource.plural) + "." +
           std::string(resource.group);
  }
  /// As `kubectl delete crd`: the server deletes all objects, then the kinds.
  void delete_crds() {
    // Times are in seconds: what is created again must be younger.
    const auto now = cluster->admin().server_time();
    ASSERT_TRUE(eventually([&] {
      must(cluster->admin().get(definition(kKinds[0])));
      return cluster->admin().server_time() > now + 1s;
    }));
    for (const Resource& kind : kKinds) ASSERT_TRUE(cluster->admin().remove(definition(kind)));
    ASSERT_TRUE(eventually(
        [&] {
          return std::none_of(kKinds.begin(), kKinds.end(), [&](auto& kind) { return exists(definition(kind)); });
        },
        60s));
  }
  /// Every Node gets this label, so all of them have been evaluated since.
  void rule_for_all(const std::string& label) { rule(label, R"([{"name":"r","labels":{")" + label + R"(":"true"}}])"); }
  void expect_on_all(const std::string& label) {
    for (int i = 0; i < kNodes; ++i)
      EXPECT_TRUE(wait_for_label(*cluster, name(i), "feature.node.kubernetes.io/" + label, "true", 60s))
          << name(i) << "\n"
          << processes.back()->end_of_log();
  }
  /// The kinds are back: the workers and the administrator create their objects again, but for one Node. Nothing has
  /// gone from any Node since `point`; then deletions are believed again.
  void comes_back(std::uintmax_t point) {
    cluster->install_crds();
    label_rule();
    for (int i = 1; i < kNodes; ++i) node_feature(name(i));
    rule_for_all("after");
    expect_on_all("after");
    EXPECT_TRUE(are_labelled());
    EXPECT_EQ(removed_since(point), std::vector<std::string>());
    // The watch of the objects may be back later than that of the rules. An object that is deleted before that was
    // never seen by a controller that has just started, and then its labels stay.
    must(cluster->admin().patch(object_path(resources::kNodeFeatures, "default", name(1)), PatchKind::merge,
                                json(R"({"spec":{"labels":{"feature.node.kubernetes.io/back":"true"}}})")));
    EXPECT_TRUE(wait_for_label(*cluster, name(1), "feature.node.kubernetes.io/back", "true", 60s))
        << processes.back()->end_of_log();
    delete_node_feature(name(1));
    EXPECT_TRUE(wait_for_label(*cluster, name(1), kLabel, std::nullopt)) << processes.back()->end_of_log();
    EXPECT_TRUE(wait_for_label(*cluster, name(1), kWorkerLabel, std::nullopt));
    ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "after")));
    EXPECT_TRUE(wait_for_label(*cluster, name(2), "feature.node.kubernetes.io/after", std::nullopt));
    EXPECT_EQ(label_of(*cluster, name(0), kLabel), "true") << "its object is not back";
  }
  static constexpr std::array kKinds{resources::kNodeFeatures, resources::kNodeFeatureRules};
};

TEST_F(ControllerCrdTest, CrdsThatAreDeletedAndCreatedAgainLaterRemoveNothing) {
  Process& process = start();
  ASSERT_TRUE(eventually([&] { return are_labelled(); }, 60s)) << process.end_of_log();
  const auto point = cluster->now_in_audit_log();
  delete_crds();
  for (const Resource& kind : kKinds)
    EXPECT_TRUE(eventually([&] {
      return log_has(process, "the CustomResourceDefinition " + std::string(kind.plural));
    })) << process.end_of_log();
  // What the objects and rules made is still wanted.
  must(cluster->admin().patch(object_path(resources::kNodes, "", name(0)), PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/from-rule":null}}})")));
  EXPECT_TRUE(wait_for_label(*cluster, name(0), kLabel, "true")) << process.end_of_log();
  EXPECT_TRUE(are_labelled());
  EXPECT_EQ(removed_since(point), std::vector{name(0) + " " + kLabel}) << "by hand";
  comes_back(cluster->now_in_audit_log());
}

TEST_F(ControllerCrdTest, CrdsThatAreReplacedAtOnceRemoveNothing) {
  Process& process = start();
  ASSERT_TRUE(eventually([&] { return are_labelled(); }, 60s)) << process.end_of_log();
  const auto point = cluster->now_in_audit_log();
  delete_crds();
  comes_back(point);
}

TEST_F(ControllerCrdTest, AControllerThatStartsWhileTheCrdsAreMissingRemovesNothing) {
  const auto point = labelled_before();
  delete_crds();
  Process& process = start();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s)) << process.end_of_log();
  EXPECT_TRUE(eventually([&] { return log_has(process, "code=kind-missing"); })) << process.end_of_log();
  comes_back(point);
}

TEST_F(ControllerFaultTest, AMalformedObjectCostsOnlyItsNode) {
  const auto point = labelled_before();
  // As where somebody installed a definition of the kind that checks nothing.
  const std::string kind = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodefeatures.nfd.k8s-sigs.io";
  const Value definition = must(cluster->admin().get(kind));
  const auto set_schema = [&](const Value& schema) {
    Value change = json(R"({"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema"})");
    change.add("value", schema);
    must(cluster->admin().patch(kind, PatchKind::json, Value::list({change})));
  };
  set_schema(json(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})"));
  const auto spoil = [&] {
    return cluster->admin()
        .patch(object_path(resources::kNodeFeatures, "default", name(0)), PatchKind::merge,
               json(R"({"spec":{"features":{"flags":{"kernel.loadedmodule":["nvme"]}}}})"))
        .has_value();
  };
  EXPECT_TRUE(eventually(spoil));
  Process& process = start();
  EXPECT_TRUE(eventually([&] { return log_has(process, "all Nodes are up to date"); }, 60s));
  EXPECT_TRUE(log_has(process, "NodeFeature/default/" + name(0))) << process.end_of_log();
  cluster->create_node("fn-other");
  node_feature("fn-other");
  EXPECT_TRUE(wait_for_label(*cluster, "fn-other", kLabel, "true"));
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  process.stop();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatures, "default", name(0))));
  set_schema(*at(definition.find("spec")->find("versions")->items.at(0), {"schema", "openAPIV3Schema"}));
}

TEST_F(ControllerFaultTest, ACrashBetweenTwoPatchesLeavesNothingHalfDone) {
  // The answers of some patches are lost, and the process with them.
  const auto point = cluster->now_in_audit_log();
  for (int round = 0; round < 5; ++round) {
    proxy->clear();
    proxy->add({.method = "PATCH", .skip = 3 * round, .cut = 0});
    Process& process = start_through_proxy();
    std::this_thread::sleep_for(std::chrono::milliseconds(700 + 200 * round));
    process.signal(SIGKILL);
    process.wait(10s);
  }
  proxy->clear();
  start_through_proxy();
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

TEST_F(ControllerFaultTest, WhatRulesLookAtMayShrinkAndGrow) {
  rule("more", R"([{"name":"m","labels":{"hz":"@kernel.config.HZ"},"matchFeatures":[)"
               R"({"feature":"kernel.config","matchExpressions":{"NO_HZ":{"op":"Exists"}}}]}])");
  Process& process = start_through_proxy();
  const std::string hz = "feature.node.kubernetes.io/hz";
  ASSERT_TRUE(wait_for_label(*cluster, name(kNodes - 1), hz, "250", 60s)) << process.end_of_log();
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodeFeatureRules, "", "more")));
  for (int i = 0; i < kNodes; ++i) ASSERT_TRUE(wait_for_label(*cluster, name(i), hz, std::nullopt, 60s));
  process.stop();
  // A new process reads less; a rule that looks at more must not be judged by that, though the reading fails at first.
  const auto point = cluster->now_in_audit_log();
  Process& next = start_through_proxy();
  ASSERT_TRUE(eventually([&] { return log_has(next, "all Nodes are up to date"); }, 60s));
  proxy->add({.method = "GET", .target = "/nodefeatures?limit", .times = 6, .answer = answer_of(500, "{}")});
  rule("more", R"([{"name":"m","labels":{"hz":"@kernel.config.HZ"},"matchFeatures":[)"
               R"({"feature":"kernel.config","matchExpressions":{"NO_HZ":{"op":"Exists"}}}]}])");
  EXPECT_TRUE(wait_for_label(*cluster, name(0), hz, "250", 60s)) << next.end_of_log();
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
}

/// The agent's matrix: whatever the server does, nothing goes, and afterwards the controller goes on.
class ControllerFaultMatrixTest : public ControllerFaultTest {
 protected:
  void SetUp() override {
    ControllerFaultTest::SetUp();
    if (!cluster) return;
    point = labelled_before();
    process = &start_through_proxy();
    EXPECT_TRUE(eventually([&] { return log_has(*process, "all Nodes are up to date"); }, 60s));
  }
  void set_rule(const std::string& value) {
    must(cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", "by-module"), PatchKind::merge,
                                json(R"({"spec":{"rules":[{"name":"r","labels":{"from-rule":")" + value +
                                     R"("},"matchFeatures":[{"feature":"kernel.loadedmodule",)"
                                     R"("matchExpressions":{"nvme":{"op":"Exists"}}}]}]}})")));
  }
  /// Something that concerns every Node happens meanwhile.
  void suffer(const Fault& fault, std::chrono::milliseconds time) {
    proxy->clear();
    proxy->add(fault);
    proxy->drop_connections();
    set_rule("meanwhile-" + std::to_string(++rounds_));
    std::this_thread::sleep_for(time);
  }
  void expect_alive_and_nothing_removed() {
    proxy->clear();
    proxy->drop_connections();
    set_rule("alive");
    for (int i = 0; i < kNodes; ++i)
      EXPECT_TRUE(wait_for_label(*cluster, name(i), kLabel, "alive", 90s)) << process->end_of_log();
    EXPECT_EQ(removed_since(point), std::vector<std::string>());
  }

  std::uintmax_t point = 0;
  Process* process = nullptr;

 private:
  int rounds_ = 0;
};

TEST_F(ControllerFaultMatrixTest, TheServerFailsAtEveryCall) {
  for (const int status : {500, 503, 429, 401, 403})
    suffer({.answer = answer_of(status, R"({"kind":"Status","code":)" + std::to_string(status) + "}"), .close = true},
           2s);
  suffer({.times = 12, .delay = 3s}, 5s);
  suffer({.times = 6, .hang = true}, 3s);
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, AnswersAreCutAndGarbled) {
  for (const std::size_t length : {0u, 10u, 150u, 400u, 900u, 1500u, 4000u}) suffer({.cut = length}, 1s);
  for (const char* body :
       {"[]", "{}", R"({"kind":"Node","metadata":{"name":"another"}})", R"({"items":[],"metadata":{}})",
        R"({"kind":"NodeFeatureList","metadata":{"resourceVersion":""},"items":[]})"})
    suffer({.answer = answer_of(200, body), .close = true}, 2s);
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, TheApiServerIsDownAndEtcdIsPaused) {
  cluster->kill_api_server();
  std::this_thread::sleep_for(8s);
  cluster->start_api_server();
  expect_alive_and_nothing_removed();
  cluster->pause_etcd();
  std::this_thread::sleep_for(8s);
  cluster->resume_etcd();
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, TheCertificateAuthorityRotates) {
  const CertificateAuthority next;
  proxy->rotate(next);
  EXPECT_TRUE(eventually([&] { return log_has(*process, "certificate"); })) << process->end_of_log();
  const fs::path kubeconfig = cluster->folder() / ("controller-" + std::to_string(configs_) + ".kubeconfig");
  const std::string text = must(read_whole_file(kubeconfig.string(), 1u << 20));
  const std::string old = encode_base64(cluster->authority().certificate());
  ASSERT_NE(text.find(old), std::string::npos);
  write_file(kubeconfig, replace_all(text, old, encode_base64(next.certificate())));
  expect_alive_and_nothing_removed();
}

TEST_F(ControllerFaultMatrixTest, ANodeIsDeletedAndComesAgain) {
  ASSERT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", name(0))));
  std::this_thread::sleep_for(1s);
  cluster->create_node(name(0));
  EXPECT_TRUE(wait_for_label(*cluster, name(0), kLabel, "true")) << process->end_of_log();
  expect_alive_and_nothing_removed();
}

/// The API server takes a regular expression that is none.
TEST_F(ControllerFaultMatrixTest, ARuleThatBreaksKeepsWhatItMade) {
  must(cluster->admin().patch(
      object_path(resources::kNodeFeatureRules, "", "by-module"), PatchKind::merge,
      json(R"({"spec":{"rules":[{"name":"r","labels":{"from-rule":"true"},"matchFeatures":[{"feature":)"
           R"("kernel.loadedmodule","matchName":{"op":"InRegexp","value":["("]}}]}]}})")));
  EXPECT_TRUE(eventually([&] { return log_has(*process, "NodeFeatureRule/by-module"); })) << process->end_of_log();
  std::this_thread::sleep_for(3s);
  EXPECT_TRUE(are_labelled());
  expect_alive_and_nothing_removed();
}

/// It blames no entry, and goes on when the right comes.
TEST_F(ControllerFaultTest, WithoutTheRightToPatchNoEntryIsBlamed) {
  const auto rights = [](const char* nodes) {
    return R"([{"apiGroups":[""],"resources":["nodes","nodes/status"],"verbs":)" + std::string(nodes) +
           R"(},{"apiGroups":["nfd.k8s-sigs.io"],"resources":["*"],"verbs":["get","list","watch"]},)"
           R"({"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","list"]}])";
  };
  cluster->create_service_account("default", "controller-rights", rights(R"(["get","list","watch"])"));
  const std::string token = cluster->token("default", "controller-rights", name(0));
  Process& process = start({}, cluster->kubeconfig("rights-to-patch", R"({"token":")" + token + "\"}"));
  EXPECT_TRUE(eventually([&] { return log_has(process, "cannot patch resource"); })) << process.end_of_log();
  std::this_thread::sleep_for(2s);
  EXPECT_FALSE(log_has(process, "was refused")) << process.end_of_log();
  must(cluster->admin().patch("/apis/rbac.authorization.k8s.io/v1/clusterroles/controller-rights", PatchKind::merge,
                              json(R"({"rules":)" + rights(R"(["get","list","watch","patch"])") + "}")));
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 120s)) << process.end_of_log();
}

TEST_F(ControllerFaultTest, TwoControllersConverge) {
  start();
  start();
  EXPECT_TRUE(eventually([&] { return are_labelled(); }, 60s));
  const auto point = cluster->now_in_audit_log();
  std::this_thread::sleep_for(4s);
  int writes = 0;
  for (const AuditEntry& entry : cluster->audit(point)) writes += entry.verb == "patch" && entry.resource == "nodes";
  EXPECT_EQ(writes, 0);
}

}  // namespace
}  // namespace nodescout::test
