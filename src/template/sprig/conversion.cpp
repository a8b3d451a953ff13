// Numbers out of anything, types by name, and defaults.
#include <cmath>

#include "base/number.h"
#include "base/text.h"
#include "template/function.h"
#include "template/print.h"
#include "template/sprig/groups.h"
#include "template/sprig/numbers.h"

namespace nodescout::tmpl {
namespace {

/// "5.00" without its fraction of zeros.
std::string_view without_zero_fraction(std::string_view text) {
  const std::size_t last = text.find_last_not_of('0');
  return last != std::string_view::npos && last + 1 < text.size() && text[last] == '.' ? text.substr(0, last) : text;
}

}  // namespace

std::int64_t truncated(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (value >= -kLimit && value < kLimit) return static_cast<std::int64_t>(value);
  return INT64_MIN;
}

std::int64_t to_int64(const Datum& value) {
  switch (value.type) {
    case Type::integer:
    case Type::int64:
    case Type::uint8:
    case Type::uint64:
    case Type::month:
    case Type::weekday: return value.integer;
    case Type::float64: return truncated(value.floating);
    case Type::boolean: return value.boolean ? 1 : 0;
    case Type::text: {
      const ParsedInt number = parse_go_int(without_zero_fraction(value.text()), 0);
      return number ? number.value : 0;
    }
    default: return 0;
  }
}

double to_float64(const Datum& value) {
  switch (value.type) {
    case Type::integer:
    case Type::int64:
    case Type::month:
    case Type::weekday: return static_cast<double>(value.integer);
    case Type::uint8:
    case Type::uint64: return static_cast<double>(value.uinteger);
    case Type::float64: return value.floating;
    case Type::boolean: return value.boolean ? 1 : 0;
    case Type::text: return parse_go_float(value.text()).value_or(0);
    default: return 0;
  }
}

namespace {

Datum to_int(Run&, Datum value) { return Datum::of_int(to_int64(value)); }
Datum int64(Run&, Datum value) { return Datum::of_int64(to_int64(value)); }
Datum float64(Run&, Datum value) { return Datum::of(to_float64(value)); }
Datum atoi(Run&, std::string_view text) { return Datum::of_int(parse_go_int(text, 10).value); }
Datum to_decimal(Run& run, Datum value) {
  const ParsedInt number = parse_go_int(text_of(run, value), 8);
  return Datum::of_int64(number ? number.value : 0);
}

constexpr Function kConversion[] = {
    define<to_int>("int", "VALUE", "as an int; a string may be 12, -3, 0x1f, 017 (octal), 5.0; anything else is 0",
                   R"(int "0x1f")", "31"),
    define<int64>("int64", "VALUE", "as an int64, read as by int", R"(int64 "12.7")", "0"),
    define<float64>("float64", "VALUE", "as a number with decimals", R"(float64 "2.50")", "2.5"),
    define<atoi>("atoi", "TEXT", "as an int, decimal digits only; 0 if it is not a number", R"(atoi "012")", "12"),
    define<to_decimal>("toDecimal", "VALUE", "the value of octal digits", "toDecimal 755", "493"),
};

// ---- types ----------------------------------------------------------------------------------------------------------

Datum type_of(Run&, Datum value) { return Datum::of(type_name(value.type)); }
Datum kind_of_value(Run&, Datum value) { return Datum::of(kind_name(value.type)); }
Datum type_is(Run&, std::string_view wanted, Datum value) { return Datum::of(wanted == type_name(value.type)); }
Datum type_is_like(Run&, std::string_view wanted, Datum value) {
  const std::string_view name = type_name(value.type);
  return Datum::of(wanted == name || "*" + std::string(wanted) == name);
}
Datum kind_is(Run&, std::string_view wanted, Datum value) { return Datum::of(wanted == kind_name(value.type)); }
Datum deep_equal_values(Run& run, Datum a, Datum b) { return Datum::of(deep_equal(run, a, b)); }

constexpr Function kTypes[] = {
    define<type_of>("typeOf", "VALUE", "the Go type of a value", R"(typeOf (splitList "," "a"))", "[]string"),
    define<type_is>("typeIs", "TYPE VALUE", "true if the value has this type", R"(typeIs "int" 1)", "true"),
    define<type_is_like>("typeIsLike", "TYPE VALUE", "as typeIs, also for a pointer to it",
                         R"(typeIsLike "semver.Version" (semver "1.2"))", "true"),
    define<kind_of_value>("kindOf", "VALUE", "the Go kind of a value: int, string, slice, map ...", "kindOf (list 1)",
                          "slice"),
    define<kind_is>("kindIs", "KIND VALUE", "true if the value has this kind", R"(kindIs "map" (dict))", "true"),
    define<deep_equal_values>("deepEqual", "A B", "true if both have the same type and content",
                              "deepEqual (list 1 2) (list 1 2)", "true"),
};

// ---- defaults -------------------------------------------------------------------------------------------------------

Datum default_of(Run&, Datum otherwise, Rest<Datum> given) {
  return given.empty() || is_empty(given[0]) ? otherwise : given[0];
}
Datum empty(Run&, Datum value) { return Datum::of(is_empty(value)); }
Datum coalesce(Run&, Rest<Datum> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (is_true(values[i])) return values[i];
  return Datum::null();
}
Datum all(Run&, Rest<Datum> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (is_empty(values[i])) return Datum::of(false);
  return Datum::of(true);
}
Datum any(Run&, Rest<Datum> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (is_true(values[i])) return Datum::of(true);
  return Datum::of(false);
}
Datum ternary(Run&, Datum yes, Datum no, bool condition) { return condition ? yes : no; }

constexpr Function kDefaults[] = {
    define<default_of>("default", "OTHERWISE VALUE", "the value, or OTHERWISE if it is empty", R"(default "none" "")",
                       "none"),
    define<empty>("empty", "VALUE", "true for 0, \"\", false, nil, an empty list or dict", R"(empty "")", "true"),
    define<coalesce>("coalesce", "VALUE...", "the first value that is not empty", R"(coalesce 0 "" "x")", "x"),
    define<all>("all", "VALUE...", "true if none is empty", R"(all 1 "a" true)", "true"),
    define<any>("any", "VALUE...", "true if one is not empty", R"(any 0 "" "a")", "true"),
    define<ternary>("ternary", "YES NO CONDITION", "YES if the condition is true, else NO",
                    R"(eq 1 1 | ternary "same" "other")", "same"),
};

}  // namespace

std::span<const Function> conversion_functions() { return kConversion; }
std::span<const Function> type_functions() { return kTypes; }
std::span<const Function> default_functions() { return kDefaults; }

}  // namespace nodescout::tmpl
