#include <algorithm>
#include <string>

#include "base/text.h"
#include "template/go/time.h"
#include "template/go/time_layout.h"

namespace nodescout::tmpl {
namespace {

/// Reads the pieces of a text one after the other; every function is false where the text does not fit.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }

  /// A run of blanks in the layout matches any run of blanks.
  bool literal(std::string_view prefix) {
    while (!prefix.empty()) {
      if (prefix[0] == ' ') {
        if (!rest_.empty() && rest_[0] != ' ') return false;
        prefix.remove_prefix(std::min(prefix.find_first_not_of(' '), prefix.size()));
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
        continue;
      }
      if (rest_.empty() || rest_[0] != prefix[0]) return false;
      prefix.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    return true;
  }

  /// `least` to `most` digits.
  bool number(int& out, std::size_t least, std::size_t most) {
    std::size_t count = 0;
    int value = 0;
    while (count < most && is_digit_at(rest_, count)) value = value * 10 + (rest_[count++] - '0');
    if (count < least) return false;
    out = value;
    rest_.remove_prefix(count);
    return true;
  }

  bool blank() {
    if (!rest_.starts_with(' ')) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// The number of the first name, or of its first three letters, that the text begins with, in any case.
  bool name(int& out, std::string_view (*name_of)(std::int64_t), int first, int last, bool abbreviated) {
    for (int i = first; i <= last; ++i) {
      const std::string_view wanted = abbreviated ? name_of(i).substr(0, 3) : name_of(i);
      if (!equal_ignoring_case(rest_.substr(0, wanted.size()), wanted)) continue;
      rest_.remove_prefix(wanted.size());
      out = i;
      return true;
    }
    return false;
  }

  /// Exactly so many bytes.
  bool take(std::string_view& out, std::size_t count) {
    if (rest_.size() < count) return false;
    out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }

  /// A point or comma and the digits after it.
  bool at_fraction() const {
    return rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && is_digit_at(rest_, 1);
  }
  std::size_t fraction_size() const {
    std::size_t size = 1;
    while (is_digit_at(rest_, size)) ++size;
    return size;
  }

 private:
  std::string_view rest_;
};

/// An optional sign and digits, all of the text.
std::optional<int> small_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit_at(text, i)) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return negative ? -value : value;
}

/// Length of a signed number of hours up to 23 at the start of the text; 0 if there is none.
std::size_t signed_hours(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
  std::size_t size = 1;
  int value = 0;
  for (; is_digit_at(text, size); ++size) value = std::min(value * 10 + (text[size] - '0'), 1000);
  return size == 1 || value > 23 ? 0 : size;
}

/// Length of a zone's abbreviation at the start of the text; 0 if there is none. They cannot all be listed; three
/// capital letters are one, four or five if the last is a T.
std::size_t zone_abbreviation(std::string_view text) {
  if (text.size() < 3) return 0;
  if (text.starts_with("ChST") || text.starts_with("MeST")) return 4;
  if (text.starts_with("GMT")) return 3 + signed_hours(text.substr(3));
  if (text[0] == '+' || text[0] == '-') return signed_hours(text);
  std::size_t capitals = 0;
  while (capitals < 6 && capitals < text.size() && text[capitals] >= 'A' && text[capitals] <= 'Z') ++capitals;
  switch (capitals) {
    case 3: return 3;
    case 4: return text[3] == 'T' || text.starts_with("WITA") ? 4 : 0;
    case 5: return text[4] == 'T' ? 5 : 0;
    default: return 0;
  }
}

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in(int month, std::int64_t year) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// What a layout can specify of a time, collected while its parts are read.
struct Fields {
  int year = 0;
  int month = -1, day = -1, year_day = -1;
  int hour = 0, minute = 0, second = 0;
  int nanoseconds = 0;
  bool am = false, pm = false;
  bool utc = false;
  std::optional<std::int32_t> offset;
  std::string_view zone;
};

enum class Fit { yes, no, out_of_range };

Fit read_fraction(TimeReader& in, int& nanoseconds, std::size_t size) {
  std::string_view text;
  if (!in.take(text, size) || (text[0] != '.' && text[0] != ',')) return Fit::no;
  text = text.substr(0, 10);
  const std::optional<int> value = small_number(text.substr(1));
  if (!value) return Fit::no;
  if (*value < 0) return Fit::out_of_range;
  std::int64_t scaled = *value;
  for (std::size_t digits = text.size(); digits < 10; ++digits) scaled *= 10;
  nanoseconds = static_cast<int>(scaled);
  return Fit::yes;
}

Fit read_offset(TimeReader& in, Fields& out, const Offset& form) {
  if (form.z && in.word("Z")) {
    out.utc = true;
    return Fit::yes;
  }
  std::string_view sign;
  int hours = 0, minutes = 0, seconds = 0;
  const bool read = in.take(sign, 1) && in.number(hours, 2, 2) && (!form.colons || in.word(":")) &&
                    (!form.minutes || in.number(minutes, 2, 2)) &&
                    (!form.seconds || ((!form.colons || in.word(":")) && in.number(seconds, 2, 2)));
  if (!read) return Fit::no;
  if (hours > 24 || minutes > 60 || seconds > 60) return Fit::out_of_range;
  if (sign != "+" && sign != "-") return Fit::no;
  const int offset = ((hours * 60 + minutes) * 60 + seconds) * (sign == "-" ? -1 : 1);
  // Go marks the absence of an offset by -1, and so forgets about the zone one second west.
  if (offset != -1) out.offset = offset;
  return Fit::yes;
}

Fit read_part(TimeReader& in, Fields& out, const Chunk& chunk) {
  const auto fit = [](bool read) { return read ? Fit::yes : Fit::no; };
  const auto two = [&](int& value, bool fixed) { return in.number(value, fixed ? 2 : 1, 2); };
  const auto two_up_to = [&](int most, int& value, bool fixed) {
    if (!two(value, fixed)) return Fit::no;
    return value > most ? Fit::out_of_range : Fit::yes;
  };
  std::string_view text;
  int ignored = 0;
  switch (chunk.part) {
    case Part::year2: {
      const std::optional<int> year = in.take(text, 2) ? small_number(text) : std::nullopt;
      if (year) out.year = *year >= 69 ? *year + 1900 : *year + 2000;
      return fit(year.has_value());
    }
    case Part::year4: return fit(in.number(out.year, 4, 4));
    case Part::long_month:
    case Part::short_month: return fit(in.name(out.month, month_name, 1, 12, chunk.part == Part::short_month));
    case Part::month:
    case Part::month2: return two_up_to(12, out.month, chunk.part == Part::month2);
    case Part::long_weekday:
    case Part::short_weekday: return fit(in.name(ignored, weekday_name, 0, 6, chunk.part == Part::short_weekday));
    case Part::padded_day: in.blank(); [[fallthrough]];
    case Part::day: return fit(two(out.day, false));
    case Part::day2: return fit(two(out.day, true));
    case Part::padded_year_day:
      if (in.blank()) in.blank();
      return fit(in.number(out.year_day, 1, 3));
    case Part::year_day3: return fit(in.number(out.year_day, 3, 3));
    case Part::hour24: return two_up_to(23, out.hour, false);
    case Part::hour12:
    case Part::hour12_2: return two_up_to(12, out.hour, chunk.part == Part::hour12_2);
    case Part::minute:
    case Part::minute2: return two_up_to(59, out.minute, chunk.part == Part::minute2);
    case Part::second:
    case Part::second2: {
      const Fit seconds = two_up_to(59, out.second, chunk.part == Part::second2);
      if (seconds != Fit::yes || !in.at_fraction()) return seconds;
      // A fraction may follow the seconds although the layout does not mention one.
      const Part next = next_chunk(chunk.after).part;
      if (next == Part::fraction || next == Part::trimmed_fraction) return Fit::yes;
      return read_fraction(in, out.nanoseconds, in.fraction_size());
    }
    case Part::upper_pm:
    case Part::lower_pm: {
      const bool upper = chunk.part == Part::upper_pm;
      if (in.word(upper ? "PM" : "pm")) return out.pm = true, Fit::yes;
      if (in.word(upper ? "AM" : "am")) return out.am = true, Fit::yes;
      return Fit::no;
    }
    case Part::zone_name: {
      if (in.word("UTC")) return out.utc = true, Fit::yes;
      const std::size_t size = zone_abbreviation(in.rest());
      return fit(size > 0 && in.take(out.zone, size));
    }
    case Part::fraction: return read_fraction(in, out.nanoseconds, 1 + chunk.digits);
    case Part::trimmed_fraction:
      return in.at_fraction() ? read_fraction(in, out.nanoseconds, in.fraction_size()) : Fit::yes;
    default: return read_offset(in, out, *offset_of(chunk.part));
  }
}

/// Turns the day of the year into month and day; false if it contradicts them.
bool resolve_year_day(Fields& at) {
  if (at.year_day < 1 || at.year_day > (is_leap(at.year) ? 366 : 365)) return false;
  const Calendar found = calendar_of(time_at(at.year, 1, at.year_day, 0, 0, &kUtc));
  if ((at.month >= 0 && at.month != found.month) || (at.day >= 0 && at.day != found.day)) return false;
  at.month = found.month;
  at.day = found.day;
  return true;
}

}  // namespace

