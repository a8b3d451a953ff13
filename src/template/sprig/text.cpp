// sprig's functions on one text: cutting, trimming, replacing, quoting.
#include <algorithm>

#include "base/text.h"
#include "template/function.h"
#include "template/print.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

Datum trim_space(Run&, std::string_view text) { return Datum::of(trim(text)); }

bool contains_rune(std::string_view set, char32_t wanted) {
  while (!set.empty()) {
    const Rune rune = decode_rune(set);
    if (rune.value == wanted) return true;
    set.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  return false;
}

Datum trim_all(Run& run, std::string_view set, std::string_view text) {
  run.spend(set.size() / 16);
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (!contains_rune(set, rune.value)) break;
    run.spend_bytes(set.size());
    text.remove_prefix(static_cast<std::size_t>(rune.length));
  }
  while (!text.empty()) {
    const Rune rune = decode_last_rune(text);
    if (!contains_rune(set, rune.value)) break;
    run.spend_bytes(set.size());
    text.remove_suffix(static_cast<std::size_t>(rune.length));
  }
  return Datum::of(text);
}
Datum trim_prefix(Run&, std::string_view prefix, std::string_view text) {
  return Datum::of(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}
Datum trim_suffix(Run&, std::string_view suffix, std::string_view text) {
  return Datum::of(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
}

Datum repeat(Run& run, std::int64_t count, std::string_view text) {
  if (count < 0) fail("a string cannot be repeated " + std::to_string(count) + " times");
  if (text.empty() || count == 0) return Datum::of("");
  const auto times = static_cast<std::size_t>(count);
  if (times > run.arena().left() / text.size()) refuse("the repeated string would be too long");
  run.spend_bytes(times * text.size());
  Text out(run);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return run.text(out);
}

Datum substr(Run&, std::int64_t from, std::int64_t to, std::string_view text) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (from >= 0 && (to < 0 || to > size)) to = size;
  from = std::max<std::int64_t>(from, 0);
  if (to < from || to > size || to < 0)
    fail("the text has " + std::to_string(size) + " bytes and no part from " + std::to_string(from) + " to " +
         std::to_string(to));
  return Datum::of(text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
}

Datum trunc(Run&, std::int64_t count, std::string_view text) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (count < 0 && size + count > 0) return Datum::of(text.substr(static_cast<std::size_t>(size + count)));
  if (count >= 0 && size > count) return Datum::of(text.substr(0, static_cast<std::size_t>(count)));
  return Datum::of(text);
}

/// The text within `width` bytes, dots for what is left out at its end; empty if the width is too small for that.
std::string abbreviated(std::string_view text, std::int64_t width) {
  if (text.empty() || width < 4) return "";
  if (static_cast<std::int64_t>(text.size()) <= width) return std::string(text);
  return std::string(text.substr(0, static_cast<std::size_t>(width - 3))) + "...";
}

Datum abbrev(Run& run, std::int64_t width, std::string_view text) {
  return width < 4 ? Datum::of(text) : run.text(abbreviated(text, width));
}

Datum abbrevboth(Run& run, std::int64_t left, std::int64_t width, std::string_view text) {
  if (width < 4 || (left > 0 && width < 7)) return Datum::of(text);
  const auto size = static_cast<std::int64_t>(text.size());
  if (size <= width) return Datum::of(text);
  left = std::clamp<std::int64_t>(left, 0, size);
  if (size - left < width - 3) left = size - (width - 3);
  if (left <= 4) return run.text(abbreviated(text, width));
  if (width < 7) return Datum::of("");
  const bool reaches_end = left + width - 3 >= size;
  const std::string rest = reaches_end ? std::string(text.substr(static_cast<std::size_t>(size - (width - 3))))
                                       : abbreviated(text.substr(static_cast<std::size_t>(left)), width - 3);
  return run.text("..." + rest);
}

Datum nospace(Run& run, std::string_view text) {
  // Byte by byte, as sprig does it: once there is a blank, the bytes beyond ASCII are taken for code points of their
  // own.
  std::string out;
  for (const char c : text) {
    const char32_t rune = static_cast<unsigned char>(c);
    if (!is_space(rune)) append_rune(out, rune);
  }
  const bool unchanged =
      std::none_of(text.begin(), text.end(), [](char c) { return is_space(static_cast<unsigned char>(c)); });
  return unchanged ? Datum::of(text) : run.text(out);
}

Datum initials(Run& run, std::string_view text) {
  std::string out;
  bool after_gap = true;
  for (const char c : text) {
    const char32_t rune = static_cast<unsigned char>(c);  // bytes for code points, as in nospace
    const bool gap = is_space(rune);
    if (!gap && after_gap) append_rune(out, rune);
    after_gap = gap;
  }
  return run.text(out);
}

Datum cat(Run& run, Rest<Datum> values) {
  Text out(run);
  bool first = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_nothing(values[i])) continue;
    if (!first) out += ' ';
    first = false;
    const Datum value = values[i];
    print(run, out, {&value, 1});
  }
  return run.text(out);
}

