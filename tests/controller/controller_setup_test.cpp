#include "controller/controller_setup.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "controller/controller.h"
#include "controller/prune.h"
#include "support/temp_host.h"

namespace nodescout::test {
namespace {

using Texts = std::vector<std::string>;

class ControllerSetupTest : public ::testing::Test {
 protected:
  Result<ControllerSetup> set_up(const std::string& text) {
    options.config = (folder.path() / "nfd-master.conf").string();
    std::ofstream(options.config) << text;
    return set_up_controller(options);
  }
  Config config(const std::string& text) { return set_up(text)->config; }

  TempDirectory folder;
  ControllerOptions options;
};

/// Every key of nfd-master's file: used, or reported with what it means for a controller.
TEST_F(ControllerSetupTest, EachKeyOfNfdMasterIsUsedOrReported) {
  struct Case {
    const char* text;
    std::function<bool(const Config&)> is_used;  // empty: it is reported
    const char* reason = "";
  };
  const Case cases[] = {
      {"noPublish: true", [](const Config& c) { return !c.publish; }},
      {"enableTaints: true", [](const Config& c) { return c.labels.taints; }},
      {"denyLabelNs: [a.example]", [](const Config& c) { return c.labels.denied_namespaces == Texts{"a.example"}; }},
      {"extraLabelNs: [a.example]", [](const Config& c) { return c.labels.extra_namespaces == Texts{"a.example"}; }},
      {"labelWhiteList: foo", [](const Config& c) { return c.labels.label_white_list != nullptr; }},
      {"leaderElection: {leaseDuration: 30s}", [](const Config&) { return true; }},
      {"instance: x", [](const Config& c) { return c.instance == "x"; }},
      {"restrictions: {disableLabels: true}", [](const Config& c) { return !c.labels.labels; }},
      {"restrictions: {disableExtendedResources: true}", [](const Config& c) { return !c.labels.extended_resources; }},
      {"restrictions: {disableAnnotations: true}", [](const Config& c) { return !c.labels.annotations; }},
      {"restrictions: {denyNodeFeatureLabels: true}", [](const Config& c) { return !c.objects.labels; }},
      {"restrictions: {allowOverwrite: true}", [](const Config& c) { return c.allow_overwrite; }},
      {"restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {a: b}}}",
       [](const Config& c) { return c.objects.selector.has_value(); }},
      {"resyncPeriod: 2h", [](const Config&) { return true; }},
      {"nfdApiParallelism: 10", {}, "adapts to the API server"},
      {"informerPageSize: 200", {}, "20 at a time"},
      {"klog: {v: 1}", {}, "--log-format"},
  };
  for (const Case& each : cases) {
    const auto setup = set_up(each.text);
    ASSERT_TRUE(setup) << each.text;
    if (each.is_used) {
      EXPECT_TRUE(each.is_used(setup->config)) << each.text;
      EXPECT_TRUE(setup->problems.empty()) << each.text << ": " << setup->problems.front().what;
    } else {
      ASSERT_EQ(setup->problems.size(), 1u) << each.text;
      EXPECT_NE(setup->problems[0].what.find(each.reason), std::string::npos) << setup->problems[0].what;
    }
  }
}

TEST_F(ControllerSetupTest, TheCommandLineIsStrongerThanTheFile) {
  options.more_config = "{denyLabelNs: [c.example], enableTaints: true}";
  EXPECT_EQ(config("denyLabelNs: [a.example]").labels.denied_namespaces, (Texts{"a.example", "c.example"}))
      << "as in NFD lists of both files are united";
  options.denied_label_namespaces = Texts{"b.example"};
  options.extra_label_namespaces = Texts{};
  options.instance = "x.y";
  options.label_white_list = "foo";
  const Config chosen = config("{denyLabelNs: [a.example], extraLabelNs: [d.example], instance: z}");
  EXPECT_EQ(chosen.labels.denied_namespaces, Texts{"b.example"});
  EXPECT_TRUE(chosen.labels.extra_namespaces.empty());
  EXPECT_EQ(chosen.instance, "x.y");
  EXPECT_TRUE(chosen.labels.label_white_list);
  EXPECT_TRUE(chosen.labels.taints);
}

TEST_F(ControllerSetupTest, TimesOfTheLeaderElectionCount) {
  using namespace std::chrono_literals;
  EXPECT_EQ(set_up("")->times, (LeaderTimes{15s, 10s, 2s}));
  EXPECT_EQ(set_up("leaderElection: {leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 4s}")->times,
            (LeaderTimes{30s, 20s, 4s}));
  EXPECT_EQ(set_up("")->resync, 1h);
  EXPECT_EQ(set_up("resyncPeriod: 2m")->resync, 2min);
  EXPECT_EQ(set_up("resyncPeriod: 0")->resync, 0s);
  options.resync = 5s;
  EXPECT_EQ(set_up("resyncPeriod: 2m")->resync, 5s);
  options.more_config = "{leaderElection: {leaseDuration: 40s}}";
  EXPECT_EQ(set_up("leaderElection: {retryPeriod: 3s}")->times, (LeaderTimes{40s, 10s, 3s}));
}

/// NFD's file in its usual place keeps an agent from nothing, but it may name the instance whose labels a controller
/// removes.
TEST_F(ControllerSetupTest, AControllerDoesNotStartWithAFileThatCannotBeRead) {
  TempHost system;
  system.write("/etc/kubernetes/node-feature-discovery/nfd-master.conf", "{instance: x");
  options.system = system.path().string();
  options.kubeconfig = system.path() / "absent.kubeconfig";
  const auto refused = set_up_controller(options);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().where.find("nfd-master.conf"), std::string::npos) << refused.error().text();

