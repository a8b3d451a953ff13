#include "base/semver.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

TEST(Semver, ReadsLooseVersions) {
  struct Case {
    const char* text;
    const char* want;  // empty: no version
  };
  for (const Case& c : {
           Case{"1", "1.0.0"},
           {"v1.2", "1.2.0"},
           {"01.02.03", "1.2.3"},
           {"6.8.0-45-generic", "6.8.0-45-generic"},
           {"1.2.3-rc.1+build.5", "1.2.3-rc.1+build.5"},
           {"1+b", "1.0.0+b"},
           {"18446744073709551615.0.0", "18446744073709551615.0.0"},
           {"", ""},
           {"V1", ""},
           {"1.", ""},
           {"1.2.3.4", ""},
           {"1-", ""},
           {"1.2.3-01", ""},
           {"1.2.3-a..b", ""},
           {"5.14.0-427.el9_4.x86_64", ""},
           {"18446744073709551616", ""},
       }) {
    const auto version = parse_version(c.text);
    EXPECT_EQ(version ? to_text(*version) : "", c.want) << c.text;
  }
  EXPECT_FALSE(parse_version("1." + std::string(300, '0')));
}

TEST(Semver, OrdersAsTheSpecificationSays) {
  const char* const rising[] = {
      "1.0.0-1",    "1.0.0-2",    "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
      "1.0.0-beta", "1.0.0-rc.1", "1.0.0",    "1.0.1",       "1.1.0",         "2.0.0"};
  for (std::size_t i = 0; i < std::size(rising); ++i)
    for (std::size_t j = 0; j < std::size(rising); ++j)
      EXPECT_EQ(compare(*parse_version(rising[i]), *parse_version(rising[j])), i < j   ? -1
                                                                               : i > j ? 1
                                                                                       : 0)
          << rising[i] << " " << rising[j];
  EXPECT_EQ(compare(*parse_version("1.0.0+a"), *parse_version("1.0.0+b")), 0);
}

}  // namespace
}  // namespace nodescout
