#include "controller/work_queue.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};

TEST(WorkQueue, HandsOutTheOldestFirstAndEachOnce) {
  WorkQueue queue;
  queue.add("b", kNow);
  queue.add("a", kNow + 1ms);
  queue.add("b", kNow + 2ms);
  EXPECT_EQ(queue.take(kNow + 5ms), "b");
  EXPECT_EQ(queue.take(kNow + 5ms), "a");
  EXPECT_EQ(queue.take(kNow + 5ms), std::nullopt);
  EXPECT_FALSE(queue.is_idle());
}

TEST(WorkQueue, WorkThatArrivesMeanwhileIsDoneAfterwards) {
  WorkQueue queue;
  queue.add("a", kNow);
  EXPECT_EQ(queue.take(kNow), "a");
  queue.add("a", kNow);
  EXPECT_EQ(queue.take(kNow), std::nullopt) << "never twice at the same time";
  queue.done("a", true, kNow + 1ms);
  EXPECT_EQ(queue.take(kNow + 1ms), "a");
  queue.done("a", true, kNow + 2ms);
  EXPECT_TRUE(queue.is_idle());
}

TEST(WorkQueue, FailuresWaitLongerEachTimeUpToACap) {
  WorkQueue queue;
  queue.add("a", kNow);
  SteadyTime now = kNow;
  std::chrono::milliseconds expected = WorkQueue::kFirstWait;
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(queue.take(now), "a");
    queue.done("a", false, now);
    EXPECT_EQ(queue.next(), now + std::min(expected, WorkQueue::kLongestWait));
    EXPECT_EQ(queue.failures("a"), i + 1);
    now = *queue.next();
    expected *= 2;
  }
  ASSERT_EQ(queue.take(now), "a");
  queue.done("a", true, now);
  EXPECT_EQ(queue.failures("a"), 0);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(WorkQueue, NewsDoNotCutTheWaitAfterAFailureShort) {
  WorkQueue queue;
  queue.add("a", kNow);
  EXPECT_EQ(queue.take(kNow), "a");
  queue.done("a", false, kNow);
  queue.add("a", kNow + 1ms);
  EXPECT_EQ(queue.take(kNow + WorkQueue::kFirstWait - 1ms), std::nullopt);
  EXPECT_EQ(queue.take(kNow + WorkQueue::kFirstWait), "a");
}

TEST(WorkQueue, AForgottenNameIsNotTriedAgain) {
  WorkQueue queue;
  queue.add("a", kNow);
  queue.add("b", kNow);
  queue.forget("a");
  EXPECT_EQ(queue.take(kNow), "b");
  EXPECT_EQ(queue.take(kNow), std::nullopt);
}

}  // namespace
}  // namespace nodescout::test
