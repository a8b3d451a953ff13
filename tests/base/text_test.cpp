#include "base/text.h"

#include <gtest/gtest.h>

#include "base/excerpt.h"
#include "base/number.h"

namespace nodescout {
namespace {

TEST(Text, TrimTakesUnicodeSpaceOffBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \v\f"), "a b");
  EXPECT_EQ(trim("\xC2\xA0x\xE3\x80\x80"), "x");  // no-break space, ideographic space
  EXPECT_EQ(trim("\xC2\x85"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\xA0x\xFF"), "\xA0x\xFF");  // broken bytes are not space
}

TEST(Text, SplitKeepsEmptyPieces) {
  const std::vector<std::string_view> want{"a", "", "b", ""};
  EXPECT_EQ(split("a,,b,", ','), want);
  EXPECT_EQ(split("", ',').size(), 1u);
}

TEST(Text, FieldsHasNoEmptyPieces) {
  const std::vector<std::string_view> want{"a", "b"};
  EXPECT_EQ(fields("  a \t b\n"), want);
  EXPECT_TRUE(fields(" \n").empty());
  EXPECT_EQ(fields("\u00a0a\u2003b"), want) << "any Unicode space, as Go's strings.Fields";
  EXPECT_EQ(fields("a\x85"
                   "b"),
            std::vector<std::string_view>{"a\x85"
                                          "b"})
      << "a stray byte is not a character";
}

TEST(Text, ParseIntIsGoAtoi) {
  struct Case {
    const char* text;
    std::optional<std::int64_t> want;
  };
  for (const Case& c : {Case{"0", 0},
                        {"+5", 5},
                        {"-5", -5},
                        {"007", 7},
                        {"9223372036854775807", INT64_MAX},
                        {"-9223372036854775808", INT64_MIN},
                        {"9223372036854775808", {}},
                        {"", {}},
                        {"+", {}},
                        {"+-5", {}},
                        {" 5", {}},
                        {"0x10", {}},
                        {"1.5", {}},
                        {"1_000", {}}})
    EXPECT_EQ(parse_int(c.text), c.want) << c.text;
}

TEST(Text, QuotedIsGoQuote) {
  EXPECT_EQ(quote("a\"b\\\n\t"), R"("a\"b\\\n\t")");
  EXPECT_EQ(quote("\x01\xFF"), R"("\x01\xff")");
  EXPECT_EQ(quote("h\xC3\xA9\xC2\x85"), "\"h\xC3\xA9\\u0085\"");
}

TEST(Text, ValidUtf8ReplacesEachBrokenByte) {
  EXPECT_EQ(valid_utf8("a\xFF\xFE"
                       "b"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(valid_utf8("h\xC3\xA9"), "h\xC3\xA9");
}

TEST(Text, ClosestForgivesTyposAndSeparators) {
  EXPECT_EQ(closest("pci.devices", {"pci.device", "usb.device"}), "pci.device");
  EXPECT_EQ(closest("kernel.loadedmodul", {"kernel.loadedmodule", "kernel.enabledmodule"}), "kernel.loadedmodule");
  EXPECT_EQ(closest("MatchFeatures", {"matchFeatures", "matchAny"}), "matchFeatures");
  EXPECT_EQ(closest("xyz", {"matchFeatures"}), "");
}

TEST(Number, GoFloatIsShortestWithGoExponents) {
  struct Case {
    double value;
    const char* want;
  };
  for (const Case& c : {Case{3, "3"},
                        {1.1, "1.1"},
                        {1e6, "1e+06"},
                        {123456789, "1.23456789e+08"},
                        {1e-5, "1e-05"},
                        {0.0001, "0.0001"},
                        {1.5e300, "1.5e+300"},
                        {-2.5, "-2.5"},
                        {0, "0"}})
    EXPECT_EQ(go_float(c.value), c.want);
}

TEST(Text, AnExcerptKeepsBothEnds) {
  EXPECT_EQ(excerpt("short", 5), "short");
  EXPECT_EQ(excerpt("0123456789", 4), "01 … (6 bytes left out) … 89");
  EXPECT_EQ(excerpt("aäääz", 4), "a … (6 bytes left out) … z") << "no code point is cut";
  EXPECT_EQ(excerpt("a\xFFz", 5), "a\uFFFDz");
}

}  // namespace
}  // namespace nodescout
