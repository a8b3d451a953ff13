#include <gtest/gtest.h>

#include "base/kubernetes_syntax.h"
#include "nodescout/labels.h"
#include "rule/pattern.h"

namespace nodescout {
namespace {

Rule rule_named(std::string name) {
  Rule rule;
  rule.name = std::move(name);
  rule.origin = "f.yaml";
  rule.mark = {3, 5};
  return rule;
}

struct Fixture {
  std::vector<Rule> rules{rule_named("r")};
  Outcome outcome;
  Features features;
  LabelPolicy policy;

  Built run(Layer layer = Layer::rules) { return build({{layer, &rules, &outcome, &features}}, policy); }
  void label(const std::string& key, const std::string& value) { outcome.labels[key] = {value, 0}; }
};

TEST(Names, Qualified) {
  for (const char* good : {"a", "a.b/c", "feature.node.kubernetes.io/cpu-cpuid.AVX", "x_y-Z.1", "a-b.c/D_e"})
    EXPECT_EQ(qualified_name_defect(good), "") << good;
  for (const char* bad :
       {"", "/", "a/", "/b", "a/b/c", "A.b/c", "a..b/c", "-a/b", "a/-b", "a/b-", "a/b c", "a/b=c", "a_b/c"})
    EXPECT_NE(qualified_name_defect(bad), "") << bad;
  EXPECT_EQ(qualified_name_defect(std::string(63, 'a')), "");
  EXPECT_NE(qualified_name_defect(std::string(64, 'a')), "");
  EXPECT_EQ(qualified_name_defect(std::string(253, 'a') + "/b"), "");
  EXPECT_NE(qualified_name_defect(std::string(254, 'a') + "/b"), "");
}

TEST(Names, Values) {
  for (const char* good : {"", "a", "A_b-c.9"}) EXPECT_EQ(label_value_defect(good), "") << good;
  for (const char* bad : {"-a", "a.", "a b", "@x", "a/b", "\xC3\xA9"}) EXPECT_NE(label_value_defect(bad), "") << bad;
  EXPECT_NE(label_value_defect(std::string(64, 'a')), "");
}

TEST(Names, AmountsOfResources) {
  for (const char* good : {"0", "4", "+2", "2Ki", "1E", "1e3", "5.", "3Ei", "1000m", "1.5k", "1.5Ki", "0.5Ki", "-0",
                           "2500e-2", "1000000000n", "0.0009765625Ki"})
    EXPECT_EQ(resource_amount_defect(good), "") << good;
  for (const char* bad : {"",    "x",  "1.2.3", "1Kib", "Ki", "1 ",   "e3",   "1e",    "1ee3",    "0x10", "true",
                          "1.5", "-1", "500m",  ".5",   "1n", "1E-3", "-2Ki", "0.3Ki", "1.0001k", "1e-1"})
    EXPECT_NE(resource_amount_defect(bad), "") << bad;
}

TEST(Names, AmountsAreStoredAsTheyAre) {
  for (const char* amount : {"9223372036854775807", "9223372036854775807.0", "7Ei", "9e18"})
    EXPECT_EQ(resource_amount_defect(amount), "") << amount;
  for (const char* amount : {"9223372036854775808", "8Ei", "9Ei", "1e19", "1e400", "92233720368547758070"})
    EXPECT_NE(resource_amount_defect(amount), "") << amount;
}

TEST(Names, Within) {
  EXPECT_TRUE(is_within("a.b", "a.b"));
  EXPECT_TRUE(is_within("x.a.b", "a.b"));
  EXPECT_FALSE(is_within("xa.b", "a.b"));
}

TEST(Build, PrefixesAndTheFullSpellingWins) {
  Fixture f;
  f.label("short", "1");
  f.label("dup", "bare");
  f.label("feature.node.kubernetes.io/dup", "full");
  EXPECT_EQ(f.run().desired.labels,
            (Attributes{{"feature.node.kubernetes.io/dup", "full"}, {"feature.node.kubernetes.io/short", "1"}}));
  f.policy.auto_prefix = false;
  EXPECT_EQ(f.run().desired.labels.size(), 3u);
}

TEST(Build, ReferencesTakeTheFinalValue) {
  Fixture f;
  f.features.attributes["k.v"] = {{"a", "third"}, {"b.c", "dotted"}, {"bad", "no label value"}};
  f.outcome.matched = {{"q", "7"}};
  f.label("v", "@k.v.a");
  f.label("w", "@k.v.b.c");
  f.label("bq", "@rule.matched.q");
  f.label("none", "@k.v.none");
  f.label("half", "@k.v");
  f.label("bad", "@k.v.bad");
  f.outcome.annotations["q"] = {"@k.v.a", 0};
  const Built built = f.run();
  EXPECT_EQ(built.desired.labels, (Attributes{{"feature.node.kubernetes.io/bq", "7"},
                                              {"feature.node.kubernetes.io/v", "third"},
                                              {"feature.node.kubernetes.io/w", "dotted"}}));
  EXPECT_EQ(built.desired.annotations.at("feature.node.kubernetes.io/q"), "third");
  ASSERT_EQ(built.rejected.size(), 3u);
  EXPECT_EQ(built.rejected[0].problem.where, "f.yaml:3:5 (rule \"r\")");
}

TEST(Build, TheAdviceAboutAReferenceIsAboutTheAttribute) {
  Fixture f;
  f.features.attributes["system.osrelease"] = {{"ID", "debian"}, {"VERSION_ID", "12"}};
  f.features.flags["cpu.cpuid"] = {"AVX"};
  const auto todo = [&](const std::string& value) {
    f.outcome.labels = {{"l", {value, 0}}};
    const Built built = f.run();
    return built.rejected.empty() ? "" : built.rejected[0].problem.todo;
  };
  EXPECT_EQ(todo("@system.osrelease.ID"), "");
  EXPECT_EQ(todo("@system.osrelease.VERSIONID"), "did you mean \"@system.osrelease.VERSION_ID\"?");
  EXPECT_EQ(todo("@system.osrelease.PRETTY_NAME"),
            "make it in a separate rule that matches the attribute: {feature: system.osrelease, matchExpressions: "
            "{PRETTY_NAME: {op: Exists}}}");
  EXPECT_EQ(todo("@system.release.ID"),
            "make it in a separate rule that matches the attribute: {feature: system.release, matchExpressions: "
            "{ID: {op: Exists}}}");
  EXPECT_EQ(todo("@cpu.cpuid.AVX"), "match the flag in this rule, and write the value itself, such as \"true\"");
  EXPECT_EQ(todo("@system"), "name an attribute as @domain.feature.element");
}

TEST(Build, EveryEntryHasItsMaker) {
  Fixture f;
  f.label("a", "1");
  f.outcome.annotations["a"] = {"2", 0};
  f.outcome.extended_resources["a"] = {"3", 0};
  f.outcome.taints.push_back({{"feature.node.kubernetes.io/a", "4", "NoSchedule", {}}, 0});
  const Built built = f.run(Layer::shipped);
  const std::string key = "feature.node.kubernetes.io/a";
  const auto entries = entries_of(built.desired);
  EXPECT_EQ(entries, (std::map<EntryKey, std::string>{{{EntryKind::label, key}, "1"},
                                                      {{EntryKind::annotation, key}, "2"},
                                                      {{EntryKind::taint, key + ":NoSchedule"}, "4"},
                                                      {{EntryKind::extended_resource, key}, "3"}}));
  ASSERT_EQ(built.from.size(), entries.size());
  for (const auto& [entry, from] : built.from) {
    EXPECT_TRUE(entries.contains(entry));
    EXPECT_EQ(from.layer, Layer::shipped);
  }
}

TEST(Build, RejectionsSayWhatTheyAreOf) {
  Fixture f;
  f.label("bad-value", "a b");
  f.outcome.taints.push_back({{"bare", "v", "NoSchedule", {}}, 0});
  const Built built = f.run(Layer::shipped);
  ASSERT_EQ(built.rejected.size(), 2u);
  EXPECT_EQ(built.rejected[0].kind, EntryKind::label);
  EXPECT_EQ(built.rejected[0].key, "bad-value");
  EXPECT_EQ(built.rejected[0].from.layer, Layer::shipped);
  EXPECT_EQ(built.rejected[1].kind, EntryKind::taint);
  EXPECT_EQ(built.rejected[1].key, "bare=v:NoSchedule");
}

TEST(Build, AnnotationsMayHoldReferences) {
  Fixture f;
  f.features.attributes["k.v"] = {{"a", "any text: at all"}};
  f.outcome.annotations = {{"q", {"@k.v.a", 0}}, {"team", {"@platform", 0}}, {"gone", {"@k.v.b", 0}}};
  Built built = f.run();
  EXPECT_EQ(built.desired.annotations, (Attributes{{"feature.node.kubernetes.io/q", "any text: at all"},
                                                   {"feature.node.kubernetes.io/team", "@platform"}}));
  EXPECT_EQ(built.rejected.size(), 1u);
  f.policy.annotation_references = false;  // as for NFD
  EXPECT_EQ(f.run().desired.annotations.at("feature.node.kubernetes.io/q"), "@k.v.a");
}

TEST(Build, NamespacesAreChecked) {
  Fixture f;
  for (const char* key : {"kubernetes.io/a", "node.kubernetes.io/b", "profile.node.kubernetes.io/c",
                          "x.feature.node.kubernetes.io/d", "vendor.com/e", "nvidia.com/f"})
    f.label(key, "1");
  f.outcome.annotations["profile.node.kubernetes.io/x"] = {"1", 0};
  Built built = f.run();
  EXPECT_EQ(built.desired.labels.size(), 4u);
  EXPECT_TRUE(built.desired.annotations.empty());
  f.policy.extra_namespaces = {"node.kubernetes.io"};
  f.policy.denied_namespaces = {"*.com"};
  built = f.run();
  EXPECT_TRUE(built.desired.labels.contains("node.kubernetes.io/b"));
  EXPECT_FALSE(built.desired.labels.contains("vendor.com/e"));
  f.policy.write_prefixes = {"nvidia.com"};
  f.policy.denied_namespaces.clear();
  built = f.run();
  EXPECT_EQ(built.desired.labels, (Attributes{{"nvidia.com/f", "1"}}));
}

TEST(Build, AValueInAnExtraNamespaceIsStillChecked) {
  Fixture f;
  f.policy.extra_namespaces = {"node.kubernetes.io"};
  f.label("node.kubernetes.io/b", "not legal");  // NFD lets it pass, and the API server then refuses the whole patch
  EXPECT_TRUE(f.run().desired.labels.empty());
}

TEST(Build, OneBadEntryCostsItself) {
  Fixture f;
  f.label("good", "1");
  f.label("bad key", "1");
  f.label("bad-value", "a b");
  f.outcome.extended_resources["r"] = {"2Ki", 0};
  f.outcome.extended_resources["s"] = {"many", 0};
  f.outcome.annotations["n"] = {std::string(1025, 'x'), 0};
  f.outcome.annotations["m"] = {"any text at all", 0};
  for (const char* key : {"feature.node.kubernetes.io/t", "bare", "feature.node.kubernetes.io/bad key"})
    f.outcome.taints.push_back({{key, "v", "NoSchedule", {}}, 0});
  f.outcome.taints.push_back({{"feature.node.kubernetes.io/u", "", "Sometimes", {}}, 0});
  const Built built = f.run();
  EXPECT_EQ(built.desired.labels.size(), 1u);
  EXPECT_EQ(built.desired.extended_resources.size(), 1u);
  EXPECT_EQ(built.desired.annotations.size(), 1u);
  EXPECT_EQ(built.desired.taints.size(), 1u);
  EXPECT_EQ(built.rejected.size(), 7u);
}

TEST(Build, TwoTaintsOfOneKeyAndEffectAreOne) {
  Fixture f;
  f.outcome.taints = {{{"feature.node.kubernetes.io/t", "a", "NoSchedule", {}}, 0},
                      {{"feature.node.kubernetes.io/t", "b", "NoSchedule", {}}, 0}};
  EXPECT_EQ(f.run().desired.taints, (std::vector<Taint>{{"feature.node.kubernetes.io/t", "b", "NoSchedule", {}}}));
  f.policy.taints = false;
  EXPECT_TRUE(f.run().desired.taints.empty());
  EXPECT_EQ(f.run().rejected.size(), 2u);
}

TEST(Build, WhiteLists) {
  Fixture f;
  f.label("cpu-x", "1");
  f.label("pci-y", "1");
  f.policy.label_white_list = std::make_shared<Pattern>(Pattern::compile("pci").value());
  EXPECT_EQ(f.run().desired.labels.size(), 1u);
  EXPECT_EQ(f.run(Layer::builtin).desired.labels.size(), 1u);
  f.policy.label_white_list = nullptr;
  f.policy.worker_white_list = std::make_shared<Pattern>(Pattern::compile("^cpu").value());
  EXPECT_EQ(f.run().desired.labels.size(), 2u);  // the worker's list is for the worker's labels
  EXPECT_EQ(f.run(Layer::builtin).desired.labels.size(), 1u);
}

TEST(Build, AWhiteListTouchesShippedRulesUnlessTheyAreChosen) {
  Fixture f;
  f.label("cpu-x", "1");
  f.label("pci-y", "1");
  f.policy.worker_white_list = std::make_shared<Pattern>(Pattern::compile("^cpu").value());
  const Built built = f.run(Layer::shipped);
  EXPECT_EQ(built.desired.labels.size(), 1u);
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_EQ(built.rejected[0].filter, "core.labelWhiteList");
  f.policy.label_white_list = f.policy.worker_white_list;
  f.policy.shipped_pass_white_lists = true;
  EXPECT_EQ(f.run(Layer::shipped).desired.labels.size(), 2u);
}

TEST(Build, TheAdviceForANamespaceNamesBothPlaces) {
  Fixture f;
  f.label("vendor.example/x", "1");
  f.policy.write_prefixes = {"nvidia.com"};
  f.outcome.taints = {{{"vendor.example/t", "", "NoSchedule", {}}, 0}};
  const Built built = f.run();
  ASSERT_EQ(built.rejected.size(), 2u);
  for (const Rejection& rejection : built.rejected)
    EXPECT_EQ(rejection.problem.todo,
              "add \"vendor.example\" to extraWritePrefixes in the configuration and to writePrefixes in the ConfigMap "
              "nodescout-policy");
}

TEST(Build, AKeyWithoutAPrefixNeedsOneAndNoNamespaceIsToBeAllowed) {
  Fixture f;
  f.label("x", "1");
  f.policy.auto_prefix = false;
  f.policy.write_prefixes = {"nvidia.com"};
  const Built built = f.run();
  ASSERT_EQ(built.rejected.size(), 1u);
  EXPECT_EQ(built.rejected[0].problem.what, "label \"x\": this agent writes no key without a prefix");
  EXPECT_EQ(built.rejected[0].problem.todo,
            "write the key with a prefix, or set autoPrefix: true in the configuration");
}

TEST(Build, AReferenceToAFlagIsNotOneToAnUnknownAttribute) {
  Fixture f;
  f.features.flags["cpu.cpuid"].insert("SSE42");
  f.features.flags["kernel.loadedmodule"].insert("dummy");
  f.features.attributes["cpu.cpuid"]["AVX10_VERSION"] = "1";
  f.label("vendor.example/x", "@cpu.cpuid.SSE42");
  f.label("vendor.example/y", "@kernel.loadedmodule.dummy");
  const Built built = f.run();
  ASSERT_EQ(built.rejected.size(), 2u);
  EXPECT_EQ(built.rejected[0].problem.what,
            "label \"vendor.example/x\": \"@cpu.cpuid.SSE42\" is a flag, and a flag has no value");
  for (const Rejection& rejection : built.rejected)
    EXPECT_EQ(rejection.problem.todo, "match the flag in this rule, and write the value itself, such as \"true\"");
}

TEST(Build, AnEntryAsPeopleReadIt) {
  EXPECT_EQ(entry_text(EntryKind::label, "a.example/x", "1:2"), "a.example/x=1:2");
  EXPECT_EQ(entry_text(EntryKind::taint, "a.example/x:NoSchedule", "v"), "a.example/x=v:NoSchedule");
  EXPECT_EQ(entry_text(EntryKind::taint, "a.example/x:NoSchedule", ""), "a.example/x=:NoSchedule");
}

TEST(Build, ARejectionNamesWhereTheLabelWasWritten) {
  Fixture f;
  f.label("bad value", "1");
  f.label("fine", "not legal");
  const Origins origins{{"bad value", "/etc/f/rack:3"}};
  const Built built = build({{Layer::local, &f.rules, &f.outcome, &f.features, &origins}}, f.policy);
  ASSERT_EQ(built.rejected.size(), 2u);
  EXPECT_EQ(built.rejected[0].problem.where, "/etc/f/rack:3");
  EXPECT_EQ(built.rejected[1].problem.where, "f.yaml:3:5 (rule \"r\")");
}

TEST(Build, ReferencesOfTheWorkerAreLiteralAndRefused) {
  Fixture f;
  f.features.attributes["k.v"] = {{"a", "1"}};
  f.label("x", "@k.v.a");
  EXPECT_TRUE(f.run(Layer::custom).desired.labels.empty());
  EXPECT_TRUE(f.run(Layer::local).desired.labels.empty());
  EXPECT_EQ(f.run(Layer::builtin).desired.labels.size(), 1u);
}

TEST(Build, LaterLayersOverride) {
  const std::vector<Rule> rules{rule_named("r")};
  Outcome first, second;
  first.labels = {{"a", {"1", 0}}, {"b", {"1", 0}}};
  second.labels = {{"feature.node.kubernetes.io/b", {"2", 0}}};
  const Built built = build({{Layer::builtin, &rules, &first}, {Layer::rules, &rules, &second}}, {});
  EXPECT_EQ(built.desired.labels,
            (Attributes{{"feature.node.kubernetes.io/a", "1"}, {"feature.node.kubernetes.io/b", "2"}}));
  EXPECT_EQ(built.from.at({EntryKind::label, "feature.node.kubernetes.io/b"}).layer, Layer::rules);
}

TEST(Build, AsTheWorkerPublishes) {
  Fixture f;
  f.label("rdma.capable", "true");
  f.policy.as_worker = true;
  EXPECT_TRUE(f.run(Layer::custom).desired.labels.contains("rdma.capable"));
  EXPECT_TRUE(f.run(Layer::rules).desired.labels.contains("feature.node.kubernetes.io/rdma.capable"));
}

/// Whatever rules make, what comes out is what the API server accepts.
TEST(Build, EveryBuiltLabelIsLegal) {
  const char* keys[] = {
      "a", "a/b", "A/b", "/",        "x y",          "a=b", "feature.node.kubernetes.io/c", "kubernetes.io/d",
      "@", "",    "\n",  "\xC3\xA9", "vendor.com/ok"};
  const char* values[] = {"", "1", "a b", "-", "@k.v.a", "@", "\n", "x.y_z", "\xFF"};
  Fixture f;
  f.features.attributes["k.v"] = {{"a", "not legal!"}};
  for (const char* key : keys)
    for (const char* value : values) {
      f.outcome = {};
      f.label(key, value);
      for (const auto& [built_key, built_value] : f.run().desired.labels) {
        EXPECT_EQ(qualified_name_defect(built_key), "");
        EXPECT_EQ(label_value_defect(built_value), "");
      }
    }
}

}  // namespace
}  // namespace nodescout
