#include "system/exhaustion.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace nodescout {
namespace {

TEST(Exhaustion, SaysWhatIsShort) {
  EXPECT_TRUE(what_is_exhausted(std::bad_alloc()).starts_with("no memory is left"));
  const auto of = [](std::errc code) { return what_is_exhausted(std::system_error(std::make_error_code(code))); };
  EXPECT_TRUE(of(std::errc::resource_unavailable_try_again).starts_with("no thread can be started"));
  EXPECT_TRUE(of(std::errc::too_many_files_open).starts_with("no file descriptor is left"));
  EXPECT_EQ(of(std::errc::permission_denied), "");
  EXPECT_TRUE(what_is_exhausted(std::runtime_error("thread: Resource temporarily unavailable"))
                  .starts_with("no thread can be started"))
      << "as Boost says it";
  EXPECT_EQ(what_is_exhausted(std::runtime_error("x")), "");
}

TEST(ExhaustionDeathTest, EndsTheProgramInWordsFromAnyThread) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        explain_exhaustion();
        std::thread([] { throw std::bad_alloc(); }).join();
      },
      ::testing::ExitedWithCode(1), "^nodescout: no memory is left");
}

}  // namespace
}  // namespace nodescout
