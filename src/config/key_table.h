// A configuration file as a table: one row for each key, with what reads it, what it means, and when a change of it
// takes effect. Reading, the check for unknown keys, `nodescout config check` and the tables in docs/operations.md are
// made from the rows and from nothing else. A new key is one row.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/features.h"
#include "nodescout/result.h"

namespace nodescout {

class Pattern;

/// When a change of the file takes effect. `never`: the key is known but has no meaning here; the row explains why.
enum class Counts : std::uint8_t { at_once, at_start, never };

/// Whose file has the key.
enum class KeyOwner : std::uint8_t { nodescout, worker, master, gfd };

struct ConfigKey {
  std::string_view name;  // "sources.pci.deviceLabelFields"
  KeyOwner owner = KeyOwner::nodescout;
  Counts counts = Counts::at_once;
  std::string_view fallback;  // the default, as documentation shows it
  std::string_view meaning;   // one line for documentation; with Counts::never the reason why there is none
};

/// What reading left: problems, and which keys were there.
struct KeyUse {
  const ConfigKey* key;
  Mark mark;
};

struct KeyReport {
  std::string_view origin;
  std::vector<Problem>& problems;
  std::string_view after_a_mistake;     // "the default is used"
  bool unknown_keys = true;             // are reported
  bool meaningless_keys = true;         // are reported
  std::vector<KeyUse>* uses = nullptr;  // filled if given
};

/// The value of one key, for its reader. Each method leaves `into` as it is where the value does not fit, and reports
/// the mistake. null leaves the default, but empties lists and maps, as for NFD.
class KeyEntry {
 public:
  KeyEntry(KeyReport& report, std::string full_name, const Value& of_key)
      : value(of_key), name(std::move(full_name)), report_(report) {}

  const Value& value;
  const std::string name;  // in full

  std::string_view origin() const { return report_.origin; }
  std::vector<Problem>& problems() { return report_.problems; }
  bool is_null() const { return value.is(Value::Kind::null); }

  /// "NAME WHAT", code malformed-config.
  void mistake(Mark mark, std::string_view what, std::string todo = "");
  bool wrong_type(const Value& at, std::string_view wanted);

  void flag(bool& into);
  /// A flag with the opposite meaning of `into`.
  void opposite(bool& into);
  void text(std::string& into);
  /// A list replaces the default. A null element leaves what the default has at its place, as in NFD, which decodes
  /// each element into the old one; beyond the default it is an empty text. False: nothing was read.
  /// `spelling`: how an unquoted string is meant, for the advice where YAML turns it into something else.
  bool texts(std::vector<std::string>& into, std::string (*spelling)(std::string_view) = nullptr);
  /// Entries are merged into the default.
  void text_map(Attributes& into);
  void merge_texts(const Value& map, Attributes& into);
  void pattern(std::shared_ptr<const Pattern>& into);
  /// A bare number is seconds, not Go's nanoseconds. Not negative; `least` and more.
  std::optional<std::chrono::nanoseconds> period(std::chrono::nanoseconds least, std::string_view wanted);
  void seconds(std::chrono::seconds& into);
  /// A whole number, also written as a quantity: 500, "128Ki".
  void amount(std::size_t& into);

  /// Reports the members of `map`, which is part of the value, that are not among these.
  void check_members(const Value& map, const std::string& path, const std::vector<std::string_view>& names);

  // Of keys without a meaning here: what NFD would refuse is reported anyway.
  void go_duration();
  void whole_number(std::int64_t least);
  /// A map of durations with these names.
  void go_durations(const std::vector<std::string_view>& names);
  /// Any map, or null.
  void any_map();
  /// A map in which nothing has a meaning.
  void no_keys();

 private:
  /// Reports an unquoted string that YAML turns into a different one.
  void want_quotes(Mark mark, const std::string& source, const std::string& text,
                   std::string (*spelling)(std::string_view) = nullptr);
  void refused(std::string_view wanted);

  KeyReport& report_;
};

/// Go's duration syntax: "90s", "1h30m", "1.5h"; a bare number is nanoseconds.
std::optional<std::chrono::nanoseconds> parse_duration(const Value& value);

/// Calls `read` for each row whose key is in `root`, in the order of the rows, after what is unknown was reported.
/// Keys of structures are found in any case, those below `sources` only as they are. Of duplicates the last one is
/// used. False: a section is not a map.
bool walk_keys(const std::vector<const ConfigKey*>& rows, const Value& root, KeyReport& report,
               const std::function<void(std::size_t row, KeyEntry&)>& read);

/// A row with its reader. `read` is nullptr where nothing is to be read.
template <class Target>
struct KeyRow {
  ConfigKey key;
  void (*read)(KeyEntry& entry, Target& target) = nullptr;
  /// With Counts::at_start: the value that is in force, as documentation writes values.
  std::string (*value)(const Target& target) = nullptr;
};

template <class Target>
bool read_keys(std::span<const KeyRow<Target>> rows, const Value& root, KeyReport& report, Target& target) {
  std::vector<const ConfigKey*> keys;
  keys.reserve(rows.size());
  for (const KeyRow<Target>& row : rows) keys.push_back(&row.key);
  return walk_keys(keys, root, report, [&](std::size_t row, KeyEntry& entry) {
    if (rows[row].read) rows[row].read(entry, target);
  });
}

}  // namespace nodescout
