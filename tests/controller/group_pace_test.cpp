#include "controller/group_pace.h"

#include <gtest/gtest.h>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};

TEST(GroupPace, ASmallStatusIsWrittenOnceASecondAndALargeOneRarely) {
  GroupPace pace;
  EXPECT_LE(pace.due("g"), kNow);
  pace.written("g", 100, kNow);
  EXPECT_EQ(pace.due("g"), kNow + 1s);
  pace.written("g", 400'000, kNow);
  EXPECT_EQ(pace.due("g"), kNow + 16s);
  EXPECT_LE(pace.due("other"), kNow);
  pace.forget("g");
  EXPECT_LE(pace.due("g"), kNow);
}

TEST(GroupPace, AGroupThatFailsIsTriedMoreAndMoreRarely) {
  GroupPace pace;
  pace.failed("g", kNow);
  EXPECT_EQ(pace.due("g"), kNow + 2s);
  pace.failed("g", kNow);
  EXPECT_EQ(pace.due("g"), kNow + 4s);
  for (int i = 0; i < 100; ++i) pace.failed("g", kNow);
  EXPECT_EQ(pace.due("g"), kNow + 10min);
  EXPECT_LE(pace.due("other"), kNow) << "a bad group does not stop the others";
  pace.written("g", 100, kNow);
  pace.failed("g", kNow);
  EXPECT_EQ(pace.due("g"), kNow + 2s);
}

}  // namespace
}  // namespace nodescout::test
