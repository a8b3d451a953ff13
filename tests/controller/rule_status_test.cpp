#include "controller/rule_status.h"

#include <gtest/gtest.h>

#include "document/value_path.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Texts = std::map<std::string, std::string>;

const SteadyTime kStart = SteadyTime{} + 1h;

TEST(RuleStatus, SaysWhatMatchesWhatIsRefusedAndTheLastError) {
  RuleMistakes mistakes;
  EXPECT_EQ(rule_status_text(40, 12, mistakes), R"({"nodes":40,"matched":12})");
  EXPECT_TRUE(mistakes.reject("label a", "why"));
  EXPECT_FALSE(mistakes.reject("label a", "on another Node for another reason"));
  EXPECT_TRUE(mistakes.fail("r:1:2: broken"));
  EXPECT_EQ(rule_status_text(40, 12, mistakes),
            R"({"nodes":40,"matched":12,"rejected":["label a: why"],"error":"r:1:2: broken"})");
}

TEST(RuleStatus, RefusedEntriesAreSomeExamples) {
  RuleMistakes mistakes;
  for (int i = 0; i < 100; ++i) mistakes.reject("label " + std::to_string(i), "why");
  EXPECT_EQ(mistakes.rejected.size(), RuleMistakes::kMost);
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

}  // namespace
}  // namespace nodescout::test
