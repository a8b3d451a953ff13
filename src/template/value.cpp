#include "template/value.h"

#include <algorithm>

#include "base/text.h"
#include "template/run.h"

namespace nodescout::tmpl {
namespace {

struct TypeInfo {
  Kind kind;
  std::string_view name;
};

TypeInfo info_of(Type type) {
  switch (type) {
    case Type::none:
    case Type::null: return {Kind::none, "<nil>"};
    case Type::boolean: return {Kind::boolean, "bool"};
    case Type::integer: return {Kind::integer, "int"};
    case Type::int64: return {Kind::integer, "int64"};
    case Type::uint8: return {Kind::uinteger, "uint8"};
    case Type::uint64: return {Kind::uinteger, "uint64"};
    case Type::float64: return {Kind::floating, "float64"};
    case Type::complex128: return {Kind::complex, "complex128"};
    case Type::text: return {Kind::text, "string"};
    case Type::month: return {Kind::integer, "time.Month"};
    case Type::weekday: return {Kind::integer, "time.Weekday"};
    case Type::duration: return {Kind::integer, "time.Duration"};
    case Type::any_list: return {Kind::list, "[]interface {}"};
    case Type::text_list: return {Kind::list, "[]string"};
    case Type::integer_list: return {Kind::list, "[]int"};
    case Type::list_list: return {Kind::list, "[][]interface {}"};
    case Type::element_list: return {Kind::list, "[]nodefeaturerule.MatchedElement"};
    case Type::any_map: return {Kind::map, "map[string]interface {}"};
    case Type::text_map: return {Kind::map, "map[string]string"};
    case Type::element: return {Kind::map, "nodefeaturerule.MatchedElement"};
    case Type::domain: return {Kind::map, "nodefeaturerule.domainMatchedFeatures"};
    case Type::data: return {Kind::map, "nodefeaturerule.matchedFeatures"};
    case Type::time: return {Kind::structure, "time.Time"};
    case Type::version: return {Kind::structure, "semver.Version"};
    case Type::version_ptr: return {Kind::pointer, "*semver.Version"};
    case Type::location: return {Kind::pointer, "*time.Location"};
  }
  return {Kind::none, "<nil>"};
}

/// Follows the nesting of two values; the depth is bounded, because a dict may contain itself.
class Equality {
 public:
  explicit Equality(Run& run) : run_(run) {}

  bool same(const Datum& a, const Datum& b) {
    run_.spend(1);
    if (a.type != b.type) return is_nothing(a) && is_nothing(b);
    switch (a.type) {
      case Type::none:
      case Type::null: return true;
      case Type::boolean: return a.boolean == b.boolean;
      case Type::float64: return a.floating == b.floating;
      case Type::complex128: return *a.complex == *b.complex;
      case Type::text: run_.spend_bytes(a.size); return a.text() == b.text();
      case Type::time: return same_time(*a.time, *b.time);
      case Type::version:
      case Type::version_ptr: return a.version == b.version || *a.version == *b.version;
      case Type::location: return same_zone(a.location, b.location);
      default: break;
    }
    if (is_list(a)) return same_list(a, b);
    if (is_map(a)) return same_map(a, b);
    return a.integer == b.integer;
  }

 private:
  static bool same_zone(const Zone* a, const Zone* b) {
    if (a == b) return true;
    const bool special = a == &kUtc || b == &kUtc || a == &kLocal || b == &kLocal;
    return !special && a->name == b->name && a->offset == b->offset;
  }
  static bool same_time(const Time& a, const Time& b) { return compare(a, b) == 0 && same_zone(a.zone, b.zone); }

  bool same_list(const Datum& a, const Datum& b) {
    if (a.size != b.size || is_nil(a) != is_nil(b)) return false;
    if (a.items == b.items) return true;
    const Deeper deeper(depth_);
    for (std::size_t i = 0; i < a.size; ++i)
      if (!same(item_of(a, i), item_of(b, i))) return false;
    return true;
  }

  bool same_map(const Datum& a, const Datum& b) {
    if (length_of(a) != length_of(b) || is_nil(a) != is_nil(b)) return false;
    if (a.dict == b.dict) return true;
    const Deeper deeper(depth_);
    bool equal = true;
    each_entry(a, [&](std::string_view key, const Datum& value) {
      const std::optional<Datum> other = equal ? entry_of(b, key) : std::nullopt;
      equal = other && same(value, *other);
    });
    return equal;
  }

