// Labels as a file: what is there goes only when it may, and is not overwritten unread.
#include "publish/file_publisher.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_host.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;

class FilePublisherTest : public ::testing::Test {
 protected:
  Result<Published> publish(const Attributes& labels, bool may_remove = true) {
    Report report;
    report.desired.labels = labels;
    report.may_go = [may_remove](const Change&) { return may_remove ? std::nullopt : std::optional(Kept::unproved); };
    return FilePublisher(path()).publish(report, {});
  }
  std::string path() const { return (folder.path() / "nodescout").string(); }
  /// Without the line that says whose it is.
  std::string labels() const {
    const std::string text = read_file(path());
    return text.substr(text.find('\n') + 1);
  }

  TempDirectory folder;
};

TEST_F(FilePublisherTest, WritesWhatChangesAndSaysSo) {
  ASSERT_TRUE(publish({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  const auto published = publish({{"a", "1"}, {"b", "2"}, {"d", "1"}});
  ASSERT_TRUE(published);
  const auto label = [](Change::Action action, const char* key, const char* before, const char* after) {
    return Change{Change::Kind::label, action, key, before, after, {}};
  };
  EXPECT_EQ(published->changes,
            (std::vector<Change>{label(Change::Action::set, "b", "1", "2"), label(Change::Action::set, "d", "", "1"),
                                 label(Change::Action::remove, "c", "1", "")}));
  EXPECT_EQ(labels(), "a=1\nb=2\nd=1\n");
  const auto again = publish({{"a", "1"}, {"b", "2"}, {"d", "1"}});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->changes.empty());
}

TEST_F(FilePublisherTest, AStampAloneIsNotWritten) {
  Report report;
  report.options.stamps = {"v.io/made-at"};
  const auto publish = [&](Attributes labels) {
    report.desired.labels = std::move(labels);
    return FilePublisher(path()).publish(report, {});
  };
  ASSERT_TRUE(publish({{"v.io/a", "1"}, {"v.io/made-at", "1"}}));
  const auto again = publish({{"v.io/a", "1"}, {"v.io/made-at", "2"}});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->changes.empty());
  EXPECT_EQ(labels(), "v.io/a=1\nv.io/made-at=1\n");
  ASSERT_TRUE(publish({{"b", "1"}, {"v.io/a", "1"}, {"v.io/made-at", "2"}}));
  EXPECT_EQ(labels(), "b=1\nv.io/a=1\nv.io/made-at=1\n") << "another label was written, not the stamp";
  ASSERT_TRUE(publish({{"b", "1"}, {"v.io/a", "2"}, {"v.io/made-at", "2"}}));
  EXPECT_EQ(labels(), "b=1\nv.io/a=2\nv.io/made-at=2\n");
}

TEST_F(FilePublisherTest, WhatIsNotProvedGoneStays) {
  ASSERT_TRUE(publish({{"a", "1"}, {"b", "1"}}));
  const auto published = publish({{"a", "2"}}, false);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->held, (std::map<Kept, std::size_t>{{Kept::unproved, 1}}));
  EXPECT_EQ(labels(), "a=2\nb=1\n");
}

TEST_F(FilePublisherTest, WhatCannotBeReadIsNotOverwritten) {
  fs::create_symlink("nodescout", path());  // a loop
  const auto published = publish({{"a", "1"}});
  ASSERT_FALSE(published);
  EXPECT_TRUE(fs::is_symlink(path()));
}

TEST_F(FilePublisherTest, WhatNfdCannotReadIsReplaced) {
  write_file(path(), std::string(70'000, '#') + "\nb=1\n");
  ASSERT_TRUE(publish({{"a", "1"}}, false));
  EXPECT_EQ(labels(), "a=1\n");
}

}  // namespace
}  // namespace nodescout::test
