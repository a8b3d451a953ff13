// Two tables of 12 KB together. The classes are runs: an entry is the first code point of a run, shifted left by four,
// and its class; a run ends where the next begins. Scripts whose upper and lower case letters alternate (Latin
// Extended, Cyrillic, Coptic) would need a run per letter, so alternation is a class of its own.
#include "base/unicode.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace nodescout {
namespace {

enum Class : std::uint8_t {
  kUnprintable,
  kUpper,
  kLower,
  kTitle,
  kOtherLetter,
  kDigit,
  kOtherNumber,
  kPunct,
  kOtherPrintable,
  kUpperFirst,  // alternating, the first of the run is upper case
  kLowerFirst,
};

/// What to add to a code point of lo..hi; kPairs in `upper` marks alternating pairs, upper case first.
struct CaseRange {
  std::uint32_t lo, hi;
  std::int32_t upper, lower, title;
};
constexpr std::int32_t kPairs = 1 << 30;

#include "base/unicode_tables.inc"

Class class_of(char32_t rune) {
  if (rune > 0x10FFFF) return kUnprintable;
  const std::uint32_t key = (static_cast<std::uint32_t>(rune) << 4) | 15;
  const std::uint32_t run = *std::prev(std::upper_bound(std::begin(kClassRuns), std::end(kClassRuns), key));
  const auto kind = static_cast<Class>(run & 15);
  if (kind < kUpperFirst) return kind;
  const bool even = (rune - (run >> 4)) % 2 == 0;
  return even == (kind == kUpperFirst) ? kUpper : kLower;
}

enum class Case { upper, lower, title };

char32_t mapped(char32_t rune, Case wanted) {
  const auto range = std::lower_bound(std::begin(kCaseRanges), std::end(kCaseRanges), rune,
                                      [](const CaseRange& entry, char32_t value) { return entry.hi < value; });
  if (range == std::end(kCaseRanges) || rune < range->lo) return rune;
  if (range->upper == kPairs) {
    const char32_t first = rune - (rune - range->lo) % 2;
    return wanted == Case::lower ? first + 1 : first;
  }
  const std::int32_t shift = wanted == Case::upper ? range->upper : wanted == Case::lower ? range->lower : range->title;
  return static_cast<char32_t>(static_cast<std::int32_t>(rune) + shift);
}

}  // namespace

bool is_letter(char32_t rune) {
  const Class kind = class_of(rune);
  return kind >= kUpper && kind <= kOtherLetter;
}
bool is_digit(char32_t rune) { return class_of(rune) == kDigit; }
bool is_number(char32_t rune) {
  const Class kind = class_of(rune);
  return kind == kDigit || kind == kOtherNumber;
}
bool is_upper(char32_t rune) { return class_of(rune) == kUpper; }
bool is_lower(char32_t rune) { return class_of(rune) == kLower; }
bool is_title(char32_t rune) { return class_of(rune) == kTitle; }
bool is_punct(char32_t rune) { return class_of(rune) == kPunct; }
bool is_print(char32_t rune) { return class_of(rune) != kUnprintable; }

char32_t to_upper(char32_t rune) { return mapped(rune, Case::upper); }
char32_t to_lower(char32_t rune) { return mapped(rune, Case::lower); }
char32_t to_title(char32_t rune) { return mapped(rune, Case::title); }

}  // namespace nodescout
