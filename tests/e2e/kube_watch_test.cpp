// Watches against the real API server, and through a proxy that breaks them: nothing is reported as removed that is
// still there, and missed changes are reported when the server is back.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/text.h"
#include "document/json.h"
#include "e2e/control_plane.h"
#include "e2e/fault_proxy.h"
#include "kube/watch.h"
#include "support/fake_clock.h"
#include "support/patience.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Kind = WatchEvent::Kind;

/// A watch in a thread of its own, and what it has reported so far.
class Watched {
 public:
  explicit Watched(Api& api, const WatchTarget& target = {resources::kNodeFeatureRules, "", "", "", 0},
                   Clock* clock = nullptr)
      : watch_(api, clock ? *clock : clock_, target, [this](const WatchEvent& event) { note(event); }),
        thread_([this](const std::stop_token& stop) { watch_.run(stop); }) {}
  ~Watched() {
    const auto asked = std::chrono::steady_clock::now();
    thread_.request_stop();
    thread_.join();
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s) << "to stop the watch";
  }

  /// False after `patience`.
  bool until(const std::function<bool(const Watched&)>& condition, std::chrono::seconds patience = 10s) {
    std::unique_lock lock(mutex_);
    bool happened = condition(*this);
    for (Patience left(patience); !happened && !left.is_over(); happened = condition(*this))
      changed_.wait_for(lock, 100ms);
    if (!happened) ADD_FAILURE() << "known: " << known_text() << "; last trouble: " << last_trouble;
    return happened;
  }
  bool until_synced(int times = 1) {
    return until([times](const Watched& w) { return w.synced >= times; });
  }
  bool until_known(const std::string& names, std::chrono::seconds patience = 10s) {
    return until([&](const Watched& w) { return w.known_text() == names; }, patience);
  }
  std::string known_text() const {
    std::string text;
    for (const std::string& name : known) text += (text.empty() ? "" : " ") + name;
    return text;
  }
  template <class T>
  T read(T Watched::*field) {
    const std::lock_guard lock(mutex_);
    return this->*field;
  }

  std::set<std::string> known;
  int synced = 0, removed = 0, troubles = 0, missing = 0;
  std::string last_trouble;

 private:
  void note(const WatchEvent& event) {
    const std::lock_guard lock(mutex_);
    const std::string key(event.key);
    switch (event.kind) {
      case Kind::added: EXPECT_TRUE(known.insert(key).second) << key; break;
      case Kind::modified: EXPECT_EQ(known.count(key), 1u) << key; break;
      case Kind::removed:
        EXPECT_EQ(known.erase(key), 1u) << key;
        ++removed;
        break;
      case Kind::synced: ++synced; break;
      case Kind::missing: ++missing; break;
      case Kind::trouble:
        ++troubles;
        last_trouble = event.error->text();
        break;
      case Kind::live: break;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  RealClock clock_;
  Watch watch_;
  std::jthread thread_;
};

void create_rule(ControlPlane& cluster, const std::string& name) {
  must(cluster.admin().create(collection_path(resources::kNodeFeatureRules),
                              json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":)"
                                   R"({"name":")" +
                                   name + R"("},"spec":{"rules":[]}})")));
}

void delete_rule(ControlPlane& cluster, const std::string& name) {
  const Status gone = cluster.admin().remove(object_path(resources::kNodeFeatureRules, "", name));
  ASSERT_TRUE(gone) << gone.error().text();
}

/// "watch 200" or "list 200" for each request of that user, in order.
std::vector<std::string> requests_of(const std::vector<AuditEntry>& audit, const std::string& user) {
  std::vector<std::string> requests;
  for (const AuditEntry& entry : audit)
    if (entry.user == user) requests.push_back(entry.verb + " " + std::to_string(entry.code));
  return requests;
}

class KubeWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
    cluster->install_crds();
    cluster->kubectl({"delete", "nodefeaturerules", "--all"});
    for (const char* name : {"a", "b", "c"}) create_rule(*cluster, name);
    user = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    endpoint = cluster->endpoint_as(user, {"system:masters"});
  }
  /// A proxy that shows the test's own user to the server, and an endpoint through it.
  std::unique_ptr<FaultProxy> make_proxy() {
    auto proxy = std::make_unique<FaultProxy>(
        cluster->authority(), FaultProxy::Options{.upstream_port = cluster->port(),
                                                  .identity = cluster->authority().for_user(user, {"system:masters"})});
    endpoint = cluster->endpoint();
    endpoint.server = proxy->server();
    return proxy;
  }

  ControlPlane* cluster = nullptr;
  std::string user;
  Endpoint endpoint;
};

TEST_F(KubeWatchTest, OneRequestTellsEverythingAndThenEachChangeAtOnce) {
  const auto mark = cluster->now_in_audit_log();
  Connection connection(endpoint);
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until_synced());
  EXPECT_EQ(rules.known_text(), "a b c");
  const auto started = std::chrono::steady_clock::now();
  create_rule(*cluster, "d");
  delete_rule(*cluster, "a");
  ASSERT_TRUE(rules.until_known("b c d"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
  EXPECT_EQ(requests_of(cluster->audit(mark), user), std::vector<std::string>{"watch 200"});
}

TEST_F(KubeWatchTest, IsSilentAtRest) {
  Connection connection(endpoint);
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until_synced());
  const auto mark = cluster->now_in_audit_log();
  std::this_thread::sleep_for(10s);
  EXPECT_TRUE(requests_of(cluster->audit(mark), user).empty());
}

TEST_F(KubeWatchTest, FeaturesOfOneNodeAreWatchedByTheirLabel) {
  cluster->create_namespace("nfd");
  const auto create = [&](const std::string& name, const std::string& node) {
    must(cluster->admin().create(
        collection_path(resources::kNodeFeatures, "nfd"),
        json(R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":{"name":")" + name +
             R"(","labels":{"nfd.node.kubernetes.io/node-name":")" + node + R"("}},"spec":{}})")));
  };
  create("mine", "here");
  create("other", "there");
  Connection connection(endpoint);
  Watched features(connection.api, {resources::kNodeFeatures, "", "nfd.node.kubernetes.io/node-name=here", "", 0});
  ASSERT_TRUE(features.until_known("nfd/mine"));
  // An object that no longer fits the selector is gone for this watch.
  cluster->kubectl(
      {"label", "nodefeature", "other", "--namespace=nfd", "--overwrite", "nfd.node.kubernetes.io/node-name=here"});
  cluster->kubectl(
      {"label", "nodefeature", "mine", "--namespace=nfd", "--overwrite", "nfd.node.kubernetes.io/node-name=x"});
  EXPECT_TRUE(features.until_known("nfd/other"));
}

TEST_F(KubeWatchTest, AServerThatRestartsRemovesNothing) {
  Connection connection(endpoint);
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until_synced());
  cluster->kill_api_server();
  ASSERT_TRUE(rules.until([](const Watched& w) { return w.troubles >= 3; }, 30s));
  cluster->start_api_server();
  delete_rule(*cluster, "b");
  create_rule(*cluster, "d");
  EXPECT_TRUE(rules.until_known("a c d", 30s));
  EXPECT_EQ(rules.read(&Watched::removed), 1);
}

TEST_F(KubeWatchTest, AFrozenEtcdRemovesNothing) {
  Connection connection(endpoint);
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until_synced());
  cluster->pause_etcd();
  Connection late(endpoint);
  {
    Watched others(late.api);  // begins while nothing answers
    std::this_thread::sleep_for(5s);
    EXPECT_EQ(others.read(&Watched::synced), 0);
    cluster->resume_etcd();
    EXPECT_TRUE(others.until_known("a b c", 60s));
  }
  create_rule(*cluster, "d");
  EXPECT_TRUE(rules.until_known("a b c d", 60s));
  EXPECT_EQ(rules.read(&Watched::removed), 0);
}

