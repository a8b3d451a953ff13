#include "controller/denied_writes.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr SteadyTime kNow{1000s};

std::string name(std::size_t number) { return "n-" + std::to_string(number); }

/// Enough Nodes are denied at kNow.
DeniedWrites paused() {
  DeniedWrites denied;
  for (std::size_t i = 0; i + 1 < DeniedWrites::kInARow; ++i) EXPECT_FALSE(denied.denied(name(i), kNow));
  EXPECT_TRUE(denied.denied(name(DeniedWrites::kInARow - 1), kNow));
  return denied;
}

TEST(DeniedWrites, ASingleNodeThatIsDeniedDoesNotConcernOthers) {
  DeniedWrites denied;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(denied.denied("a", kNow));
  EXPECT_TRUE(denied.may_try("b"));
  EXPECT_EQ(denied.next(), std::nullopt);
}

TEST(DeniedWrites, AWriteThatIsAllowedInBetweenShowsThatTheRightIsThere) {
  DeniedWrites denied;
  for (std::size_t i = 0; i < 10 * DeniedWrites::kInARow; ++i) {
    EXPECT_FALSE(denied.denied(name(i), kNow));
    EXPECT_TRUE(denied.allowed().empty());
  }
  EXPECT_TRUE(denied.may_try("b"));
}

TEST(DeniedWrites, WithoutTheRightOneNodeAtATimeTriesAtGrowingIntervals) {
  DeniedWrites denied = paused();
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(denied.may_try("w-" + std::to_string(i)));
  EXPECT_EQ(denied.take(kNow + 999ms), std::nullopt);
  SteadyTime now = kNow;
  int tries = 0;
  while (now < kNow + 1h) {
    now = *denied.next();
    const auto node = denied.take(now);
    ASSERT_TRUE(node);
    EXPECT_TRUE(denied.may_try(*node));
    EXPECT_FALSE(denied.may_try(*node + "x"));
    EXPECT_EQ(denied.take(now), std::nullopt) << "one at a time";
    EXPECT_TRUE(denied.denied(*node, now));
    EXPECT_FALSE(denied.may_try(*node));
    ++tries;
  }
  EXPECT_LT(tries, 70);
  EXPECT_EQ(denied.next(), now + DeniedWrites::kLongestPause);
}

TEST(DeniedWrites, AllGoOnOnceAWriteIsAllowed) {
  DeniedWrites denied = paused();
  EXPECT_FALSE(denied.may_try("w"));
  EXPECT_FALSE(denied.may_try("gone"));
  denied.forget("gone");
  ASSERT_EQ(denied.take(kNow + 1s), "w") << "the others were denied already";
  Names waited{"n-4"};  // the last of those in a row; the others are tried again on their own
  EXPECT_EQ(denied.allowed(), waited);
  EXPECT_FALSE(denied.is_paused());
  EXPECT_TRUE(denied.may_try("gone"));
  EXPECT_TRUE(denied.allowed().empty());
}

TEST(DeniedWrites, ANodeThatNeedsNoWriteMakesRoomForAnotherAtOnce) {
  DeniedWrites denied = paused();
  EXPECT_FALSE(denied.may_try("a"));
  EXPECT_FALSE(denied.may_try("b"));
  ASSERT_EQ(denied.take(kNow + 1s), "a");
  denied.had_nothing_to_write("other", kNow + 1s);
  EXPECT_EQ(denied.take(kNow + 1s), std::nullopt) << "it is not the one that tries";
  denied.had_nothing_to_write("a", kNow + 1s);
  EXPECT_EQ(denied.take(kNow + 1s), "b");
}

TEST(DeniedWrites, NodesThatWereUnderWayDoNotMakeThePauseLonger) {
  DeniedWrites denied = paused();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(denied.denied("u-" + std::to_string(i), kNow + 10ms));
  EXPECT_EQ(denied.next(), kNow + DeniedWrites::kFirstPause);
}

TEST(DeniedWrites, TheyTakeTurnsAndOneThatIsNotHeardOfAgainStopsNobody) {
  DeniedWrites denied = paused();
  for (const char* node : {"n-0", "n-2", "n-8"}) EXPECT_TRUE(denied.denied(node, kNow));
  Names tried;
  for (int i = 0; i < 5; ++i) {
    const SteadyTime now = *denied.next();
    tried.push_back(*denied.take(now));
    if (i > 0) {  // the first one is gone
      EXPECT_TRUE(denied.denied(tried.back(), now));
    }
  }
  EXPECT_EQ(tried, (Names{"n-0", "n-2", "n-4", "n-8", "n-2"}));
}

}  // namespace
}  // namespace nodescout::test
