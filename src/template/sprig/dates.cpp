// sprig's dates, and the methods of dates and durations. What needs the clock is refused.
#include "base/number.h"
#include "base/text.h"
#include "template/function.h"
#include "template/go/time.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

Datum of_time(Run& run, const Time& time) { return Datum::of(*run.arena().make<Time>(time)); }
Datum of_duration(std::int64_t nanoseconds) { return Datum::number(Type::duration, nanoseconds); }

Time in_zone(Time time, const Zone* zone) {
  time.zone = zone;
  return time;
}

/// A date, or seconds since 1970. For anything else sprig uses the current time.
Time time_of(const Datum& value) {
  if (value.is(Type::time)) return *value.time;
  if (value.is(Type::integer) || value.is(Type::int64)) return {value.integer, 0, &kLocal};
  refuse(describe(value) +
         " is not a date, and sprig uses the current time instead: the label would change at every "
         "evaluation. Make a date with toDate, or give seconds since 1970");
}

const Zone* zone_named(std::string_view name) {
  if (name.empty() || name == "UTC") return &kUtc;
  if (name == "Local") return &kLocal;
  refuse("the time zone " + quote(name) + " is not known: only \"UTC\" and \"Local\", which is UTC here, are");
}

Datum date_in_zone(Run& run, std::string_view layout, Datum date, std::string_view zone) {
  return run.text(format_time(in_zone(time_of(date), zone_named(zone)), layout));
}
Datum date(Run& run, std::string_view layout, Datum value) { return date_in_zone(run, layout, value, "Local"); }
Datum html_date(Run& run, Datum date) { return date_in_zone(run, "2006-01-02", date, "Local"); }
Datum html_date_in_zone(Run& run, Datum date, std::string_view zone) {
  return date_in_zone(run, "2006-01-02", date, zone);
}

Datum parsed_date(Run& run, ParsedTime parsed) {
  if (!parsed.time.zone) parsed.time.zone = run.arena().make<Zone>(parsed.zone);
  return of_time(run, parsed.time);
}
Datum to_date(Run& run, std::string_view layout, std::string_view text) {
  run.spend_bytes(layout.size() * 16);
  ParsedTime parsed = parse_time(layout, text);
  return parsed.problem.empty() ? parsed_date(run, parsed) : of_time(run, Time());
}
Datum must_to_date(Run& run, std::string_view layout, std::string_view text) {
  run.spend_bytes(layout.size() * 16);
  ParsedTime parsed = parse_time(layout, text);
  if (!parsed.problem.empty()) fail(parsed.problem);
  return parsed_date(run, parsed);
}

Datum date_modify(Run& run, std::string_view duration, const Time* date) {
  const std::optional<std::int64_t> nanoseconds = parse_duration(duration);
  return nanoseconds ? of_time(run, add(*date, *nanoseconds)) : Datum::of(*date);
}
Datum must_date_modify(Run& run, std::string_view duration, const Time* date) {
  const std::optional<std::int64_t> nanoseconds = parse_duration(duration);
  if (!nanoseconds) fail(quote(duration) + " is not a duration, such as 1h30m or -2.5s");
  return of_time(run, add(*date, *nanoseconds));
}

Datum unix_epoch(Run& run, const Time* date) { return run.text(std::to_string(date->seconds)); }

