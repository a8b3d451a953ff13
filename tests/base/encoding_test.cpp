#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/time.h"

namespace nodescout {
namespace {

TEST(Base64, ReadsWhatRfc4648Lists) {
  struct Case {
    const char *text, *encoded;
  };
  for (const Case& one :
       {Case{"", ""}, Case{"f", "Zg=="}, Case{"fo", "Zm8="}, Case{"foo", "Zm9v"}, Case{"foob", "Zm9vYg=="},
        Case{"fooba", "Zm9vYmE="}, Case{"foobar", "Zm9vYmFy"}, Case{"\xFF\xFE\xFD", "//79"}}) {
    EXPECT_EQ(decode_base64(one.encoded).value_or("refused"), one.text);
    EXPECT_EQ(encode_base64(one.text), one.encoded);
  }
  EXPECT_EQ(decode_base64("Zm9v\nYmFy\r\n").value_or("refused"), "foobar");
}

TEST(Base64, RefusesEverythingElse) {
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zg===", "=", "Zm9v=", "Zg==Zg==", "Zm-v", "Zm9v!", "====", "Zm9v YmFy"})
    EXPECT_FALSE(decode_base64(wrong)) << wrong;
  EXPECT_EQ(decode_base64("Zm9v!").error().what, "illegal base64 data at input byte 4");
}

TEST(Time, ReadsRfc3339) {
  using std::chrono::seconds;
  const auto unix_time = [](std::string_view text) -> std::int64_t {
    const auto time = parse_rfc3339(text);
    return time ? std::chrono::duration_cast<seconds>(time->time_since_epoch()).count() : -1;
  };
  EXPECT_EQ(unix_time("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(unix_time("2026-11-22T10:00:00Z"), 1795341600);
  EXPECT_EQ(unix_time("2026-11-22T10:00:00.999Z"), 1795341600);
  EXPECT_EQ(unix_time("2026-11-22T10:00:00+01:30"), 1795341600 - 5400);
  EXPECT_EQ(unix_time("2026-11-22T10:00:00-01:30"), 1795341600 + 5400);
  // The clock ends in 2262.
  EXPECT_EQ(unix_time("9999-12-31T23:59:59Z"), 9223372036);
  EXPECT_EQ(unix_time("0001-01-01T00:00:00Z"), -9223372036);
  for (const char* wrong : {"", "2026-11-22", "2026-11-22T10:00:00", "2026-02-30T10:00:00Z", "2026-11-22T24:00:00Z",
                            "2026-11-22T10:00:00.Z", "2026-11-22 10:00:00Z", "2026-11-22T10:00:00+1:30"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

TEST(Time, ReadsTheDateOfAnAnswer) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), parse_rfc3339("1994-11-06T08:49:37Z"));
  EXPECT_EQ(parse_http_date("Thu, 26 Nov 2026 23:59:59 GMT"), parse_rfc3339("2026-11-26T23:59:59Z"));
  for (const char* wrong :
       {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 9999 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08.49:37 GMT"})
    EXPECT_FALSE(parse_http_date(wrong)) << wrong;
}

TEST(Time, ReadsWhatGoReads) {
  const auto nine = *parse_rfc3339("2026-11-22T09:00:00Z");
  EXPECT_EQ(parse_rfc3339("2026-11-22T9:00:00Z"), nine);
  EXPECT_EQ(parse_rfc3339("2026-11-22T9:00:00,5Z"), nine);
  EXPECT_EQ(parse_rfc3339("2026-11-22T9:00:00.5+00:00"), nine);
  EXPECT_EQ(parse_rfc3339("2026-11-23T09:00:00+24:00"), nine);
  EXPECT_EQ(parse_rfc3339("2026-11-22T10:00:00+00:60"), nine);
  for (const char* wrong :
       {"2026-11-22t09:00:00Z", "2026-11-22T09:00:00z", "2026-11-22T:00:00Z", "2026-11-22T009:00:00Z",
        "2026-11-22T9:0:00Z", "2026-11-22T09:00:60Z", "2026-11-22T09:00:00,Z", "2026-11-22T09:00:00+25:00",
        "2026-11-22T09:00:00+00:61", "2026-11-22T9:00:00", "2026-11-22T9"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

TEST(Time, WritesMicroseconds) {
  const auto time = *parse_rfc3339("2026-01-02T03:04:05Z") + std::chrono::microseconds(60);
  EXPECT_EQ(rfc3339_micro(time), "2026-01-02T03:04:05.000060Z");
  EXPECT_EQ(rfc3339_seconds(time), "2026-01-02T03:04:05Z");
}

}  // namespace
}  // namespace nodescout
