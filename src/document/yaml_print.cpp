#include <algorithm>
#include <string>

#include "document/json.h"
#include "document/yaml.h"

namespace nodescout {
namespace {

/// Plain where no YAML version can take it for anything but this very text.
std::string yaml_text(std::string_view text) {
  const auto safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == '-';
  };
  const bool plain = !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) &&
                     std::all_of(text.begin(), text.end(), safe) && resolve_plain_scalar(text).is(Value::Kind::string);
  return plain ? std::string(text) : json_string(text);
}

void write(std::string& out, const Value& value, int level, bool after_dash) {
  const std::string indent(static_cast<std::size_t>(level) * 2, ' ');
  switch (value.kind) {
    case Value::Kind::list:
      for (const Value& item : value.items) {
        if (!after_dash || &item != &value.items.front()) out += indent;
        out += "- ";
        if (item.is_scalar() || (item.items.empty() && item.members.empty())) {
          write(out, item, level + 1, true);
          out += '\n';
        } else {
          write(out, item, level + 1, true);
        }
      }
      if (value.items.empty()) out += "[]";
      return;
    case Value::Kind::map:
      for (const Member& member : value.members) {
        if (!after_dash || &member != &value.members.front()) out += indent;
        out += yaml_text(member.key) + ":";
        const Value& inner = member.value;
        if (inner.is_scalar() || (inner.items.empty() && inner.members.empty())) {
          out += ' ';
          write(out, inner, level, true);
          out += '\n';
        } else {
          out += '\n';
          write(out, inner, level + 1, false);
        }
      }
      if (value.members.empty()) out += "{}";
      return;
    case Value::Kind::string: out += yaml_text(value.text); return;
    case Value::Kind::null: out += "null"; return;
    case Value::Kind::number:
      out += value.text == "NaN"           ? ".nan"
             : value.text == "-0"          ? "-0.0"  // -0 is an integer, which has no sign then
             : value.text.ends_with("Inf") ? (value.text[0] == '-' ? "-.inf" : ".inf")
                                           : value.text;
      return;
    default: out += value.text; return;
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  write(out, value, 0, false);
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

}  // namespace nodescout