Datum duration(Run& run, Datum seconds) {
  std::int64_t count = 0;
  if (seconds.is(Type::text)) count = parse_go_int(seconds.text(), 10).value;
  if (seconds.is(Type::int64)) count = seconds.integer;
  return run.text(format_duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(count) * 1'000'000'000)));
}

Datum duration_round(Run& run, Datum value) {
  std::int64_t nanoseconds = 0;
  if (value.is(Type::text)) nanoseconds = parse_duration(value.text()).value_or(0);
  if (value.is(Type::int64)) nanoseconds = value.integer;
  if (value.is(Type::time))
    refuse("durationRound of a date counts from the current time: the label would change all the time");
  const std::uint64_t size =
      nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
  constexpr std::uint64_t kSecond = 1'000'000'000;
  struct Unit {
    std::uint64_t size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{365 * 24 * 3600 * kSecond, "y"},
                             {30 * 24 * 3600 * kSecond, "mo"},
                             {24 * 3600 * kSecond, "d"},
                             {3600 * kSecond, "h"},
                             {60 * kSecond, "m"},
                             {kSecond, "s"}};
  for (const Unit& unit : kUnits)
    if (size > unit.size) return run.text(std::to_string(size / unit.size) + std::string(unit.name));
  return Datum::of("0s");
}

/// Marks the argument for which sprig uses the current time if it is not a date: the parser refuses constants there.
constexpr Function takes_date(Function function, std::int8_t argument) {
  function.date_argument = argument;
  return function;
}

constexpr Function kDates[] = {
    define<to_date>("toDate", "LAYOUT TEXT", "a date; the layout shows January 2 2006, 15:04:05 in its form",
                    R"(toDate "2006-01-02" "2024-03-05" | date "02.01.06")", "05.03.24"),
    define<must_to_date>("mustToDate", "LAYOUT TEXT", "as toDate, but fails if the text does not fit",
                         R"((mustToDate "2006" "2024").Year)", "2024"),
    takes_date(define<date>("date", "LAYOUT DATE",
                            "the date in this form; an int or int64 is seconds since 1970. Zones are UTC",
                            R"(date "2006-01-02 15:04" 86400)", "1970-01-02 00:00"),
               1),
    takes_date(
        define<date_in_zone>("dateInZone", "LAYOUT DATE ZONE", "as date; the zone is UTC or Local, which is UTC here",
                             R"(dateInZone "15:04" 3600 "UTC")", "01:00"),
        1),
    takes_date(define<date_in_zone>("date_in_zone", "LAYOUT DATE ZONE", "the same as dateInZone",
                                    R"(date_in_zone "15:04" 0 "UTC")", "00:00"),
               1),
    takes_date(define<html_date>("htmlDate", "DATE", "as date, year-month-day", "htmlDate 0", "1970-01-01"), 0),
    takes_date(define<html_date_in_zone>("htmlDateInZone", "DATE ZONE", "as dateInZone, year-month-day",
                                         R"(htmlDateInZone 0 "UTC")", "1970-01-01"),
               0),
    define<date_modify>("dateModify", "DURATION DATE",
                        "the date moved by a duration; unchanged if the duration is not valid",
                        R"(toDate "2006-01-02" "2024-03-05" | dateModify "-24h" | htmlDate)", "2024-03-04"),
    define<date_modify>("date_modify", "DURATION DATE", "the same as dateModify",
                        R"(toDate "2006" "2024" | date_modify "36h" | htmlDate)", "2024-01-02"),
    define<must_date_modify>("mustDateModify", "DURATION DATE", "as dateModify, but fails if the duration is not valid",
                             R"(toDate "2006" "2024" | mustDateModify "36h" | htmlDate)", "2024-01-02"),
    define<must_date_modify>("must_date_modify", "DURATION DATE", "the same as mustDateModify",
                             R"(toDate "2006" "2024" | must_date_modify "1h" | unixEpoch)", "1704070800"),
    define<unix_epoch>("unixEpoch", "DATE", "its seconds since 1970, as a string",
                       R"(toDate "2006" "1971" | unixEpoch)", "31536000"),
    define<duration>("duration", "SECONDS", "seconds, a string or int64, in hours, minutes and seconds",
                     R"(duration "95")", "1m35s"),
    define<duration_round>("durationRound", "DURATION", "a duration in its largest unit", R"(durationRound "2h10m5s")",
                           "2h"),
};

// ---- methods --------------------------------------------------------------------------------------------------------

Datum year(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).year); }
Datum month(Run&, const Time* time) { return Datum::number(Type::month, calendar_of(*time).month); }
Datum day(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).day); }
Datum weekday(Run&, const Time* time) { return Datum::number(Type::weekday, calendar_of(*time).weekday); }
Datum year_day(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).year_day); }
Datum hour(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).hour); }
Datum minute(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).minute); }
Datum second(Run&, const Time* time) { return Datum::of_int(calendar_of(*time).second); }
Datum nanosecond(Run&, const Time* time) { return Datum::of_int(time->nanoseconds); }

