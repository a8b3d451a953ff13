#include "template/go/time.h"

#include <algorithm>
#include <array>
#include <limits>

#include "template/go/time_layout.h"

namespace nodescout::tmpl {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kSecond = 1'000'000'000;  // in nanoseconds

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

/// Days since 1970-01-01 of a day of the Gregorian calendar; any year.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  // Years begin in March here, so that the leap day is the last of its year.
  if (month <= 2) --year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(std::int64_t days, Calendar& out) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  out.day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  out.month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  out.year = year_of_era + era * 400 + (out.month <= 2 ? 1 : 0);
}

}  // namespace

constexpr Zone kUtc{"UTC", 0};
constexpr Zone kLocal{"UTC", 0};

const Zone* shared_zone(std::string_view name, std::int32_t offset) {
  constexpr int kWest = 12;
  static constexpr auto kHours = [] {
    std::array<Zone, 27> zones{};
    for (int hour = 0; hour < 27; ++hour) zones[static_cast<std::size_t>(hour)] = {{}, (hour - kWest) * 3600};
    return zones;
  }();
  if (!name.empty() || offset % 3600 != 0 || offset < -12 * 3600 || offset > 14 * 3600) return nullptr;
  return &kHours[static_cast<std::size_t>(offset / 3600 + kWest)];
}

Calendar calendar_of(const Time& time) {
  // Seconds since the year -292277022400, unsigned, so that the most distant times wrap as Go's do.
  constexpr std::uint64_t kEpoch = (292277022400ULL / 400 * 146097 + 306 + 719162) * 86400;
  const std::uint64_t absolute =
      static_cast<std::uint64_t>(time.seconds) + static_cast<std::uint64_t>(std::int64_t{time.zone->offset}) + kEpoch;
  const auto days = static_cast<std::int64_t>(absolute / 86400) - static_cast<std::int64_t>(kEpoch / 86400);
  const auto second = static_cast<int>(absolute % 86400);
  Calendar out{};
  civil_from_days(days, out);
  out.weekday = static_cast<int>(((days % 7) + 11) % 7);  // 1970 began on a Thursday
  out.year_day = static_cast<int>(days - days_from_civil(out.year, 1, 1)) + 1;
  out.hour = second / 3600;
  out.minute = second / 60 % 60;
  out.second = second % 60;
  return out;
}

Time time_at(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t seconds_of_day,
             std::int32_t nanoseconds, const Zone* zone) {
  std::int64_t months = month - 1;
  year += months / 12;
  months %= 12;
  if (months < 0) months += 12, --year;
  const std::int64_t days = days_from_civil(year, static_cast<int>(months) + 1, 1) + day - 1;
  return {days * kDay + seconds_of_day - zone->offset, nanoseconds, zone};
}

std::string_view month_name(std::int64_t month) {
  return month >= 1 && month <= 12 ? kMonths[static_cast<std::size_t>(month - 1)] : std::string_view();
}
std::string_view weekday_name(std::int64_t weekday) {
  return weekday >= 0 && weekday <= 6 ? kWeekdays[static_cast<std::size_t>(weekday)] : std::string_view();
}

Time add(const Time& time, std::int64_t nanoseconds) {
  Time out = time;
  std::int64_t seconds = nanoseconds / kSecond;
  std::int64_t rest = time.nanoseconds + nanoseconds % kSecond;
  if (rest >= kSecond) rest -= kSecond, ++seconds;
  if (rest < 0) rest += kSecond, --seconds;
  out.seconds =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time.seconds) + static_cast<std::uint64_t>(seconds));
  out.nanoseconds = static_cast<std::int32_t>(rest);
  return out;
}

std::int64_t difference(const Time& a, const Time& b) {
  std::int64_t out = 0;
  if (!__builtin_sub_overflow(a.seconds, b.seconds, &out) && !__builtin_mul_overflow(out, kSecond, &out) &&
      !__builtin_add_overflow(out, std::int64_t{a.nanoseconds} - b.nanoseconds, &out))
    return out;
  return compare(a, b) < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

int compare(const Time& a, const Time& b) {
  if (a.seconds != b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanoseconds < b.nanoseconds ? -1 : a.nanoseconds > b.nanoseconds ? 1 : 0;
}

namespace {

std::optional<std::uint64_t> duration_unit(std::string_view name) {
  if (name == "ns") return 1;
  if (name == "us" || name == "\xC2\xB5s" || name == "\xCE\xBCs") return 1000;  // micro sign and Greek mu
  if (name == "ms") return 1'000'000;
  if (name == "s") return kSecond;
  if (name == "m") return 60 * std::uint64_t{kSecond};
  if (name == "h") return 3600 * std::uint64_t{kSecond};
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint64_t whole = 0;
    std::size_t at = 0;
    for (; is_digit_at(text, at); ++at) {
      if (whole > kLimit / 10) return std::nullopt;
      whole = whole * 10 + static_cast<std::uint64_t>(text[at] - '0');
      if (whole > kLimit) return std::nullopt;
    }
    std::size_t digits = at;
    std::uint64_t fraction = 0;
    double scale = 1;
    if (at < text.size() && text[at] == '.') {
      bool full = false;  // more digits than 64 bits hold are ignored
      for (++at; is_digit_at(text, at); ++at, ++digits) {
        if (full || fraction > (kLimit - 1) / 10) {
          full = true;
          continue;
        }
        const std::uint64_t next = fraction * 10 + static_cast<std::uint64_t>(text[at] - '0');
        if (next > kLimit) {
          full = true;
          continue;
        }
        fraction = next;
        scale *= 10;
      }
    }
    if (digits == 0) return std::nullopt;
    const std::size_t end = std::min(text.find_first_of(".0123456789", at), text.size());
    const std::optional<std::uint64_t> unit = duration_unit(text.substr(at, end - at));
    if (!unit || whole > kLimit / *unit) return std::nullopt;
    std::uint64_t value = whole * *unit;
    if (fraction > 0)
      value += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(*unit) / scale));
    if (value > kLimit) return std::nullopt;
    total += value;
    if (total > kLimit) return std::nullopt;
    text.remove_prefix(end);
  }
  if (negative) return static_cast<std::int64_t>(0 - total);
  if (total > kLimit - 1) return std::nullopt;
  return static_cast<std::int64_t>(total);
}

std::string format_duration(std::int64_t nanoseconds) {
  const bool negative = nanoseconds < 0;
  std::uint64_t left = negative ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
  // "1.5" for 1500 thousandths
  const auto with_fraction = [](std::uint64_t value, std::uint64_t unit) {
    std::string out = std::to_string(value / unit);
    std::string rest = std::to_string(value % unit + unit).substr(1);
    rest.erase(rest.find_last_not_of('0') + 1);
    return rest.empty() ? out : out + '.' + rest;
  };
  std::string out;
  if (left == 0) {
    out = "0s";
  } else if (left < 1000) {
    out = std::to_string(left) + "ns";
  } else if (left < 1'000'000) {
    out = with_fraction(left, 1000) + "\xC2\xB5s";
  } else if (left < static_cast<std::uint64_t>(kSecond)) {
    out = with_fraction(left, 1'000'000) + "ms";
  } else {
    const std::uint64_t minutes = left / (60 * static_cast<std::uint64_t>(kSecond));
    left %= 60 * static_cast<std::uint64_t>(kSecond);
    if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
    if (minutes > 0) out += std::to_string(minutes % 60) + "m";
    out += with_fraction(left, static_cast<std::uint64_t>(kSecond)) + "s";
  }
  return negative ? '-' + out : out;
}

}  // namespace nodescout::tmpl
