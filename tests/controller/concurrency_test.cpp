#include "controller/concurrency.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

/// Requests that keep as many under way as allowed; each takes `latency`.
class Rounds {
 public:
  void run(Concurrency& concurrency, int count, std::chrono::milliseconds latency) {
    for (int i = 0; i < count; ++i) {
      while (concurrency.may_begin(now)) concurrency.begin();
      now += latency / std::max(1, concurrency.under_way());
      concurrency.end({.latency = latency}, now);
    }
  }
  SteadyTime now{1000s};
};

TEST(Concurrency, GrowsWhileAnswersComeInGoodTimeAndStopsAtTheMost) {
  Concurrency concurrency(24);
  Rounds rounds;
  rounds.run(concurrency, 4, 10ms);
  EXPECT_GT(concurrency.limit(), Concurrency::kFirst);
  EXPECT_LE(concurrency.limit(), Concurrency::kFirst + 1);
  rounds.run(concurrency, 2000, 10ms);
  EXPECT_EQ(concurrency.limit(), 24);
}

TEST(Concurrency, DoesNotGrowWhereTheLimitIsNotReached) {
  Concurrency concurrency(24);
  for (int i = 0; i < 100; ++i) {
    concurrency.begin();
    concurrency.end({.latency = 5ms}, SteadyTime{1s});
  }
  EXPECT_EQ(concurrency.limit(), Concurrency::kFirst);
}

TEST(Concurrency, A429HalvesItOnceARoundAndPausesForRetryAfter) {
  Concurrency concurrency(24);
  for (int i = 0; i < 4; ++i) concurrency.begin();
  const SteadyTime now{100s};
  concurrency.end({.refused = true, .retry_after = 2s, .latency = 10ms}, now);
  concurrency.end({.refused = true, .latency = 10ms}, now + 1ms);
  EXPECT_EQ(concurrency.limit(), 2) << "both were sent at the same limit";
  EXPECT_EQ(concurrency.pause_ends(now + 1s), now + 2s);
  concurrency.end({.latency = 10ms}, now + 5ms);
  concurrency.end({.latency = 10ms}, now + 5ms);
  EXPECT_FALSE(concurrency.may_begin(now + 1999ms));
  EXPECT_TRUE(concurrency.may_begin(now + 2s));
  EXPECT_FALSE(concurrency.pause_ends(now + 2s));
}

TEST(Concurrency, A429WithoutRetryAfterPausesAsWell) {
  Concurrency concurrency(24);
  concurrency.begin();
  concurrency.end({.refused = true, .latency = 1ms}, SteadyTime{1s});
  EXPECT_FALSE(concurrency.may_begin(SteadyTime{1s} + Concurrency::kLeastPause - 1ms));
  EXPECT_TRUE(concurrency.may_begin(SteadyTime{1s} + Concurrency::kLeastPause));
}

TEST(Concurrency, NoRetryAfterPausesForLong) {
  for (const std::chrono::seconds asked : {86'400s, std::chrono::seconds::max()}) {
    Concurrency concurrency(24);
    concurrency.begin();
    concurrency.end({.refused = true, .retry_after = asked, .latency = 1ms}, SteadyTime{1s});
    EXPECT_EQ(concurrency.pause_ends(SteadyTime{1s}), SteadyTime{1s} + Concurrency::kLongestPause);
  }
}

TEST(Concurrency, SlowAnswersReduceItDownToOne) {
  Concurrency concurrency(24);
  Rounds rounds;
  rounds.run(concurrency, 300, 10ms);
  const double before = concurrency.limit();
  rounds.run(concurrency, 1, 200ms);
  EXPECT_DOUBLE_EQ(concurrency.limit(), before * 0.9);
  for (int i = 0; i < 100; ++i) {
    concurrency.begin();
    rounds.now += 1s;
    concurrency.end({.failed = true, .latency = 10ms}, rounds.now);
  }
  EXPECT_EQ(concurrency.limit(), 1);
  while (concurrency.under_way() > 0) concurrency.give_back();
  EXPECT_TRUE(concurrency.may_begin(rounds.now));
}

TEST(Concurrency, LongAnswersAreNoMeasure) {
  Concurrency concurrency(24);
  Rounds rounds;
  rounds.run(concurrency, 20, 10ms);
  const double before = concurrency.limit();
  for (int i = 0; i < 20; ++i) {
    concurrency.begin();
    concurrency.end({.is_long = true, .latency = 200ms}, rounds.now += 200ms);
  }
  EXPECT_EQ(concurrency.limit(), before);
  concurrency.begin();
  concurrency.end({.failed = true, .is_long = true, .latency = 200ms}, rounds.now);
  EXPECT_LT(concurrency.limit(), before);
}

TEST(Concurrency, AServerThatIsSlowForGoodSetsTheMeasureAnew) {
  Concurrency concurrency(24);
  Rounds rounds;
  rounds.run(concurrency, 10, 10ms);
  rounds.now += Concurrency::kForget + 1s;
  rounds.run(concurrency, 1, 300ms);
  const double limit = concurrency.limit();
  rounds.run(concurrency, 10, 300ms);
  EXPECT_GE(concurrency.limit(), limit);
}

}  // namespace
}  // namespace nodescout::test