ParsedTime parse_time(std::string_view layout, std::string_view text) {
  ParsedTime out;
  const auto problem = [&](std::string_view what) {
    out.problem =
        "\"" + std::string(text) + "\" is not a date of the form \"" + std::string(layout) + "\": " + std::string(what);
    return out;
  };
  TimeReader in(text);
  Fields at;
  for (std::string_view rest = layout;;) {
    const Chunk chunk = next_chunk(rest);
    const std::string_view left = in.rest();
    if (!in.literal(chunk.before)) return problem("it differs at \"" + std::string(in.rest()) + "\"");
    if (chunk.part == Part::none) break;
    switch (read_part(in, at, chunk)) {
      case Fit::yes: break;
      case Fit::no: return problem("it differs at \"" + std::string(left) + "\"");
      case Fit::out_of_range: return problem("a number is out of range at \"" + std::string(left) + "\"");
    }
    rest = chunk.after;
  }
  if (!in.rest().empty()) return problem("there is more: \"" + std::string(in.rest()) + "\"");

  if (at.pm && at.hour < 12) at.hour += 12;
  if (at.am && at.hour == 12) at.hour = 0;
  if (at.year_day >= 0) {
    if (!resolve_year_day(at)) return problem("there is no such day of the year");
  } else {
    if (at.month < 0) at.month = 1;
    if (at.day < 0) at.day = 1;
  }
  if (at.month < 1 || at.day < 1 || at.day > days_in(at.month, at.year)) return problem("there is no such day");

  out.time = time_at(at.year, at.month, at.day, at.hour * 3600 + at.minute * 60 + at.second, at.nanoseconds, &kUtc);
  if (at.utc) return out;
  if (!at.offset && at.zone.empty()) {
    out.time.zone = &kLocal;
    return out;
  }
  out.zone.name = at.zone;
  if (at.offset) {
    out.zone.offset = *at.offset;
    out.time.seconds -= *at.offset;
    if (*at.offset == 0 && at.zone.empty()) {
      out.time.zone = &kLocal;
      return out;
    }
  } else if (at.zone.size() > 3 && at.zone.starts_with("GMT")) {
    out.zone.offset = small_number(at.zone.substr(3)).value_or(0) * 3600;
  }
  out.time.zone = shared_zone(out.zone.name, out.zone.offset);
  return out;
}

}  // namespace nodescout::tmpl
