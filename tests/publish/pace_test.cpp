// When the next attempt to publish is due.
#include "publish/pace.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  explicit Fixture(std::chrono::seconds recheck = 0s) : pace(recheck, 1) {}

  Pace pace;
  SteadyTime now{1h};

  /// How long to wait from now; nothing: until something is offered.
  std::optional<std::chrono::milliseconds> wait() const {
    const auto at = pace.due();
    if (!at) return std::nullopt;
    return std::max(0ms, std::chrono::duration_cast<std::chrono::milliseconds>(*at - now));
  }
  bool attempt(bool wrote) {
    const bool is_new = pace.begin(now);
    pace.succeeded(wrote, now);
    return is_new;
  }
  /// Writes until no more than one a second is possible.
  void use_up() {
    for (int i = 0; i < 5; ++i) {
      pace.offer(false);
      now += *wait();
      attempt(true);
    }
  }
  void fail(Errc error = Errc::unavailable) {
    pace.begin(now);
    pace.failed(error, now);
  }
};

TEST(Pace, WaitsForAnOffer) {
  Fixture f(60s);
  EXPECT_EQ(f.wait(), std::nullopt);
  f.pace.again();
  EXPECT_EQ(f.wait(), std::nullopt) << "there is nothing to publish again";
  f.pace.set_recheck(30s, f.now);
  EXPECT_EQ(f.wait(), std::nullopt) << "and nothing to look at";
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 0ms);
  EXPECT_TRUE(f.attempt(false));
}

TEST(Pace, AStormIsAWriteASecondAndOneMore) {
  Fixture f;
  std::vector<std::int64_t> writes;
  const SteadyTime start = f.now;
  for (; f.now < start + 60s; f.now += 1ms) {
    f.pace.offer(false);
    if (f.wait() > 0ms) continue;
    f.attempt(true);
    writes.push_back((f.now - start) / 1ms);
  }
  ASSERT_EQ(writes.size(), 61u);
  EXPECT_EQ((std::vector(writes.begin(), writes.begin() + 5)), (std::vector<std::int64_t>{0, 200, 1000, 2000, 3000}));
}

TEST(Pace, AfterARestTwoWritesFollowEachOther) {
  Fixture f;
  f.use_up();
  f.now += 1h;  // no more is saved up than that
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 0ms);
  f.attempt(true);
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 200ms);
  f.now += 200ms;
  f.attempt(true);
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 800ms);
}

TEST(Pace, WritesAreASecondApartOnAverage) {
  struct Case {
    const char* name;
    bool wrote;
    std::vector<bool> offers;  // whether each is prompt
    std::chrono::milliseconds want;
  };
  for (const Case& c : {
           Case{"after a write", true, {false}, 1000ms},
           {"where nothing was written", false, {false}, 0ms},
           {"while a person waits", true, {true}, 200ms},
           {"the prompt offer is overtaken by another", true, {true, false}, 200ms},
           {"a prompt one comes last", true, {false, true}, 200ms},
       }) {
    Fixture f;
    f.use_up();
    f.pace.offer(false);
    f.now += *f.wait();
    f.attempt(c.wrote);
    EXPECT_EQ(f.wait(), std::nullopt) << c.name;
    for (const bool prompt : c.offers) f.pace.offer(prompt);
    EXPECT_EQ(f.wait(), c.want) << c.name;
  }
}

TEST(Pace, WhatWasPutOffIsPublishedInTime) {
  for (const auto recheck : {0s, 60s}) {
    Fixture f(recheck);
    f.pace.offer(false);
    f.attempt(true);
    f.pace.again_at(f.now + 5s);
    EXPECT_EQ(f.wait(), 5000ms);
    f.now += 5s;
    EXPECT_FALSE(f.attempt(true));
    EXPECT_EQ(f.wait().has_value(), recheck != 0s) << "once";
  }
}

TEST(Pace, PromptnessEndsWithItsAttempt) {
  Fixture f;
  f.use_up();
  for (int i = 0; i < 20; ++i) {
    f.pace.offer(true);
    EXPECT_EQ(f.wait(), 200ms);
    f.now += 200ms;
    f.attempt(true);
  }
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 1000ms) << "however many a person caused";
}

