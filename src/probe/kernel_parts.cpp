#include "probe/kernel_parts.h"

#include <algorithm>
#include <cstring>

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

/// An option, as its place in the text: small, because sorting moves it about.
struct KconfigOption {
  std::uint64_t start;  // first eight bytes of the name as a number: they decide most comparisons
  std::uint32_t name, length;
};

std::uint64_t start_of(std::string_view name) {
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < 8; ++i)
    start = (start << 8) | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0);
  return start;
}

constexpr std::string_view kPrefix = "CONFIG_";

/// Calls found(name, equals) with the places of the name and of the "=" of every option.
void each_option(std::string_view text, const auto& found) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    if (text.substr(line).starts_with(kPrefix)) {
      const std::size_t name = line + kPrefix.size();
      const std::size_t equals = text.substr(name, end - name).find('=');
      if (equals != std::string_view::npos) found(name, name + equals);
    }
    line = end + 1;
  }
}

/// The same, of the wanted options only. Goes from "=" to "=", which half of the lines have none of, and looks closer
/// only where the eight bytes before one are the end of a wanted name: a quarter of the instructions.
void each_wanted_option(std::string_view text, const FlagSet& wanted, const auto& found) {
  const auto end_of = [](std::string_view option) {
    std::uint64_t end = 0;
    std::memcpy(&end, option.data() + option.size() - sizeof end, sizeof end);
    return end;
  };
  std::vector<std::string> options;  // each at least eight bytes
  std::vector<std::uint64_t> ends;
  for (const std::string& name : wanted)
    if (!name.empty() && name.find_first_of("=\n") == std::string::npos)
      ends.push_back(end_of(options.emplace_back(std::string(kPrefix) += name)));
  for (std::size_t equals = text.find('='); equals != std::string_view::npos; equals = text.find('=', equals + 1)) {
    if (equals <= kPrefix.size()) continue;
    const std::uint64_t end = end_of(text.substr(0, equals));
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i] != end || !text.substr(0, equals).ends_with(options[i])) continue;
      const std::size_t line = equals - options[i].size();
      if (line == 0 || text[line - 1] == '\n') found(line + kPrefix.size(), equals);
    }
  }
}

}  // namespace

Attributes parse_kconfig(std::string_view text, const FlagSet* wanted) {
  std::vector<KconfigOption> options;
  const auto add = [&](std::size_t name, std::size_t equals) {
    const std::size_t length = equals - name;
    options.push_back(
        {start_of(text.substr(name, length)), static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(length)});
  };
  if (wanted) {
    each_wanted_option(text, *wanted, add);
  } else {
    options.reserve(text.size() / 64);  // about half of the lines say that something is not set
    each_option(text, add);
  }
  const auto name_of = [&](const KconfigOption& option) { return text.substr(option.name, option.length); };
  std::stable_sort(options.begin(), options.end(), [&](const KconfigOption& a, const KconfigOption& b) {
    return a.start != b.start ? a.start < b.start : name_of(a) < name_of(b);
  });
  std::vector<Attributes::value_type> sorted;
  sorted.reserve(options.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string_view name = name_of(options[i]);
    if (i + 1 < options.size() && name_of(options[i + 1]) == name) continue;  // the last line wins
    std::string_view value = text.substr(options[i].name + options[i].length + 1);
    value = value.substr(0, value.find('\n'));
    while (value.starts_with('"')) value.remove_prefix(1);
    while (value.ends_with('"')) value.remove_suffix(1);
    sorted.emplace_back(name, value);
  }
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
