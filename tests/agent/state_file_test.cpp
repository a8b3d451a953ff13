#include "agent/state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temp_host.h"

namespace nodescout::test {
namespace {

/// Nobody writes to it: a reader that opens it as any file would wait for ever.
TEST(StateFileTest, AFifoIsRefusedAtOnce) {
  TempDirectory files;
  const std::string path = files.path() / "state.json";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  KnownFacts facts;
  const Status loaded = StateFile(path, "boot").load(facts);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text().find(path), std::string::npos) << loaded.error().text();
  EXPECT_NE(loaded.error().text().find("regular file"), std::string::npos) << loaded.error().text();
}

TEST(StateFileTest, AMissingOneIsNoError) {
  TempDirectory files;
  KnownFacts facts;
  EXPECT_TRUE(StateFile(files.path() / "state.json", "boot").load(facts));
  EXPECT_TRUE(StateFile("", "boot").load(facts));
}

}  // namespace
}  // namespace nodescout::test
