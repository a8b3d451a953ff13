// `nodescout fleet` on a real API server: its Nodes, the agents' Leases, and what it costs for 5,000 (--long).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <thread>

#include "document/json.h"
#include "document/value_path.h"
#include "document/yaml.h"
#include "e2e/agent_process.h"
#include "e2e/control_plane.h"
#include "kube/lease.h"
#include "support/fleet.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

int fleet_size() { return is_long() ? 5000 : 200; }

class FleetTest : public ::testing::Test {
 protected:
  /// The Nodes are made once: a thousand takes seconds.
  static void SetUpTestSuite() {
    if (!ControlPlane::why_not().empty()) return;
    ControlPlane& cluster = ControlPlane::shared();
    cluster.create_namespace("nodescout");
    const auto now = std::chrono::system_clock::now();
    constexpr int kThreads = 4;
    std::array<std::string, kThreads> errors;  // an exception would end the program
    {
      std::vector<std::jthread> threads;
      for (int thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
          try {
            for (int i = thread; i < fleet_size(); i += kThreads) make(cluster, i, now);
          } catch (const std::exception& error) {
            errors[static_cast<std::size_t>(thread)] = error.what();
          }
        });
    }
    for (const std::string& error : errors)
      if (!error.empty()) ADD_FAILURE() << "the fleet is incomplete: " << error;
  }
  static void make(ControlPlane& cluster, int i, std::chrono::system_clock::time_point now) {
    must(cluster.admin().create(collection_path(resources::kNodes), fleet_node(i)));
    // The API server taints every new Node as not ready.
    must(cluster.admin().patch(object_path(resources::kNodes, "", fleet_node_name(i)), PatchKind::merge,
                               json(R"({"spec":{"taints":null}})")));
    // One of a hundred is stale, one has no agent. The others must not become stale while the tests run.
    if (i % 100 != 30)
      must(cluster.admin().create(collection_path(resources::kLeases, "nodescout"),
                                  fleet_lease(i, now - (i % 100 == 29 ? 10h : 0h), 1h)));
  }
  void SetUp() override {
    NODESCOUT_NEEDS_CONTROL_PLANE();
    cluster = &ControlPlane::shared();
  }

  Ran fleet(std::vector<std::string> words, const std::filesystem::path& kubeconfig = {}) {
    words.insert(words.begin(), {nodescout_program(), "fleet"});
    return run_program(
        words,
        {.environment = {{"KUBECONFIG", (kubeconfig.empty() ? cluster->admin_kubeconfig() : kubeconfig).string()},
                         {"LSAN_OPTIONS", "print_suppressions=0"}}});
  }
  /// The row of the Node in the JSON of all.
  Value row(const Ran& ran, const std::string& name) {
    const Value all = json(ran.out);
    for (const Value& each : all.find("nodes")->items)
      if (text_at(each, {"name"}) == name) return each;
    ADD_FAILURE() << name << " is not in " << ran.out.substr(0, 500) << ran.err;
    return {};
  }

  ControlPlane* cluster = nullptr;
};

TEST_F(FleetTest, OneLineForEachNode) {
  const Ran ran = fleet({});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), fleet_size() + 3) << "head, empty line, totals";
  EXPECT_TRUE(ran.out.starts_with("NAME ")) << ran.out;
  const std::string totals =
      std::to_string(fleet_size()) + " Nodes, " + std::to_string(fleet_size() / 10 * 8 * 8) + " GPUs (";
  EXPECT_NE(ran.out.find(totals), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos) << "colours in a pipe";
}

TEST_F(FleetTest, AgentsByTheirLeases) {
  const Ran ran = fleet({"-o", "json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(text_at(row(ran, fleet_node_name(28)), {"agent"}), "alive");
  EXPECT_EQ(text_at(row(ran, fleet_node_name(28)), {"version"}), "0.1.0");
  EXPECT_EQ(text_at(row(ran, fleet_node_name(28)), {"published"}), "same");
  EXPECT_EQ(text_at(row(ran, fleet_node_name(29)), {"agent"}), "stale");
  EXPECT_EQ(text_at(row(ran, fleet_node_name(30)), {"agent"}), "none");
  const std::string changed = object_path(resources::kNodes, "", fleet_node_name(28));
  const std::string label = "feature.node.kubernetes.io/memory-numa";
  must(cluster->admin().patch(changed, PatchKind::merge,
                              json(R"({"metadata":{"labels":{")" + label + R"(":"false"}}})")));
  EXPECT_EQ(text_at(row(fleet({"-o", "json"}), fleet_node_name(28)), {"published"}), "changed");
  must(cluster->admin().patch(changed, PatchKind::merge,
                              json(R"({"metadata":{"labels":{")" + label + R"(":"true"}}})")));
}

TEST_F(FleetTest, WithoutTheRightToReadLeasesTheAgentsAreUnknown) {
  cluster->create_service_account("fleet", "reader",
                                  R"([{"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]}])");
  const auto kubeconfig = cluster->kubeconfig(
      "fleet-reader", R"({"token":")" + cluster->token("fleet", "reader", fleet_node_name(0)) + "\"}");
  const Ran ran = fleet({"-o", "json"}, kubeconfig);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(text_at(row(ran, fleet_node_name(29)), {"agent"}), "unknown");
  EXPECT_NE(ran.err.find("the agents are unknown"), std::string::npos) << ran.err;
  EXPECT_EQ(text_at(json(ran.out), {"totals", "nodes"}), std::to_string(fleet_size()));
}

