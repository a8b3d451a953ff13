#include "base/time.h"

#include <algorithm>

namespace nodescout {

namespace {

/// `count` digits at `at`.
std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kShape = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != kShape.size() || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':') return {};
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const auto year = digits_at(text, 12, 4), day = digits_at(text, 5, 2), hour = digits_at(text, 17, 2),
             minute = digits_at(text, 20, 2), second = digits_at(text, 23, 2);
  if (month == std::string_view::npos || month % 3 != 0 || !year || !day || !hour || !minute || !second) return {};
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  constexpr int kLastYear = 2261;  // in nanoseconds the clock ends in 2262
  if (!date.ok() || *year < 1970 || *year > kLastYear || *hour > 23 || *minute > 59 || *second > 60) return {};
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t count) { return digits_at(text, at, count); };
  const auto is = [&](std::size_t at, char c) { return at < text.size() && (text[at] == c); };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const std::size_t hour_digits = is(12, ':') ? 1 : 2;
  const std::size_t colon = 11 + hour_digits;
  const auto hour = number(11, hour_digits), minute = number(colon + 1, 2), second = number(colon + 4, 2);
  if (!year || !month || !day || !hour || !minute || !second || !is(4, '-') || !is(7, '-') || !is(10, 'T') ||
      !is(colon, ':') || !is(colon + 3, ':'))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::size_t at = colon + 6;
  if (is(at, '.') || is(at, ',')) {
    const std::size_t digits = text.find_first_not_of("0123456789", at + 1);
    if (digits == at + 1 || digits == std::string_view::npos) return std::nullopt;
    at = digits;
  }
  std::chrono::minutes offset{0};
  if (is(at, 'Z') && at + 1 == text.size()) {
    // UTC
  } else if ((is(at, '+') || is(at, '-')) && at + 6 == text.size() && is(at + 3, ':')) {
    const auto hours = number(at + 1, 2), minutes = number(at + 4, 2);
    if (!hours || !minutes || *hours > 24 || *minutes > 60) return std::nullopt;
    offset = std::chrono::minutes(*hours * 60 + *minutes);
    if (text[at] == '-') offset = -offset;
  } else {
    return std::nullopt;
  }
  const std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                                        std::chrono::minutes(*minute) + std::chrono::seconds(*second) - offset;
  // The clock counts nanoseconds and ends in 2262: "never" is written as a year beyond.
  using Clock = std::chrono::system_clock;
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(Clock::time_point::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(Clock::time_point::max());
  return std::clamp<std::chrono::sys_seconds>(time, kFirst, kLast);
}

std::string rfc3339_seconds(std::chrono::system_clock::time_point time) {
  constexpr std::size_t kToSeconds = std::string_view("2026-11-22T10:00:00").size();
  return rfc3339_micro(time).substr(0, kToSeconds) + "Z";
}

std::string rfc3339_micro(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<microseconds>(time - day));
  const auto padded = [](auto value, std::size_t width) {
    const std::string digits = std::to_string(value);
    return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
  };
  return padded(static_cast<int>(date.year()), 4) + "-" + padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2) + "T" + padded(clock.hours().count(), 2) + ":" +
         padded(clock.minutes().count(), 2) + ":" + padded(clock.seconds().count(), 2) + "." +
         padded(clock.subseconds().count(), 6) + "Z";
}

}  // namespace nodescout
