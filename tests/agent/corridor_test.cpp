// The corridor of an agent on a machine of files: what it holds between two walks, and what may leave the Node.
#include "agent/corridor.h"

#include <gtest/gtest.h>

#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const std::string kF = "feature.node.kubernetes.io/";
const SteadyTime kStart{1h};

/// A bare list of one rule: the worker's dialect.
std::string custom(const std::string& name, const std::string& labels, const std::string& expression,
                   const std::string& feature = "local.feature") {
  return "- name: " + name + "\n  labels: {" + labels + "}\n  matchFeatures:\n    - feature: " + feature + "\n" +
         "      matchExpressions: {" + expression + "}\n";
}
std::string object(const std::string& name, const std::string& rule) {
  return "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeatureRule\nmetadata: {name: " + name +
         "}\nspec: {rules: [" + rule + "]}\n";
}
constexpr const char* kFactExists = "[{feature: local.feature, matchExpressions: {fact: {op: Exists}}}]";

class AgentCorridorTest : public ::testing::Test {
 protected:
  AgentCorridorTest() {
    fact("fact=1\n");
    files.write("/test.conf", "{}\n");
    files.write("/rules/custom.yaml", custom("c", "c: \"1\"", "fact: {op: Exists}"));
    files.write("/rules/object.yaml", object("o", "{name: o, labels: {o: \"1\"}, matchFeatures: " + matcher + "}"));
    options.root = files.path().string();
    options.ask_machine = false;
    options.config = (files.path() / "test.conf").string();
    options.rules.paths = {(files.path() / "rules").string()};
    options.rules.shipped = false;
    options.only = {"local"};
  }

  void fact(const std::string& text) { files.write("/etc/kubernetes/node-feature-discovery/features.d/facts", text); }
  AgentCorridor& corridor() {
    if (!opened) {
      auto made = AgentCorridor::open(options);
      if (!made) throw std::runtime_error(made.error().text());
      opened.emplace(*std::move(made));
    }
    return *opened;
  }
  /// One look at everything, so much later than the last one.
  void look(std::chrono::milliseconds later = 2s) {
    now += later;
    ASSERT_TRUE(corridor().look({true, {}}, now));
  }
  Desired desired() { return corridor().evaluate(cluster).desired; }
  std::string label(const std::string& key) {
    const Desired now_desired = desired();
    const auto at = now_desired.labels.find(kF + key);
    return at == now_desired.labels.end() ? "" : at->second;
  }
  std::optional<Kept> may_go(const std::string& key) {
    const Walked made = corridor().evaluate(cluster);
    return corridor().may_go(made, cluster, now)({Change::Kind::label, Change::Action::remove, kF + key, "1", "", {}});
  }

  const std::string matcher = kFactExists;
  TempHost files;
  AgentOptions options;
  ClusterView cluster = [] {
    ClusterView view;
    view.complete = view.settled = true;
    view.own_space = "nfd";
    return view;
  }();
  std::optional<AgentCorridor> opened;
  SteadyTime now = kStart;
};

TEST_F(AgentCorridorTest, AFactGoesWhenThreeLooksAgree) {
  look();
  EXPECT_EQ(label("c") + label("o") + label("fact"), "111");
  fact("");
  for (int i = 0; i < 2; ++i) {
    look();
    EXPECT_EQ(label("c") + label("o") + label("fact"), "111");
  }
  look();
  EXPECT_EQ(label("c") + label("o") + label("fact"), "");
  EXPECT_EQ(may_go("c"), std::nullopt);
}

TEST_F(AgentCorridorTest, WhatItNeverMadeGoesAfterThreeLooksAtEverything) {
  look();
  look();
  EXPECT_EQ(may_go("old"), Kept::unproved);
  now += 2s;
  ASSERT_TRUE(corridor().look({false, {"local"}}, now));
  EXPECT_EQ(may_go("old"), Kept::unproved) << "one probe is not the whole machine";
  look();
  EXPECT_EQ(may_go("old"), std::nullopt);
}

