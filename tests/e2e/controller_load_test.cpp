// `nodescout controller` under load, and for long.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

#include "e2e/controller_fixture.h"
#include "system/file.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

class ControllerLoadTest : public ControllerTest {
 protected:
  static constexpr int kOptions = 50;  // that rules may look at
  static std::string option_name(int i) { return "OPTION_" + std::to_string(i); }
  static std::string name(int i) { return "load-" + std::to_string(i); }
  /// Nodes with an object each, made by several clients.
  void populate(int count) {
    std::atomic<int> next{0};
    const auto work = [&] {
      Connection connection(cluster->endpoint_as("populate", {"system:masters"}));
      Features features;
      features.flags["kernel.loadedmodule"] = {"nvme", "ext4"};
      for (int option = 0; option < kOptions; ++option) features.attributes["kernel.config"][option_name(option)] = "y";
      for (int i = next++; i < count; i = next++) {
        must(
            connection.api.create(collection_path(resources::kNodes),
                                  json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name(i) + "\"}}")));
        must(connection.api.create(collection_path(resources::kNodeFeatures, "default"),
                                   node_feature_object(name(i), features, {})));
      }
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  /// Whether every Node has the label. The answer is one Node at most.
  bool all_have(const std::string& value) {
    const auto others = cluster->admin().get(collection_path(resources::kNodes) +
                                             "?limit=1&labelSelector=" + std::string(kLabel) + "%21%3D" + value);
    return others && others->find("items")->items.empty();
  }
  /// How many Nodes have the label.
  std::size_t count_of(const std::string& value) {
    std::size_t count = 0;
    must(cluster->admin().list(collection_path(resources::kNodes),
                               {{"labelSelector", std::string(kLabel) + "=" + value}}, [&](const Value&) { ++count; },
                               {}, {true, {}}));
    return count;
  }
  /// `option`: a rule that looks at it as well needs what was not read of the objects before.
  static std::string rule_with(const std::string& value, std::optional<int> option = std::nullopt) {
    const std::string more = option ? R"(,{"feature":"kernel.config","matchExpressions":{")" + option_name(*option) +
                                          R"(":{"op":"Exists"}}})"
                                    : "";
    return R"([{"name":"r","labels":{"from-rule":")" + value +
           R"("},"matchFeatures":[)"
           R"({"feature":"kernel.loadedmodule","matchExpressions":{"nvme":{"op":"Exists"}}})" +
           more + "]}]";
  }
  void change_rule(const std::string& value, std::optional<int> option = std::nullopt) {
    must(cluster->admin().patch(object_path(resources::kNodeFeatureRules, "", "load"), PatchKind::merge,
                                json(R"({"spec":{"rules":)" + rule_with(value, option) + "}}")));
  }
  fs::path kubeconfig_of(const std::string& user) {
    return cluster->kubeconfig(user, cluster->client_certificate_user(user, {"system:masters"}));
  }
  std::string program() const { return release_program().empty() ? nodescout_program() : release_program(); }
};

