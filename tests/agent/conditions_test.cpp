#include "agent/conditions.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{std::chrono::hours(1)};

Discovery noted(std::string_view probe, std::map<std::string, std::chrono::milliseconds, std::less<>> ongoing) {
  Discovery seen;
  seen.reports.push_back({probe, {}, {}, {}, {}, std::move(ongoing)});
  return seen;
}

TEST(Conditions, LastFromWhenTheyAreFirstNoted) {
  Conditions conditions;
  conditions.absorb(noted("gpu", {{"absent", 60s}}), kStart);
  conditions.absorb(noted("gpu", {{"absent", 60s}, {"other", 1s}}), kStart + 5s);
  const auto lasting = conditions.lasting(kStart + 7s);
  EXPECT_EQ(lasting.at("absent"), 7s);
  EXPECT_EQ(lasting.at("other"), 2s);
}

TEST(Conditions, AreOverWhenTheirProbeNoLongerNotesThem) {
  Conditions conditions;
  conditions.absorb(noted("gpu", {{"absent", 60s}}), kStart);
  conditions.absorb(noted("pci", {}), kStart + 1s);
  EXPECT_TRUE(conditions.lasting(kStart + 2s).contains("absent")) << "another probe ran";
  conditions.absorb(noted("gpu", {}), kStart + 3s);
  EXPECT_TRUE(conditions.lasting(kStart + 4s).empty());
  EXPECT_TRUE(conditions.pending().empty());
  conditions.absorb(noted("gpu", {{"absent", 60s}}), kStart + 5s);
  EXPECT_EQ(conditions.lasting(kStart + 6s).at("absent"), 1s) << "it began anew";
}

TEST(Conditions, WakeTheirProbeOnce) {
  Conditions conditions;
  conditions.absorb(noted("gpu", {{"absent", 60s}, {"other", 90s}}), kStart);
  EXPECT_EQ(conditions.pending(), (std::map<std::string, SteadyTime>{{"gpu", kStart + 60s}}));
  conditions.absorb(noted("gpu", {{"absent", 60s}}), kStart + 60s);
  EXPECT_TRUE(conditions.pending().empty()) << "it has lasted long enough";
  conditions.absorb(noted("gpu", {{"absent", 150s}}), kStart + 70s);
  EXPECT_EQ(conditions.pending().at("gpu"), kStart + 150s) << "the probe wants it to last longer";
}

}  // namespace
}  // namespace nodescout
