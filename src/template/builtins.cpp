// The functions that Go itself provides: logic, comparison, index and len, printing.
#include "template/builtins.h"

#include "base/text.h"
#include "base/unicode.h"
#include "template/function.h"
#include "template/go/url.h"
#include "template/print.h"

namespace nodescout::tmpl {
namespace {

// ---- logic ----------------------------------------------------------------------------------------------------------

Datum logical_not(Run&, Raw value) { return Datum::of(!is_true(value.datum)); }

/// and, or: the evaluator never calls them.
Datum decided_by_evaluator(Run&, Raw, Rest<Raw>) { return {}; }

Datum call(Run&, Raw function, Rest<Raw>) {
  fail("call needs a function, and " + describe(function.datum) + " is none; there are none in rules");
}

constexpr Function both() {
  Function made = define<decided_by_evaluator>(
      "and", "VALUE...", "the first value that is empty, or else the last; later values are not evaluated",
      R"(and "x" 0 "y")", "0");
  made.kind = Function::Kind::both;
  return made;
}
constexpr Function either() {
  Function made = define<decided_by_evaluator>(
      "or", "VALUE...", "the first value that is not empty, or else the last; later values are not evaluated",
      R"(or "" "x" "y")", "x");
  made.kind = Function::Kind::either;
  return made;
}

constexpr Function kLogic[] = {
    both(),
    either(),
    define<logical_not>("not", "VALUE", "true if the value is empty: false, 0, \"\", nil, an empty list or dict",
                        "not 0", "true"),
    define<call>("call", "FUNCTION VALUE...", "always fails: in rules, no value is a function", "", ""),
};

// ---- comparison -----------------------------------------------------------------------------------------------------

/// What eq and lt can compare; integers of either sign are one family.
enum class Family : std::uint8_t { none, boolean, integer, floating, complex, text };

Family family_of(const Datum& value) {
  switch (kind_of(value)) {
    case Kind::boolean: return Family::boolean;
    case Kind::integer:
    case Kind::uinteger: return Family::integer;
    case Kind::floating: return Family::floating;
    case Kind::complex: return Family::complex;
    case Kind::text: return Family::text;
    default: return Family::none;
  }
}

[[noreturn]] void not_comparable(const Datum& a, const Datum& b) {
  fail("cannot compare " + describe(a) + " (" + std::string(type_name(a.type)) + ") with " + describe(b) + " (" +
       std::string(type_name(b.type)) + "): convert one of them with int, float64 or toString");
}

int order_of_integers(const Datum& a, const Datum& b) {
  const bool a_negative = kind_of(a) == Kind::integer && a.integer < 0;
  const bool b_negative = kind_of(b) == Kind::integer && b.integer < 0;
  if (a_negative != b_negative) return a_negative ? -1 : 1;
  return a.uinteger < b.uinteger ? -1 : a.uinteger > b.uinteger ? 1 : 0;  // also right for two negative ones
}

/// Go's == on the values that have no basic kind: dates, versions, and anything with nil.
bool same_object(const Datum& a, const Datum& b) {
  if (is_nil(a) || is_nil(b)) return is_nil(a) && is_nil(b);
  switch (b.type) {
    case Type::time: return a.is(Type::time) && compare(*a.time, *b.time) == 0 && a.time->zone == b.time->zone;
    case Type::version: return a.is(Type::version) && *a.version == *b.version;
    case Type::version_ptr: return a.is(Type::version_ptr) && a.version == b.version;
    case Type::location: return a.is(Type::location) && a.location == b.location;
    default: not_comparable(a, b);
  }
}

bool equal(const Datum& a, const Datum& b) {
  const Family family = family_of(a);
  if (family != family_of(b)) {
    if (is_nothing(a) || is_nothing(b)) return false;
    not_comparable(a, b);
  }
  switch (family) {
    case Family::boolean: return a.boolean == b.boolean;
    case Family::integer: return order_of_integers(a, b) == 0;
    case Family::floating: return a.floating == b.floating;
    case Family::complex: return *a.complex == *b.complex;
    case Family::text: return a.text() == b.text();
    case Family::none: break;
  }
  // Kinds must agree unless there is nothing on one side; a nil list is not nothing.
  if (!is_nothing(a) && !is_nothing(b) && kind_of(a) != kind_of(b)) not_comparable(a, b);
  return same_object(a, b);
}

bool less(const Datum& a, const Datum& b) {
  const Family family = family_of(a);
  if (family == Family::none || family != family_of(b)) not_comparable(a, b);
  switch (family) {
    case Family::integer: return order_of_integers(a, b) < 0;
    case Family::floating: return a.floating < b.floating;
    case Family::text: return a.text() < b.text();
    default: fail(describe(a) + " has no order: lt, le, gt and ge are for numbers and strings");
  }
}

Datum eq(Run& run, Raw a, Rest<Raw> others) {
  if (others.empty()) fail("eq needs something to compare with");
  run.spend(others.size());
  for (std::size_t i = 0; i < others.size(); ++i)
    if (equal(a.datum, others[i].datum)) return Datum::of(true);
  return Datum::of(false);
}
Datum ne(Run&, Raw a, Raw b) { return Datum::of(!equal(a.datum, b.datum)); }
Datum lt(Run&, Raw a, Raw b) { return Datum::of(less(a.datum, b.datum)); }
bool less_or_equal(const Datum& a, const Datum& b) { return less(a, b) || equal(a, b); }
Datum le(Run&, Raw a, Raw b) { return Datum::of(less_or_equal(a.datum, b.datum)); }
Datum gt(Run&, Raw a, Raw b) { return Datum::of(!less_or_equal(a.datum, b.datum)); }
Datum ge(Run&, Raw a, Raw b) { return Datum::of(!less(a.datum, b.datum)); }

constexpr Function kComparison[] = {
    define<eq>("eq", "A B...", "true if A equals any of the others; an integer and a string are never equal",
               R"(eq "6" "5" "6")", "true"),
    define<ne>("ne", "A B", "true if A differs from B", "ne 1 2", "true"),
    define<lt>("lt", "A B", "true if A is less than B", "lt 1 2", "true"),
    define<le>("le", "A B", "true if A is less than B or equal", "le 2 2", "true"),
    define<gt>("gt", "A B", "true if A is greater than B", R"(gt "b" "a")", "true"),
    define<ge>("ge", "A B", "true if A is greater than B or equal", "ge 1 2", "false"),
};

// ---- items ----------------------------------------------------------------------------------------------------------

Datum len(Run&, Raw value) {
  switch (kind_of(value.datum)) {
    case Kind::text:
    case Kind::list:
    case Kind::map: return Datum::of_int(static_cast<std::int64_t>(length_of(value.datum)));
    default: fail("len counts the bytes of a string or the items of a list or dict, not " + describe(value.datum));
  }
}

std::size_t place_in_list(const Datum& index, std::size_t size) {
  const Kind kind = kind_of(index);
  if (kind != Kind::integer && kind != Kind::uinteger) fail("an item of a list has a number, not " + describe(index));
  if (index.integer < 0 || index.uinteger >= size)
    fail("there is no item " + std::to_string(index.integer) + ": there are " + std::to_string(size) +
         ", and the first is number 0");
  return static_cast<std::size_t>(index.integer);
}

Datum index(Run&, Raw value, Rest<Raw> indexes) {
  Datum item = value.datum;
  if (is_nothing(item)) fail("there is nothing to take an item of");
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const Datum at = indexes[i].datum;
    switch (kind_of(item)) {
      case Kind::text:
        item = Datum::of_byte(static_cast<unsigned char>(item.text()[place_in_list(at, item.size)]));
        break;
      case Kind::list: item = item_of(item, place_in_list(at, item.size)); break;
      case Kind::map: {
        if (!at.is(Type::text)) fail("an entry of " + describe(item) + " has a name, not " + describe(at));
        const std::optional<Datum> entry = entry_of(item, at.text());
        item = entry ? *entry : zero_entry_of(item);
        break;
      }
      default: fail(describe(item) + " has no items");
    }
  }
  return item;
}

// ---- printing -------------------------------------------------------------------------------------------------------

Datum print_values(Run& run, Rest<Datum> values) {
  Text out(run);
  print(run, out, values.data());
  return run.text(out);
}
Datum println(Run& run, Rest<Datum> values) {
  Text out(run);
  print_line(run, out, values.data());
  return run.text(out);
}
Datum printf(Run& run, std::string_view format, Rest<Datum> values) {
  Text out(run);
  print_format(run, out, format, values.data());
  return run.text(out);
}

/// What the escaping functions escape: the arguments printed, nothing as <no value>.
std::string_view printed(Run& run, Rest<Datum> values) {
  if (values.size() == 1 && values[0].is(Type::text)) return values[0].text();
  std::vector<Datum> shown;
  for (std::size_t i = 0; i < values.size(); ++i)
    shown.push_back(is_nothing(values[i]) ? Datum::of("<no value>") : values[i]);
  Text out(run);
  print(run, out, shown);
  return run.arena().keep(out.view());
}

Datum html(Run& run, Rest<Datum> values) {
  const std::string_view text = printed(run, values);
  Text out(run);
  for (const char c : text) {
    switch (c) {
      case '\0': out += "\xEF\xBF\xBD"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return run.text(out);
}

Datum js(Run& run, Rest<Datum> values) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string_view text = printed(run, values);
  Text out(run);
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    const std::string_view bytes = text.substr(0, static_cast<std::size_t>(rune.length));
    text.remove_prefix(bytes.size());
    if (rune.value == '\\' || rune.value == '\'' || rune.value == '"') {
      out += '\\';
      out += bytes;
    } else if (rune.value >= 0x80
                   ? is_print(rune.value)
                   : rune.value >= ' ' && std::string_view("<>&=").find(bytes[0]) == std::string_view::npos) {
      out += bytes;
    } else {
      std::string hex;
      for (char32_t rest = rune.value; rest > 0 || hex.size() < 4; rest /= 16) hex.insert(0, 1, kHex[rest % 16]);
      out += "\\u" + hex;
    }
  }
  return run.text(out);
}

Datum urlquery(Run& run, Rest<Datum> values) { return run.text(escape_query(printed(run, values))); }

constexpr Function kPrinting[] = {
    define<len>("len", "VALUE", "bytes of a string, items of a list, entries of a dict", R"(len "abc")", "3"),
    define<index>("index", "VALUE KEY...",
                  "item of a list by number, of a dict or element by name; \"\" for a name that is missing",
                  R"(index (list "a" "b") 1)", "b"),
    define<print_values>("print", "VALUE...",
                         "the values as one string, with blanks between two values that are not strings",
                         R"(print 1 2 "a")", "1 2a"),
    define<println>("println", "VALUE...",
                    "the values as one string, with blanks between all, and a line break at the end",
                    R"(println "a" 1 | trim)", "a 1"),
    define<printf>("printf", "FORMAT VALUE...", "Go's formats: %v %d %s %q %x %05d %-8s %.2f %[2]s ...",
                   R"(printf "%03d|%.1f|%q" 7 2.55 "x")", "007|2.5|\"x\""),
    define<html>("html", "VALUE...", "the values as one string, escaped for HTML", R"(html "<a>")", "&lt;a&gt;"),
    define<js>("js", "VALUE...", "the values as one string, escaped for a JavaScript string", R"(js "it's")", "it\\'s"),
    define<urlquery>("urlquery", "VALUE...", "the values as one string, escaped for the query of a URL",
                     R"(urlquery "a b&c")", "a+b%26c"),
};

}  // namespace

std::span<const Group> builtin_groups() {
  static const Group groups[] = {
      {"Logic", kLogic},
      {"Comparison", kComparison},
      {"Items and printing", kPrinting},
  };
  return groups;
}

}  // namespace nodescout::tmpl