/// Seconds since 1970 in a smaller unit, wrapping around as Go's do.
Datum in_units(const Time* time, std::int64_t per_second) {
  const auto units = static_cast<std::uint64_t>(per_second);
  return Datum::of_int64(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time->seconds) * units +
                                static_cast<std::uint64_t>(time->nanoseconds) / (1'000'000'000 / units)));
}
Datum unix_seconds(Run&, const Time* time) { return in_units(time, 1); }
Datum unix_milli(Run&, const Time* time) { return in_units(time, 1000); }
Datum unix_micro(Run&, const Time* time) { return in_units(time, 1'000'000); }
Datum unix_nano(Run&, const Time* time) { return in_units(time, 1'000'000'000); }

Datum is_zero(Run&, const Time* time) { return Datum::of(compare(*time, Time()) == 0); }
Datum is_dst(Run&, const Time*) { return Datum::of(false); }
Datum utc(Run& run, const Time* time) { return of_time(run, in_zone(*time, &kUtc)); }
Datum local(Run& run, const Time* time) { return of_time(run, in_zone(*time, &kLocal)); }
Datum in(Run& run, const Time* time, const Zone* zone) { return of_time(run, in_zone(*time, zone)); }
Datum location(Run&, const Time* time) {
  Datum made = Datum::number(Type::location, 0);
  made.location = time->zone;
  return made;
}
Datum format(Run& run, const Time* time, std::string_view layout) { return run.text(format_time(*time, layout)); }
Datum time_string(Run& run, const Time* time) { return run.text(to_text(*time)); }
Datum go_string(Run& run, const Time* time) { return run.text(to_go_syntax(*time)); }

Datum after(Run&, const Time* a, const Time* b) { return Datum::of(compare(*a, *b) > 0); }
Datum before(Run&, const Time* a, const Time* b) { return Datum::of(compare(*a, *b) < 0); }
Datum equal(Run&, const Time* a, const Time* b) { return Datum::of(compare(*a, *b) == 0); }
Datum compare_to(Run&, const Time* a, const Time* b) { return Datum::of_int(compare(*a, *b)); }
Datum plus(Run& run, const Time* time, Duration by) { return of_time(run, add(*time, by.nanoseconds)); }
Datum minus(Run&, const Time* a, const Time* b) { return of_duration(difference(*a, *b)); }

Datum add_date(Run& run, const Time* time, std::int64_t years, std::int64_t months, std::int64_t days) {
  constexpr std::int64_t kMost = 100'000'000;
  for (const std::int64_t by : {years, months, days})
    if (by > kMost || by < -kMost) refuse("a date cannot be moved that far");
  const Calendar at = calendar_of(*time);
  return of_time(run, time_at(at.year + years, at.month + months, at.day + days,
                              at.hour * 3600 + at.minute * 60 + at.second, time->nanoseconds, time->zone));
}

/// What is left of a date beyond the last multiple of a duration since the year 1.
std::int64_t remainder(const Time& time, std::int64_t of) {
  // (seconds * 10^9 + nanoseconds) mod `of`, in parts small enough for 64 bits.
  const auto modulus = static_cast<std::uint64_t>(of);
  const auto since =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(time.seconds) - static_cast<std::uint64_t>(Time().seconds));
  std::uint64_t rest = since < 0 ? 0 - static_cast<std::uint64_t>(since) : static_cast<std::uint64_t>(since);
  rest %= modulus;
  for (int i = 0; i < 9; ++i) {
    std::uint64_t times_ten = 0;
    for (int j = 0; j < 10; ++j) times_ten = (times_ten + rest) % modulus;
    rest = times_ten;
  }
  if (since < 0 && rest != 0) rest = modulus - rest;
  return static_cast<std::int64_t>((rest + static_cast<std::uint64_t>(time.nanoseconds) % modulus) % modulus);
}
Datum truncate_time(Run& run, const Time* time, Duration to) {
  if (to.nanoseconds <= 0) return Datum::of(*time);
  return of_time(run, add(*time, -remainder(*time, to.nanoseconds)));
}
Datum round_time(Run& run, const Time* time, Duration to) {
  if (to.nanoseconds <= 0) return Datum::of(*time);
  const std::int64_t rest = remainder(*time, to.nanoseconds);
  const bool down = rest < to.nanoseconds - rest;
  return of_time(run, add(*time, down ? -rest : to.nanoseconds - rest));
}

constexpr Function kTimeMethods[] = {
    define<year>("Year", "", "", "", ""),
    define<month>("Month", "", "", "", ""),
    define<day>("Day", "", "", "", ""),
    define<weekday>("Weekday", "", "", "", ""),
    define<year_day>("YearDay", "", "", "", ""),
    define<hour>("Hour", "", "", "", ""),
    define<minute>("Minute", "", "", "", ""),
    define<second>("Second", "", "", "", ""),
    define<nanosecond>("Nanosecond", "", "", "", ""),
    define<unix_seconds>("Unix", "", "", "", ""),
    define<unix_milli>("UnixMilli", "", "", "", ""),
    define<unix_micro>("UnixMicro", "", "", "", ""),
    define<unix_nano>("UnixNano", "", "", "", ""),
    define<is_zero>("IsZero", "", "", "", ""),
    define<is_dst>("IsDST", "", "", "", ""),
    define<utc>("UTC", "", "", "", ""),
    define<local>("Local", "", "", "", ""),
    define<in>("In", "", "", "", ""),
    define<location>("Location", "", "", "", ""),
    define<format>("Format", "", "", "", ""),
    define<time_string>("String", "", "", "", ""),
    define<go_string>("GoString", "", "", "", ""),
    define<after>("After", "", "", "", ""),
    define<before>("Before", "", "", "", ""),
    define<equal>("Equal", "", "", "", ""),
    define<compare_to>("Compare", "", "", "", ""),
    define<plus>("Add", "", "", "", ""),
    define<minus>("Sub", "", "", "", ""),
    define<add_date>("AddDate", "", "", "", ""),
    define<truncate_time>("Truncate", "", "", "", ""),
    define<round_time>("Round", "", "", "", ""),
};

/// Whole units and the rest apart, as Go divides: more precise than one division.
double in_float(Duration duration, std::int64_t unit) {
  const std::int64_t whole = duration.nanoseconds / unit;
  const std::int64_t rest = duration.nanoseconds % unit;
  return static_cast<double>(whole) + static_cast<double>(rest) / static_cast<double>(unit);
}
Datum hours(Run&, Duration duration) { return Datum::of(in_float(duration, 3'600'000'000'000)); }
Datum minutes(Run&, Duration duration) { return Datum::of(in_float(duration, 60'000'000'000)); }
Datum seconds(Run&, Duration duration) { return Datum::of(in_float(duration, 1'000'000'000)); }
Datum milliseconds(Run&, Duration duration) { return Datum::of_int64(duration.nanoseconds / 1'000'000); }
Datum microseconds(Run&, Duration duration) { return Datum::of_int64(duration.nanoseconds / 1000); }
Datum nanoseconds(Run&, Duration duration) { return Datum::of_int64(duration.nanoseconds); }
Datum absolute(Run&, Duration duration) {
  if (duration.nanoseconds == INT64_MIN) return of_duration(INT64_MAX);
  return of_duration(duration.nanoseconds < 0 ? -duration.nanoseconds : duration.nanoseconds);
}
Datum truncate_duration(Run&, Duration duration, Duration to) {
  return of_duration(to.nanoseconds <= 0 ? duration.nanoseconds
                                         : duration.nanoseconds - duration.nanoseconds % to.nanoseconds);
}
Datum round_duration(Run&, Duration duration, Duration to) {
  const std::int64_t value = duration.nanoseconds;
  if (to.nanoseconds <= 0) return of_duration(value);
  const std::int64_t rest = value % to.nanoseconds;  // of the same sign as the value
  const std::int64_t size = rest < 0 ? -rest : rest;
  if (size < to.nanoseconds - size) return of_duration(value - rest);
  std::int64_t rounded = 0;
  const std::int64_t away = value < 0 ? -(to.nanoseconds - size) : to.nanoseconds - size;
  if (__builtin_add_overflow(value, away, &rounded)) return of_duration(value < 0 ? INT64_MIN : INT64_MAX);
  return of_duration(rounded);
}
Datum duration_string(Run& run, Duration duration) { return run.text(format_duration(duration.nanoseconds)); }

constexpr Function kDurationMethods[] = {
    define<hours>("Hours", "", "", "", ""),
    define<minutes>("Minutes", "", "", "", ""),
    define<seconds>("Seconds", "", "", "", ""),
    define<milliseconds>("Milliseconds", "", "", "", ""),
    define<microseconds>("Microseconds", "", "", "", ""),
    define<nanoseconds>("Nanoseconds", "", "", "", ""),
    define<absolute>("Abs", "", "", "", ""),
    define<truncate_duration>("Truncate", "", "", "", ""),
    define<round_duration>("Round", "", "", "", ""),
    define<duration_string>("String", "", "", "", ""),
};

}  // namespace

std::span<const Function> date_functions() { return kDates; }
std::span<const Function> time_methods() { return kTimeMethods; }
std::span<const Function> duration_methods() { return kDurationMethods; }

}  // namespace nodescout::tmpl
