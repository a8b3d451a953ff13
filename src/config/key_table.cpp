#include "config/key_table.h"

#include <algorithm>
#include <set>

#include "base/quantity.h"
#include "base/text.h"
#include "document/yaml_slips.h"
#include "rule/former_names.h"
#include "rule/pattern.h"

namespace nodescout {
namespace {

using Kind = Value::Kind;
using Rows = std::vector<const ConfigKey*>;

/// NFD decodes `sources` into a map, whose keys are exact; everything else into structures.
bool has_exact_keys(std::string_view section) { return section == "sources."; }

/// As keys of structures are compared: in any case.
bool is_one_of(std::string_view key, const std::vector<std::string_view>& names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return equal_ignoring_case(name, key); });
}

/// A key as its author wrote it: YAML makes "true" of `y`.
const std::string& spelt(const Member& member) { return member.key_source.empty() ? member.key : member.key_source; }

/// The alternatives of a pattern: its parts between the | outside of brackets. Nothing if it has \Q, whose text is
/// read in another way.
std::optional<std::vector<std::string>> alternatives_of(std::string_view pattern) {
  std::vector<std::string> out(1);
  int depth = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    std::size_t length = 1;
    if (c == '\\') {
      if (pattern.substr(i + 1, 1) == "Q") return std::nullopt;
      length = 2;
    } else if (c == '[') {
      // A ] at the start of a class is one of its characters.
      std::size_t end = i + (pattern.substr(i + 1, 1) == "^" ? 2 : 1) + 1;
      while (end < pattern.size() && pattern[end] != ']') end += pattern[end] == '\\' ? 2 : 1;
      length = end + 1 - i;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '|' && depth == 0)
      out.emplace_back();
    else
      out.back() += pattern.substr(i, length);
    i += length - 1;
  }
  return out;
}

/// The names have no "/", so a pattern that requires one never matches: the same pattern without the part up to the
/// "/". Nothing if some text without "/" may match it. The contents of brackets are not examined.
std::optional<std::string> without_namespace(std::string_view pattern) {
  const auto alternatives = alternatives_of(pattern);
  if (!alternatives) return std::nullopt;
  std::vector<std::string> names;
  for (const std::string_view alternative : *alternatives) {
    const std::string_view plain = alternative.substr(0, alternative.find_first_of("(["));
    std::size_t slash = plain.rfind('/');
    const auto is_optional = [&](std::size_t at) {
      return at + 1 < alternative.size() && std::string_view("?*{").find(alternative[at + 1]) != alternative.npos;
    };
    while (slash != plain.npos && is_optional(slash)) slash = slash == 0 ? plain.npos : plain.rfind('/', slash - 1);
    if (slash == plain.npos) return std::nullopt;
    names.push_back((alternative.starts_with('^') ? "^" : "") + std::string(alternative.substr(slash + 1)));
  }
  return join(names, "|");
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

/// "sources.pci" of "sources.pci.deviceLabelFields", "" of "sources".
std::string_view section_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return name.substr(0, dot == name.npos ? 0 : dot);
}

class Walk {
 public:
  Walk(const Rows& rows, KeyReport& report, const std::function<void(std::size_t, KeyEntry&)>& read)
      : rows_(rows), report_(report), read_(read) {}

  /// `path` is "" or ends in a dot.
  void section(const Value& map, const std::string& path) {
    const std::vector<std::string_view> names = names_below(path);
    const bool exact = has_exact_keys(path);
    check_members(map, path, names, exact);
    for (const std::string_view name : names) {
      const Value* value = exact ? map.find(name) : map.find_ignoring_case(name);
      if (value) member(*value, path + std::string(name));
    }
  }

  bool all_sections_are_maps() const { return all_maps_; }