TEST_F(KubeWatchTest, GoneOnEveryWatchRemovesNothingAndIsNoHotLoop) {
  const auto proxy = make_proxy();
  Connection connection(endpoint);
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until_synced());
  Fault gone;
  gone.target = "watch=true";
  gone.answer = answer_of(410, R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})");
  proxy->add(gone);
  proxy->forget();
  proxy->drop_connections();
  std::this_thread::sleep_for(8s);
  EXPECT_LE(proxy->seen().size(), 10u);
  EXPECT_EQ(rules.known_text(), "a b c");
  delete_rule(*cluster, "c");
  proxy->clear();
  EXPECT_TRUE(rules.until_known("a b", 40s));
  EXPECT_EQ(rules.read(&Watched::removed), 1);
}

TEST_F(KubeWatchTest, ErrorsOfEveryKindRemoveNothing) {
  const auto proxy = make_proxy();
  Connection connection(endpoint);
  FakeClock clock;  // the waits between tries cost nothing
  Watched rules(connection.api, {resources::kNodeFeatureRules, "", "", "", 0}, &clock);
  ASSERT_TRUE(rules.until_synced());
  const std::string chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string empty_list = R"({"kind":"List","metadata":{"resourceVersion":"999999"},"items":[]})";
  int step = 0;
  for (const std::string& answer :
       {answer_of(500, "{}"), answer_of(401, "{}"), answer_of(409, "{}"), answer_of(429, "{}", "Retry-After: 1\r\n"),
        answer_of(503, "<html>"), answer_of(302, "", "Location: https://elsewhere\r\n"), std::string("garbage\r\n\r\n"),
        chunked + "5\r\n{\"typ", chunked + "zz\r\n", chunked + "3\r\n{}\n\r\n0\r\n\r\n",
        // What a broken server may answer that is not a watch at all: none of it may look like an empty collection.
        answer_of(200, empty_list + "\n"), answer_of(200, ""), answer_of(204, "")}) {
    Fault fault;
    fault.target = "watch=true";
    fault.answer = answer;
    fault.close = true;
    fault.times = 20;
    proxy->add(fault);
    proxy->forget();
    proxy->drop_connections();
    const std::string name = "step-" + std::to_string(++step);
    create_rule(*cluster, name);
    ASSERT_TRUE(rules.until([&](const Watched& w) { return w.known.count(name) == 1; }, 60s)) << answer;
    EXPECT_GE(proxy->seen().size(), 20u) << answer;
    EXPECT_EQ(rules.read(&Watched::removed), 0) << answer;
  }
}

TEST_F(KubeWatchTest, ASnapshotThatIsCutAnywhereIsNeverTakenForTheWhole) {
  const auto proxy = make_proxy();
  std::string whole;  // as long as one answer of this server is
  {
    Connection connection(endpoint);
    static_cast<void>(connection.api.stream(collection_path(resources::kNodeFeatureRules) +
                                                "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&"
                                                "resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
                                            5s,
                                            [&](std::string_view line) {
                                              whole += line;
                                              return true;
                                            },
                                            {}));
  }
  ASSERT_GT(whole.size(), 500u);
  for (std::size_t cut = 0; cut < whole.size() + 400; cut += 97) {
    Fault fault;
    fault.target = "sendInitialEvents=true";
    fault.cut = cut;
    fault.times = 1;
    proxy->clear();
    proxy->add(fault);
    Connection connection(endpoint);
    Watched rules(connection.api);
    // The whole snapshot comes with the second try, or the cut came after it.
    ASSERT_TRUE(rules.until_synced()) << cut;
    EXPECT_EQ(rules.known_text(), "a b c") << cut;
    EXPECT_EQ(rules.read(&Watched::removed), 0) << cut;
  }
}

