// The values of the template language: Go's, as far as a rule can get hold of them.
//
// Datum is 16 bytes, copied freely, and owns nothing. Numbers and booleans are inside; texts, lists and dicts point
// into the template's source, into the features that are rendered, or into the arena of the run, all of which outlive
// every Datum. Lists and dicts are references, as in Go: `set` and `sortAlpha` change what every holder sees.
//
// Go's static types matter where a template can observe them: `%T`, `eq`, the arguments of functions. Every one
// that can occur has a Type here.
#pragma once

#include <complex>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/semver.h"
#include "template/data.h"
#include "template/go/time.h"

namespace nodescout::tmpl {

class Run;

enum class Type : std::uint8_t {
  none,  // no value at all: prints <no value>
  null,  // an interface that holds nothing: an element of (list nil); becomes none when a pipeline yields it
  boolean,
  integer,  // Go's int
  int64,
  uint8,
  uint64,
  float64,
  complex128,
  text,
  month,
  weekday,
  duration,
  any_list,      // []interface {}
  text_list,     // []string
  integer_list,  // []int
  list_list,     // [][]interface {}
  element_list,  // the elements of a feature
  any_map,       // map[string]interface {}, made by `dict`
  text_map,      // map[string]string, made by `split`
  element,       // one element of a feature
  domain,        // the features of a domain
  data,          // the domains: what the template begins with
  time,
  version,      // semver.Version
  version_ptr,  // *semver.Version
  location,     // *time.Location
};

/// reflect.Kind, as far as it occurs.
enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  uinteger,
  floating,
  complex,
  text,
  list,
  map,
  structure,
  pointer
};

struct Datum;

/// The entries of a dict, in byte order of the keys. Lives in an arena and is never destroyed.
using Dict = std::pmr::map<std::string_view, Datum, std::less<>>;

struct Datum {
  Type type = Type::none;
  std::uint32_t size = 0;  // bytes of a string, items of a list
  union {
    bool boolean;
    std::int64_t integer;
    std::uint64_t uinteger;
    double floating;
    const std::complex<double>* complex;
    const char* characters;
    Datum* items;                    // nullptr: Go's nil list
    const MatchedElement* elements;  // element_list (nullptr: nil) and element
    Dict* dict;                      // nullptr: nil map
    const TemplateData::Domain* domain_entry;
    const TemplateData* all_data;
    const Time* time;
    SemanticVersion* version;
    const Zone* location;
  };

  Datum() : integer(0) {}
  static Datum null() { return of(Type::null); }
  static Datum of(bool value) {
    Datum made = of(Type::boolean);
    made.boolean = value;
    return made;
  }
  static Datum of(std::string_view text) {
    Datum made = of(Type::text);
    made.characters = text.data();
    made.size = static_cast<std::uint32_t>(text.size());
    return made;
  }
  static Datum of(const char* text) { return of(std::string_view(text)); }
  static Datum of(double value) {
    Datum made = of(Type::float64);
    made.floating = value;
    return made;
  }
  static Datum of(const MatchedElement& element) {
    Datum made = of(Type::element);
    made.elements = &element;
    return made;
  }
  static Datum of(std::span<const MatchedElement> elements) {
    Datum made = of(Type::element_list);
    made.elements = elements.empty() ? nullptr : elements.data();
    made.size = static_cast<std::uint32_t>(elements.size());
    return made;
  }
  static Datum of(const TemplateData::Domain& domain) {
    Datum made = of(Type::domain);
    made.domain_entry = &domain;
    return made;
  }
  static Datum of(const TemplateData& data) {
    Datum made = of(Type::data);
    made.all_data = &data;
    return made;
  }
  static Datum of(const std::complex<double>& value) {
    Datum made = of(Type::complex128);
    made.complex = &value;
    return made;
  }
  static Datum of(const Time& time) {
    Datum made = of(Type::time);
    made.time = &time;
    return made;
  }
  /// Go's int
  static Datum of_int(std::int64_t value) { return number(Type::integer, value); }
  static Datum of_int64(std::int64_t value) { return number(Type::int64, value); }
  static Datum number(Type type, std::int64_t value) {
    Datum made = of(type);
    made.integer = value;
    return made;
  }
  static Datum of_uint64(std::uint64_t value) {
    Datum made = of(Type::uint64);
    made.uinteger = value;
    return made;
  }
  static Datum of_byte(unsigned char value) {
    Datum made = of(Type::uint8);
    made.uinteger = value;
    return made;
  }
  static Datum list(Type type, std::span<Datum> items) {
    Datum made = of(type);
    made.items = items.data();
    made.size = static_cast<std::uint32_t>(items.size());
    return made;
  }
  static Datum nil_list(Type type) { return list(type, {}); }
  static Datum map(Type type, Dict* dict) {
    Datum made = of(type);
    made.dict = dict;
    return made;
  }