Datum replace(Run& run, std::string_view from, std::string_view to, std::string_view text) {
  run.spend_bytes(text.size());
  if (from == to) return Datum::of(text);
  Text out(run);
  if (from.empty()) {  // before every character and at the end
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = static_cast<std::size_t>(decode_rune(rest).length);
      out += to;
      out += rest.substr(0, size);
      rest.remove_prefix(size);
    }
    out += to;
    return run.text(out);
  }
  std::size_t at = text.find(from);
  if (at == std::string_view::npos) return Datum::of(text);
  std::size_t done = 0;
  for (; at != std::string_view::npos; at = text.find(from, done)) {
    out += text.substr(done, at - done);
    out += to;
    done = at + from.size();
  }
  out += text.substr(done);
  return run.text(out);
}

Datum contains(Run& run, std::string_view part, std::string_view text) {
  run.spend_bytes(text.size());
  return Datum::of(text.find(part) != std::string_view::npos);
}
Datum has_prefix(Run&, std::string_view prefix, std::string_view text) { return Datum::of(text.starts_with(prefix)); }
Datum has_suffix(Run&, std::string_view suffix, std::string_view text) { return Datum::of(text.ends_with(suffix)); }

Datum quote_values(Run& run, Rest<Datum> values) {
  Text out(run);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_nothing(values[i])) continue;
    if (out.size() > 0) out += ' ';
    out += quote(text_of(run, values[i]));
  }
  return run.text(out);
}
Datum squote(Run& run, Rest<Datum> values) {
  Text out(run);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_nothing(values[i])) continue;
    if (out.size() > 0) out += ' ';
    out += '\'';
    const Datum value = values[i];
    print(run, out, {&value, 1});
    out += '\'';
  }
  return run.text(out);
}

Datum indented(Run& run, std::int64_t blanks, std::string_view text, std::string_view before) {
  if (blanks < 0) fail("a string cannot be indented by " + std::to_string(blanks));
  Text out(run);
  const auto pad = static_cast<std::size_t>(blanks);
  out += before;
  out.append(pad, ' ');
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(pad, ' ');
  }
  run.spend_bytes(out.size());
  return run.text(out);
}
Datum indent(Run& run, std::int64_t blanks, std::string_view text) { return indented(run, blanks, text, ""); }
Datum nindent(Run& run, std::int64_t blanks, std::string_view text) { return indented(run, blanks, text, "\n"); }

Datum plural(Run&, std::string_view one, std::string_view many, std::int64_t count) {
  return Datum::of(count == 1 ? one : many);
}

Datum to_string(Run& run, Datum value) { return Datum::of(text_of(run, value)); }
Datum hello(Run&) { return Datum::of("Hello!"); }
Datum fail_with(Run&, std::string_view message) { fail("the template gives up: " + std::string(message)); }