TEST_F(KubeWatchTest, ACollectionThatAppearsIsFound) {
  const std::string group = "late.test.nodescout.dev";
  const Resource things{"late.test.nodescout.dev", "v1", "things"};
  Connection connection(endpoint);
  Watched watched(connection.api, {things, "", "", "", 0, "", 1s});
  ASSERT_TRUE(watched.until([](const Watched& w) { return w.missing == 1; }));
  EXPECT_EQ(watched.read(&Watched::troubles), 0);
  const std::string crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  must(cluster->admin().create(
      crds,
      json(
          R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.)" +
          group + R"("},"spec":{"group":")" + group +
          R"(","scope":"Cluster","names":{"kind":"Thing","plural":"things"},)"
          R"("versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})")));
  cluster->kubectl({"wait", "--for=condition=Established", "--timeout=60s", "crd", "things." + group});
  must(cluster->admin().create(collection_path(things), json(R"({"apiVersion":")" + group +
                                                             R"(/v1","kind":"Thing","metadata":{"name":"one"}})")));
  EXPECT_TRUE(watched.until_known("one", 60s));
  // With its collection the thing is really gone, and the server says so.
  ASSERT_TRUE(cluster->admin().remove(crds + "/things." + group));
  EXPECT_TRUE(watched.until_known("", 60s));
  EXPECT_TRUE(watched.until([](const Watched& w) { return w.missing == 2; }, 60s));
}

TEST_F(KubeWatchTest, WhoMayNotWatchIsToldSo) {
  Connection connection(cluster->endpoint_as("nobody"));
  Watched rules(connection.api);
  ASSERT_TRUE(rules.until([](const Watched& w) { return w.troubles >= 1; }));
  EXPECT_NE(rules.read(&Watched::last_trouble).find("cannot watch resource \"nodefeaturerules\""), std::string::npos)
      << rules.read(&Watched::last_trouble);
}

// ---- servers without streaming lists --------------------------------------------------------------------------------

void check_without_streaming_lists(const ControlPlane::Options& options, const std::vector<std::string>& first) {
  ControlPlane cluster(options);
  cluster.install_crds();
  for (const char* name : {"a", "b"}) create_rule(cluster, name);
  Connection connection(cluster.endpoint_as("older", {"system:masters"}));
  const auto mark = cluster.now_in_audit_log();
  {
    Watched rules(connection.api);
    ASSERT_TRUE(rules.until_known("a b"));
    create_rule(cluster, "c");
    ASSERT_TRUE(rules.until_known("a b c"));
    EXPECT_EQ(rules.read(&Watched::troubles), 0);
    EXPECT_EQ(requests_of(cluster.audit(mark), "older"), first);
    cluster.kill_api_server();
    ASSERT_TRUE(rules.until([](const Watched& w) { return w.troubles >= 2; }, 30s));
    cluster.start_api_server();
    delete_rule(cluster, "a");
    EXPECT_TRUE(rules.until_known("b c", 30s));
    EXPECT_EQ(rules.read(&Watched::removed), 1);
    create_rule(cluster, "d");
    ASSERT_TRUE(rules.until_known("b c d"));  // so it is watching by now, not listing
  }
  // The second watch of this client does not ask again for what was refused.
  const auto later = cluster.now_in_audit_log();
  Watched again(connection.api);
  ASSERT_TRUE(again.until_known("b c d"));
  create_rule(cluster, "e");
  ASSERT_TRUE(again.until_known("b c d e"));
  EXPECT_EQ(requests_of(cluster.audit(later), "older"), (std::vector<std::string>{"list 200", "watch 200"}));
}

TEST(KubeWatchOlderTest, AServerWithoutTheFeatureRefusesWith422) {
  NODESCOUT_NEEDS_CONTROL_PLANE();
  check_without_streaming_lists({.old_etcd = false, .api_server_flags = {"--feature-gates=WatchList=false"}},
                                {"watch 422", "list 200", "watch 200"});
}

TEST(KubeWatchOlderTest, AnOldEtcdRefusesInTheStream) {
  NODESCOUT_NEEDS_CONTROL_PLANE();
  if (const std::string why = ControlPlane::why_not(true); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  check_without_streaming_lists({.old_etcd = true, .api_server_flags = {}}, {"watch 200", "list 200", "watch 200"});
}

}  // namespace
}  // namespace nodescout::test
