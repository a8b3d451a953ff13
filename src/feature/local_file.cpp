#include "feature/local_file.h"

#include "base/text.h"
#include "base/time.h"
#include "document/value.h"

namespace nodescout {

LocalFile parse_local_file(std::string_view text, std::string_view origin, std::chrono::system_clock::time_point now) {
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
        if (const auto time = parse_rfc3339(value))
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
    if (as_label) {
      file.labels.insert_or_assign(key, value);
      file.origins.insert_or_assign(key, place(origin, {number, 1}));
    } else {
      file.labels.erase(key);
    }
    as_feature = as_label = true;
  }
  return file;
}

}  // namespace nodescout
