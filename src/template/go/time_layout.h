// A layout of Go's package time, cut into its elements: what formatting and parsing share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nodescout::tmpl {

enum class Part : std::uint8_t {
  none,
  long_month,
  short_month,
  month,
  month2,
  long_weekday,
  short_weekday,
  day,
  padded_day,
  day2,
  padded_year_day,
  year_day3,
  hour24,
  hour12,
  hour12_2,
  minute,
  minute2,
  second,
  second2,
  year4,
  year2,
  upper_pm,
  lower_pm,
  zone_name,
  z_hhmm,
  z_hhmmss,
  z_hh,
  z_hh_mm,
  z_hh_mm_ss,
  hhmm,
  hhmmss,
  hh,
  hh_mm,
  hh_mm_ss,
  fraction,
  trimmed_fraction,
};

struct Chunk {
  std::string_view before;  // literal text
  Part part = Part::none;   // none: the layout ends here
  std::size_t digits = 0;   // of a fraction
  char point = '.';         // of a fraction
  std::string_view after;
};

/// The first element of the layout. At each place the first spelling of the list that fits is taken.
Chunk next_chunk(std::string_view layout);

/// How an element writes the offset of a zone; empty for the other elements.
struct Offset {
  bool z;        // "Z" for UTC
  bool colons;   // between hours and minutes
  bool minutes;  // shown
  bool seconds;  // shown
};
std::optional<Offset> offset_of(Part part);

inline bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

}  // namespace nodescout::tmpl
