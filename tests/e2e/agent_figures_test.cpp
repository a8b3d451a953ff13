// What the agent costs, and how fast it is: of the release, which NODESCOUT_RELEASE_PROGRAM names. Without it the
// figures are those of a build with sanitizers: what is counted is still tested, what is measured is only printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include "e2e/agent_process.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Milliseconds = std::chrono::duration<double, std::milli>;

bool is_release() { return !release_program().empty(); }

/// What an agent did while nothing happened.
struct AtRest {
  int seconds = 0;
  int requests = 0, watches = 0, renewals = 0;  // renewals of the Lease; requests: all others
  long switches = 0;                            // context switches
  long anonymous = 0, resident = 0;             // KiB
};

class FiguresTest : public AgentFixture {
 protected:
  AgentProcess& start(const std::string& node, const std::string& root = "", const std::string& more = "") {
    cluster->create_node(node);
    return AgentFixture::start({.node = node, .config = kQuiet + more, .program = release_program(), .root = root});
  }

  AtRest at_rest(const std::string& node, const std::string& config) {
    start(node, "/", config);
    EXPECT_TRUE(eventually([&] { return agent->log().find("msg=added") != std::string::npos; })) << agent->log();
    std::this_thread::sleep_for(5s);
    AtRest seen{.seconds = is_long() ? 600 : 60};
    const auto since = cluster->now_in_audit_log();
    const long before = agent->process().context_switches();
    const double cpu = agent->process().cpu_seconds();
    std::this_thread::sleep_for(std::chrono::seconds(seen.seconds));
    seen.switches = agent->process().context_switches() - before;
    const double used = agent->process().cpu_seconds() - cpu;
    for (const AuditEntry& entry : of_agent(cluster->audit(since), node)) {
      const bool renews = entry.verb == "update" && entry.resource == "leases";
      ++(renews ? seen.renewals : entry.verb == "watch" ? seen.watches : seen.requests);
    }
    seen.anonymous = agent->process().memory_kib("RssAnon");
    seen.resident = agent->process().memory_kib("VmRSS");
    std::printf(
        "at rest for %d s: %d requests beside %d renewals of the Lease and %d renewed watches, %.2f context "
        "switches/s, %.3f s of CPU, RssAnon %ld KiB, VmRSS %ld KiB\n",
        seen.seconds, seen.requests, seen.renewals, seen.watches, static_cast<double>(seen.switches) / seen.seconds,
        used, seen.anonymous, seen.resident);
    return seen;
  }
};

TEST_F(FiguresTest, FirstLabel) {
  const int starts = is_long() ? 50 : 10;
  std::vector<double> times;
  for (int i = 0; i < starts; ++i) {
    const std::string node = "first-" + std::to_string(i);
    cluster->create_node(node);
    // Everything but the start of the process is prepared before the clock runs.
    AgentProcess prepared(*cluster, machine, {.node = node, .config = kQuiet, .program = release_program()});
    prepared.process().signal(SIGKILL);
    prepared.process().wait(10s);
    cluster->kubectl({"delete", "node", node});
    cluster->create_node(node);
    const auto begin = std::chrono::steady_clock::now();
    prepared.restart();
    while (!label_of(*cluster, node, kGpuLabel)) {
      ASSERT_LT(std::chrono::steady_clock::now() - begin, 20s) << prepared.log();
      std::this_thread::sleep_for(2ms);
    }
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("first label after the start of the process: median %.0f ms, p99 of %d starts %.0f ms\n",
              times[times.size() / 2], starts, times.back());
  if (is_long() && is_release()) {
    EXPECT_LE(times.back(), 300);
  }
}

TEST_F(FiguresTest, RuleChangeToLabel) {
  start("figures-rule");
  ASSERT_TRUE(wait_for_label(*cluster, "figures-rule", kGpuLabel, "true")) << agent->log();
  const std::string path = object_path(resources::kNodeFeatureRules, "", "figures");
  const auto rule = [](int value) {
    return R"({"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeatureRule","metadata":{"name":"figures"},)"
           R"("spec":{"rules":[{"name":"a","labels":{"e2e-figure":")" +
           std::to_string(value) +
           R"("},"matchFeatures":[{"feature":"pci.device","matchExpressions":{"vendor":{"op":"Exists"}}}]}]}})";
  };
  must(cluster->admin().create(collection_path(resources::kNodeFeatureRules), json(rule(0))));
  ASSERT_TRUE(wait_for_label(*cluster, "figures-rule", "feature.node.kubernetes.io/e2e-figure", "0"));
  std::vector<double> times;
  for (int i = 1; i <= 10; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    must(cluster->admin().patch(path, PatchKind::merge, json(rule(i))));
    const auto took =
        wait_for_label(*cluster, "figures-rule", "feature.node.kubernetes.io/e2e-figure", std::to_string(i));
    ASSERT_TRUE(took);
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("change of a rule object to label: median %.0f ms, longest of 10 %.0f ms\n", times[5], times.back());
  if (is_long() && is_release()) {
    EXPECT_LE(times.back(), 1000);
  }
  cluster->kubectl({"delete", "nodefeaturerule", "figures"});
}

