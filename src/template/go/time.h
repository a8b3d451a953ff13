// Go's time.Time and time.Duration: calendar, layouts such as "2006-01-02 15:04", and durations such as "1h30m".
//
// The local zone is UTC: what a rule makes of a date must not depend on the machine that evaluates it. Zones by name
// (America/New_York) do not exist, for the same reason: their rules come from files of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nodescout::tmpl {

struct Zone {
  std::string_view name;  // "UTC", "CET", or empty for a bare offset
  std::int32_t offset;    // seconds east of UTC
};
extern const Zone kUtc;
extern const Zone kLocal;
/// Zones are compared by address, as Go compares *time.Location. Go keeps one for each bare offset of whole hours from
/// -12 to +14; nullptr for any other.
const Zone* shared_zone(std::string_view name, std::int32_t offset);

struct Time {
  std::int64_t seconds = -62135596800;  // since 1970; the default is Go's zero time, the year 1
  std::int32_t nanoseconds = 0;         // 0..999999999
  const Zone* zone = &kUtc;
};

struct Calendar {
  std::int64_t year;
  int month;     // 1..12
  int day;       // 1..31
  int weekday;   // 0 is Sunday
  int year_day;  // 1..366
  int hour, minute, second;
};
Calendar calendar_of(const Time& time);

/// time.Date in a zone: what is out of range carries over, as February 30 does into March.
Time time_at(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t seconds_of_day,
             std::int32_t nanoseconds, const Zone* zone);

std::string format_time(const Time& time, std::string_view layout);
/// time.Time.String
std::string to_text(const Time& time);
/// time.Time.GoString: "time.Date(2024, time.January, 2, ...)"
std::string to_go_syntax(const Time& time);
/// What encoding/json writes, without quotes; empty for years beyond 9999.
std::optional<std::string> to_rfc3339(const Time& time);
std::string_view month_name(std::int64_t month);      // empty if there is no such month
std::string_view weekday_name(std::int64_t weekday);  // empty if there is no such day

struct ParsedTime {
  std::string problem;  // empty if it was parsed
  Time time;            // its zone is kUtc, kLocal, or nullptr for a zone of its own
  Zone zone{{}, 0};     // that zone; its name is a view into the parsed text
};
/// time.ParseInLocation(layout, text, time.Local)
ParsedTime parse_time(std::string_view layout, std::string_view text);

/// Nanoseconds; empty if the text is not a duration.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::string format_duration(std::int64_t nanoseconds);

Time add(const Time& time, std::int64_t nanoseconds);
/// a - b in nanoseconds, at most what 64 bits hold.
std::int64_t difference(const Time& a, const Time& b);
int compare(const Time& a, const Time& b);

}  // namespace nodescout::tmpl