  std::string_view text() const { return {characters, size}; }
  bool is(Type wanted) const { return type == wanted; }

 private:
  static Datum of(Type type) {
    Datum made;
    made.type = type;
    return made;
  }
};
static_assert(sizeof(Datum) == 16);

Kind kind_of(Type type);
inline Kind kind_of(const Datum& value) { return kind_of(value.type); }
/// "int", "[]interface {}", "nodefeaturerule.MatchedElement": what %T prints; none and null have no name ("<nil>").
std::string_view type_name(Type type);
/// reflect.Kind.String(): "int", "slice", "map", "ptr", "invalid".
std::string_view kind_name(Type type);
/// For messages: "the string \"x\"", "a list of 3", "nothing".
std::string describe(const Datum& value);

inline bool is_list(const Datum& value) { return kind_of(value) == Kind::list; }
inline bool is_map(const Datum& value) { return kind_of(value) == Kind::map; }
inline bool is_nothing(const Datum& value) { return value.type <= Type::null; }
/// A list, map or pointer that Go would call nil, or nothing at all.
bool is_nil(const Datum& value);

/// Go's truth: not zero, not empty, not nil; structures are true.
bool is_true(const Datum& value);
/// sprig's `empty`, `default` and `coalesce` judge by the same truth.
inline bool is_empty(const Datum& value) { return !is_true(value); }

/// Items of a list, entries of a map, bytes of a text.
std::size_t length_of(const Datum& value);
inline Datum item_of(const Datum& list, std::size_t at) {
  return list.is(Type::element_list) ? Datum::of(list.elements[at]) : list.items[at];
}
/// Items first..last-1 of the same list, not a copy.
Datum part_of(const Datum& list, std::size_t first, std::size_t last);

/// The entry of a map; empty if there is none.
std::optional<Datum> entry_of(const Datum& map, std::string_view key);
/// What Go's `index` gives for a missing key: the zero value of the map's element type.
Datum zero_entry_of(const Datum& map);

/// Calls visit(key, value) for each entry in byte order of the keys.
template <class Visit>
void each_entry(const Datum& map, Visit visit) {
  switch (map.type) {
    case Type::any_map:
    case Type::text_map:
      if (map.dict)
        for (const auto& [key, value] : *map.dict) visit(key, value);
      return;
    case Type::element:
      map.elements->each([&](std::string_view key, std::string_view value) { visit(key, Datum::of(value)); });
      return;
    case Type::domain:
      if (map.domain_entry)
        for (const TemplateData::Feature& feature : map.domain_entry->features)
          visit(std::string_view(feature.name), Datum::of(feature.elements));
      return;
    case Type::data:
      for (const TemplateData::Domain& domain : map.all_data->domains())
        visit(std::string_view(domain.name), Datum::of(domain));
      return;
    default: return;
  }
}

/// reflect.DeepEqual
bool deep_equal(Run& run, const Datum& a, const Datum& b);

}  // namespace nodescout::tmpl
