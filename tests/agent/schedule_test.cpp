#include "agent/schedule.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, AnEventIsAPassAMomentLater) {
  Schedule schedule(0s, 1);
  const SteadyTime start{};
  EXPECT_FALSE(schedule.next());
  schedule.touch("pci", start);
  EXPECT_EQ(schedule.next(), start + Schedule::kSettle);
  schedule.touch("gpu", start + 20ms);
  EXPECT_EQ(schedule.next(), start + 20ms + Schedule::kSettle);
  const Schedule::Pass pass = schedule.take(start + 70ms);
  EXPECT_FALSE(pass.all);
  EXPECT_EQ(pass.probes, (std::set<std::string, std::less<>>{"gpu", "pci"}));
  EXPECT_FALSE(schedule.next());
}

TEST(Schedule, AnEventOfTheKernelAfterARestIsFollowedAtOnceAndAgain) {
  Schedule schedule(0s, 1);
  const SteadyTime start{1h};
  schedule.touch_by_kernel("pci", start);
  EXPECT_EQ(schedule.next(), start + Schedule::kAtOnce);
  Schedule::Pass pass = schedule.take(start + 5ms);
  EXPECT_EQ(pass.touched, (std::set<std::string, std::less<>>{"pci"}));
  // What comes a moment later has a pass of its own, together with the second look.
  schedule.touch_by_kernel("net", start + 20ms);
  EXPECT_EQ(schedule.next(), start + 5ms + Schedule::kInterval);
  pass = schedule.take(start + 255ms);
  EXPECT_EQ(pass.probes, (std::set<std::string, std::less<>>{"net", "pci"}));
  EXPECT_EQ(pass.touched, (std::set<std::string, std::less<>>{"net"}));
  EXPECT_FALSE(schedule.next()) << "a pass long after its event needs no other";

  schedule.touch_by_kernel("usb", start + 10s);
  schedule.take(*schedule.next());
  EXPECT_EQ(schedule.next(), start + 10s + Schedule::kAtOnce + Schedule::kInterval);
  EXPECT_TRUE(schedule.take(start + 10s + 20ms).empty()) << "not yet: something else made this pass";
  pass = schedule.take(*schedule.next());
  EXPECT_EQ(pass.probes, (std::set<std::string, std::less<>>{"usb"}));
  EXPECT_TRUE(pass.touched.empty());
  EXPECT_FALSE(schedule.next());

  // A pass that something else makes does not take the second look away.
  schedule.touch_by_kernel("pci", start + 20s);
  schedule.take(start + 20s + 5ms);
  schedule.touch_by_kernel("net", start + 20s + 90ms);
  schedule.take(start + 20s + 100ms);
  pass = schedule.take(*schedule.next());
  EXPECT_EQ(pass.probes, (std::set<std::string, std::less<>>{"net", "pci"}));
}

TEST(Schedule, AFileThatIsWrittenIsNotReadAtOnce) {
  for (const bool kernel_first : {true, false}) {
    Schedule schedule(0s, 1);
    const SteadyTime start{1h};
    if (kernel_first) schedule.touch_by_kernel("pci", start);
    schedule.touch("local", start + 1ms);
    if (!kernel_first) schedule.touch_by_kernel("pci", start + 1ms);
    EXPECT_EQ(schedule.next(), start + 1ms + Schedule::kSettle);
    schedule.take(*schedule.next());
    EXPECT_FALSE(schedule.next());
  }
}

TEST(Schedule, AStormIsFourPassesASecond) {
  for (const bool of_kernel : {true, false}) {
    Schedule schedule(0s, 1);
    SteadyTime now{};
    int passes = 0;
    for (int i = 0; i < 10'000; ++i) {
      now += 1ms;
      if (of_kernel)
        schedule.touch_by_kernel("usb", now);
      else
        schedule.touch("usb", now);
      if (*schedule.next() <= now) {
        schedule.take(now);
        ++passes;
      }
    }
    EXPECT_GE(passes, 36);
    EXPECT_LE(passes, 40);
    EXPECT_TRUE(schedule.next());  // the last events are not forgotten
  }
}

TEST(Schedule, ASteadyTrickleOfEventsIsNotPostponedForever) {
  Schedule schedule(0s, 1);
  SteadyTime now{};
  schedule.touch("usb", now);
  for (int i = 0; i < 100; ++i) schedule.touch("usb", now += 40ms);
  EXPECT_LE(*schedule.next(), SteadyTime{} + Schedule::kInterval);
}

TEST(Schedule, ProofsAreAskedForAtTheirTime) {
  Schedule schedule(0s, 1);
  const SteadyTime start{};
  schedule.want({{"pci", start + 2s}, {"usb", start + 5s}});
  EXPECT_EQ(schedule.next(), start + 2s);
  EXPECT_EQ(schedule.take(start + 2s).probes, (std::set<std::string, std::less<>>{"pci"}));
  EXPECT_EQ(schedule.next(), start + 5s);
}

TEST(Schedule, APassSaysWhyEachProbeRuns) {
  Schedule schedule(0s, 1);
  const SteadyTime start{};
  schedule.touch("pci", start);
  schedule.touch_answered("gpu", start);
  schedule.want({{"usb", start}});
  Schedule::Pass pass = schedule.take(start + 1s);
  EXPECT_EQ(pass.touched, (std::set<std::string, std::less<>>{"pci"}));
  EXPECT_EQ(pass.answered, (std::set<std::string, std::less<>>{"gpu"}));
  for (const char* probe : {"pci", "gpu", "usb"}) EXPECT_TRUE(pass.runs(probe)) << probe;
  EXPECT_FALSE(pass.runs("net"));
  EXPECT_FALSE(pass.empty());
  EXPECT_TRUE(schedule.take(start + 2s).empty());
  schedule.touch("", start + 3s);
  pass = schedule.take(start + 4s);
  EXPECT_TRUE(pass.runs("net"));
  EXPECT_TRUE(pass.touched.contains("")) << "something happened to all";
}

TEST(Schedule, SlowPolls) {
  Schedule schedule(600s, 1);
  SteadyTime now{};
  schedule.touch("", now);
  EXPECT_TRUE(schedule.take(now).all);
  for (int i = 0; i < 50; ++i) {
    const SteadyTime next = *schedule.next();
    EXPECT_GE(next - now, 480s);
    EXPECT_LE(next - now, 720s);
    now = next;
    EXPECT_TRUE(schedule.take(now).all);
  }
}

}  // namespace
}  // namespace nodescout
