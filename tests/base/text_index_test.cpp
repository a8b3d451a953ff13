#include "base/text_index.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace nodescout {
namespace {

TEST(TextIndex, FindsLines) {
  const TextIndex index("a\n\nbc\n");
  EXPECT_EQ(index.line(1), "a");
  EXPECT_EQ(index.line(2), "");
  EXPECT_EQ(index.line(3), "bc");
  for (const int none : {-1, 0, 4, 5}) EXPECT_EQ(index.line(none), "");
  EXPECT_EQ(index.mark_of(0), (Mark{1, 1}));
  EXPECT_EQ(index.mark_of(1), (Mark{1, 2}));  // the line break
  EXPECT_EQ(index.mark_of(4), (Mark{3, 2}));
  EXPECT_EQ(index.mark_of(99), (Mark{4, 1}));
  EXPECT_EQ(TextIndex("").mark_of(0), (Mark{1, 1}));
}

TEST(TextIndex, CountsCodePoints) {
  std::string text;
  for (int line = 0; line < 3; ++line) {
    for (int i = 0; i < 500; ++i)
      text += std::vector<std::string>{"a", "\xC3\xBC", "\xE2\x82\xAC", "\xFF"}[i * i % 7 % 4];
    text += '\n';
  }
  const TextIndex index(text);
  for (int line = 1; line <= 3; ++line) {
    const std::string_view content = index.line(line);
    for (std::size_t byte = 0; byte <= content.size(); ++byte) {
      if (byte < content.size() && (static_cast<unsigned char>(content[byte]) & 0xC0) == 0x80) continue;
      const int column = column_of(content, byte);
      ASSERT_EQ(index.column_of(line, byte), column) << byte;
      ASSERT_EQ(column_of(content, index.byte_of(line, column)), column) << byte;
    }
    EXPECT_EQ(index.byte_of(line, 500), content.size() - 1);
    EXPECT_EQ(index.byte_of(line, 501), content.size());
    EXPECT_EQ(index.byte_of(line, 9999), content.size());
    EXPECT_EQ(index.byte_of(line, 0), 0u);
    EXPECT_EQ(index.column_of(line, 9999), 501);
  }
}

}  // namespace
}  // namespace nodescout
