#include "controller/rule_status.h"

#include <gtest/gtest.h>

#include "document/value_path.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Texts = std::map<std::string, std::string>;

const SteadyTime kStart = SteadyTime{} + 1h;

using Stage = RuleMistakes::Stage;

TEST(RuleStatus, SaysWhatMatchesWhatIsRefusedAndTheFirstError) {
  RuleMistakes mistakes;
  EXPECT_EQ(rule_status_text(40, 12, mistakes), R"({"nodes":40,"matched":12})");
  EXPECT_TRUE(mistakes.reject("n", Stage::evaluation, "label a", "why"));
  EXPECT_FALSE(mistakes.reject("m", Stage::evaluation, "label a", "on another Node for another reason"));
  EXPECT_TRUE(mistakes.fail("n", Stage::evaluation, "r:1:2: broken"));
  EXPECT_FALSE(mistakes.fail("m", Stage::evaluation, "another")) << "texts that differ by Node are written once";
  EXPECT_EQ(rule_status_text(40, 12, mistakes),
            R"({"nodes":40,"matched":12,"rejected":["label a: why"],"error":"r:1:2: broken"})");
}

TEST(RuleStatus, RefusedEntriesAreSomeExamples) {
  RuleMistakes mistakes;
  for (int i = 0; i < 100; ++i) mistakes.reject("n", Stage::evaluation, "label " + std::to_string(i), "why");
  EXPECT_EQ(mistakes.rejected().size(), RuleMistakes::kMost);
}

TEST(RuleStatus, AMistakeGoesWithTheLastNodeThatShowedIt) {
  RuleMistakes mistakes;
  for (const char* node : {"n", "m"}) {
    mistakes.reject(node, Stage::evaluation, "label a", "why");
    mistakes.reject(node, Stage::writing, "label w", "why");
    mistakes.fail(node, Stage::evaluation, "broken");
  }
  mistakes.begin("n", Stage::evaluation);
  EXPECT_FALSE(mistakes.finish()) << "the other Node still shows it";
  mistakes.begin("m", Stage::evaluation);
  mistakes.reject("m", Stage::evaluation, "label a", "why");
  EXPECT_TRUE(mistakes.finish());
  EXPECT_EQ(rule_status_text(2, 2, mistakes), R"({"nodes":2,"matched":2,"rejected":["label a: why","label w: why"]})");
  mistakes.begin("m", Stage::evaluation);
  EXPECT_TRUE(mistakes.finish());
  EXPECT_EQ(mistakes.rejected(), std::vector<std::string>{"label w: why"}) << "of another stage";
  for (const char* node : {"n", "m"}) mistakes.begin(node, Stage::writing);
  EXPECT_TRUE(mistakes.finish());
  EXPECT_FALSE(mistakes.finish());
  EXPECT_TRUE(mistakes.reject("n", Stage::writing, "label w", "again")) << "it is news again";
}

TEST(RuleStatus, WhatIsWrongWithTheObjectItselfStays) {
  RuleMistakes mistakes;
  mistakes.fail("", Stage::reading, "not a rule");
  for (const auto stage : {Stage::evaluation, Stage::writing}) mistakes.begin("", stage);
  EXPECT_FALSE(mistakes.finish());
  EXPECT_EQ(mistakes.error(), "not a rule");
}

TEST(RuleStatus, TheVersionThatWasSeenIsTheOneThatIsPatched) {
  EXPECT_EQ(text_at(rule_status_patch("t", "7"), {"metadata", "resourceVersion"}), "7");
  EXPECT_EQ(text_at(rule_status_patch("t", "7"), {"metadata", "annotations", kRuleStatus}), "t");
  EXPECT_FALSE(at(rule_status_patch("t", ""), {"metadata", "resourceVersion"}));
}

TEST(ObjectEvent, LivesWithTheObject) {
  const ObjectEvent of_rule{"NodeFeatureRule", "", "r", "u", "RuleFailed", "why"};
  const ObjectEvent of_feature{"NodeFeature", "vendor", "o", "v", "RejectedLabel", "why"};
  EXPECT_EQ(space_of(of_rule), "default");
  EXPECT_EQ(space_of(of_feature), "vendor");
  const Value event = event_of_object(of_feature, "me", {});
  EXPECT_EQ(text_at(event, {"metadata", "namespace"}), "vendor");
  EXPECT_EQ(text_at(event, {"regarding", "namespace"}), "vendor");
  EXPECT_EQ(text_at(event, {"regarding", "kind"}), "NodeFeature");
  EXPECT_EQ(text_at(event, {"regarding", "uid"}), "v");
  EXPECT_EQ(text_at(event, {"reason"}), "RejectedLabel");
  EXPECT_FALSE(at(event_of_object(of_rule, "me", {}), {"regarding", "namespace"}));
}

