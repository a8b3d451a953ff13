// May this entry leave the Node, and if not, why: every condition of the answer has a row here.
#include "keep/keeper.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;
using Kind = Change::Kind;

constexpr ElementSpec kElements[] = {{"<x>", "", ""}};
constexpr FeatureSpec kSpecs[] = {{"t.flags", FeatureSpec::Kind::flag, "", "d", kElements}};
const Probe kProbe{.name = "t", .summary = "", .produces = kSpecs, .wakes = {}, .run = nullptr};

const std::string kPrefix = std::string(kFeaturePrefix) + "/";
const SteadyTime kStart{1h};

Change removal(Kind kind, const std::string& key) { return {kind, Change::Action::remove, key, "1", "", {}}; }
Change label_removal(const std::string& key) { return removal(Kind::label, key); }

Desired labels(Attributes wanted) {
  Desired desired;
  desired.labels = std::move(wanted);
  return desired;
}

/// What the agent knows at the moment of the question; by default everything, and nothing is in doubt.
struct Situation {
  const char* name = "";
  bool cluster_complete = true;
  bool any_unreadable = false;
  bool a_rule_fails = false;
  bool is_stale = false;     // t.flags
  bool is_left_out = false;  // the label "made", of a NodeFeature object
  std::vector<std::chrono::milliseconds> looks = {0ms, 1600ms, 3200ms};
};

/// One rule that looks at t.flags and makes the label "made".
RuleSet rules() {
  Term term;
  term.feature = "T.Flags";
  Rule rule;
  rule.name = "r";
  rule.match_features = {term};
  rule.labels["made"] = {"1", {}, {}};
  return RuleSet({rule});
}

MayGo ask(Keeper& keeper, const Situation& situation, const Desired& desired = {}) {
  SteadyTime now = kStart;
  for (const auto look : situation.looks) {
    now = kStart + look;
    keeper.looked_at_all(now);
  }
  const Probe* probes[] = {&kProbe};
  Features seen;
  seen.flags["t.flags"] = {"a"};
  std::set<std::string, std::less<>> incomplete;
  if (situation.is_stale) incomplete.insert("t.flags");
  keeper.facts().absorb({seen, {{"t", {}, {}, incomplete, {}}}}, probes, {}, now);
  const RuleSet set = rules();
  Outcome outcome;
  if (situation.a_rule_fails) outcome.failing = {0};
  Built built;
  keeper.keep_made({{Layer::rules, &set.rules(), &outcome}}, built);
  std::set<EntryKey> left_out;
  if (situation.is_left_out) left_out.insert({Kind::label, kPrefix + "made"});
  return keeper.may_go(desired, {{&set}, situation.any_unreadable, situation.cluster_complete, left_out}, now);
}

TEST(Keeper, SaysWhyAnEntryStays) {
  struct Case {
    Situation situation;
    std::optional<Kept> of_the_rule;  // of the label that the rule makes
    std::optional<Kept> of_others;
  };
  for (const Case& c : {
           Case{{.name = "all is known"}, {}, {}},
           {{.name = "the cluster is not known", .cluster_complete = false},
            Kept::cluster_unknown,
            Kept::cluster_unknown},
           {{.name = "its object does not count", .is_left_out = true}, Kept::object_not_counted, {}},
           {{.name = "its object does not count, and a rule cannot be read",
           .any_unreadable = true,
           .is_left_out = true},
            Kept::object_not_counted,
            Kept::rule_unreadable},
           {{.name = "a rule cannot be read", .any_unreadable = true}, Kept::rule_unreadable, Kept::rule_unreadable},
           {{.name = "a rule fails", .a_rule_fails = true}, Kept::rule_failing, Kept::rule_failing},
           {{.name = "its features are old", .is_stale = true}, Kept::facts_stale, {}},
           {{.name = "no look", .looks = {}}, Kept::unproved, Kept::unproved},
           {{.name = "two looks", .looks = {0ms, 4000ms}}, Kept::unproved, Kept::unproved},
           {{.name = "three looks in a moment", .looks = {0ms, 10ms, 2999ms}}, Kept::unproved, Kept::unproved},
           {{.name = "three looks", .looks = {0ms, 10ms, 3000ms}}, {}, {}},
           {{.name = "the first reason counts",
           .cluster_complete = false,
           .any_unreadable = true,
           .a_rule_fails = true,
           .is_stale = true,
           .looks = {}},
            Kept::cluster_unknown,
            Kept::cluster_unknown},
           {{.name = "the first doubt counts", .any_unreadable = true, .a_rule_fails = true, .is_stale = true},
            Kept::rule_unreadable,
            Kept::rule_unreadable},
           {{.name = "doubt goes before proof", .is_stale = true, .looks = {}}, Kept::facts_stale, Kept::unproved},
       }) {
    SCOPED_TRACE(c.situation.name);
    Keeper keeper;
    const MayGo may_go = ask(keeper, c.situation);
    EXPECT_EQ(may_go(label_removal(kPrefix + "made")), c.of_the_rule);
    EXPECT_EQ(may_go(label_removal(kPrefix + "other")), c.of_others);
    EXPECT_EQ(keeper.is_proved(kStart + 3200ms), c.situation.looks.size() == 3);
  }
}