  Run& run_;
  int depth_ = 0;
};

}  // namespace

Kind kind_of(Type type) { return info_of(type).kind; }
std::string_view type_name(Type type) { return info_of(type).name; }

std::string_view kind_name(Type type) {
  switch (kind_of(type)) {
    case Kind::none: return "invalid";
    case Kind::list: return "slice";
    case Kind::map: return "map";
    case Kind::structure: return "struct";
    case Kind::pointer: return "ptr";
    default: break;
  }
  switch (type) {
    case Type::month:
    case Type::weekday: return "int";
    case Type::duration: return "int64";
    default: return type_name(type);
  }
}

std::string describe(const Datum& value) {
  constexpr std::size_t kShown = 40;
  switch (kind_of(value)) {
    case Kind::none: return "nothing";
    case Kind::text: {
      const std::string_view text = value.text();
      return "the string " + quote(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
    }
    case Kind::boolean: return value.boolean ? "true" : "false";
    case Kind::integer: return "the number " + std::to_string(value.integer);
    case Kind::uinteger: return "the number " + std::to_string(value.uinteger);
    case Kind::floating: return "a number with decimals";
    case Kind::complex: return "a complex number";
    case Kind::list: return "a list";
    case Kind::map:
      switch (value.type) {
        case Type::element: return "an element of a feature";
        case Type::domain: return "the features of a domain";
        case Type::data: return "all domains";
        default: return "a dict";
      }
    case Kind::structure:
    case Kind::pointer: return value.is(Type::time) ? "a date" : value.is(Type::location) ? "a time zone" : "a version";
  }
  return "nothing";
}

bool is_nil(const Datum& value) {
  switch (value.type) {
    case Type::none:
    case Type::null: return true;
    case Type::element_list: return value.elements == nullptr;
    case Type::any_map:
    case Type::text_map: return value.dict == nullptr;
    case Type::domain: return value.domain_entry == nullptr;
    default: return is_list(value) && value.items == nullptr;
  }
}

bool is_true(const Datum& value) {
  switch (kind_of(value)) {
    case Kind::none: return false;
    case Kind::boolean: return value.boolean;
    case Kind::integer:
    case Kind::uinteger: return value.integer != 0;
    case Kind::floating: return value.floating != 0;
    case Kind::complex: return *value.complex != std::complex<double>();
    case Kind::text:
    case Kind::list: return value.size > 0;
    case Kind::map: return length_of(value) > 0;
    case Kind::structure:
    case Kind::pointer: return true;
  }
  return false;
}

std::size_t length_of(const Datum& value) {
  switch (value.type) {
    case Type::any_map:
    case Type::text_map: return value.dict ? value.dict->size() : 0;
    case Type::element: return value.elements->size();
    case Type::domain: return value.domain_entry ? value.domain_entry->features.size() : 0;
    case Type::data: return value.all_data->domains().size();
    default: return value.size;
  }
}

Datum part_of(const Datum& list, std::size_t first, std::size_t last) {
  Datum part = list;
  if (list.is(Type::element_list)) {
    part.elements = list.elements + first;
  } else {
    part.items = list.items + first;
  }
  part.size = static_cast<std::uint32_t>(last - first);
  return part;
}

std::optional<Datum> entry_of(const Datum& map, std::string_view key) {
  const auto named = [&](const auto& entries) -> std::optional<Datum> {
    const auto at = std::lower_bound(entries.begin(), entries.end(), key,
                                     [](const auto& entry, std::string_view wanted) { return entry.name < wanted; });
    if (at == entries.end() || at->name != key) return std::nullopt;
    if constexpr (std::is_same_v<std::decay_t<decltype(*at)>, TemplateData::Feature>) {
      return Datum::of(at->elements);
    } else {
      return Datum::of(*at);
    }
  };
  switch (map.type) {
    case Type::element: {
      const std::optional<std::string_view> field = map.elements->find(key);
      return field ? std::optional(Datum::of(*field)) : std::nullopt;
    }
    case Type::any_map:
    case Type::text_map: {
      if (!map.dict) return std::nullopt;
      const auto at = map.dict->find(key);
      return at == map.dict->end() ? std::nullopt : std::optional(at->second);
    }
    case Type::domain: return map.domain_entry ? named(map.domain_entry->features) : std::nullopt;
    case Type::data: return named(map.all_data->domains());
    default: return std::nullopt;
  }
}

Datum zero_entry_of(const Datum& map) {
  switch (map.type) {
    case Type::element:
    case Type::text_map: return Datum::of("");
    case Type::domain: return Datum::nil_list(Type::element_list);
    case Type::data: {
      Datum nil = Datum::map(Type::domain, nullptr);
      nil.domain_entry = nullptr;
      return nil;
    }
    default: return Datum::null();
  }
}

bool deep_equal(Run& run, const Datum& a, const Datum& b) { return Equality(run).same(a, b); }

}  // namespace nodescout::tmpl