TEST_F(FleetTest, SelectsSortsAndGroups) {
  Ran ran = fleet({"-l", "agentpool=amd", "-o", "csv"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), fleet_size() / 10 + 1) << ran.out << ran.err;
  ran = fleet({"--group-by", "model", "-o", "json"});
  EXPECT_EQ(json(ran.out).find("groups")->items.size(), 3u) << ran.out << ran.err;
  ran = fleet({"--group-by", "topology.kubernetes.io/zone"});
  EXPECT_NE(ran.out.find("\nzone-1 "), std::string::npos) << ran.out << ran.err;
  ran = fleet({"--sort", "kernel", "-o", "csv"});
  EXPECT_LT(ran.out.find(fleet_node_name(42)), ran.out.find(fleet_node_name(0))) << "an older kernel first";
  EXPECT_EQ(fleet({"-l", "!!"}).status, 1);
  EXPECT_EQ(fleet({"--sort", "nonsense"}).status, 2);
}

TEST_F(FleetTest, UnhealthyOnesEndWithThree) {
  const Ran ran = fleet({"--unhealthy", "-o", "json"});
  EXPECT_EQ(ran.status, 3) << ran.err;
  std::set<std::string> found;
  const Value all = json(ran.out);
  for (const Value& each : all.find("nodes")->items) found.insert(text_at(each, {"name"}));
  for (const int wanted : {15, 29, 83}) EXPECT_TRUE(found.contains(fleet_node_name(wanted))) << wanted;
  EXPECT_EQ(found.size(), static_cast<std::size_t>(fleet_size() / 100 * 3));
  EXPECT_EQ(fleet({"--unhealthy", "-l", "agentpool=general,topology.kubernetes.io/zone=none"}).status, 0);
}

TEST_F(FleetTest, OutliersNameTheMajority) {
  const Ran ran = fleet({"outliers", "-o", "json"});
  EXPECT_EQ(ran.status, 3) << ran.err;
  std::set<std::string> found;
  const Value all = json(ran.out);
  for (const Value& each : all.find("outliers")->items)
    found.insert(text_at(each, {"node"}) + " " + text_at(each, {"what"}) + " " + text_at(each, {"value"}) + " " +
                 text_at(each, {"majority"}));
  EXPECT_TRUE(found.contains(fleet_node_name(42) + " kernel 6.8.0-60-generic 6.8.0-79-generic")) << ran.out;
  EXPECT_TRUE(found.contains(fleet_node_name(61) + " driver 535.104.12 580.65.06")) << ran.out;
  EXPECT_TRUE(found.contains(fleet_node_name(15) + " missing 1 ")) << ran.out;
  EXPECT_EQ(fleet({"outliers", "-l", "agentpool=general,topology.kubernetes.io/zone=none"}).status, 0);
}

TEST_F(FleetTest, OutliersTakeTheOptionsBeforeThem) {
  const std::string other = (cluster->folder() / "none.kubeconfig").string();
  EXPECT_EQ(fleet({"--kubeconfig", other, "outliers"}).status, 2) << "no other cluster is read";
  const Ran ran = fleet({"-l", "agentpool=amd", "-o", "json", "outliers"});
  EXPECT_EQ(text_at(json(ran.out), {"nodes"}), std::to_string(fleet_size() / 10)) << ran.out << ran.err;
  EXPECT_EQ(text_at(json(fleet({"agentpool=amd", "outliers", "-o", "json"}).out), {"nodes"}),
            std::to_string(fleet_size() / 10));
}