TEST_F(AgentCorridorTest, StaleFactsKeepWhatTheirRulesMayMake) {
  options.only = {"kernel"};
  files.write("/proc/modules", "loaded 1 0\n");
  files.write("/rules/custom.yaml", custom("l", "l: \"1\"", "loaded: {op: Exists}", "kernel.loadedmodule") +
                                        custom("m", "m: \"1\"", "absent: {op: Exists}", "kernel.loadedmodule"));
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(label("l") + label("m"), "1");
  EXPECT_EQ(may_go("m"), std::nullopt);
  fs::remove(files.path() / "proc/modules");
  for (int i = 0; i < 5; ++i) look();
  EXPECT_EQ(label("l"), "1");
  EXPECT_EQ(may_go("m"), Kept::facts_stale) << "the rule may match what cannot be read";
  EXPECT_EQ(may_go("old"), std::nullopt);
}

TEST_F(AgentCorridorTest, RulesThatCanNoLongerBeReadGoOnAsTheyWere) {
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(label("c") + label("o"), "11");
  files.write("/rules/custom.yaml", "- name: c\n  labels: 7\n");
  files.write("/rules/object.yaml", "{");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(label("c") + label("o"), "11");
  EXPECT_EQ(may_go("old"), Kept::rule_unreadable);
  EXPECT_FALSE(corridor().evaluate(cluster).rule_problems.empty());
  files.write("/rules/custom.yaml", "[]\n");
  fs::remove(files.path() / "rules/object.yaml");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(label("c") + label("o"), "") << "they were taken out";
  EXPECT_EQ(may_go("old"), std::nullopt);
  EXPECT_EQ(may_go("c"), std::nullopt);
  EXPECT_TRUE(corridor().evaluate(cluster).rule_problems.empty());
}

TEST_F(AgentCorridorTest, AConfigurationWithoutProbesStartsAndRemovesNothing) {
  options.only.clear();
  for (const char* sources : {"[]", "[-all]", "[none-such]"}) {
    files.write("/test.conf", "core: {featureSources: " + std::string(sources) + "}\n");
    opened.reset();
    for (int i = 0; i < 5; ++i) look();
    EXPECT_EQ(may_go("old"), Kept::unproved) << sources;
    const auto problems = corridor().evaluate(cluster).rule_problems;
    EXPECT_TRUE(std::any_of(problems.begin(), problems.end(), [](const Problem& p) { return p.code == "no-probes"; }))
        << sources;
  }
  // A running agent goes on with what it had.
  files.write("/test.conf", "core: {featureSources: [local]}\n");
  ASSERT_TRUE(corridor().reload());
  files.write("/test.conf", "core: {featureSources: []}\n");
  EXPECT_FALSE(corridor().reload());
  EXPECT_EQ(corridor().probes().size(), 1u);
}

TEST_F(AgentCorridorTest, ARefusedConfigurationChangesNothing) {
  look();
  files.write("/test.conf", "noSuchKey: [\n");
  files.write("/rules/custom.yaml", "[]\n");
  EXPECT_FALSE(corridor().reload());
  EXPECT_EQ(label("c"), "1");
}