 private:
  void member(const Value& value, const std::string& name) {
    const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const ConfigKey* key) { return key->name == name; });
    if (row != rows_.end()) {
      KeyEntry entry(report_, name, value);
      if (report_.uses) report_.uses->push_back({*row, value.mark});
      const std::size_t before = report_.problems.size();
      read_(static_cast<std::size_t>(row - rows_.begin()), entry);
      const bool is_good = report_.problems.size() == before;
      if (is_good && (*row)->counts == Counts::never && report_.meaningless_keys && !value.is(Kind::null))
        report_.problems.push_back({"meaningless-config-key", place(report_.origin, value.mark),
                                    entry.name + " has no meaning here: " + std::string((*row)->meaning), ""});
    } else if (value.is(Kind::map)) {
      section(value, name + ".");
    } else if (!value.is(Kind::null)) {
      all_maps_ = false;
      KeyEntry(report_, name, value).wrong_type(value, "a map");
    }
  }

  /// "pci" and "usb" below "sources.", in the order of the rows.
  std::vector<std::string_view> names_below(std::string_view path) const {
    std::vector<std::string_view> names;
    for (const ConfigKey* row : rows_) {
      if (!row->name.starts_with(path)) continue;
      const std::string_view rest = row->name.substr(path.size());
      const std::string_view name = rest.substr(0, rest.find('.'));
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
  }

  void check_members(const Value& map, const std::string& path, const std::vector<std::string_view>& names,
                     bool exact) {
    if (!report_.unknown_keys) return;
    std::set<std::string> seen;
    // A key that begins with a no-break space is reported where the YAML is read.
    for (const Member& member : map.members) {
      const bool is_known =
          exact ? std::find(names.begin(), names.end(), member.key) != names.end() : is_one_of(member.key, names);
      if (!seen.insert(exact ? member.key : lower_ascii(member.key)).second)
        report("duplicate-config-key", member.mark, path + spelt(member) + " is given more than once",
               "the last one is used; remove the others");
      else if (!is_known && name_of_other_blank(member.key).empty() && !former_members(member, path))
        report("unknown-config-key", member.mark, "unknown key " + quote(path + spelt(member)),
               todo_for(member, path, names));
    }
  }

  /// Names below a former section that each have advice of their own, "featureGates.NodeFeatureAPI". True if that is
  /// all of the section.
  bool former_members(const Member& section, const std::string& path) {
    const auto advice_on = [&](const Member& member) {
      return advice_on_former_name(FormerName::config_key, path + section.key + "." + member.key);
    };
    const std::vector<Member>& members = section.value.members;
    if (members.empty() ||
        std::any_of(members.begin(), members.end(), [&](const Member& member) { return advice_on(member).empty(); }))
      return false;
    for (const Member& member : members)
      report("unknown-config-key", member.mark, "unknown key " + quote(path + spelt(section) + "." + spelt(member)),
             std::string(advice_on(member)));
    return true;
  }

  std::string todo_for(const Member& member, const std::string& path, const std::vector<std::string_view>& names) {
    const std::string_view key = member.key;
    const auto meant = [](std::string_view name, std::string_view where = "") {
      return "did you mean " + quote(name) + std::string(where) + "?";
    };
    if (const std::string_view advice = advice_on_former_name(FormerName::config_key, path + std::string(key));
        !advice.empty())
      return std::string(advice);
    // A valid key in the wrong place: an indentation slip.
    for (const ConfigKey* row : rows_)
      for (std::string_view name = row->name; !name.empty(); name = section_of(name))
        if (equal_ignoring_case(last_part(name), key) && name.substr(0, name.size() - key.size()) != path)
          return meant(name, section_of(name).empty() ? " at the top level" : "");
    const std::string_view guess = closest(key, names);
    if (guess.empty() && path.empty() && holds_sections(member.value)) return "move its contents to the top level";
    return guess.empty() ? "remove it" : meant(path + std::string(guess));
  }

  /// Whether it is the whole of a file, under a name of its own: "config: {core: ...}".
  bool holds_sections(const Value& value) const {
    const std::vector<std::string_view> names = names_below("");
    return std::any_of(value.members.begin(), value.members.end(),
                       [&](const Member& member) { return is_one_of(member.key, names); });
  }

  void report(const char* code, Mark mark, std::string what, std::string todo) {
    report_.problems.push_back({code, place(report_.origin, mark), std::move(what), std::move(todo)});
  }

  const Rows& rows_;
  KeyReport& report_;
  const std::function<void(std::size_t, KeyEntry&)>& read_;
  bool all_maps_ = true;
};

}  // namespace

