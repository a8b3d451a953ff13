#include "keep/known_facts.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

constexpr ElementSpec kElements[] = {{"<x>", "", ""}};
constexpr FeatureSpec kSpecs[] = {{"t.flags", FeatureSpec::Kind::flag, "", "d", kElements},
                                  {"t.attributes", FeatureSpec::Kind::attribute, "/anchor", "d", kElements},
                                  {"t.instances", FeatureSpec::Kind::instance, "", "d", kElements}};
const Probe kProbe{.name = "t", .summary = "", .produces = kSpecs, .wakes = {}, .run = nullptr};

struct Fixture {
  KnownFacts facts;
  SteadyTime now{};
  std::set<std::string, std::less<>> anchors{"/anchor"};

  using Sets = std::set<std::string, std::less<>>;

  /// What these sets hold is being asked for.
  void await(Sets awaited, Features features = {}) {
    const Probe* probes[] = {&kProbe};
    facts.absorb({std::move(features), {{"t", {}, {}, {}, {}, {}, std::move(awaited)}}}, probes, anchors, now);
  }

  void see(Features features, Sets incomplete = {}, Sets unsettled = {}) {
    const Probe* probes[] = {&kProbe};
    facts.absorb({std::move(features), {{"t", {}, {}, std::move(incomplete), std::move(unsettled), {}, {}}}}, probes,
                 anchors, now);
  }
  const Features& known() const { return facts.features(); }
};

Features flags(FlagSet names) {
  Features features;
  features.flags["t.flags"] = std::move(names);
  return features;
}
Features attributes(Attributes values) {
  Features features;
  features.attributes["t.attributes"] = std::move(values);
  return features;
}
Features instances(Instances list) {
  Features features;
  features.instances["t.instances"] = std::move(list);
  return features;
}

TEST(KnownFacts, NewFactsCountAtOnce) {
  Fixture f;
  f.see(flags({"a"}));
  f.see(flags({"a", "b"}));
  EXPECT_EQ(f.known().flags.at("t.flags"), (FlagSet{"a", "b"}));
  EXPECT_TRUE(f.facts.pending().empty());
}

TEST(KnownFacts, AFactGoesAfterThreeProbesOverThreeSeconds) {
  Fixture f;
  f.see(flags({"a", "b"}));
  for (const auto wait : {0ms, 1600ms}) {
    f.now += wait;
    f.see(flags({"a"}));
    EXPECT_TRUE(f.known().flags.at("t.flags").contains("b"));
    EXPECT_EQ(f.facts.pending().at("t"), f.now + KnownFacts::kProofInterval);
  }
  f.now += 1600ms;
  f.see(flags({"a"}));
  EXPECT_FALSE(f.known().flags.at("t.flags").contains("b"));
  EXPECT_TRUE(f.facts.pending().empty());
}

TEST(KnownFacts, ManyProbesInAMomentProveNothing) {
  Fixture f;
  f.see(flags({"b"}));
  for (int i = 0; i < 50; ++i) {
    f.now += 10ms;
    f.see(flags({}));
  }
  EXPECT_TRUE(f.known().flags.at("t.flags").contains("b"));
}

TEST(KnownFacts, ThreeSecondsToTheMillisecondAreEnough) {
  for (const auto last : {KnownFacts::kProofTime - 1ms, KnownFacts::kProofTime}) {
    Fixture f;
    f.see(flags({"b"}));
    for (const auto at : {0ms, 1500ms, std::chrono::milliseconds(last)}) {
      f.now = SteadyTime{} + at;
      f.see(flags({}));
    }
    EXPECT_EQ(f.known().flags.contains("t.flags") && f.known().flags.at("t.flags").contains("b"),
              last < KnownFacts::kProofTime);
  }
}

TEST(KnownFacts, TwoProbesAtTheSameMomentAreOneProof) {
  Fixture f;
  f.see(flags({"b"}));
  for (const auto wait : {0ms, 0ms, 3000ms}) {
    f.now += wait;
    f.see(flags({}));
  }
  EXPECT_TRUE(f.known().flags.at("t.flags").contains("b")) << "two moments were looked at, not three";
}

TEST(KnownFacts, TheNextProbeIsWhenTheFirstOfItsFactsWaitsForIt) {
  for (const char* awaited : {"t.flags", "t.attributes"}) {
    Fixture f;
    Features all = flags({"a"});
    all.attributes["t.attributes"] = {{"x", "1"}};
    f.see(all);
    f.see(Features{});
    const SteadyTime first = f.now;
    f.now += 100ms;
    f.await({awaited});  // of the other set this is one more proof
    EXPECT_EQ(f.facts.pending().at("t"), first + KnownFacts::kProofInterval) << awaited;
  }
}

