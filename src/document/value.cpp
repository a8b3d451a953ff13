#include "document/value.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {

std::string place(std::string_view origin, Mark mark) {
  std::string out(origin);
  if (mark.line > 0) out += ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
  return out;
}

Value Value::string(std::string text) {
  Value value;
  value.kind = Kind::string;
  value.text = std::move(text);
  return value;
}

Value Value::boolean(bool truth) {
  Value value;
  value.kind = Kind::boolean;
  value.text = truth ? "true" : "false";
  return value;
}

Value Value::integer(std::int64_t number) {
  Value value;
  value.kind = Kind::integer;
  value.text = std::to_string(number);
  return value;
}

Value Value::list() { return list({}); }

Value Value::list(std::vector<Value> items) {
  Value value;
  value.kind = Kind::list;
  value.items = std::move(items);
  return value;
}

Value Value::map() {
  Value value;
  value.kind = Kind::map;
  return value;
}

const Value* Value::find(std::string_view key) const {
  const auto at =
      std::find_if(members.rbegin(), members.rend(), [&](const Member& member) { return member.key == key; });
  return at == members.rend() ? nullptr : &at->value;
}

const Value* Value::find_ignoring_case(std::string_view key) const {
  const auto at = std::find_if(members.rbegin(), members.rend(),
                               [&](const Member& member) { return equal_ignoring_case(member.key, key); });
  return at == members.rend() ? nullptr : &at->value;
}

Value& Value::add(std::string key, Value value) {
  members.push_back({std::move(key), {}, std::move(value)});
  return members.back().value;
}

std::string describe(const Value& value) {
  std::string spelt = value.source.empty() ? value.text : value.source;
  constexpr std::size_t kEnough = 80;  // a file that is not a YAML map is one long text
  if (spelt.size() > kEnough) {
    std::size_t end = kEnough;
    while (end > 0 && (static_cast<unsigned char>(spelt[end]) & 0xC0) == 0x80) --end;  // not inside a character
    spelt = spelt.substr(0, end) + "...";
  }
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::boolean: return "the boolean " + spelt;
    case Value::Kind::integer:
    case Value::Kind::number: return "the number " + spelt;
    case Value::Kind::string: return "the string " + quote(spelt);
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a map";
  }
  return "nothing";
}

bool same_content(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() || a.members.size() != b.members.size())
    return false;
  if (!std::equal(a.items.begin(), a.items.end(), b.items.begin(), same_content)) return false;
  return std::all_of(a.members.begin(), a.members.end(), [&](const Member& member) {
    const Value* other = b.find(member.key);
    return other && same_content(*a.find(member.key), *other);
  });
}

}  // namespace nodescout