void KeyEntry::mistake(Mark mark, std::string_view what, std::string todo) {
  report_.problems.push_back(
      {"malformed-config", place(report_.origin, mark), name + std::string(what), std::move(todo)});
}

bool KeyEntry::wrong_type(const Value& at, std::string_view wanted) {
  mistake(at.mark, " must be " + std::string(wanted) + ", not " + describe(at), std::string(report_.after_a_mistake));
  return false;
}

void KeyEntry::flag(bool& into) {
  if (value.is(Kind::boolean))
    into = value.text == "true";
  else if (!is_null())
    wrong_type(value, "true or false");
}

void KeyEntry::opposite(bool& into) {
  bool flag_value = !into;
  flag(flag_value);
  into = !flag_value;
}

void KeyEntry::text(std::string& into) {
  if (is_null()) return;
  if (value.is_scalar())
    into = value.text;
  else
    wrong_type(value, "a string");
}

void KeyEntry::want_quotes(Mark mark, const std::string& source, const std::string& text,
                           std::string (*spelling)(std::string_view)) {
  if (source.empty() || source == text) return;
  report_.problems.push_back({"unquoted-text", place(report_.origin, mark),
                              name + ": " + source + " without quotes is " + quote(text) + " in YAML",
                              "write " + quote(spelling ? spelling(source) : source) + ", with the quotes"});
}

bool KeyEntry::texts(std::vector<std::string>& into, std::string (*spelling)(std::string_view)) {
  if (is_null()) {
    into.clear();
    return true;
  }
  if (!value.is(Kind::list)) return wrong_type(value, "a list of strings");
  std::vector<std::string> out;
  for (const Value& item : value.items) {
    if (!item.is_scalar()) {
      mistake(item.mark, ": an element must be a string, not " + describe(item), "it is left out");
      continue;
    }
    if (!item.is(Kind::null)) want_quotes(item.mark, item.source, item.text, spelling);
    const std::size_t place_of_item = out.size();
    out.push_back(item.is(Kind::null) && place_of_item < into.size() ? into[place_of_item] : item.text);
  }
  into = std::move(out);
  return true;
}

void KeyEntry::text_map(Attributes& into) {
  if (is_null()) return into.clear();
  if (value.is(Kind::map))
    merge_texts(value, into);
  else
    wrong_type(value, "a map");
}

void KeyEntry::merge_texts(const Value& map, Attributes& into) {
  for (const Member& member : map.members) {
    want_quotes(member.mark, member.key_source, member.key);
    if (!member.value.is(Kind::null)) want_quotes(member.value.mark, member.value.source, member.value.text);
    if (member.value.is_scalar())
      into.insert_or_assign(member.key, member.value.text);
    else
      mistake(member.value.mark, ": " + member.key + " must be a string, not " + describe(member.value),
              "it is left out");
  }
}

void KeyEntry::pattern(std::shared_ptr<const Pattern>& into) {
  into = nullptr;
  if (is_null() || (value.is(Kind::string) && value.text.empty())) return;
  if (!value.is(Kind::string)) {
    wrong_type(value, "a regular expression, a string");
    return;
  }
  auto compiled = Pattern::compile(value.text);
  if (compiled)
    into = std::make_shared<const Pattern>(*std::move(compiled));
  else
    mistake(value.mark, ": bad regular expression " + quote(value.text) + ": " + compiled.error().what,
            "every label passes until it is fixed");
  if (const auto names = into ? without_namespace(value.text) : std::nullopt) {
    const auto meant = Pattern::compile(*names);
    mistake(value.mark, ": " + quote(value.text) + " matches nothing: it is compared with the part of a key after /",
            meant && !meant->found_in("") ? "write " + quote(*names) : "write a pattern of names, without /");
  }
}

std::optional<std::chrono::nanoseconds> KeyEntry::period(std::chrono::nanoseconds least, std::string_view wanted) {
  if (is_null()) return std::nullopt;
  constexpr std::int64_t kMostSeconds = 9'000'000'000;  // in nanoseconds these still fit
  const auto number = value.is(Kind::integer) ? parse_int(value.text) : std::nullopt;
  const auto duration = number && *number < kMostSeconds
                            ? std::optional<std::chrono::nanoseconds>(std::chrono::seconds(*number))
                            : parse_duration(value);
  if (duration && *duration >= least) return duration;
  wrong_type(value, wanted);
  return std::nullopt;
}

