// Child processes: what each of them can do wrong, and that nothing of it outlives the deadline.
#include "system/child.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "support/emulated.h"

namespace nodescout {
namespace {

using Ending = ChildOutcome::Ending;
using namespace std::chrono_literals;

ChildRequest shell(const std::string& script) {
  return {"/bin/sh", {"sh", "-c", script}, {"PATH=/usr/bin:/bin", "GREETING=hello"}, 10s, 1000, 10};
}

TEST(Child, ItsOutputAndComplaintComeBack) {
  const ChildOutcome outcome = run_child(shell("echo $GREETING; echo 0123456789abc >&2; exit 3"));
  EXPECT_EQ(outcome.ending, Ending::exited);
  EXPECT_EQ(outcome.number, 3);
  EXPECT_EQ(outcome.output, "hello\n");
  EXPECT_EQ(outcome.complaint, "0123456789") << "no more than was asked for";
}

TEST(Child, ASignalIsTold) {
  const ChildOutcome outcome = run_child(shell("echo first; kill -SEGV $$"));
  EXPECT_EQ(outcome.ending, Ending::crashed);
  EXPECT_EQ(outcome.number, SIGSEGV);
  EXPECT_EQ(outcome.output, "first\n");
}

TEST(Child, AMissingProgramGivesTheErrno) {
  if (test::is_emulated()) GTEST_SKIP() << test::kNoVfork;
  const ChildOutcome outcome = run_child({"/no/such/program", {"x"}, {}, 10s});
  EXPECT_EQ(outcome.ending, Ending::not_started);
  EXPECT_EQ(outcome.number, ENOENT);
}

TEST(Child, TheDeadlineHoldsWhateverItDoes) {
  for (const char* script : {"sleep 20", "exec >&- 2>&-; sleep 20", "trap '' TERM; sleep 20 & wait", "yes >&2"}) {
    ChildRequest request = shell(script);
    request.deadline = 300ms;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run_child(request).ending, Ending::timeout) << script;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << script;
  }
}

TEST(Child, TooMuchOutputEndsIt) {
  const ChildOutcome outcome = run_child(shell("yes"));
  EXPECT_EQ(outcome.ending, Ending::too_much);
  EXPECT_EQ(outcome.output.size(), 1000u);
}

TEST(Child, AStopEndsIt) {
  for (const char* script : {"sleep 20", "exec >&- 2>&-; sleep 20"}) {
    std::stop_source stop;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(50ms);
      stop.request_stop();
    });
    EXPECT_EQ(run_child(shell(script), stop.get_token()).ending, Ending::stopped) << script;
  }
}

TEST(Child, ASlowOneIsReportedOnce) {
  int times = 0;
  ChildRequest request = shell("sleep 1.5");
  request.on_slow = [&] { ++times; };
  EXPECT_EQ(run_child(request).ending, Ending::exited);
  EXPECT_EQ(times, 1);
  request.words = {"sh", "-c", "true"};
  EXPECT_EQ(run_child(request).ending, Ending::exited);
  EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace nodescout
