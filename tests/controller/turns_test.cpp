#include "controller/turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

namespace nodescout::test {
namespace {

using namespace std::chrono_literals;

TEST(Turns, NoMoreThanTheMostAtOnce) {
  Turns turns(2);
  std::atomic<int> inside{0}, most{0}, done{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      const auto turn = turns.take({});
      EXPECT_TRUE(turn);
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(5ms);
      --inside;
      ++done;
    });
  threads.clear();
  EXPECT_EQ(done, 8);
  EXPECT_EQ(most, 2);
}

TEST(Turns, AStopEndsTheWait) {
  Turns turns(1);
  const auto first = turns.take({});
  EXPECT_TRUE(first);
  std::stop_source source;
  std::jthread waits([&] { EXPECT_FALSE(turns.take(source.get_token())); });
  source.request_stop();
  waits.join();
}

TEST(Turns, OneThatMovedIsGivenBackOnce) {
  Turns turns(1);
  {
    auto first = turns.take({});
    const Turns::Turn second(std::move(first));
    EXPECT_TRUE(second);
  }
  const auto next = turns.take({});
  EXPECT_TRUE(next);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(turns.take(stopped.get_token())) << "there is one, and it is taken";
}

}  // namespace
}  // namespace nodescout::test