  const auto prune = [&] { return prune_all(options, true, [](const std::string&, const Change&) {}); };
  ASSERT_FALSE(prune());
  EXPECT_EQ(prune().error().text(), refused.error().text());
  Log log(LogFormat::text);
  const auto controller = Controller::open(options, log, nullptr);
  ASSERT_FALSE(controller);
  EXPECT_EQ(controller.error().text(), refused.error().text());

  options.instance = "x";
  ASSERT_FALSE(prune());
  EXPECT_EQ(prune().error().where.find("nfd-master.conf"), std::string::npos)
      << "named, it is pruned as far as one can";
  EXPECT_FALSE(set_up_controller(options)) << "the file may restrict more";
}

TEST_F(ControllerSetupTest, WhereNothingIsPublishedNothingIsPruned) {
  options.kubeconfig = (folder.path() / "no-such-kubeconfig").string();
  const auto prune = [&] { return prune_all(options, false, [](const std::string&, const Change&) {}); };
  ASSERT_TRUE(set_up(""));
  EXPECT_FALSE(prune()) << "it looks for a cluster";
  options.publishes = false;
  EXPECT_TRUE(prune());
  options.publishes = true;
  ASSERT_TRUE(set_up("noPublish: true"));
  EXPECT_TRUE(prune());
  options.instance = "x";
  EXPECT_TRUE(prune());
}

/// The default in place of a value that cannot be read would lift a restriction, or remove every taint.
TEST_F(ControllerSetupTest, AControllerDoesNotStartWithAKeyThatCannotBeRead) {
  for (const char* text :
       {"denylabelns: a.example", "labelWhiteList: '['", "restrictions: {disableLabels: maybe}", "restrictions: 3",
        "enableTaints: often", "extraLabelNs: {a: b}", "nodeFeatures: {namespaces: 3}", "writePrefixes: x",
        "restrictions: {nodeFeatureNamespaceSelector: {matchExpressions: [{key: a, operator: Nope}]}}",
        "leaderElection: {leaseDuration: soon}", "noPublish: 7", "instance: [x]"}) {
    const auto refused = set_up(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().where.find(options.config), 0u) << refused.error().text();
  }
  EXPECT_TRUE(set_up("limits: {labelsPerObject: many}")) << "the default is as strict";
  EXPECT_TRUE(set_up("core: {labelSources: 3}")) << "of a worker";
  options.label_white_list = "[";
  const auto refused = set_up("");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("labelWhiteList: bad regular expression"), std::string::npos);
}

TEST_F(ControllerSetupTest, AnInstanceMustBeAName) {
  options.instance = "-x";
  EXPECT_FALSE(set_up(""));
}

}  // namespace
}  // namespace nodescout::test