TEST_F(FleetTest, ThePageOfUnhealthyNodesComparesThemWithAll) {
  const Ran ran = fleet({"--unhealthy", "-o", "html"});
  EXPECT_EQ(ran.status, 3) << ran.err;
  EXPECT_NE(ran.out.find("\"node\":\"" + fleet_node_name(15) + "\",\"what\":\"missing\""), std::string::npos);
  EXPECT_EQ(ran.out.find("\"node\":\"" + fleet_node_name(42) + "\""), std::string::npos) << "it is healthy";
}

TEST_F(FleetTest, SelectorsAreJoinedAndOneThatMatchesNothingIsSaid) {
  const Ran both = fleet({"agentpool=amd", "-l", "topology.kubernetes.io/zone=zone-1", "-o", "json"});
  const Ran one = fleet({"-l", "agentpool=amd,topology.kubernetes.io/zone=zone-1", "-o", "json"});
  EXPECT_EQ(json(both.out).find("nodes")->items.size(), json(one.out).find("nodes")->items.size()) << both.err;
  Ran ran = fleet({"agentpol=amd"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.err.find("no Node has these labels"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("did you mean \"agentpool\"?"), std::string::npos) << ran.err;
  EXPECT_NE(fleet({"outlires"}).err.find("did you mean the command \"outliers\"?"), std::string::npos);
  EXPECT_EQ(fleet({"-l", "agentpool=general", "--unhealthy"}).err.find("no Node has"), std::string::npos);
  EXPECT_NE(fleet({"-l", "!!"}).err.find("selector \"!!\""), std::string::npos);
}

TEST_F(FleetTest, FollowingEndsWithWhatTheServerRefusesForGood) {
  const Ran malformed = fleet({"-w", "-l", "!!"});
  EXPECT_EQ(malformed.status, 1);
  EXPECT_NE(malformed.err.find("selector \"!!\""), std::string::npos) << malformed.err;
  EXPECT_EQ(malformed.err.find("selector"), malformed.err.rfind("selector")) << "once: " << malformed.err;
  const Ran unknown = fleet({"-w"}, cluster->kubeconfig("fleet-unknown", R"({"token":"nonsense"})"));
  EXPECT_EQ(unknown.status, 1);
  cluster->create_service_account("fleet", "powerless", "[]");
  const Ran denied = fleet(
      {"-w"}, cluster->kubeconfig("fleet-powerless",
                                  R"({"token":")" + cluster->token("fleet", "powerless", fleet_node_name(0)) + "\"}"));
  EXPECT_EQ(denied.status, 1);
  EXPECT_NE(denied.err.find("forbidden"), std::string::npos) << denied.err;
}

TEST_F(FleetTest, FollowsChanges) {
  TempDirectory folder;
  const auto log = folder.path() / "log";
  ::setenv("KUBECONFIG", cluster->admin_kubeconfig().c_str(), 1);
  Process following({nodescout_program(), "fleet", "-w", "-l", "agentpool=amd"}, log);
  const auto lines = [&] {
    const std::string text = read_file(log);
    return std::count(text.begin(), text.end(), '\n');
  };
  const long all = fleet_size() / 10 + 1;
  ASSERT_TRUE(eventually([&] { return lines() == all; })) << read_file(log);
  const std::string node = fleet_node_name(7), path = object_path(resources::kNodes, "", node);
  must(cluster->admin().patch(path, PatchKind::merge, json(R"({"metadata":{"labels":{"not-shown":"1"}}})")));
  must(cluster->admin().patch(path, PatchKind::merge,
                              json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/gpu-amd.missing":"1"}}})")));
  ASSERT_TRUE(eventually([&] { return lines() > all; })) << read_file(log);
  EXPECT_EQ(lines(), all + 1) << "a change that no column shows is none" << read_file(log);
  EXPECT_NE(read_file(log).rfind("1 missing"), std::string::npos) << read_file(log);
  must(cluster->admin().patch(
      path, PatchKind::merge,
      json(R"({"metadata":{"labels":{"feature.node.kubernetes.io/gpu-amd.missing":null,"not-shown":null}}})")));
  ASSERT_TRUE(eventually([&] { return lines() == all + 2; })) << read_file(log);
}