TEST(KnownFacts, OneSightingResetsTheProof) {
  Fixture f;
  f.see(flags({"b"}));
  f.see(flags({}));
  f.now += 2s;
  f.see(flags({"b"}));
  f.now += 2s;
  f.see(flags({}));
  f.now += 2s;
  f.see(flags({}));
  EXPECT_TRUE(f.known().flags.at("t.flags").contains("b"));
}

TEST(KnownFacts, AnIncompleteProbeProvesNothing) {
  Fixture f;
  f.see(attributes({{"a", "1"}, {"b", "1"}}));
  for (int i = 0; i < 10; ++i) {
    f.now += 5s;
    f.see(attributes({{"a", "2"}}), {"t.attributes"});
  }
  EXPECT_EQ(f.known().attributes.at("t.attributes"), (Attributes{{"a", "2"}, {"b", "1"}}));  // but what it saw is new
  EXPECT_TRUE(f.facts.stale().contains("t.attributes"));
  f.see({}, {"t.attributes"});
  EXPECT_EQ(f.known().attributes.at("t.attributes").size(), 2u);
}

TEST(KnownFacts, ALostAnchorProvesNothing) {
  Fixture f;
  f.see(attributes({{"a", "1"}}));
  f.anchors.clear();
  for (int i = 0; i < 10; ++i) {
    f.now += 5s;
    f.see({});
  }
  EXPECT_EQ(f.known().attributes.at("t.attributes").size(), 1u);
  f.anchors = {"/anchor"};
  for (int i = 0; i < 3; ++i) {
    f.now += 2s;
    f.see({});
  }
  EXPECT_FALSE(f.known().attributes.contains("t.attributes"));
}

TEST(KnownFacts, AnAnchorThatWasNeverReadableDoesNotBlockProof) {
  Fixture f;
  f.anchors.clear();
  f.see(attributes({{"a", "1"}}));
  for (int i = 0; i < 3; ++i) {
    f.now += 2s;
    f.see(attributes({}));
  }
  EXPECT_TRUE(f.known().attributes.at("t.attributes").empty());
}

TEST(KnownFacts, AnInstanceIsTheSameWhileItsAttributesChange) {
  Fixture f;
  f.see(instances({{{"name", "eth0"}, {"speed", "1"}}, {{"name", "eth1"}, {"speed", "1"}}}));
  f.see(instances({{{"name", "eth0"}, {"speed", "2"}}}));
  EXPECT_EQ(f.known().instances.at("t.instances"),
            (Instances{{{"name", "eth0"}, {"speed", "2"}}, {{"name", "eth1"}, {"speed", "1"}}}));
}

TEST(KnownFacts, EqualInstancesAreCounted) {
  Fixture f;
  const Attributes device{{"class", "ff"}};
  f.see(instances({device, device}));
  f.see(instances({device}));
  EXPECT_EQ(f.known().instances.at("t.instances").size(), 2u);
  for (int i = 0; i < 2; ++i) {
    f.now += 2s;
    f.see(instances({device}));
  }
  EXPECT_EQ(f.known().instances.at("t.instances").size(), 1u);
}

TEST(KnownFacts, FactsThatComeAndGoDoNotPileUp) {
  Fixture f;
  for (int i = 0; i < 1000; ++i) {
    f.now += 1s;
    f.see(instances({{{"name", "veth" + std::to_string(i)}}}));
  }
  EXPECT_LE(f.known().instances.at("t.instances").size(), 6u);
}

TEST(KnownFacts, SurvivesARestart) {
  Fixture f;
  f.see(attributes({{"a", "1"}}));
  const std::string saved = f.facts.save("boot-1");
  Fixture again;
  ASSERT_TRUE(again.facts.load(saved, "state", "boot-1"));
  EXPECT_EQ(again.known(), f.known());
  again.anchors.clear();  // readable earlier in this boot
  for (int i = 0; i < 5; ++i) {
    again.now += 2s;
    again.see({});
  }
  EXPECT_EQ(again.known(), f.known());
  Fixture rebooted;
  ASSERT_TRUE(rebooted.facts.load(saved, "state", "boot-2"));
  rebooted.anchors.clear();
  for (int i = 0; i < 3; ++i) {
    rebooted.now += 2s;
    rebooted.see({});
  }
  EXPECT_TRUE(rebooted.known().empty());
  for (const char* bad : {"", "{}", "[1]", "{\"bootId\":\"x\",\"features\":5}"})
    EXPECT_FALSE(KnownFacts().load(bad, "state", "b")) << bad;
}

