#include <cstdlib>
#include <string>

#include "template/go/time.h"
#include "template/go/time_layout.h"

namespace nodescout::tmpl {

Chunk next_chunk(std::string_view layout) {
  struct Spelling {
    std::string_view text;
    Part part;
  };
  static constexpr Spelling kSpellings[] = {
      {"January", Part::long_month},
      {"Jan", Part::short_month},
      {"Monday", Part::long_weekday},
      {"Mon", Part::short_weekday},
      {"MST", Part::zone_name},
      {"01", Part::month2},
      {"02", Part::day2},
      {"03", Part::hour12_2},
      {"04", Part::minute2},
      {"05", Part::second2},
      {"06", Part::year2},
      {"002", Part::year_day3},
      {"15", Part::hour24},
      {"1", Part::month},
      {"2006", Part::year4},
      {"2", Part::day},
      {"_2006", Part::year4},
      {"_2", Part::padded_day},
      {"__2", Part::padded_year_day},
      {"3", Part::hour12},
      {"4", Part::minute},
      {"5", Part::second},
      {"PM", Part::upper_pm},
      {"pm", Part::lower_pm},
      {"-070000", Part::hhmmss},
      {"-07:00:00", Part::hh_mm_ss},
      {"-0700", Part::hhmm},
      {"-07:00", Part::hh_mm},
      {"-07", Part::hh},
      {"Z070000", Part::z_hhmmss},
      {"Z07:00:00", Part::z_hh_mm_ss},
      {"Z0700", Part::z_hhmm},
      {"Z07:00", Part::z_hh_mm},
      {"Z07", Part::z_hh},
  };
  for (std::size_t at = 0; at < layout.size(); ++at) {
    const std::string_view rest = layout.substr(at);
    if (rest[0] == '.' || rest[0] == ',') {
      if (rest.size() < 2 || (rest[1] != '0' && rest[1] != '9')) continue;
      const std::size_t end = std::min(rest.find_first_not_of(rest[1], 1), rest.size());
      if (is_digit_at(rest, end)) continue;
      return {layout.substr(0, at), rest[1] == '0' ? Part::fraction : Part::trimmed_fraction, end - 1, rest[0],
              rest.substr(end)};
    }
    for (const Spelling& spelling : kSpellings) {
      if (!rest.starts_with(spelling.text)) continue;
      const std::string_view after = rest.substr(spelling.text.size());
      // "Month" and "January" are not "Mon" and "Jan".
      const bool name = spelling.part == Part::short_month || spelling.part == Part::short_weekday;
      if (name && !after.empty() && after[0] >= 'a' && after[0] <= 'z') continue;
      // "_2006" is an underscore and the year.
      return {layout.substr(0, spelling.text == "_2006" ? at + 1 : at), spelling.part, 0, '.', after};
    }
  }
  return {layout, Part::none, 0, '.', {}};
}

std::optional<Offset> offset_of(Part part) {
  switch (part) {
    case Part::z_hhmm: return Offset{true, false, true, false};
    case Part::z_hhmmss: return Offset{true, false, true, true};
    case Part::z_hh: return Offset{true, false, false, false};
    case Part::z_hh_mm: return Offset{true, true, true, false};
    case Part::z_hh_mm_ss: return Offset{true, true, true, true};
    case Part::hhmm: return Offset{false, false, true, false};
    case Part::hhmmss: return Offset{false, false, true, true};
    case Part::hh: return Offset{false, false, false, false};
    case Part::hh_mm: return Offset{false, true, true, false};
    case Part::hh_mm_ss: return Offset{false, true, true, true};
    default: return std::nullopt;
  }
}

namespace {

void append_number(std::string& out, std::int64_t value, std::size_t width) {
  if (value < 0) out += '-';
  const std::string digits = std::to_string(value < 0 ? -value : value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

void append_offset(std::string& out, std::int32_t offset, const Offset& form) {
  if (form.z && offset == 0) {
    out += 'Z';
    return;
  }
  const std::int32_t minutes = offset / 60;  // before the sign: less than a minute west is +00:00
  out += minutes < 0 ? '-' : '+';
  append_number(out, std::abs(minutes) / 60, 2);
  if (form.colons) out += ':';
  if (form.minutes) append_number(out, std::abs(minutes) % 60, 2);
  if (form.seconds) {
    if (form.colons) out += ':';
    // The seconds of an offset less than a minute west keep their sign, so Go prints "+00:00:-30".
    append_number(out, (minutes < 0 ? -offset : offset) % 60, 2);
  }
}

void append_fraction(std::string& out, std::int32_t nanoseconds, const Chunk& chunk) {
  const bool trim = chunk.part == Part::trimmed_fraction;
  if (trim && nanoseconds == 0) return;
  std::string digits;
  append_number(digits, nanoseconds, 9);
  if (chunk.digits < 9) digits.resize(chunk.digits);
  if (trim) digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.empty()) return;
  out += chunk.point;
  out += digits;
}

void append_part(std::string& out, const Chunk& chunk, const Time& time, const Calendar& at) {
  const int hour12 = at.hour % 12 == 0 ? 12 : at.hour % 12;
  switch (chunk.part) {
    case Part::long_month: out += month_name(at.month); return;
    case Part::short_month: out += month_name(at.month).substr(0, 3); return;
    case Part::month: append_number(out, at.month, 0); return;
    case Part::month2: append_number(out, at.month, 2); return;
    case Part::long_weekday: out += weekday_name(at.weekday); return;
    case Part::short_weekday: out += weekday_name(at.weekday).substr(0, 3); return;
    case Part::padded_day: out.append(at.day < 10 ? 1 : 0, ' '); [[fallthrough]];
    case Part::day: append_number(out, at.day, 0); return;
    case Part::day2: append_number(out, at.day, 2); return;
    case Part::padded_year_day:
      out.append(at.year_day < 10 ? 2 : at.year_day < 100 ? 1 : 0, ' ');
      append_number(out, at.year_day, 0);
      return;
    case Part::year_day3: append_number(out, at.year_day, 3); return;
    case Part::hour24: append_number(out, at.hour, 2); return;
    case Part::hour12: append_number(out, hour12, 0); return;
    case Part::hour12_2: append_number(out, hour12, 2); return;
    case Part::minute: append_number(out, at.minute, 0); return;
    case Part::minute2: append_number(out, at.minute, 2); return;
    case Part::second: append_number(out, at.second, 0); return;
    case Part::second2: append_number(out, at.second, 2); return;
    case Part::year4: append_number(out, at.year, 4); return;
    case Part::year2: append_number(out, (at.year < 0 ? -at.year : at.year) % 100, 2); return;
    case Part::upper_pm: out += at.hour >= 12 ? "PM" : "AM"; return;
    case Part::lower_pm: out += at.hour >= 12 ? "pm" : "am"; return;
    case Part::zone_name:
      if (!time.zone->name.empty()) {
        out += time.zone->name;
      } else {
        append_offset(out, time.zone->offset, {false, false, true, false});
      }
      return;
    case Part::fraction:
    case Part::trimmed_fraction: append_fraction(out, time.nanoseconds, chunk); return;
    default: append_offset(out, time.zone->offset, *offset_of(chunk.part)); return;
  }
}

}  // namespace

std::string format_time(const Time& time, std::string_view layout) {
  const Calendar at = calendar_of(time);
  std::string out;
  while (!layout.empty()) {
    const Chunk chunk = next_chunk(layout);
    out += chunk.before;
    if (chunk.part == Part::none) break;
    append_part(out, chunk, time, at);
    layout = chunk.after;
  }
  return out;
}

std::string to_text(const Time& time) { return format_time(time, "2006-01-02 15:04:05.999999999 -0700 MST"); }

std::string to_go_syntax(const Time& time) {
  const Calendar at = calendar_of(time);
  std::string out = "time.Date(" + std::to_string(at.year) + ", time." + std::string(month_name(at.month));
  for (const int field : {at.day, at.hour, at.minute, at.second, static_cast<int>(time.nanoseconds)})
    out += ", " + std::to_string(field);
  if (time.zone == &kUtc) return out + ", time.UTC)";
  if (time.zone == &kLocal) return out + ", time.Local)";
  return out + ", time.Location(\"" + std::string(time.zone->name) + "\"))";
}

std::optional<std::string> to_rfc3339(const Time& time) {
  std::string out = format_time(time, "2006-01-02T15:04:05.999999999Z07:00");
  const std::int64_t year = calendar_of(time).year;
  if (year < 0 || year > 9999 || std::abs(time.zone->offset) >= 86400) return std::nullopt;
  return out;
}

}  // namespace nodescout::tmpl
