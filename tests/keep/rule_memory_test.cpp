// A rule that fails keeps what it made last.
#include "keep/rule_memory.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

Rule rule(std::string name, std::string origin = "o") {
  Rule rule;
  rule.name = std::move(name);
  rule.origin = std::move(origin);
  return rule;
}

/// One layer of two rules, a and b, evaluated again and again.
struct Fixture {
  std::vector<Rule> rules{rule("a"), rule("b")};
  Layer layer = Layer::rules;
  Outcome outcome;
  Built built;
  RuleMemory memory;

  void label(const std::string& key, const std::string& value, std::size_t by) {
    built.desired.labels.insert_or_assign(key, value);
    built.from[{EntryKind::label, key}] = {layer, by};
  }
  void taint(const Taint& taint, std::size_t by) {
    outcome.taints.push_back({taint, by});
    built.desired.taints.push_back(taint);
    built.from[{EntryKind::taint, taint.name()}] = {layer, by};
  }
  /// What is desired then; the next evaluation begins with nothing.
  Desired settle() {
    memory.settle({{layer, &rules, &outcome}}, built);
    outcome = {};
    return std::exchange(built, {}).desired;
  }
};

TEST(RuleMemory, AFailingRuleKeepsEveryKindOfEntry) {
  Fixture f;
  f.label("l", "1", 0);
  f.built.desired.annotations = {{"n", "2"}};
  f.built.from[{EntryKind::annotation, "n"}] = {f.layer, 0};
  f.built.desired.extended_resources = {{"r", "3"}};
  f.built.from[{EntryKind::extended_resource, "r"}] = {f.layer, 0};
  f.taint({"t", "v", "NoSchedule", {}}, 0);
  const Desired made = f.settle();
  EXPECT_FALSE(f.memory.any_failing());
  for (int i = 0; i < 3; ++i) {
    f.outcome.failing = {0};
    EXPECT_EQ(f.settle(), made) << "however long it fails";
    EXPECT_TRUE(f.memory.any_failing());
  }
  EXPECT_EQ(f.settle(), Desired{}) << "it can be evaluated, and makes nothing";
  EXPECT_FALSE(f.memory.any_failing());
  f.outcome.failing = {0};
  EXPECT_EQ(f.settle(), Desired{}) << "so there is nothing to keep";
}

TEST(RuleMemory, OnlyTheFailingRuleKeepsItsEntries) {
  Fixture f;
  f.label("a", "1", 0);
  f.label("b", "1", 1);
  f.taint({"a", "", "NoSchedule", {}}, 0);
  f.taint({"b", "", "NoSchedule", {}}, 1);
  f.settle();
  f.outcome.failing = {1};
  const Desired desired = f.settle();
  EXPECT_EQ(desired.labels, (Attributes{{"b", "1"}}));
  ASSERT_EQ(desired.taints.size(), 1u);
  EXPECT_EQ(desired.taints[0].key, "b");
}

TEST(RuleMemory, WhatAnotherRuleMakesNowTakesPrecedence) {
  Fixture f;
  f.label("x", "old", 0);
  f.taint({"t", "old", "NoSchedule", {}}, 0);
  f.taint({"t", "old", "NoExecute", {}}, 0);
  f.settle();
  f.outcome.failing = {0};
  f.label("x", "new", 1);
  f.taint({"t", "new", "NoSchedule", {}}, 1);
  const Desired desired = f.settle();
  EXPECT_EQ(desired.labels, (Attributes{{"x", "new"}}));
  EXPECT_EQ(desired.taints, (std::vector<Taint>{{"t", "new", "NoSchedule", {}}, {"t", "old", "NoExecute", {}}}));
}

TEST(RuleMemory, ALabelThatAnObjectAsksForDoesNotTakeThePlaceOfAFailingRules) {
  Fixture f;
  f.label("x", "ours", 0);
  f.settle();
  f.outcome.failing = {0};
  f.label("x", "theirs", 0);
  f.built.from[{EntryKind::label, "x"}].layer = Layer::objects;
  EXPECT_EQ(f.settle().labels, (Attributes{{"x", "ours"}}));
}

TEST(RuleMemory, ATaintThatWasRefusedIsNotKept) {
  Fixture f;
  f.outcome.taints.push_back({{"t", "", "NoSchedule", {}}, 0});  // made, and not desired: a restriction
  f.settle();
  f.outcome.failing = {0};
  EXPECT_TRUE(f.settle().taints.empty());
}

TEST(RuleMemory, ARuleIsKnownByItsLayerOriginAndName) {
  struct Case {
    const char* name;
    Rule failing;
    Layer layer;
    bool keeps;
  };
  for (const Case& c : {Case{"the same", rule("a"), Layer::rules, true},
                        {"moved behind another", rule("a"), Layer::rules, true},
                        {"another name", rule("z"), Layer::rules, false},
                        {"another file", rule("a", "p"), Layer::rules, false},
                        {"another layer", rule("a"), Layer::custom, false}}) {
    Fixture f;
    f.label("l", "1", 0);
    f.settle();
    f.rules = {rule("first"), c.failing};
    f.layer = c.layer;
    f.outcome.failing = {1};
    EXPECT_EQ(f.settle().labels.size(), c.keeps ? 1u : 0u) << c.name;
  }
}

TEST(RuleMemory, EqualRulesOfDifferentLayersAreDistinct) {
  const std::vector<Rule> custom{rule("a")}, files{rule("a")};
  Outcome of_custom, of_files, of_objects;
  RuleMemory memory;
  Built built;
  built.desired.labels = {{"c", "1"}, {"f", "1"}, {"o", "1"}};
  built.from = {{{EntryKind::label, "c"}, {Layer::custom, 0}},
                {{EntryKind::label, "f"}, {Layer::rules, 0}},
                {{EntryKind::label, "o"}, {Layer::objects, 0}}};
  const auto settle = [&] {
    memory.settle({{Layer::custom, &custom, &of_custom},
                   {Layer::objects, nullptr, &of_objects},
                   {Layer::rules, &files, &of_files}},
                  built);
    return std::exchange(built, {}).desired.labels;
  };
  settle();
  of_files.failing = {0};
  EXPECT_EQ(settle(), (Attributes{{"f", "1"}}));
  of_custom.failing = {0};
  EXPECT_EQ(settle(), (Attributes{{"f", "1"}})) << "what custom rules made is forgotten, for they could say otherwise";
  EXPECT_TRUE(memory.any_failing());
}

}  // namespace
}  // namespace nodescout