TEST(Keeper, WhatThisProcessMadeItselfNeedsNoOtherProof) {
  Desired desired = labels({{kPrefix + "l", "1"}});
  desired.annotations = {{kPrefix + "a", "1"}};
  desired.extended_resources = {{kPrefix + "r", "1"}};
  desired.taints = {{kPrefix + "t", "v", "NoSchedule", {}}};
  Keeper keeper;
  const Situation doubtful{.any_unreadable = true, .a_rule_fails = true, .is_stale = true, .looks = {}};
  ask(keeper, doubtful, desired);
  const MayGo may_go = ask(keeper, doubtful);
  for (const auto& [kind, key] : {std::pair{Kind::label, "l"},
                                  {Kind::annotation, "a"},
                                  {Kind::extended_resource, "r"},
                                  {Kind::taint, "t:NoSchedule"}})
    EXPECT_EQ(may_go(removal(kind, kPrefix + key)), std::nullopt) << key;
  // Only that very entry.
  EXPECT_TRUE(may_go(removal(Kind::annotation, kPrefix + "l")));
  EXPECT_TRUE(may_go(label_removal(kPrefix + "other")));
  EXPECT_TRUE(may_go(removal(Kind::taint, kPrefix + "t:NoExecute")));
  // But the cluster may ask for it.
  EXPECT_EQ(ask(keeper, {.cluster_complete = false})(label_removal(kPrefix + "l")), Kept::cluster_unknown);
}

TEST(Keeper, WhatAnObjectMakesThatDoesNotCountStaysEvenIfThisProcessMadeIt) {
  Keeper keeper;
  ask(keeper, {}, labels({{kPrefix + "made", "1"}}));
  const MayGo may_go = ask(keeper, {.is_left_out = true});
  EXPECT_EQ(may_go(label_removal(kPrefix + "made")), Kept::object_not_counted);
  EXPECT_EQ(may_go(removal(Kind::annotation, kPrefix + "made")), std::nullopt) << "another kind";
  // What is gone from the Node already needs no protection, and its ownership goes.
  EXPECT_EQ(may_go({Kind::label, Change::Action::disown, kPrefix + "made", "", "", {}}), std::nullopt);
  EXPECT_EQ(ask(keeper, {})(label_removal(kPrefix + "made")), std::nullopt) << "the object was deleted";
}

TEST(Keeper, RemembersWhatItMadeLongAgo) {
  Keeper keeper;
  const Situation early{.looks = {}};
  ask(keeper, early, labels({{"a", "1"}}));
  ask(keeper, early, labels({{"b", "1"}}));
  ask(keeper, early, labels({{"b", "1"}}));
  const MayGo may_go = ask(keeper, early);
  EXPECT_FALSE(may_go(label_removal("a")));
  EXPECT_FALSE(may_go(label_removal("b")));
  EXPECT_TRUE(may_go(label_removal("c")));
}

TEST(Keeper, AnEarlierAnswerStaysAsItWas) {
  Keeper keeper;
  const MayGo early = ask(keeper, {.looks = {0ms}});
  const MayGo later = ask(keeper, {.looks = {1600ms, 3200ms}}, labels({{"a", "1"}}));
  EXPECT_EQ(early(label_removal("a")), Kept::unproved);
  EXPECT_EQ(later(label_removal("a")), std::nullopt);
}

TEST(Keeper, EverChangingNamesDoNotPileUp) {
  Keeper keeper;
  const Situation early{.looks = {}};
  Attributes many;
  for (int i = 0; i < 10'000; ++i) many.insert_or_assign("k" + std::to_string(i), "1");
  ask(keeper, early, labels(many));
  EXPECT_FALSE(ask(keeper, early)(label_removal("k1"))) << "it made just as many";
  MayGo may_go = ask(keeper, early, labels({{"another", "1"}}));
  EXPECT_FALSE(may_go(label_removal("another")));
  EXPECT_TRUE(may_go(label_removal("k1"))) << "then it forgets, and proves them gone as any other";
}

TEST(Kept, EveryReasonHasANameAndAText) {
  std::set<std::string_view> names, texts;
  for (const Kept why : kAllKept) {
    names.insert(name_of(why));
    texts.insert(text_of(why));
    EXPECT_EQ(name_of(why).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
  }
  EXPECT_EQ(names.size(), kAllKept.size());
  EXPECT_EQ(texts.size(), kAllKept.size());
  EXPECT_FALSE(names.contains("") || texts.contains(""));
}

}  // namespace
}  // namespace nodescout