TEST(KnownFacts, AnInstanceKeepsWhatCouldNotBeReadOfIt) {
  Fixture f;
  f.see(instances({{{"address", "1"}, {"a", "x"}, {"b", "y"}}}));
  f.see(instances({{{"address", "1"}, {"a", "z"}}}), {"t.instances"});
  EXPECT_EQ(f.known().instances.at("t.instances"), (Instances{{{"address", "1"}, {"a", "z"}, {"b", "y"}}}));
  f.see(instances({{{"address", "1"}, {"a", "z"}}}));
  EXPECT_EQ(f.known().instances.at("t.instances"), (Instances{{{"address", "1"}, {"a", "z"}}}));
}

TEST(KnownFacts, WhatIsBeingChangedStaysForAWhile) {
  Fixture f;
  f.see(attributes({{"a", "0"}}), {}, {"t.attributes"});
  EXPECT_EQ(f.known().attributes.at("t.attributes").at("a"), "0") << "the first look counts";
  f.see(attributes({{"a", "1"}}));
  EXPECT_TRUE(f.facts.pending().empty());
  f.see(attributes({{"a", "2"}}), {}, {"t.attributes"});
  EXPECT_EQ(f.known().attributes.at("t.attributes").at("a"), "1");
  EXPECT_TRUE(f.facts.stale().contains("t.attributes"));
  EXPECT_EQ(f.facts.pending().at("t"), f.now + KnownFacts::kSettleTime);
  // It is done: at once.
  f.now += 5000ms;
  f.see(attributes({{"a", "3"}}));
  EXPECT_EQ(f.known().attributes.at("t.attributes").at("a"), "3");
  EXPECT_TRUE(f.facts.pending().empty());
  // It is never done: at the end of all patience, and then no new look is requested.
  f.see(attributes({{"a", "4"}}), {}, {"t.attributes"});
  f.now += KnownFacts::kSettleTime;
  f.see(attributes({{"a", "4"}}), {}, {"t.attributes"});
  EXPECT_EQ(f.known().attributes.at("t.attributes").at("a"), "4");
  EXPECT_TRUE(f.facts.pending().empty());
  EXPECT_FALSE(f.facts.stale().contains("t.attributes"));
}

TEST(KnownFacts, AFailedProbeSchedulesNoOther) {
  Fixture f;
  f.see(flags({"a", "b"}));
  f.see(flags({"a"}));
  EXPECT_FALSE(f.facts.pending().empty());
  f.now += 1600ms;
  f.see(flags({"a"}), {"t.flags"});
  EXPECT_TRUE(f.facts.pending().empty()) << "else the agent would look without a pause";
  for (const auto wait : {0ms, 1600ms}) {
    f.now += wait;
    f.see(flags({"a"}));
    EXPECT_TRUE(f.known().flags.at("t.flags").contains("b")) << "the proof starts anew";
  }
  f.now += 1600ms;
  f.see(flags({"a"}));
  EXPECT_FALSE(f.known().flags.at("t.flags").contains("b"));
}

TEST(KnownFacts, AnAwaitedSetStaysAsItIs) {
  Fixture f;
  Features ready, asking;
  ready.attributes["t.attributes"] = {{"state", "ready"}, {"version", "580"}};
  asking.attributes["t.attributes"] = {{"state", "asking"}};
  f.await({"t.attributes"}, asking);
  EXPECT_EQ(f.known(), asking) << "nothing better is known";
  EXPECT_TRUE(f.facts.stale().contains("t.attributes")) << "what is missing proves nothing";
  f.see(ready);
  EXPECT_FALSE(f.facts.stale().contains("t.attributes"));
  f.await({"t.attributes"}, asking);
  EXPECT_EQ(f.known(), ready);
  EXPECT_TRUE(f.facts.stale().contains("t.attributes"));
}

TEST(KnownFacts, WaitingForAnAnswerNeitherProvesNorInterruptsAProof) {
  Fixture f;
  Features both, one;
  both.attributes["t.attributes"] = {{"a", "1"}, {"b", "1"}};
  one.attributes["t.attributes"] = {{"a", "1"}};
  f.see(both);
  for (int look = 0; look < KnownFacts::kProofs; ++look) {
    EXPECT_EQ(f.known(), both);
    f.now += KnownFacts::kProofInterval;
    for (int i = 0; i < 5; ++i) f.await({"t.attributes"});
    EXPECT_EQ(f.known(), both);
    f.see(one);
  }
  EXPECT_EQ(f.known(), one);
}

}  // namespace
}  // namespace nodescout