TEST_F(FleetTest, FollowsTheUnhealthyOnesWithoutTheOthers) {
  const auto create = [&](const std::string& name, bool is_healthy) {
    must(cluster->admin().create(
        collection_path(resources::kNodes),
        json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name + R"(","labels":{"followed":"1")" +
             (is_healthy ? "" : R"(,"feature.node.kubernetes.io/gpu-amd.missing":"1")") + "}}}")));
    must(cluster->admin().patch(object_path(resources::kNodes, "", name), PatchKind::merge,
                                json(R"({"spec":{"taints":null}})")));
  };
  create("followed-bad", false);
  create("followed-good", true);
  TempDirectory folder;
  const auto log = folder.path() / "log";
  ::setenv("KUBECONFIG", cluster->admin_kubeconfig().c_str(), 1);
  Process following({nodescout_program(), "fleet", "-w", "--unhealthy", "-o", "json", "-l", "followed"}, log);
  const auto has = [&](const std::string& text) { return read_file(log).find(text) != std::string::npos; };
  ASSERT_TRUE(eventually([&] { return has("followed-bad"); })) << read_file(log);
  must(cluster->admin().remove(object_path(resources::kNodes, "", "followed-good")));
  must(cluster->admin().remove(object_path(resources::kNodes, "", "followed-bad")));
  // The events come in this order.
  ASSERT_TRUE(eventually([&] { return has(R"({"name":"followed-bad","removed":true})"); })) << read_file(log);
  EXPECT_FALSE(has("followed-good")) << read_file(log);
}

TEST_F(FleetTest, FollowingASelectorThatMatchesNothingSaysSoAndWhenNodesCome) {
  TempDirectory folder;
  const auto log = folder.path() / "log";
  ::setenv("KUBECONFIG", cluster->admin_kubeconfig().c_str(), 1);
  Process following({nodescout_program(), "fleet", "-w", "-l", "agentpol=late"}, log);
  const auto count = [&](const std::string& text) {
    const std::string all = read_file(log);
    int found = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
    return found;
  };
  ASSERT_TRUE(eventually([&] { return count("no Node has these labels") == 1; })) << read_file(log);
  EXPECT_EQ(count("did you mean \"agentpool\"?"), 1) << read_file(log);
  EXPECT_EQ(count("NAME "), 0) << "a table without a row" << read_file(log);
  const auto create = [&](const std::string& name) {
    must(cluster->admin().create(collection_path(resources::kNodes),
                                 json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name +
                                      R"(","labels":{"agentpol":"late"}}})")));
  };
  create("late-one");
  ASSERT_TRUE(eventually([&] { return count("late-one is the first Node with these labels") == 1; })) << read_file(log);
  create("late-two");
  ASSERT_TRUE(eventually([&] { return count("late-two") >= 1; })) << read_file(log);
  EXPECT_EQ(count("NAME "), 1) << read_file(log);
  EXPECT_EQ(count("is the first Node"), 1) << read_file(log);
  EXPECT_EQ(count("no Node has these labels"), 1) << read_file(log);
  for (const char* name : {"late-one", "late-two"})
    EXPECT_TRUE(cluster->admin().remove(object_path(resources::kNodes, "", name)));
}