constexpr Function kText[] = {
    define<trim_space>("trim", "TEXT", "without white space at both ends", R"(trim "  a b ")", "a b"),
    define<trim_all>("trimAll", "CHARACTERS TEXT", "without any of the characters at both ends",
                     R"(trimAll "$." "$5.")", "5"),
    define<trim_all>("trimall", "CHARACTERS TEXT", "the same as trimAll", R"(trimall "x" "xax")", "a"),
    define<trim_prefix>("trimPrefix", "PREFIX TEXT", "without the prefix", R"(trimPrefix "v" "v1.2")", "1.2"),
    define<trim_suffix>("trimSuffix", "SUFFIX TEXT", "without the suffix", R"(trimSuffix "-generic" "6.8.0-generic")",
                        "6.8.0"),
    define<trunc>("trunc", "COUNT TEXT", "the first COUNT bytes, or the last ones if COUNT is negative",
                  R"(trunc 3 "hello")", "hel"),
    define<substr>("substr", "FROM TO TEXT", "bytes FROM to TO, TO not included; -1 is the end",
                   R"(substr 1 3 "hello")", "el"),
    define<abbrev>("abbrev", "WIDTH TEXT", "at most WIDTH bytes, the end replaced by dots", R"(abbrev 5 "hello world")",
                   "he..."),
    define<abbrevboth>("abbrevboth", "LEFT WIDTH TEXT", "at most WIDTH bytes around LEFT, both ends replaced by dots",
                       R"(abbrevboth 5 10 "1234 5678 9123")", "...5678..."),
    define<initials>("initials", "TEXT", "the first letters of the words", R"(initials "First Try")", "FT"),
    define<nospace>("nospace", "TEXT", "without any white space", R"(nospace "a b c")", "abc"),
    define<repeat>("repeat", "COUNT TEXT", "the text, repeated COUNT times", R"(repeat 3 "ab")", "ababab"),
    define<replace>("replace", "OLD NEW TEXT", "every OLD replaced by NEW", R"(replace " " "-" "a b c")", "a-b-c"),
    define<contains>("contains", "PART TEXT", "true if PART occurs in the text", R"(contains "AVX" "AVX512F")", "true"),
    define<has_prefix>("hasPrefix", "PREFIX TEXT", "true if the text begins with PREFIX",
                       R"(hasPrefix "AVX" "AVX512F")", "true"),
    define<has_suffix>("hasSuffix", "SUFFIX TEXT", "true if the text ends with SUFFIX", R"(hasSuffix "F" "AVX512F")",
                       "true"),
    define<cat>("cat", "VALUE...", "the values with blanks between them, nil left out", R"(cat "a" 1 nil true)",
                "a 1 true"),
    define<quote_values>("quote", "VALUE...", "each value in double quotes, as Go writes them", R"(quote "a" 1)",
                         R"("a" "1")"),
    define<squote>("squote", "VALUE...", "each value in single quotes", R"(squote "a" 1)", "'a' '1'"),
    define<indent>("indent", "COUNT TEXT", "every line indented by COUNT blanks", R"(indent 2 "a")", "  a"),
    define<nindent>("nindent", "COUNT TEXT", "a line break, then every line indented", R"(nindent 2 "a" | quote)",
                    R"("\n  a")"),
    define<plural>("plural", "ONE MANY COUNT", "ONE if COUNT is 1, else MANY", R"(len "abc" | plural "byte" "bytes")",
                   "bytes"),
    define<to_string>("toString", "VALUE", "the value as a string", R"(toString 1.5 | printf "%q")", R"("1.5")"),
    define<hello>("hello", "", "a greeting", "hello", "Hello!"),
    define<fail_with>("fail", "MESSAGE", "makes the rule fail with this message", "", ""),
};

}  // namespace

std::span<const Function> text_functions() { return kText; }

}  // namespace nodescout::tmpl
