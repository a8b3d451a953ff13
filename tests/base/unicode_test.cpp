#include "base/unicode.h"

#include <gtest/gtest.h>

namespace nodescout {
namespace {

TEST(Unicode, ClassesAreThoseOfUnicode15) {
  EXPECT_TRUE(is_letter('a') && is_letter(0xE9) && is_letter(0x4E2D) && is_letter(0x1C5) && !is_letter('1'));
  EXPECT_TRUE(is_digit('7') && is_digit(0x0663) && !is_digit(0xB2));
  EXPECT_TRUE(is_number(0xB2) && is_number(0x2167) && !is_number('a'));
  EXPECT_TRUE(is_upper(0x100) && is_lower(0x101) && is_title(0x1C5) && !is_upper(0x1C5) && !is_lower(0x4E2D));
  EXPECT_TRUE(is_punct('!') && is_punct(0x2014) && !is_punct('$') && !is_punct('+'));
  EXPECT_TRUE(is_print(' ') && is_print(0x1F600) && !is_print(0xA0) && !is_print(0xAD) && !is_print('\n'));
  EXPECT_FALSE(is_print(0x110000));
}

TEST(Unicode, CaseMappingsAreSimple) {
  EXPECT_EQ(to_upper('q'), U'Q');
  EXPECT_EQ(to_upper(0xDF), 0xDFu);    // sharp s has no single capital that maps back
  EXPECT_EQ(to_upper(0x101), 0x100u);  // one of the alternating ones
  EXPECT_EQ(to_lower(0x100), 0x101u);
  EXPECT_EQ(to_lower(0x130), 0x69u);
  EXPECT_EQ(to_upper(0x17F), 0x53u);
  EXPECT_EQ(to_title(0x1C4), 0x1C5u);
  EXPECT_EQ(to_upper(0x1C5), 0x1C4u);
  EXPECT_EQ(to_lower(0x10400), 0x10428u);
  EXPECT_EQ(to_lower('1'), U'1');
}

}  // namespace
}  // namespace nodescout