TEST_F(ControllerLoadTest, ARuleChangeReachesAllNodesWhileOthersAreServed) {
  const int count = is_long() ? 5000 : 300;
  populate(count);
  rule("load", rule_with("a"));
  processes.push_back(std::make_unique<Process>(
      std::vector<std::string>{program(), "controller", "--kubeconfig", admin().string(), "--listen", "none"},
      folder.path() / "log"));
  ASSERT_TRUE(eventually([&] { return all_have("a"); }, 300s)) << processes[0]->end_of_log();

  std::vector<double> seconds;
  std::jthread other([&](const std::stop_token& stop) {
    Connection connection(cluster->endpoint_as("other", {"system:masters"}));
    for (int i = 0; !stop.stop_requested(); ++i) {
      const auto begun = std::chrono::steady_clock::now();
      must(connection.api.get(object_path(resources::kNodes, "", name(i % count))));
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
      std::this_thread::sleep_for(20ms);
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  change_rule("b");
  EXPECT_TRUE(eventually([&] { return all_have("b"); }, 300s)) << processes[0]->end_of_log();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  other.request_stop();
  other.join();
  expect_at_most(took, 60, "a rule change on " + std::to_string(count) + " Nodes");
  ASSERT_FALSE(seconds.empty());
  std::sort(seconds.begin(), seconds.end());
  expect_at_most(seconds[seconds.size() * 99 / 100], 1,
                 "another client's GET meanwhile, p99 of " + std::to_string(seconds.size()));
}

/// Writes to Nodes by a user who did not hold the Lease: of the requests, in the order of their answers, the last to
/// write the Lease holds it.
std::vector<std::string> writes_without_lease(const std::vector<AuditEntry>& audit) {
  std::vector<std::string> out;
  std::string holder;
  for (const AuditEntry& entry : audit) {
    if (!entry.user.starts_with("replica-") || entry.code / 100 != 2) continue;
    if (entry.resource == "leases" && (entry.verb == "update" || entry.verb == "create")) holder = entry.user;
    if (entry.verb == "patch" && entry.resource.starts_with("nodes") && entry.user != holder)
      out.push_back(entry.user + " wrote " + entry.name + " while " + (holder.empty() ? "nobody" : holder) + " led");
  }
  return out;
}

TEST(WritesWithoutLease, AreThoseOfOthersThanTheLastToWriteTheLease) {
  const auto entry = [](const char* user, const char* verb, const char* resource, int code = 200) {
    AuditEntry made;
    made.user = user, made.verb = verb, made.resource = resource, made.code = code;
    return made;
  };
  EXPECT_EQ(writes_without_lease({entry("replica-0", "create", "leases", 201), entry("replica-0", "patch", "nodes"),
                                  entry("replica-1", "update", "leases", 409), entry("replica-0", "patch", "nodes"),
                                  entry("replica-1", "update", "leases"), entry("replica-1", "patch", "nodes/status"),
                                  entry("replica-0", "patch", "nodes", 403)})
                .size(),
            0u);
  EXPECT_EQ(writes_without_lease({entry("replica-0", "create", "leases", 201), entry("replica-1", "update", "leases"),
                                  entry("replica-0", "patch", "nodes")})
                .size(),
            1u);
}

TEST_F(ControllerLoadTest, KilledAndStoppedAtAnyMomentOfARollout) {
  const int moments = is_long() ? 50 : 3;
  const std::size_t kCount = is_long() ? 300 : 100;
  populate(static_cast<int>(kCount));
  rule("load", rule_with("start"));
  const fs::path config = folder.path() / "leader.conf";
  write_file(config, "leaderElection: {leaseDuration: 4s, renewDeadline: 2s, retryPeriod: 500ms}\n");
  const auto point = cluster->now_in_audit_log();
  int replicas = 0;
  const auto replica = [&] {
    const std::string user = "replica-" + std::to_string(replicas++);
    processes.push_back(std::make_unique<Process>(
        std::vector<std::string>{program(), "controller", "--kubeconfig", kubeconfig_of(user).string(), "--listen",
                                 "none", "--config", config.string(), "--enable-leader-election"},
        folder.path() / user));
    return processes.back().get();
  };
  Process* leader = replica();
  ASSERT_TRUE(eventually([&] { return log_has(*leader, "msg=leading"); }));
  Process* standby = replica();
  ASSERT_TRUE(eventually([&] { return all_have("start"); }, 60s)) << leader->end_of_log();

  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  int in_the_middle = 0;
  for (int moment = 0; moment < moments; ++moment) {
    const std::string value = "v" + std::to_string(moment);
    // Every other rule makes all processes read the objects again, the standby while it may have to take over.
    change_rule(value, moment / 2 % 2 == 1 ? std::optional(moment % kOptions) : std::nullopt);
    const std::size_t wanted = random() % kCount;
    ASSERT_TRUE(eventually([&] { return count_of(value) >= wanted; }, 60s)) << leader->end_of_log();
    in_the_middle += count_of(value) < kCount;
    const bool is_killed = moment % 2 == 0;
    is_killed ? leader->signal(SIGKILL) : leader->pause();
    ASSERT_TRUE(eventually([&] { return log_has(*standby, "msg=leading"); }, 30s)) << standby->end_of_log();
    if (!is_killed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
      leader->signal(SIGCONT);
      // What it was about to write must not be written now.
      ASSERT_TRUE(eventually([&] { return log_has(*leader, "not leading"); }, 30s)) << leader->end_of_log();
      leader->signal(SIGKILL);
    }
    EXPECT_TRUE(eventually([&] { return all_have(value); }, 60s)) << value << "\n" << standby->end_of_log();
    leader->wait(10s);
    leader = standby;
    standby = replica();
    ASSERT_TRUE(eventually([&] { return log_has(*standby, "msg=started"); }));
  }
  std::printf("%d of %d moments were in the middle of the rollout\n", in_the_middle, moments);
  const auto audit = cluster->audit(point);
  EXPECT_EQ(removed_since(point), std::vector<std::string>());
  EXPECT_EQ(writes_without_lease(audit), std::vector<std::string>());
  EXPECT_TRUE(std::any_of(audit.begin(), audit.end(), [](const AuditEntry& entry) {
    return entry.user == "replica-1" && entry.verb == "patch" && entry.resource == "nodes";
  })) << "the audit log knows the replicas by their names";
}

/// NODESCOUT_CHURN_MINUTES in the environment, else half an hour in the long form; nothing: the short form.
std::chrono::seconds churn_time() {
  if (const char* minutes = std::getenv("NODESCOUT_CHURN_MINUTES")) return std::chrono::minutes(std::atoi(minutes));
  return is_long() ? 30min : std::chrono::seconds(20);
}

TEST_F(ControllerLoadTest, MemoryIsFlatWhileNodesComeAndGo) {
  constexpr int kCount = 60;
  populate(kCount);
  rule("load", rule_with("start"));
  processes.push_back(
      std::make_unique<Process>(std::vector<std::string>{program(), "controller", "--kubeconfig", admin().string(),
                                                         "--listen", "none", "--collect-after", "1s"},
                                folder.path() / "log"));
  Process& process = *processes.back();
  ASSERT_TRUE(eventually([&] { return all_have("start"); }, 60s)) << process.end_of_log();

  // The first third fills caches and the heap.
  const auto begun = std::chrono::steady_clock::now();
  const auto time = churn_time();
  long early = 0, late = 0;
  int round = 0;
  for (; std::chrono::steady_clock::now() - begun < time; ++round) {
    change_rule("v" + std::to_string(round % 5));
    for (int i = 0; i < 5; ++i) {
      const std::string gone = name((round * 5 + i) % kCount);
      (void)cluster->admin().remove(object_path(resources::kNodes, "", gone));
      if (round % 2) (void)cluster->admin().remove(object_path(resources::kNodeFeatures, "default", gone));
      cluster->create_node(gone);
      if (round % 2) node_feature(gone);
    }
    for (int i = 0; i < 10; ++i)
      (void)cluster->admin().patch(object_path(resources::kNodeFeatures, "default", name(kCount - 1)), PatchKind::merge,
                                   json(R"({"spec":{"labels":{"feature.node.kubernetes.io/flaps":")" +
                                        std::to_string(round * 10 + i) + "\"}}}"));
    const long now = process.memory_kib("RssAnon");
    (std::chrono::steady_clock::now() - begun < time / 3 ? early : late) =
        std::max(std::chrono::steady_clock::now() - begun < time / 3 ? early : late, now);
    std::this_thread::sleep_for(500ms);
  }
  std::cout << round << " rounds, anonymous memory " << early << " KiB at most, then " << late << " KiB\n";
  // A sanitizer keeps freed memory.
  if (!release_program().empty()) {
    EXPECT_LE(late, early + 2048);
  }
  change_rule("end");
  EXPECT_TRUE(eventually([&] { return all_have("end"); }, 60s)) << process.end_of_log();
}

}  // namespace
}  // namespace nodescout::test
