#include <algorithm>
#include <cmath>
#include <vector>

#include "base/number.h"
#include "base/text.h"
#include "template/go/json.h"

namespace nodescout::tmpl {
namespace {

class Writer {
 public:
  Writer(Run& run, Text& out, const JsonForm& form) : run_(run), out_(out), form_(form) {}

  std::string problem;

  bool write(const Datum& value) {
    run_.spend(1);
    switch (value.type) {
      case Type::none:
      case Type::null: out_ += "null"; return true;
      case Type::boolean: out_ += value.boolean ? "true" : "false"; return true;
      case Type::integer:
      case Type::int64:
      case Type::month:
      case Type::weekday:
      case Type::duration: out_ += std::to_string(value.integer); return true;
      case Type::uint8:
      case Type::uint64: out_ += std::to_string(value.uinteger); return true;
      case Type::float64: return number(value.floating);
      case Type::text: text(value.text()); return true;
      case Type::version:
      case Type::version_ptr: text(nodescout::to_text(*value.version)); return true;
      case Type::time: return date(*value.time);
      case Type::location: out_ += "{}"; return true;
      case Type::complex128: return give_up("JSON has no complex numbers");
      default: return container(value);
    }
  }

 private:
  bool give_up(const char* why) {
    problem = why;
    return false;
  }

  bool number(double value) {
    if (std::isnan(value) || std::isinf(value)) return give_up("JSON has neither infinite numbers nor NaN");
    const double size = std::abs(value);
    if (size == 0 || (size >= 1e-6 && size < 1e21)) {
      out_ += format_float(value, 'f', -1);
      return true;
    }
    std::string digits = format_float(value, 'e', -1);
    // 1e-09 is 1e-9 here.
    if (digits.size() >= 4 && digits.substr(digits.size() - 4, 3) == "e-0") digits.erase(digits.size() - 2, 1);
    out_ += digits;
    return true;
  }

  bool date(const Time& time) {
    const std::optional<std::string> written = to_rfc3339(time);
    if (!written) return give_up("the year of this date is beyond 9999");
    text(*written);
    return true;
  }

  void text(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    run_.spend_bytes(text.size());
    out_ += '"';
    while (!text.empty()) {
      const Rune rune = decode_rune(text);
      const std::string_view bytes = text.substr(0, static_cast<std::size_t>(rune.length));
      text.remove_prefix(bytes.size());
      switch (rune.value) {
        case '"': out_ += "\\\""; continue;
        case '\\': out_ += "\\\\"; continue;
        case '\b': out_ += "\\b"; continue;
        case '\f': out_ += "\\f"; continue;
        case '\n': out_ += "\\n"; continue;
        case '\r': out_ += "\\r"; continue;
        case '\t': out_ += "\\t"; continue;
        default: break;
      }
      const bool html = form_.escape_html && (rune.value == '<' || rune.value == '>' || rune.value == '&');
      if (rune.broken()) {
        out_ += "\\ufffd";
      } else if (rune.value < 0x20 || html || rune.value == 0x2028 || rune.value == 0x2029) {
        out_ += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out_ += kHex[(rune.value >> shift) & 15];
      } else {
        out_ += bytes;
      }
    }
    out_ += '"';
  }

  void new_line() {
    if (!form_.pretty) return;
    out_ += '\n';
    out_.append(2 * open_.size(), ' ');
  }

  bool container(const Datum& value) {
    if (is_nil(value)) {
      out_ += "null";
      return true;
    }
    const bool map = is_map(value);
    if (length_of(value) == 0) {
      out_ += map ? "{}" : "[]";
      return true;
    }
    // Address and size identify a container: an element of a feature has the address at which the list begins.
    const Open self{value.dict, value.size};
    if (std::find(open_.begin(), open_.end(), self) != open_.end()) return give_up("it contains itself");
    const Deeper deeper(depth_);
    open_.push_back(self);
    out_ += map ? '{' : '[';
    const bool written = map ? entries(value) : items(value);
    open_.pop_back();
    new_line();
    out_ += map ? '}' : ']';
    return written;
  }

  bool items(const Datum& list) {
    for (std::size_t i = 0; i < list.size; ++i) {
      if (i > 0) out_ += ',';
      new_line();
      if (!write(item_of(list, i))) return false;
    }
    return true;
  }

  bool entries(const Datum& map) {
    bool first = true;
    bool written = true;
    each_entry(map, [&](std::string_view key, const Datum& value) {
      if (!written) return;
      if (!first) out_ += ',';
      first = false;
      new_line();
      text(key);
      out_ += form_.pretty ? ": " : ":";
      written = write(value);
    });
    return written;
  }

  struct Open {
    const void* address;
    std::uint32_t size;
    bool operator==(const Open&) const = default;
  };

  Run& run_;
  Text& out_;
  const JsonForm& form_;
  std::vector<Open> open_;
  int depth_ = 0;
};

}  // namespace

bool write_json(Run& run, Text& out, const Datum& value, const JsonForm& form, std::string& problem) {
  Writer writer(run, out, form);
  if (writer.write(value)) return true;
  problem = writer.problem;
  return false;
}

}  // namespace nodescout::tmpl
