// When the next renewal of the agent's Lease is due.
#include "agent/lease_pace.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  LeasePace pace{30s, 1};
  SteadyTime now{1h};

  std::optional<std::chrono::milliseconds> wait() const {
    const auto at = pace.due();
    if (!at) return std::nullopt;
    return std::max(0ms, std::chrono::duration_cast<std::chrono::milliseconds>(*at - now));
  }
  void renew() {
    pace.begin();
    pace.succeeded(now);
  }
  void fail(Errc error = Errc::unavailable) {
    pace.begin();
    pace.failed(error, now);
  }
};

TEST(LeasePace, NothingIsDueBeforeTheFirstLabel) {
  Fixture f;
  f.pace.change();
  EXPECT_EQ(f.wait(), std::nullopt);
  f.pace.start();
  EXPECT_EQ(f.wait(), 0ms);
}

TEST(LeasePace, OneRenewalInEachPeriod) {
  Fixture f;
  f.pace.start();
  for (int i = 0; i < 100; ++i) {
    f.renew();
    EXPECT_GE(*f.wait(), 27'000ms);
    EXPECT_LE(*f.wait(), 30'000ms) << "so that the third is not late";
    f.now += *f.wait();
  }
}

TEST(LeasePace, ANewContentComesSoonerButNotInAStorm) {
  Fixture f;
  f.pace.start();
  f.renew();
  f.pace.change();
  EXPECT_EQ(f.wait(), 5000ms);
  f.now += 20s;
  EXPECT_EQ(f.wait(), 0ms);
  f.renew();
  EXPECT_GE(*f.wait(), 27'000ms) << "it is written";
  f.now += 26s;
  f.pace.change();
  EXPECT_EQ(f.wait(), 0ms);
}

TEST(LeasePace, SeveralTriesFitBeforeItIsStale) {
  Fixture f;
  f.pace.start();
  f.renew();
  f.now += *f.wait();
  const SteadyTime stale = f.now + 60s;
  int tries = 0;
  for (; f.now < stale; ++tries) {
    f.fail();
    EXPECT_GE(*f.wait(), 500ms);
    f.pace.change();
    EXPECT_GE(*f.wait(), 500ms) << "a change does not hurry a server that is away";
    f.now += *f.wait();
  }
  EXPECT_GE(tries, 6);
  f.renew();
  EXPECT_GE(*f.wait(), 27'000ms);
}

TEST(LeasePace, WithoutTheRightItTriesOnceInAPeriod) {
  Fixture f;
  f.pace.start();
  f.fail(Errc::denied);
  EXPECT_GE(*f.wait(), 30'000ms);
}

TEST(LeasePace, WithoutANodeNothingIsDue) {
  Fixture f;
  f.pace.start();
  f.renew();
  f.pace.stop();
  EXPECT_EQ(f.wait(), std::nullopt);
  f.pace.start();
  EXPECT_EQ(f.wait(), 0ms) << "and with the next Node at once";
}

}  // namespace
}  // namespace nodescout