TEST_F(FiguresTest, UeventToLabel) {
  if (!send_uevent()) GTEST_SKIP() << "skipped: uevents cannot be sent from here";
  machine.write("/sys/class/net/first/device/vendor", "0x8086\n");
  start("figures-uevent");
  write_file(agent->rules() / "cards.yaml",
             "- name: cards\n  labelsTemplate: |\n    {{range .network.device}}{{.name}}=1\n    {{end}}\n"
             "  matchFeatures:\n    - feature: network.device\n      matchExpressions: {name: {op: Exists}}\n");
  const std::string prefix = "feature.node.kubernetes.io/";
  ASSERT_TRUE(wait_for_label(*cluster, "figures-uevent", prefix + "first", "1")) << agent->log();
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const std::string card = "card" + std::to_string(i);
    std::this_thread::sleep_for(1200ms);  // not a storm
    machine.write("/sys/class/net/" + card + "/device/vendor", "0x8086\n");
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(send_uevent());
    ASSERT_TRUE(wait_for_label(*cluster, "figures-uevent", prefix + card, "1")) << agent->log();
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  const auto begin = std::chrono::steady_clock::now();
  std::filesystem::remove_all(machine.path() / "sys/class/net/card4");
  ASSERT_TRUE(send_uevent());
  ASSERT_TRUE(wait_for_label(*cluster, "figures-uevent", prefix + "card4", std::nullopt)) << agent->log();
  const double gone = Milliseconds(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "uevent to label: median %.0f ms, longest of 5 %.0f ms; a device that went lost its label after %.0f ms\n",
      times[2], times.back(), gone);
  if (is_long() && is_release()) {
    EXPECT_LE(times.back(), 1000);
  }
  EXPECT_GE(gone, 3000);
  EXPECT_LE(gone, 10'000);
}

TEST_F(FiguresTest, AtRest) {
  const AtRest seen = at_rest("figures-rest", "lease: {enabled: false}\n");
  EXPECT_EQ(seen.requests, 0);
  EXPECT_EQ(seen.renewals, 0);
  EXPECT_LE(seen.watches, 2 * (1 + seen.seconds / 300));
  if (!is_release()) return;
  EXPECT_LT(seen.switches, seen.seconds);
  EXPECT_LE(seen.anonymous, 8 * 1024);
  EXPECT_LE(seen.resident, 24 * 1024);
}

TEST_F(FiguresTest, AtRestWithALease) {
  const AtRest seen = at_rest("figures-lease", "");
  EXPECT_EQ(seen.requests, 0);
  EXPECT_GE(seen.renewals, seen.seconds / 30 - 1);
  EXPECT_LE(seen.renewals, seen.seconds / 27 + 1);
  EXPECT_LE(seen.watches, 3 * (1 + seen.seconds / 300));
  if (!is_release()) return;
  constexpr long kOneRequest = 60;  // a connection, TLS and the threads that take part in it
  EXPECT_LT(seen.switches, seen.seconds + seen.renewals * kOneRequest);
  EXPECT_LE(seen.anonymous, 8 * 1024);
  EXPECT_LE(seen.resident, 24 * 1024);
}

/// Kinds that the server does not have are looked for once, and then every five minutes.
TEST_F(FiguresTest, AtRestWithoutTheCrds) {
  cluster->kubectl({"delete", "-f", NODESCOUT_SOURCE_DIR "/deploy/kustomize/crds/crds.yaml"});
  const auto begin = cluster->now_in_audit_log();
  const AtRest seen = at_rest("figures-bare", "lease: {enabled: false}\n");
  std::map<std::string, int> looks;
  for (const AuditEntry& entry : cluster->audit(begin))
    if (entry.user_agent.starts_with("nodescout/") && entry.resource.starts_with("nodefeature"))
      ++looks[entry.resource];
  cluster->install_crds();
  const int most = 1 + (seen.seconds + 60) / 240;  // four minutes are the shortest pause
  for (const char* kind : {"nodefeatures", "nodefeaturerules"}) {
    EXPECT_GE(looks[kind], 1) << kind;
    EXPECT_LE(looks[kind], most) << kind;
  }
  EXPECT_EQ(seen.requests + seen.watches, looks["nodefeatures"] + looks["nodefeaturerules"] - 2);
}

TEST_F(FiguresTest, AStormOfUevents) {
  if (!send_uevent()) GTEST_SKIP() << "skipped: uevents cannot be sent from here";
  const auto set_mtu = [&](int mtu) { machine.write("/sys/class/net/card/mtu", std::to_string(mtu) + "\n"); };
  machine.write("/sys/class/net/card/device/vendor", "0x8086\n");
  set_mtu(1);
  start("figures-storm");
  write_file(agent->rules() / "storm.yaml",
             "- name: storm\n  labelsTemplate: |\n    {{range .network.device}}mtu={{.mtu}}\n    {{end}}\n"
             "  matchFeatures:\n    - feature: network.device\n      matchExpressions: {name: {op: Exists}}\n");
  const std::string label = "feature.node.kubernetes.io/mtu";
  ASSERT_TRUE(wait_for_label(*cluster, "figures-storm", label, "1")) << agent->log();
  // What the events announce really changes, so that there is something to write each time, and nothing to keep.
  const auto storm = [&](int events, int first) {
    for (int i = 0; i < events; ++i) {
      if (i % 100 == 0) set_mtu(first + i);
      if (i % 10 == 0) std::this_thread::sleep_for(5ms);
      send_uevent();
    }
    return std::to_string(first + (events - 1) / 100 * 100);
  };
  ASSERT_TRUE(wait_for_label(*cluster, "figures-storm", label, storm(2000, 20'000)));  // what a first storm needs once
  std::this_thread::sleep_for(3s);
  const long before = agent->process().memory_kib("RssAnon");
  const auto since = cluster->now_in_audit_log();
  const auto begin = std::chrono::steady_clock::now();
  const std::string last = storm(10'000, 30'000);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::this_thread::sleep_for(3s);
  const double window = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  int patches = 0;
  for (const AuditEntry& entry : of_agent(cluster->audit(since), "figures-storm")) patches += entry.verb == "patch";
  const long grown = agent->process().memory_kib("RssAnon") - before;
  std::printf("storm: 10,000 uevents in %.1f s, %d patches, RssAnon grew by %ld KiB\n", seconds, patches, grown);
  EXPECT_LE(patches, window + 1) << "a second apart, so both ends of the window may have one";
  EXPECT_EQ(label_of(*cluster, "figures-storm", label), last);
  if (is_release()) {
    EXPECT_LT(grown, 256);
  }
}

/// The peak of many rules is not what the agent keeps.
TEST_F(FiguresTest, MemoryAfterManyRulesIsGivenBack) {
  start("figures-peak");
  ASSERT_TRUE(wait_for_label(*cluster, "figures-peak", kGpuLabel, "true")) << agent->log();
  const std::string prefix = "feature.node.kubernetes.io/";
  const auto rules = [](int count, int mark) {
    std::string text = "- {name: mark, labels: {e2e-mark: \"" + std::to_string(mark) + "\"}, matchFeatures: []}\n";
    for (int i = 0; i < count; ++i)
      text += "- name: rule-" + std::to_string(i) + "\n  labels: {e2e-rule-" + std::to_string(i) +
              ": \"1\"}\n  matchFeatures:\n    - feature: pci.device\n      matchExpressions: {vendor: {op: In, value: "
              "[\"ffff\", \"" +
              std::to_string(i) + "\"]}}\n";
    return text;
  };
  const fs::path file = agent->rules() / "peak.yaml";
  const auto put = [&](int count, int mark) {
    write_file(file, rules(count, mark));
    EXPECT_TRUE(wait_for_label(*cluster, "figures-peak", prefix + "e2e-mark", std::to_string(mark), 60s))
        << agent->log();
    std::this_thread::sleep_for(2s);
    return agent->process().memory_kib("RssAnon");
  };
  const long before = put(0, 1), peak = put(5000, 2), after = put(0, 3);
  std::printf("5,000 rules: RssAnon %ld KiB before, %ld with them, %ld after\n", before, peak, after);
  EXPECT_GT(peak, before + 4096) << "else this shows nothing";
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(after - before, (peak - before) / 4);
#endif
}

}  // namespace
}  // namespace nodescout::test
