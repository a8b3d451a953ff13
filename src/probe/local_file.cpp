#include "probe/local_file.h"

#include <optional>

#include "base/text.h"
#include "base/value.h"

namespace nodescout {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

/// RFC 3339: 2026-11-22T10:00:00Z, with optional fraction and with a numeric zone.
std::optional<TimePoint> parse_time(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t count) -> std::optional<int> {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const auto is = [&](std::size_t at, char c) { return at < text.size() && (text[at] == c); };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const auto hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (!year || !month || !day || !hour || !minute || !second || !is(4, '-') || !is(7, '-') ||
      !(is(10, 'T') || is(10, 't')) || !is(13, ':') || !is(16, ':'))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::size_t at = 19;
  if (is(at, '.')) {
    const std::size_t digits = text.find_first_not_of("0123456789", at + 1);
    if (digits == at + 1 || digits == std::string_view::npos) return std::nullopt;
    at = digits;
  }
  std::chrono::minutes offset{0};
  if ((is(at, 'Z') || is(at, 'z')) && at + 1 == text.size()) {
    // UTC
  } else if ((is(at, '+') || is(at, '-')) && at + 6 == text.size() && is(at + 3, ':')) {
    const auto hours = number(at + 1, 2), minutes = number(at + 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    offset = std::chrono::minutes(*hours * 60 + *minutes);
    if (text[at] == '-') offset = -offset;
  } else {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) - offset;
}

}  // namespace

LocalFile parse_local_file(std::string_view text, std::string_view origin, TimePoint now) {
  LocalFile file;
  bool expired = false;
  bool as_feature = true;
  bool as_label = true;
  int number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty()) continue;
    if (line[0] == '#') {
      constexpr std::string_view kDirective = "# +";
      if (!line.starts_with(kDirective)) continue;
      const std::string_view directive = line.substr(kDirective.size());
      const std::string_view name = directive.substr(0, directive.find('='));
      if (name == "no-feature") {
        as_feature = false;
      } else if (name == "no-label") {
        as_label = false;
      } else if (name == "expiry-time") {
        const std::string_view value = name.size() < directive.size() ? trim(directive.substr(name.size() + 1)) : "";
        if (const auto time = parse_time(value))
          expired = now > *time;
        else
          file.problems.push_back({"malformed-local-feature", place(origin, {number, 1}), "no time: " + quote(value),
                                   "write it like 2026-11-22T10:00:00Z"});
      } else {
        const std::string_view guess = closest(name, {"expiry-time", "no-feature", "no-label"});
        file.problems.push_back({"malformed-local-feature", place(origin, {number, 1}),
                                 "unknown directive " + quote(name),
                                 guess.empty() ? "known are expiry-time, no-feature and no-label"
                                               : "did you mean " + std::string(guess) + "?"});
      }
      continue;
    }
    if (expired) continue;  // the switches stay set for the next live line, as in NFD
    const std::size_t equals = line.find('=');
    const std::string key(line.substr(0, equals));
    const std::string value = equals == std::string_view::npos ? "true" : std::string(line.substr(equals + 1));
    if (as_feature)
      file.features.insert_or_assign(key, value);
    else
      file.features.erase(key);
    if (as_label)
      file.labels.insert_or_assign(key, value);
    else
      file.labels.erase(key);
    as_feature = as_label = true;
  }
  return file;
}

}  // namespace nodescout
