#include "probe/kernel_parts.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {

FlagSet parse_modules(std::string_view text) {
  FlagSet names;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = fields(line);
    if (!words.empty()) names.emplace(words[0]);
  }
  return names;
}

FlagSet parse_builtin_modules(std::string_view text) {
  FlagSet names;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.ends_with(".ko")) continue;
    line.remove_suffix(3);
    names.emplace(line.substr(line.rfind('/') + 1));
  }
  return names;
}

namespace {

/// First eight bytes as a number: they decide nearly every comparison of two options' names.
std::uint64_t start_of(std::string_view name) {
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < 8; ++i)
    start = (start << 8) | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
  return start;
}

}  // namespace

Attributes parse_kconfig(std::string_view text) {
  constexpr std::string_view kPrefix = "CONFIG_";
  std::vector<std::pair<std::string_view, std::string_view>> options;
  struct Place {
    std::uint64_t start;
    std::uint32_t index;
  };
  std::vector<Place> order;  // small, because sorting moves it about
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(kPrefix)) continue;
    line.remove_prefix(kPrefix.size());
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = line.substr(equals + 1);
    while (value.starts_with('"')) value.remove_prefix(1);
    while (value.ends_with('"')) value.remove_suffix(1);
    options.emplace_back(line.substr(0, equals), value);
    order.push_back({start_of(options.back().first), static_cast<std::uint32_t>(options.size() - 1)});
  }
  const auto name_of = [&](Place place) { return options[place.index].first; };
  std::sort(order.begin(), order.end(), [&](Place a, Place b) {
    if (a.start != b.start) return a.start < b.start;
    if (const int names = name_of(a).compare(name_of(b)); names != 0) return names < 0;
    return a.index < b.index;
  });
  std::vector<Attributes::value_type> sorted;
  sorted.reserve(options.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    if (i + 1 == order.size() || name_of(order[i + 1]) != name_of(order[i]))
      sorted.emplace_back(options[order[i].index].first, options[order[i].index].second);
  return Attributes::from_sorted(std::move(sorted));
}

Attributes parse_release(std::string_view release) {
  std::string full;
  for (std::string_view rest = release; !rest.empty();) {
    // One "_" for each character, not for each byte.
    const Rune rune = decode_rune(rest);
    const char c = rest[0];
    const bool safe =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    full += safe ? c : '_';
    rest.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  const std::size_t first = full.find_first_not_of("-_.");
  full = first == std::string::npos ? "" : full.substr(first, full.find_last_not_of("-_.") - first + 1);
  Attributes version{{"full", full}};

  // (\d+)(\.(\d+))?(\.(\d+))?(-.*)?
  std::string_view rest = full;
  const auto digits = [&] {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::string_view number = rest.substr(0, count);
    rest.remove_prefix(count);
    return std::string(number);
  };
  const auto part = [&]() -> std::string {
    if (rest.size() < 2 || rest[0] != '.' || rest[1] < '0' || rest[1] > '9') return "";
    rest.remove_prefix(1);
    return digits();
  };
  std::string major = digits();
  std::string minor = part();
  std::string revision = minor.empty() ? "" : part();
  if (major.empty() || (!rest.empty() && rest[0] != '-')) return version;
  version["major"] = std::move(major);
  version["minor"] = std::move(minor);
  version["revision"] = std::move(revision);
  return version;
}

Attributes parse_cmdline(std::string_view text, const std::vector<std::string>& allowed) {
  Attributes parameters;
  bool in_quotes = false;
  std::string word;
  const auto take = [&] {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string name = word.substr(0, equals);
    std::string value = equals < word.size() ? word.substr(equals + 1) : "";
    word.clear();
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) return;
    const auto [at, is_new] = parameters.try_emplace(name, value);
    if (!is_new) at->second += "," + value;
  };
  for (const char c : text) {
    if (c == '"')
      in_quotes = !in_quotes;
    else if (!in_quotes && (c == ' ' || c == '\t' || c == '\n'))
      take();
    else
      word += c;
  }
  take();
  return parameters;
}

}  // namespace nodescout