TEST_F(FleetTest, LabelsWithWhatMadeThem) {
  const std::string node = fleet_node_name(27), numa = "feature.node.kubernetes.io/memory-numa";
  must(cluster->admin().patch(
      object_path(resources::kLeases, "nodescout", node), PatchKind::merge,
      json(
          R"({"metadata":{"annotations":{"nodescout.dev/provenance":)"
          R"("[{\"by\":\"built-in\",\"since\":\"2026-11-20T08:00:00Z\"},)"
          R"({\"by\":\"/etc/nodescout/rules.d/a.yaml:3:5 (rule \\\"a\\\")\",\"keys\":[\"kernel-version.full\"]}]"}}})")));
  for (const char* output : {"json", "yaml"}) {
    const Ran ran = fleet({"--labels", "-l", "kubernetes.io/hostname=" + node, "-o", output});
    ASSERT_EQ(ran.status, 0) << ran.err;
    const Value all = parse_yaml(ran.out, "fleet").at(0).root;
    ASSERT_EQ(all.find("nodes")->items.size(), 1u) << ran.out;
    const Value& labels = *all.find("nodes")->items[0].find("labels");
    EXPECT_EQ(text_at(labels, {numa, "value"}), "true") << ran.out;
    EXPECT_EQ(text_at(labels, {numa, "maker"}), "built-in");
    EXPECT_EQ(text_at(labels, {numa, "probe"}), "memory (/sys/bus/node/devices)");
    EXPECT_EQ(text_at(labels, {numa, "since"}), "2026-11-20T08:00:00Z");
    const std::string kernel = "feature.node.kubernetes.io/kernel-version.full";
    EXPECT_EQ(text_at(labels, {kernel, "maker"}), "/etc/nodescout/rules.d/a.yaml:3:5 (rule \"a\")");
    EXPECT_EQ(at(labels, {kernel, "probe"})->kind, Value::Kind::null) << "this rule is not known here";
    EXPECT_EQ(at(labels, {"agentpool", "maker"})->kind, Value::Kind::null) << "another owner's";
  }
  EXPECT_EQ(fleet({"--labels"}).status, 2);
  EXPECT_EQ(fleet({"--labels", "-o", "json", "--group-by", "model"}).status, 2);
  EXPECT_FALSE(row(fleet({"-o", "json"}), node).find("labels")) << "only where they are asked for";
}

TEST_F(FleetTest, ThePluginOfKubectl) {
  TempDirectory folder;
  std::filesystem::create_symlink(nodescout_program(), folder.path() / "kubectl-nodescout");
  std::filesystem::create_symlink(nodescout_program(), folder.path() / "kubectl_complete-nodescout");
  const std::string path = folder.path().string() + ":" + cluster->folder().string() + ":" + std::getenv("PATH");
  const std::string kubectl = programs().folder / "kubectl";
  const RunOptions options{.environment = {{"PATH", path}, {"KUBECONFIG", cluster->admin_kubeconfig().string()}}};
  Ran ran = run_program({kubectl, "nodescout", "fleet", "-l", "agentpool=amd", "-o", "csv"}, options);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), fleet_size() / 10 + 1) << ran.out;
  ran = run_program({kubectl, "nodescout", "fleet", "--help"}, options);
  EXPECT_NE(ran.out.find("Usage: kubectl nodescout fleet"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n  kubectl nodescout fleet -w"), std::string::npos) << ran.out;
  ran = run_program({kubectl, "nodescout", "fleat"}, options);
  EXPECT_NE(ran.err.find("Try `kubectl nodescout --help`"), std::string::npos) << ran.err;
  ran = run_program({kubectl, "__complete", "nodescout", "fleet", "--out"}, options);
  EXPECT_NE(ran.out.find("--output\n"), std::string::npos) << ran.out << ran.err;
}

TEST_F(FleetTest, Figures) {
  const std::string program = release_program().empty() ? nodescout_program() : release_program();
  TempDirectory folder;
  int runs = 0;
  ::setenv("KUBECONFIG", cluster->admin_kubeconfig().c_str(), 1);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"fleet"},
                                                {"fleet", "--sort", "driver"},
                                                {"fleet", "-o", "json"},
                                                {"fleet", "-o", "json", "--labels"},
                                                {"fleet", "-o", "html"},
                                                {"fleet", "outliers"}}) {
    std::vector<std::string> command{program};
    command.insert(command.end(), words.begin(), words.end());
    const auto since = cluster->now_in_audit_log();
    const auto begin = std::chrono::steady_clock::now();
    const auto log = folder.path() / std::to_string(++runs);
    Process process(command, log);
    long peak = 0;
    double cpu = 0;
    std::chrono::steady_clock::time_point first{};
    while (process.running()) {
      cpu = std::max(cpu, process.cpu_seconds());
      // It only grows, but for the first readings, which may be of the test before the program takes its place.
      if (const long now = process.memory_kib("VmHWM"); now > 0) peak = now;
      if (first == std::chrono::steady_clock::time_point{} && std::filesystem::file_size(log) > 0)
        first = std::chrono::steady_clock::now();
      std::this_thread::sleep_for(2ms);
    }
    const auto seconds = [&](auto end) { return std::chrono::duration<double>(end - begin).count(); };
    const double took = seconds(std::chrono::steady_clock::now());
    const auto audit = cluster->audit(since);
    const long pages = std::count_if(audit.begin(), audit.end(), [](const AuditEntry& entry) {
      return entry.verb == "list" && entry.resource == "nodes";
    });
    std::string name;
    for (const std::string& word : words) name += word + " ";
    std::printf("%d Nodes: %s: %.2f s (%.2f s of a processor), first output after %.2f s, peak %ld KiB, %ld pages\n",
                fleet_size(), name.c_str(), took, cpu,
                first == std::chrono::steady_clock::time_point{} ? took : seconds(first), peak, pages);
    EXPECT_GE(pages, fleet_size() / 100);
    if (!is_long() || release_program().empty()) continue;
    EXPECT_LE(peak, 64 * 1024) << name;
    EXPECT_LE(took, 3 + 0.1 * static_cast<double>(pages))
        << name << ": what the server takes for a page is not counted";
  }
}

}  // namespace
}  // namespace nodescout::test
