#include "controller/leadership.h"

#include <gtest/gtest.h>

#include "document/value_path.h"

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};
constexpr std::chrono::system_clock::time_point kToday{1'700'000'000s};

/// The Lease as the server has it after a write.
LeaseRecord stored(const Value& lease, const std::string& version) {
  LeaseRecord record = LeaseRecord::read(lease);
  record.resource_version = version;
  return record;
}

TEST(Leadership, AFreeLeaseIsTakenAndHeldUntilTheRenewDeadline) {
  Leadership us("us", {});
  EXPECT_FALSE(us.may_write(kNow));
  EXPECT_TRUE(us.observed(std::nullopt, kNow));
  us.renewed(stored(us.lease("l", "s", kToday), "1"), kNow);
  EXPECT_TRUE(us.may_write(kNow + 9999ms));
  EXPECT_FALSE(us.may_write(kNow + 10s)) << "5 s before another may take it";
}

TEST(Leadership, AnothersLeaseIsTakenOnlyOnceItWasNotSeenToChangeForItsDuration) {
  Leadership us("us", {});
  LeaseRecord theirs{.resource_version = "1", .holder = "them", .acquired = {}, .renewed = {}, .duration = 15s};
  EXPECT_FALSE(us.observed(theirs, kNow)) << "whatever its time stamps say";
  EXPECT_FALSE(us.observed(theirs, kNow + 14s));
  theirs.resource_version = "2";
  EXPECT_FALSE(us.observed(theirs, kNow + 15s)) << "it was renewed";
  EXPECT_FALSE(us.observed(theirs, kNow + 29'999ms));
  EXPECT_TRUE(us.observed(theirs, kNow + 30s));
}

TEST(Leadership, AReleasedLeaseIsTakenAtOnce) {
  Leadership us("us", {}), them("them", {});
  EXPECT_TRUE(them.observed(std::nullopt, kNow));
  them.renewed(stored(them.lease("l", "s", kToday), "1"), kNow);
  const LeaseRecord released = stored(them.released("l", "s", kToday), "2");
  EXPECT_TRUE(released.holder.empty());
  EXPECT_TRUE(us.observed(released, kNow + 1s));
}

TEST(Leadership, WhoeverSeesThatAnotherHoldsItWritesNoMore) {
  Leadership us("us", {});
  us.observed(std::nullopt, kNow);
  us.renewed(stored(us.lease("l", "s", kToday), "1"), kNow);
  us.observed(LeaseRecord{.resource_version = "7", .holder = "them", .acquired = {}, .renewed = {}, .duration = 15s},
              kNow + 1s);
  EXPECT_FALSE(us.may_write(kNow + 1s));
  EXPECT_FALSE(us.holds());
}

TEST(Leadership, AWriteThatTookLongCountsFromItsBeginning) {
  Leadership us("us", {});
  us.observed(std::nullopt, kNow);
  us.renewed(stored(us.lease("l", "s", kToday), "1"), kNow);
  EXPECT_TRUE(us.observed(stored(us.lease("l", "s", kToday), "1"), kNow + 4s));
  us.renewed(stored(us.lease("l", "s", kToday), "2"), kNow + 4s);  // answered much later
  EXPECT_FALSE(us.may_write(kNow + 14s));
}

TEST(Leadership, TheLeaseIsWrittenAsClientGoWritesIt) {
  Leadership us("us", {});
  LeaseRecord theirs{
      .resource_version = "9", .holder = "them", .acquired = "a", .renewed = {}, .duration = 15s, .transitions = 4};
  us.observed(theirs, kNow);
  const Value taken = us.lease("l", "s", kToday);
  EXPECT_EQ(text_at(taken, {"metadata", "resourceVersion"}), "9") << "else two could take it";
  EXPECT_EQ(text_at(taken, {"spec", "holderIdentity"}), "us");
  EXPECT_EQ(text_at(taken, {"spec", "leaseTransitions"}), "5");
  EXPECT_EQ(text_at(taken, {"spec", "leaseDurationSeconds"}), "15");
  us.renewed(stored(taken, "10"), kNow);
  const Value renewed = us.lease("l", "s", kToday + 2s);
  EXPECT_EQ(text_at(renewed, {"spec", "leaseTransitions"}), "5");
  EXPECT_EQ(text_at(renewed, {"spec", "acquireTime"}), text_at(taken, {"spec", "acquireTime"}));
  EXPECT_NE(text_at(renewed, {"spec", "renewTime"}), text_at(taken, {"spec", "renewTime"}));
}

TEST(Leadership, AWriteEndsBeforeAnotherMayTakeTheLease) {
  const LeaderTimes times{.lease = 15s, .renew = 10s, .retry = 2s};
  const SteadyTime until = kNow + times.renew;
  EXPECT_EQ(time_for_write(until, times, kNow), 15s);
  EXPECT_EQ(time_for_write(until, times, kNow + 9900ms), 5100ms);
  EXPECT_EQ(time_for_write(until, times, kNow + 10s), std::nullopt);
  EXPECT_EQ(time_for_write(until, times, kNow + 1h), std::nullopt);
  EXPECT_GE(time_for_write(SteadyTime::max(), times, kNow), 1h) << "without leader election there is no end";
}

TEST(Leadership, TheDurationInTheLeaseIsRoundedUp) {
  Leadership us("us", {.lease = 15'900ms, .renew = 15'500ms, .retry = 2s});
  EXPECT_EQ(LeaseRecord::read(us.lease("l", "s", kToday)).duration, 16s);
  EXPECT_EQ(LeaseRecord::read(Leadership("us", {}).lease("l", "s", kToday)).duration, 15s);
}

TEST(Leadership, TimesThatMakeNoSenseAreNamed) {
  EXPECT_EQ(defect_of({}), "");
  EXPECT_NE(defect_of({.lease = 10s, .renew = 10s, .retry = 2s}), "");
  EXPECT_NE(defect_of({.lease = 15s, .renew = 2s, .retry = 2s}), "");
  EXPECT_NE(defect_of({.lease = 15s, .renew = 10s, .retry = 0s}), "");
  EXPECT_NE(defect_of({.lease = 900ms, .renew = 500ms, .retry = 100ms}), "");
}

}  // namespace
}  // namespace nodescout::test
