#include "system/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST(File, AFifoIsNotWaitedFor) {
  const test::TempDirectory folder;
  const std::string fifo = (folder.path() / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto read = read_regular_file(fifo, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::malformed);
  EXPECT_EQ(read.error().what, "not a regular file");
  // Nor one in the place of the hidden file that is written first.
  ASSERT_EQ(mkfifo((folder.path() / ".f.new").c_str(), 0600), 0);
  EXPECT_FALSE(write_whole_file((folder.path() / "f").string(), "x"));
  EXPECT_EQ(read_regular_file(folder.path().string(), 1).error().code, Errc::malformed);
  test::write_file((folder.path() / "g").string(), "text");
  EXPECT_EQ(*read_regular_file((folder.path() / "g").string(), 4), "text");
}

}  // namespace
}  // namespace nodescout
