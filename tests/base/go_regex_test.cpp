#include "base/go_regex.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

TEST(GoRegex, IsRewrittenForRe2) {
  struct Case {
    const char* pattern;
    const char* want;
  };
  for (const Case& c : {
           Case{"^AVX", "^AVX"},
           {"(?<n>a)(?P<m>b)", "(?P<n>a)(?P<m>b)"},
           {"[(?<n>]", "[(?<n>]"},
           {"[](?<n>]", "[](?<n>]"},
           {"[^](?<n>]", "[^](?<n>]"},
           {"[[:alpha:](?<n>]", "[[:alpha:](?<n>]"},
           {"\\(?<n>", "\\(?<n>"},
           {"\\Q(?<n>\\E(?<n>a)", "\\Q(?<n>\\E(?P<n>a)"},
           {"\\Q(?<n>", "\\Q(?<n>"},
           {"\\p{Letter}\\P{uppercase_letter}\\p{^Lu}[\\p{Nd}]", "\\p{L}\\P{Lu}\\p{^Lu}[\\p{Nd}]"},
           {"\\p{Greek}\\pL", "\\p{Greek}\\pL"},
       }) {
    const auto rewritten = re2_syntax(c.pattern);
    ASSERT_TRUE(rewritten) << c.pattern;
    EXPECT_EQ(*rewritten, c.want);
  }
}

TEST(GoRegex, RefusesWhatGoRefuses) {
  for (const char* pattern : {"\\C", "[\\C]", "(?<=a)", "(?<!a)", "(?<a b>x)", "(?P<\xC3\xA9>x)", "(?<n", "(?<>x)"})
    EXPECT_FALSE(re2_syntax(pattern)) << pattern;
}

}  // namespace
}  // namespace nodescout