void KeyEntry::seconds(std::chrono::seconds& into) {
  if (const auto duration = period(std::chrono::nanoseconds(0), "a duration such as 5m, or 0 for never"))
    into = std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

void KeyEntry::amount(std::size_t& into) {
  if (is_null()) return;
  const auto quantity = value.is_scalar() ? Quantity::parse(value.text) : std::nullopt;
  if (const auto count = quantity ? quantity->count() : std::nullopt)
    into = static_cast<std::size_t>(*count);
  else
    wrong_type(value, "a whole number such as 500 or 128Ki");
}

void KeyEntry::refused(std::string_view wanted) {
  mistake(value.mark, " must be " + std::string(wanted) + ", not " + describe(value),
          "NFD does not start with it; here the key has no meaning");
}

void KeyEntry::go_duration() {
  if (!is_null() && !parse_duration(value)) refused("a duration such as 60s");
}

void KeyEntry::whole_number(std::int64_t least) {
  if (is_null()) return;
  const auto number = value.is(Kind::integer) ? parse_int(value.text) : std::nullopt;
  if (!number || *number < least) refused("a whole number of at least " + std::to_string(least));
}

void KeyEntry::go_durations(const std::vector<std::string_view>& names) {
  if (is_null()) return;
  if (!value.is(Kind::map)) {
    refused("a map");
    return;
  }
  check_members(value, name, names);
  for (const Member& member : value.members)
    if (is_one_of(member.key, names)) KeyEntry(report_, name + "." + member.key, member.value).go_duration();
}

void KeyEntry::any_map() {
  if (!is_null() && !value.is(Kind::map)) refused("a map");
}

void KeyEntry::check_members(const Value& map, const std::string& path, const std::vector<std::string_view>& names) {
  if (!report_.unknown_keys) return;
  for (const Member& member : map.members) {
    if (is_one_of(member.key, names)) continue;
    const std::string_view guess = closest(member.key, names);
    report_.problems.push_back(
        {"unknown-config-key", place(report_.origin, member.mark), "unknown key " + quote(path + "." + spelt(member)),
         guess.empty() ? "remove it" : "did you mean " + quote(path + "." + std::string(guess)) + "?"});
  }
}

void KeyEntry::no_keys() {
  if (is_null()) return;
  if (!value.is(Kind::map)) {
    wrong_type(value, "a map");
    return;
  }
  for (const Member& member : value.members) {
    const std::string full = name + "." + spelt(member);
    const std::string_view advice = advice_on_former_name(FormerName::config_key, full);
    report_.problems.push_back({"unknown-config-key", place(report_.origin, member.mark),
                                "unknown key " + quote(full) + ": " + name + " has no options",
                                advice.empty() ? "remove it" : std::string(advice)});
  }
}

std::optional<std::chrono::nanoseconds> parse_duration(const Value& value) {
  if (value.is(Kind::integer)) {
    const auto count = parse_int(value.text);
    return count ? std::optional(std::chrono::nanoseconds(*count)) : std::nullopt;
  }
  std::string_view text = value.text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1},  {"us", 1e3}, {"\xC2\xB5s", 1e3}, {"ms", 1e6},
                                                            {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  double total = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double number = 0;
    if (digits == 0 || text.substr(0, digits) == ".") return std::nullopt;
    try {
      number = std::stod(std::string(text.substr(0, digits)));
    } catch (const std::exception&) {
      return std::nullopt;
    }
    text.remove_prefix(digits);
    const std::size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const auto& known) { return known.first == text.substr(0, letters); });
    if (unit == std::end(kUnits)) return std::nullopt;
    total += number * unit->second;
    text.remove_prefix(letters);
  }
  if (total > 9.2e18) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(negative ? -total : total));
}

bool walk_keys(const std::vector<const ConfigKey*>& rows, const Value& root, KeyReport& report,
               const std::function<void(std::size_t row, KeyEntry&)>& read) {
  Walk walk(rows, report, read);
  walk.section(root, "");
  return walk.all_sections_are_maps();
}

}  // namespace nodescout
