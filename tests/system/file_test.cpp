#include "system/file.h"

#include <gtest/gtest.h>

#include "support/temp_host.h"

namespace nodescout {
namespace {

TEST(File, IsReadWholeOrNotAtAll) {
  const test::TempDirectory folder;
  const std::string path = (folder.path() / "f").string();
  test::write_file(path, std::string(100'000, 'x'));
  EXPECT_EQ(read_whole_file(path, 100'000)->size(), 100'000u);
  EXPECT_EQ(read_whole_file(path, 99'999).error().code, Errc::unsupported);
  EXPECT_EQ(read_whole_file(path + "x", 1).error().code, Errc::absent);
  EXPECT_EQ(read_whole_file(folder.path().string(), 1).error().code, Errc::malformed);
}

}  // namespace
}  // namespace nodescout
