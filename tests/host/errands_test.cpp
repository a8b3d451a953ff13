#include "host/errands.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>

#include "system/child.h"

namespace nodescout {
namespace {

using namespace std::chrono_literals;
using Reason = Errands::Reason;
using Names = std::set<std::string>;

/// An asker with one question, whose answers come when the test says so.
class Asked : public ::testing::Test {
 protected:
  std::optional<int> look(Reason reason) {
    errands.serve("probe", reason);
    const auto answer = errands.ask<int>("question", [&] {
      return [this, number = ++asked](const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        changed.wait(lock, stop, [&] { return answers >= number; });
        return number;
      };
    });
    errands.withdraw_the_rest();
    return answer;
  }

  /// Lets the next answer come, and waits until it has.
  void answer() {
    std::unique_lock lock(mutex);
    ++answers;
    changed.notify_all();
    ASSERT_TRUE(changed.wait_for(lock, 10s, [&] { return done >= answers; }));
  }

  int asked = 0;
  std::mutex mutex;
  std::condition_variable_any changed;
  int answers = 0, done = 0;
  Errands errands{[this] {
    const std::lock_guard lock(mutex);
    ++done;
    changed.notify_all();
  }};
};

TEST_F(Asked, AnAnswerIsAwaitedAndThenGiven) {
  EXPECT_EQ(look(Reason::time), std::nullopt);
  EXPECT_EQ(errands.take_answered(), Names{});
  answer();
  EXPECT_EQ(errands.take_answered(), Names{"probe"});
  EXPECT_EQ(errands.take_answered(), Names{});
  EXPECT_EQ(look(Reason::answer), 1);
  EXPECT_EQ(look(Reason::answer), 1) << "another question of the same asker was answered";
  EXPECT_EQ(asked, 1);
}

TEST_F(Asked, APollAsksAgainOnceTheAnswerWasGiven) {
  look(Reason::time);
  EXPECT_EQ(look(Reason::time), std::nullopt) << "it is being asked";
  answer();
  EXPECT_EQ(look(Reason::time), 1) << "it was not given yet";
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(look(Reason::time), std::nullopt);
  EXPECT_EQ(look(Reason::answer), std::nullopt);
  answer();
  EXPECT_EQ(look(Reason::answer), 2);
  EXPECT_EQ(asked, 2);
}

TEST_F(Asked, AnEventWhileItIsAskedAsksOnceMore) {
  look(Reason::time);
  EXPECT_EQ(look(Reason::event), std::nullopt);
  EXPECT_EQ(look(Reason::event), std::nullopt);
  EXPECT_EQ(asked, 1);
  answer();
  EXPECT_EQ(look(Reason::answer), 1) << "what is known already is not kept back";
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(look(Reason::answer), std::nullopt);
  answer();
  EXPECT_EQ(look(Reason::answer), 2);
  EXPECT_EQ(look(Reason::answer), 2);
  EXPECT_EQ(asked, 2);
}

TEST_F(Asked, WhatIsNotAskedForAnyMoreIsCancelled) {
  look(Reason::time);
  errands.serve("probe", Reason::event);
  errands.withdraw_the_rest();
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, 10s, [&] { return done == 1; }))
      << "its end is reported, because a caller may ask again";
  lock.unlock();
  EXPECT_EQ(look(Reason::answer), std::nullopt);
  EXPECT_EQ(asked, 2);
}

TEST_F(Asked, OfAnotherAskerNothingIsCancelled) {
  look(Reason::time);
  errands.serve("other", Reason::event);
  errands.withdraw_the_rest();
  answer();
  EXPECT_EQ(look(Reason::answer), 1);
}

TEST(Errands, TheEndDoesNotWaitForAnAnswer) {
  const auto start = std::chrono::steady_clock::now();
  {
    Errands errands([] {});
    errands.serve("probe", Reason::time);
    errands.ask<bool>("sleep", [] {
      return [](const std::stop_token& stop) {
        return run_child({"/bin/sleep", {"sleep", "60"}, {}, 60s}, stop).ending == ChildOutcome::Ending::stopped;
      };
    });
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

}  // namespace
}  // namespace nodescout
