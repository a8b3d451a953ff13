#include "base/number.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nodescout {
namespace {

TEST(Number, FormatFloatIsGoFormatFloat) {
  struct Case {
    double value;
    char format;
    int precision;
    const char* want;
  };
  for (const Case& c : {
           Case{1e23, 'f', -1, "100000000000000000000000"},
           {1e6, 'g', -1, "1e+06"},
           {123456, 'g', -1, "123456"},
           {0.000012, 'g', -1, "1.2e-05"},
           {100, 'g', 3, "100"},
           {1000, 'g', 3, "1e+03"},
           {2.5, 'f', 0, "2"},
           {3.5, 'f', 0, "4"},
           {1.5, 'e', 3, "1.500e+00"},
           {-1.5, 'E', -1, "-1.5E+00"},
           {1, 'b', -1, "4503599627370496p-52"},
           {5e-324, 'b', -1, "1p-1074"},
           {1.5, 'x', -1, "0x1.8p+00"},
           {1.96875, 'x', 1, "0x1.0p+01"},
           {0, 'X', 2, "0X0.00P+00"},
           {-0.0, 'g', -1, "-0"},
           {INFINITY, 'g', -1, "+Inf"},
           {NAN, 'f', 2, "NaN"},
       })
    EXPECT_EQ(format_float(c.value, c.format, c.precision), c.want);
  EXPECT_EQ(format_float(0.1, 'f', 2000).size(), 2002u);
}

TEST(Number, ParseGoFloatIsParseFloat) {
  struct Case {
    const char* text;
    std::optional<double> want;
  };
  for (const Case& c : {
           Case{"1.5", 1.5},
           {"+1e3", 1000},
           {".5", 0.5},
           {"5.", 5},
           {"0x1p4", 16},
           {"0x_1p4", 16},
           {"-inf", -INFINITY},
           {"Infinity", INFINITY},
           {"1e-400", 0},
           {"1_0", 10},
           {"1__0", {}},
           {"1e400", {}},
           {"0x1", {}},
           {"+nan", {}},
           {"", {}},
           {"1e", {}},
           {" 1", {}},
           {"x", {}},
       })
    EXPECT_EQ(parse_go_float(c.text), c.want) << c.text;
}

TEST(Number, ParseGoIntIsParseInt) {
  struct Case {
    const char* text;
    int base;
    ParsedInt::Status status;
    std::int64_t want;
  };
  for (const Case& c : {
           Case{"012", 0, ParsedInt::valid, 10},
           {"0x1F", 0, ParsedInt::valid, 31},
           {"0b101", 0, ParsedInt::valid, 5},
           {"0o17", 0, ParsedInt::valid, 15},
           {"1_000", 0, ParsedInt::valid, 1000},
           {"-9223372036854775808", 0, ParsedInt::valid, INT64_MIN},
           {"777", 8, ParsedInt::valid, 511},
           {"08", 0, ParsedInt::syntax, 0},
           {"1_000", 10, ParsedInt::syntax, 0},
           {"", 10, ParsedInt::syntax, 0},
           {"0x", 0, ParsedInt::syntax, 0},
           {"9223372036854775808", 10, ParsedInt::range, INT64_MAX},
           {"-9223372036854775809", 10, ParsedInt::range, INT64_MIN},
       }) {
    const ParsedInt parsed = parse_go_int(c.text, c.base);
    EXPECT_EQ(parsed.status, c.status) << c.text;
    EXPECT_EQ(parsed.value, c.want) << c.text;
  }
}

}  // namespace
}  // namespace nodescout