TEST(Pace, TheIntervalCountsFromTheBeginningOfAWrite) {
  Fixture f;
  f.use_up();
  f.pace.offer(false);
  f.now += *f.wait();
  f.pace.begin(f.now);
  f.now += 400ms;
  f.pace.succeeded(true, f.now);
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 600ms);
}

TEST(Pace, AnOfferDuringAnAttemptIsNotLost) {
  Fixture f;
  f.pace.offer(false);
  f.pace.begin(f.now);
  f.pace.offer(false);
  f.pace.succeeded(false, f.now);
  EXPECT_EQ(f.wait(), 0ms);
  EXPECT_TRUE(f.attempt(false));
  f.pace.again();
  EXPECT_EQ(f.wait(), 0ms);
}

TEST(Pace, FailuresWaitLongerEachTime) {
  Fixture f;
  f.pace.offer(false);
  for (const auto& [least, most] : {std::pair{250ms, 500ms}, {500ms, 1000ms}, {1000ms, 2000ms}}) {
    f.fail();
    EXPECT_GE(f.wait(), least);
    EXPECT_LE(f.wait(), most);
    f.pace.offer(true);
    EXPECT_GE(f.wait(), least) << "a new report does not hurry a server in trouble";
    f.now += *f.wait();
    EXPECT_EQ(f.wait(), 0ms);
  }
  for (int i = 0; i < 20; ++i) f.fail();
  EXPECT_LE(f.wait(), 30s);
  EXPECT_GE(f.wait(), 15s);
  EXPECT_TRUE(f.attempt(false)) << "it is tried again as something new";
  EXPECT_EQ(f.wait(), std::nullopt);
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 0ms);
  f.fail();
  EXPECT_LE(f.wait(), 500ms) << "a success ends the series";
}

TEST(Pace, AConflictIsAnsweredAtOnceTheFirstTime) {
  Fixture f;
  f.pace.offer(false);
  f.fail(Errc::conflict);
  EXPECT_EQ(f.wait(), 0ms);
  f.fail(Errc::conflict);
  EXPECT_GE(f.wait(), 500ms);
  f.attempt(true);
  f.now += 2s;
  f.pace.offer(false);
  f.fail();
  EXPECT_GE(f.wait(), 250ms);
  f.fail(Errc::conflict);
  EXPECT_GE(f.wait(), 500ms) << "nor after another failure";
}

TEST(Pace, LooksAgainNowAndThen) {
  Fixture f(100s);
  f.pace.offer(false);
  f.attempt(true);
  EXPECT_GE(f.wait(), 80s);
  EXPECT_LE(f.wait(), 120s);
  f.now += *f.wait();
  EXPECT_FALSE(f.attempt(false)) << "it is nothing new";
  EXPECT_GE(f.wait(), 80s);
  f.pace.offer(false);
  EXPECT_EQ(f.wait(), 0ms) << "an offer does not wait for it";
}

TEST(Pace, TheRecheckCanBeChanged) {
  Fixture f(1000s);
  f.pace.offer(false);
  f.attempt(true);
  const auto before = f.wait();
  f.pace.set_recheck(1000s, f.now + 1h);
  EXPECT_EQ(f.wait(), before) << "it did not change";
  f.pace.set_recheck(10s, f.now);
  EXPECT_GE(f.wait(), 8s);
  EXPECT_LE(f.wait(), 12s);
  f.pace.set_recheck(0s, f.now);
  EXPECT_EQ(f.wait(), std::nullopt);
  f.pace.again();
  f.attempt(false);
  EXPECT_EQ(f.wait(), std::nullopt);
}

TEST(Pace, ANodeThatDoesNotExistIsLookedForEveryFewSeconds) {
  Fixture f;
  f.pace.offer(false);
  for (int i = 0; i < 10; ++i) {
    f.fail(Errc::absent);
    EXPECT_LE(*f.wait(), 5000ms);
    f.now += *f.wait();
  }
  EXPECT_GT(*f.pace.due() - f.now, -1ms);
  f.fail(Errc::absent);
  EXPECT_GE(*f.wait(), 2500ms) << "but not in a hot loop";
  f.fail();
  EXPECT_GE(*f.wait(), 15'000ms) << "a server that is away is left alone for longer";
}

}  // namespace
}  // namespace nodescout