TEST_F(AgentCorridorTest, ARuleThatFailsKeepsWhatItMade) {
  files.write(
      "/rules/object.yaml",
      object(
          "o",
          R"({name: o, labelsTemplate: "t={{ index (split \"-\" (index .local.feature 0).Value) \"_0\" }}\n{{ if eq (index .local.feature 0).Value \"2\" }}{{ fail \"no\" }}{{ end }}", matchFeatures: )" +
              matcher + "}"));
  for (int i = 0; i < 3; ++i) look();
  ASSERT_EQ(label("t"), "1");
  EXPECT_EQ(may_go("old"), std::nullopt);
  fact("fact=2\n");
  look();
  const Walked walked = corridor().evaluate(cluster);
  EXPECT_EQ(walked.desired.labels.at(kF + "t"), "1");
  EXPECT_EQ(walked.failed_rules, 1u);
  EXPECT_EQ(walked.rule_problems.size(), 1u);
  EXPECT_EQ(may_go("old"), Kept::rule_failing);
  fact("fact=3\n");
  look();
  EXPECT_EQ(label("t"), "3");
  EXPECT_EQ(may_go("old"), std::nullopt);
}

TEST_F(AgentCorridorTest, RulesOfTheClusterJoinThoseOfFiles) {
  for (int i = 0; i < 3; ++i) look();
  const auto rule = [&](const char* value) {
    return parse_rules(
               object("p", "{name: p, labels: {o: \"" + std::string(value) + "\"}, matchFeatures: " + matcher + "}"),
               "NodeFeatureRule/p")
        .documents;
  };
  EXPECT_EQ(label("o"), "1");
  cluster.rules = rule("2");
  cluster.rules_generation = 1;
  EXPECT_EQ(label("o"), "2") << "p comes behind o";
  cluster.rules = rule("3");
  EXPECT_EQ(label("o"), "2") << "the generation says that nothing changed";
  cluster.rules_generation = 2;
  EXPECT_EQ(label("o"), "3");
  cluster.rules.clear();
  cluster.rules_generation = 3;
  EXPECT_EQ(label("o"), "1");
  cluster.broken_rules = true;
  EXPECT_EQ(may_go("old"), Kept::rule_unreadable);
  cluster.complete = false;
  EXPECT_EQ(may_go("old"), Kept::cluster_unknown);
}

TEST_F(AgentCorridorTest, SaysWhatMadeAnEntryWhereItIsAsked) {
  look();
  EXPECT_TRUE(corridor().evaluate(cluster).made_by.empty());
  cluster.objects.push_back({"nfd", "x", {}, {{kF + "theirs", "1"}}});
  const Walked walked = corridor().evaluate(cluster, AgentCorridor::Makers::exact);
  const auto made_by = [&](const std::string& key) {
    const auto at = walked.made_by.find({Change::Kind::label, kF + key});
    return at == walked.made_by.end() ? "" : at->second;
  };
  EXPECT_NE(made_by("c").find("custom.yaml:1:3 (rule \"c\")"), std::string::npos) << made_by("c");
  EXPECT_NE(made_by("o").find("object.yaml"), std::string::npos) << made_by("o");
  EXPECT_EQ(made_by("theirs"), "a label of another agent's NodeFeature object");

  const auto brief = corridor().evaluate(cluster, AgentCorridor::Makers::brief).made_by;
  EXPECT_EQ(brief.at({Change::Kind::label, kF + "c"}), made_by("c")) << "a site's rule keeps its place";
}

TEST_F(AgentCorridorTest, AnObjectThatIsLeftOutMakesNothingAndTakesNothingAway) {
  for (int i = 0; i < 3; ++i) look();
  cluster.objects.push_back({"vendor", "x", {}, {{"theirs", "1"}, {"nvidia.com/mig.config", "all"}, {"c", "2"}}});
  cluster.objects[0].features.attributes["local.feature"]["fact"] = "2";
  const auto problem_codes = [&] {
    std::string codes;
    for (const Problem& problem : corridor().evaluate(cluster).rule_problems) codes += problem.code + " ";
    return codes;
  };
  EXPECT_EQ(label("theirs"), "");
  EXPECT_EQ(label("c"), "1");
  EXPECT_EQ(problem_codes(), "object-not-counted ");
  EXPECT_EQ(may_go("theirs"), Kept::object_not_counted);
  EXPECT_EQ(may_go("old"), std::nullopt);
  EXPECT_EQ(corridor().evaluate(cluster).left_out.at({EntryKind::label, kF + "theirs"}), "NodeFeature vendor/x");
  files.write("/test.conf", "nodeFeatures: {namespaces: []}\n");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(may_go("theirs"), std::nullopt) << "the administrator has decided";
  files.write("/test.conf", "nodeFeatures: {namespaces: [vendor]}\n");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(label("theirs"), "1");
  EXPECT_EQ(label("c") + label("fact"), "11") << "it adds, and does not change";
  EXPECT_EQ(problem_codes(), "object-not-counted object-not-counted object-not-counted ");
  files.write("/test.conf", "nodeFeatures: {namespaces: [vendor], mayOverride: true, deniedKeys: []}\n");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(label("c"), "2");
  EXPECT_EQ(problem_codes(), "");
  EXPECT_EQ(desired().labels.find("nvidia.com/mig.config")->second, "all");
  // As NFD.
  files.write("/test.conf", "{}\n");
  options.nfd_compat = true;
  opened.reset();
  look();
  EXPECT_EQ(label("c") + label("theirs"), "21");
  EXPECT_TRUE(desired().labels.contains("nvidia.com/mig.config"));
}

TEST_F(AgentCorridorTest, ASelectorDecidesByTheLabelsOfNamespaces) {
  look();
  cluster.objects.push_back({"vendor", "x", {}, {{"theirs", "1"}}});
  files.write("/test.conf", "restrictions: {nodeFeatureNamespaceSelector: {matchLabels: {trusted: \"yes\"}}}\n");
  ASSERT_TRUE(corridor().reload());
  EXPECT_EQ(label("theirs"), "") << "the namespace is not known";
  cluster.namespaces["vendor"] = {Attributes{{"trusted", "yes"}}, ""};
  EXPECT_EQ(label("theirs"), "1");
  cluster.namespaces["vendor"] = {Attributes{{"trusted", "no"}}, ""};
  EXPECT_EQ(label("theirs"), "");
  EXPECT_EQ(may_go("theirs"), Kept::object_not_counted) << "being left out takes nothing away";
}

TEST_F(AgentCorridorTest, ProblemsAreSortedByWhomTheyConcern) {
  look();
  cluster.problems = {{"watch-in-trouble", "nodefeatures", "away", ""},
                      {"unknown-field", "NodeFeatureRule/x", "w", ""}};
  const Walked walked = corridor().evaluate(cluster);
  ASSERT_EQ(walked.problems.size(), 1u);
  EXPECT_EQ(walked.problems[0].code, "watch-in-trouble");
  ASSERT_EQ(walked.rule_problems.size(), 1u);
  EXPECT_EQ(walked.rule_problems[0].code, "unknown-field");
  cluster.problems.push_back(cluster.problems[1]);
  EXPECT_EQ(corridor().evaluate(cluster).rule_problems.size(), 1u) << "each once";
}

TEST_F(AgentCorridorTest, AProbesProblemsStayUntilItRunsAgain) {
  fs::remove_all(files.path() / "etc/kubernetes/node-feature-discovery/features.d");
  files.write("/etc/kubernetes/node-feature-discovery/features.d", "not a directory");
  look();
  const auto problems = corridor().evaluate(cluster).problems;
  EXPECT_EQ(problems.size(), 1u);
  ASSERT_TRUE(corridor().look({false, {"cpu"}}, now));
  EXPECT_EQ(corridor().evaluate(cluster).problems, problems) << "it did not run";
  fs::remove(files.path() / "etc/kubernetes/node-feature-discovery/features.d");
  look();
  EXPECT_TRUE(corridor().evaluate(cluster).problems.empty());
}

TEST_F(AgentCorridorTest, WatchesWhatItReads) {
  options.only = {"local", "system"};
  const auto paths = corridor().watched_paths();
  for (const std::string& path :
       {options.config, options.rules.paths[0], options.root + "/etc/os-release",
        options.root + "/etc/kubernetes/node-feature-discovery/features.d", std::string("/etc/nodescout/rules.d"),
        std::string("/etc/kubernetes/node-feature-discovery/custom.d")})
    EXPECT_TRUE(paths.contains(path)) << path;
  EXPECT_FALSE(paths.contains(""));
  EXPECT_EQ(paths.at(options.root + "/etc/os-release"), std::set<std::string>{"system"});
  EXPECT_EQ(paths.at(options.config), std::set<std::string>{""}) << "configuration and rules";
}

TEST_F(AgentCorridorTest, AMachineThatIsNotThereIsAnError) {
  corridor();
  options.root = (files.path() / "none").string();
  opened.reset();
  EXPECT_FALSE(corridor().look({true, {}}, now));
  options.config = (files.path() / "none.conf").string();
  EXPECT_FALSE(AgentCorridor::open(options));
}

/// NFD's configuration, which has no path on the command line.
TEST_F(AgentCorridorTest, AnUnreadableConfigurationOfNfdsTakesNothingAway) {
  const std::string conf = "/etc/kubernetes/node-feature-discovery/nfd-worker.conf";
  options.config.clear();
  options.system = files.path().string();
  files.write(conf, "core: [\n");
  look();
  EXPECT_EQ(label("c"), "1") << "it starts, and does what does not depend on that file";
  const Walked walked = corridor().evaluate(cluster);
  EXPECT_TRUE(std::any_of(walked.rule_problems.begin(), walked.rule_problems.end(), [](const Problem& problem) {
    return problem.code == "configuration-refused";
  })) << "its author looks at the Node";
  look(5min);
  look(5min);
  EXPECT_EQ(may_go("unknown"), Kept::rule_unreadable);
  EXPECT_TRUE(corridor().reload()) << "rule files are read again all the same";
  files.write(conf, "{}\n");
  EXPECT_TRUE(corridor().reload());
  look(5min);
  EXPECT_NE(may_go("unknown"), Kept::rule_unreadable);
  files.write(conf, "core: [\n");
  EXPECT_FALSE(corridor().reload());
  EXPECT_NE(may_go("unknown"), Kept::rule_unreadable) << "the former one still counts";
}

}  // namespace
}  // namespace nodescout::test