TEST(StatusPace, WritesOnceThingsHaveSettledAndThenRarely) {
  StatusPace pace;
  pace.wants("r", "1", kStart);
  pace.wants("r", "2", kStart + 1s);
  EXPECT_TRUE(pace.take(kStart + 1s).empty());
  EXPECT_EQ(pace.next(), kStart + StatusPace::kFirst);
  EXPECT_EQ(pace.take(kStart + 2s), (Texts{{"r", "2"}}));
  pace.has("r", "2");
  pace.wants("r", "3", kStart + 3s);
  EXPECT_TRUE(pace.take(kStart + 61s).empty());
  EXPECT_EQ(pace.take(kStart + 62s), (Texts{{"r", "3"}}));
}

TEST(StatusPace, WhatTheObjectHasAlreadyIsNotWritten) {
  StatusPace pace;
  pace.has("r", "1");
  pace.wants("r", "1", kStart);
  EXPECT_EQ(pace.next(), std::nullopt);
  pace.wants("r", "2", kStart);
  pace.wants("r", "1", kStart + 1s);
  EXPECT_EQ(pace.next(), std::nullopt) << "it changed back meanwhile";
  pace.wants("r", "2", kStart);
  pace.forget("r");
  EXPECT_TRUE(pace.take(kStart + 1h).empty());
}

std::string counts(int nodes, int matched) {
  return rule_status_text(static_cast<std::size_t>(nodes), static_cast<std::size_t>(matched), {});
}

TEST(StatusPace, AnotherTotalOfNodesAloneIsNoReasonToWrite) {
  StatusPace pace;
  pace.has("r", counts(40, 12));
  pace.wants("r", counts(41, 12), kStart);
  EXPECT_EQ(pace.next(), std::nullopt);
  pace.wants("r", counts(41, 13), kStart);
  EXPECT_EQ(pace.next(), kStart + StatusPace::kFirst);
  EXPECT_EQ(pace.take(kStart + 2s), (Texts{{"r", counts(41, 13)}}));
  pace.has("s", R"({"nodes":40,"matched":12,"by":"hand"})");
  pace.wants("s", counts(40, 12), kStart);
  EXPECT_EQ(pace.next(), kStart + StatusPace::kFirst) << "another text is replaced";
}

TEST(StatusPace, NumbersThatKeepChangingAreWrittenMoreAndMoreRarely) {
  StatusPace pace;
  int writes = 0;
  SteadyTime now = kStart;
  for (int second = 0; second < 12 * 3600; ++second, now += 1s) {
    pace.wants("r", counts(5000 + second, 5000 + second), now);
    for (const auto& [name, text] : pace.take(now)) {
      pace.has(name, text);
      ++writes;
    }
  }
  EXPECT_GE(writes, 12);
  EXPECT_LE(writes, 20) << "in 12 hours";
  // A mistake does not wait that long, and after a quiet time the numbers do not either.
  RuleMistakes mistakes;
  mistakes.fail("n", Stage::evaluation, "broken");
  const std::string broken = rule_status_text(1, 1, mistakes);
  pace.wants("r", broken, now);
  EXPECT_LE(*pace.next(), now + StatusPace::kPause);
  pace.take(now + 1min);
  pace.has("r", broken);
  now += 6h;
  pace.wants("r", rule_status_text(1, 0, mistakes), now);
  EXPECT_EQ(pace.take(now + 2s).size(), 1u);
  pace.has("r", rule_status_text(1, 0, mistakes));
  pace.wants("r", broken, now + 2s);
  EXPECT_EQ(*pace.next(), now + 2s + StatusPace::kPause);
}

TEST(StatusPace, OneThatMetANewerObjectIsWrittenSoon) {
  StatusPace pace;
  pace.has("r", "1", "7");
  EXPECT_EQ(pace.version_of("r"), "7");
  EXPECT_EQ(pace.version_of("unknown"), "");
  pace.wants("r", "2", kStart);
  pace.take(kStart + 2s);
  pace.missed("r", kStart + 3s);
  pace.missed("unknown", kStart + 3s);
  pace.has("r", "1", "8");
  EXPECT_EQ(pace.take(kStart + 5s), (Texts{{"r", "2"}}));
  EXPECT_EQ(pace.version_of("r"), "8");
}

}  // namespace
}  // namespace nodescout::test
