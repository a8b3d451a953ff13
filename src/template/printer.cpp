#include "template/printer.h"

#include "base/text.h"
#include "template/failure.h"
#include "template/print.h"

namespace nodescout::tmpl {
namespace {

bool is_text_verb(char32_t verb) { return verb == 'v' || verb == 's' || verb == 'x' || verb == 'X' || verb == 'q'; }

}  // namespace

std::optional<std::string> own_text(const Datum& value) {
  switch (value.type) {
    case Type::month: {
      const std::string_view name = month_name(value.integer);
      return name.empty() ? "%!Month(" + std::to_string(value.uinteger) + ")" : std::string(name);
    }
    case Type::weekday: {
      const std::string_view name = weekday_name(value.integer);
      return name.empty() ? "%!Weekday(" + std::to_string(value.uinteger) + ")" : std::string(name);
    }
    case Type::duration: return format_duration(value.integer);
    case Type::time: return to_text(*value.time);
    case Type::version:
    case Type::version_ptr: return nodescout::to_text(*value.version);
    case Type::location: return std::string(value.location->name);
    default: return std::nullopt;
  }
}

void Printer::value(const Datum& value, char32_t verb) {
  if (is_nothing(value)) {
    if (verb == 'T' || verb == 'v') {
      padded("<nil>");
    } else {
      bad_verb(value, verb);
    }
    return;
  }
  if (verb == 'T') return padded(truncated(type_name(value.type)));
  if (verb == 'p') return pointer(value, verb);
  // %w is for Go's errors; other verbs that do not fit are reported for each item of a list.
  const bool compound = is_list(value) || is_map(value) || kind_of(value) >= Kind::structure;
  if (verb == 'w' && compound) return bad_verb(value, verb);
  print(value, verb, 0);
}

void Printer::bad_verb(const Datum& value, char32_t verb) {
  complaining_ = true;
  out_ += "%!";
  out_.append_rune(verb);
  out_ += '(';
  if (is_nothing(value)) {
    out_ += "<nil>";
  } else {
    out_ += type_name(value.type);
    out_ += '=';
    print(value, 'v', 0);
  }
  out_ += ')';
  complaining_ = false;
}

void Printer::print(const Datum& value, char32_t verb, int depth) {
  run_.spend(1);
  if (own_text(value, verb)) return;
  switch (kind_of(value)) {
    case Kind::none: out_ += flags.sharp_v ? "interface {}(nil)" : "<nil>"; return;
    case Kind::boolean:
      if (verb != 't' && verb != 'v') return bad_verb(value, verb);
      return padded(value.boolean ? "true" : "false");
    case Kind::integer:
    case Kind::uinteger: return integer(value, verb);
    case Kind::floating: return floating(value, value.floating, verb);
    case Kind::complex: return complex(value, verb);
    case Kind::text: return text(value, value.text(), verb);
    case Kind::list: return list(value, verb, depth);
    case Kind::map: return map(value, verb, depth);
    case Kind::structure:
      if (value.is(Type::version)) return version(*value.version, verb, depth);
      refuse("print a date with %v or %s; the other verbs show how Go stores it");
    case Kind::pointer:
      // Go prints what a pointer points to, but only at the outermost level.
      if (!value.is(Type::version_ptr) || depth > 0) return pointer(value, verb);
      out_ += '&';
      return version(*value.version, verb, depth + 1);
  }
}

/// True if the value has a text of its own: a date under %v is its text, whatever Go stores of it.
bool Printer::own_text(const Datum& value, char32_t verb) {
  if (complaining_) return false;
  if (flags.sharp_v) {
    if (!value.is(Type::time)) return false;
    padded(truncated(to_go_syntax(*value.time)));
    return true;
  }
  if (!is_text_verb(verb)) return false;
  const std::optional<std::string> own = nodescout::tmpl::own_text(value);
  if (own) text(value, *own, verb);
  return own.has_value();
}

bool Printer::begins(const Datum& value, std::string_view bracket) {
  if (flags.sharp_v) {
    out_ += type_name(value.type);
    if (is_nil(value)) {
      out_ += "(nil)";
      return false;
    }
  }
  out_ += flags.sharp_v ? "{" : bracket;
  return true;
}

void Printer::list(const Datum& value, char32_t verb, int depth) {
  const Deeper deeper(depth_);
  if (!begins(value, "[")) return;
  for (std::size_t i = 0; i < value.size; ++i) {
    if (i > 0) out_ += flags.sharp_v ? ", " : " ";
    print(item_of(value, i), verb, depth + 1);
  }
  out_ += flags.sharp_v ? '}' : ']';
}

void Printer::map(const Datum& value, char32_t verb, int depth) {
  const Deeper deeper(depth_);
  if (!begins(value, "map[")) return;
  bool first = true;
  each_entry(value, [&](std::string_view key, const Datum& item) {
    if (!first) out_ += flags.sharp_v ? ", " : " ";
    first = false;
    print(Datum::of(key), verb, depth + 1);
    out_ += ':';
    print(item, verb, depth + 1);
  });
  out_ += flags.sharp_v ? '}' : ']';
}

/// The fields of Go's structure, which only unusual verbs and %#v show.
void Printer::version(const SemanticVersion& version, char32_t verb, int depth) {
  const std::pair<std::string_view, Datum> fields[] = {
      {"major", Datum::of_uint64(version.major)}, {"minor", Datum::of_uint64(version.minor)},
      {"patch", Datum::of_uint64(version.patch)}, {"pre", Datum::of(version.prerelease)},
      {"metadata", Datum::of(version.metadata)},  {"original", Datum::of(version.original)},
  };
  if (flags.sharp_v) out_ += type_name(Type::version);
  out_ += '{';
  for (const auto& [name, field] : fields) {
    if (name != fields[0].first) out_ += flags.sharp_v ? ", " : " ";
    if (flags.plus_v || flags.sharp_v) {
      out_ += name;
      out_ += ':';
    }
    print(field, verb, depth + 1);
  }
  out_ += '}';
}

void Printer::pointer(const Datum& value, char32_t verb) {
  const bool has_address = is_list(value) || is_map(value) || kind_of(value) == Kind::pointer;
  if (!has_address) return bad_verb(value, verb);
  if (verb == 'p' && is_nil(value)) {
    const bool sharp = std::exchange(flags.sharp, !flags.sharp);
    digits(0, 16, false, 'v', false);
    flags.sharp = sharp;
    return;
  }
  refuse("this prints an address in memory, which differs at every evaluation");
}

// ---- texts ----------------------------------------------------------------------------------------------------------

void Printer::padding(int count) {
  if (count > 0) out_.append(static_cast<std::size_t>(count), flags.zero && !flags.minus ? '0' : ' ');
}

void Printer::padded(std::string_view text) {
  if (!flags.has_width || flags.width == 0) {
    out_ += text;
    return;
  }
  const int missing = flags.width - static_cast<int>(rune_count(text));
  if (!flags.minus) padding(missing);
  out_ += text;
  if (flags.minus) padding(missing);
}

std::string_view Printer::truncated(std::string_view text) const {
  if (!flags.has_precision) return text;
  std::size_t end = 0;
  for (int left = flags.precision; left > 0 && end < text.size(); --left)
    end += static_cast<std::size_t>(decode_rune(text.substr(end)).length);
  return text.substr(0, end);
}

void Printer::text(const Datum& value, std::string_view text, char32_t verb) {
  run_.spend_bytes(text.size());
  switch (verb) {
    case 'v':
      if (flags.sharp_v) return quoted_text(text);
      return padded(truncated(text));
    case 's': return padded(truncated(text));
    case 'x': return hex_text(text, false);
    case 'X': return hex_text(text, true);
    case 'q': return quoted_text(text);
    default: return bad_verb(value, verb);
  }
}

void Printer::quoted_text(std::string_view text) {
  text = truncated(text);
  // %#q writes `...` where that is possible: valid, no control characters but tabs, and no backquote.
  bool raw = flags.sharp;
  for (std::size_t at = 0; raw && at < text.size();) {
    const Rune rune = decode_rune(text.substr(at));
    raw = !rune.broken() && rune.value != 0xFEFF && rune.value != '`' && rune.value != 0x7F &&
          (rune.value >= ' ' || rune.value == '\t');
    at += static_cast<std::size_t>(rune.length);
  }
  padded(raw ? '`' + std::string(text) + '`' : quote(text, flags.plus));
}

void Printer::hex_text(std::string_view text, bool upper) {
  if (flags.has_precision && static_cast<std::size_t>(flags.precision) < text.size())
    text = text.substr(0, static_cast<std::size_t>(flags.precision));
  if (text.empty()) {
    if (flags.has_width) padding(flags.width);
    return;
  }
  const std::string_view hex = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  const std::string_view prefix = upper ? "0X" : "0x";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (flags.space && i > 0) out += ' ';
    if (flags.sharp && (flags.space || i == 0)) out += prefix;
    const auto byte = static_cast<unsigned char>(text[i]);
    out += {hex[byte >> 4], hex[byte & 15]};
  }
  padded(out);
}

}  // namespace nodescout::tmpl
