#include "feature/local_file.h"

#include <map>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "document/value.h"

namespace nodescout {

namespace {

constexpr const char* kMalformed = "malformed-local-feature";

/// "#+no-label", which is a comment.
bool is_like_a_directive(std::string_view comment) {
  std::string_view text = trim(comment.substr(1));
  if (!text.starts_with('+')) return false;
  text = trim(text.substr(1));
  for (const std::string_view name : {"expiry-time", "no-feature", "no-label"})
    if (text.starts_with(name)) return true;
  return false;
}

}  // namespace

LocalFile parse_local_file(std::string_view text, std::string_view origin, std::chrono::system_clock::time_point now) {
  LocalFile file;
  bool expired = false;
  bool as_feature = true;
  bool as_label = true;
  int number = 0;
  int switched_at = 0;  // the last no-feature or no-label
  const auto say = [&](const char* code, int line, std::string what, std::string todo) {
    file.problems.push_back({code, place(origin, {line, 1}), std::move(what), std::move(todo)});
  };
  // Lines after an expiry-time that has passed.
  int expired_at = 0;
  std::size_t dropped = 0;
  std::string first_dropped;
  const auto tell_expired = [&] {
    if (dropped > 0)
      say("expired-local-feature", expired_at,
          "this time has passed, so " + std::to_string(dropped) + (dropped == 1 ? " line is" : " lines are") +
              " left out, the first is " + quote(first_dropped),
          "write a later time, or remove the lines");
    dropped = 0;
  };
  struct Entry {
    int line;
    std::string value;
    bool as_feature, as_label;
  };
  std::map<std::string, Entry, std::less<>> entries;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty()) continue;
    if (line[0] == '#') {
      constexpr std::string_view kDirective = "# +";
      if (!line.starts_with(kDirective)) {
        if (is_like_a_directive(line))
          say(kMalformed, number, quote(line) + " is a comment", "a directive begins with \"# +\", with one space");
        continue;
      }
      const std::string_view directive = line.substr(kDirective.size());
      const std::string_view name = directive.substr(0, directive.find('='));
      if (name == "no-feature") {
        as_feature = false;
        switched_at = number;
      } else if (name == "no-label") {
        as_label = false;
        switched_at = number;
      } else if (name == "expiry-time") {
        const std::string_view value = name.size() < directive.size() ? trim(directive.substr(name.size() + 1)) : "";
        if (const auto time = parse_rfc3339(value)) {
          tell_expired();
          expired = now > *time;
          expired_at = number;
        } else {
          say(kMalformed, number, "no time: " + quote(value), "write it like 2026-11-22T10:00:00Z");
        }
      } else {
        const std::string_view guess = closest(name, {"expiry-time", "no-feature", "no-label"});
        say(kMalformed, number, "unknown directive " + quote(name),
            guess.empty() ? "known names are expiry-time, no-feature and no-label"
                          : "did you mean " + std::string(guess) + "?");
      }
      continue;
    }
    if (expired) {  // the switches stay set for the next live line, as in NFD
      if (dropped++ == 0) first_dropped = line;
      continue;
    }
    const std::size_t equals = line.find('=');
    const std::string key(line.substr(0, equals));
    const std::string value = equals == std::string_view::npos ? "true" : std::string(line.substr(equals + 1));
    const Entry entry{number, value, as_feature, as_label};
    if (const auto [former, is_new] = entries.try_emplace(key, entry); !is_new) {
      const bool is_same = former->second.value == value && former->second.as_feature == as_feature &&
                           former->second.as_label == as_label;
      if (!is_same)
        say("replaced-local-feature", former->second.line,
            quote(key) + " is left out: line " + std::to_string(number) + " sets it again",
            "keep one of the two lines");
      former->second = entry;
    }
    if (as_feature)
      file.features.insert_or_assign(key, value);
    else
      file.features.erase(key);
    if (as_label)
      file.labels.insert_or_assign(key, value);
    else
      file.labels.erase(key);
    file.origins.insert_or_assign(key, place(origin, {number, 1}));
    as_feature = as_label = true;
  }
  tell_expired();
  if (!as_feature || !as_label)
    say(kMalformed, switched_at, "no line follows this directive, so it has no effect",
        "write it before the line that it applies to");
  return file;
}

}  // namespace nodescout
