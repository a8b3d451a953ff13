// One document of YAML or JSON as plain values that remember their line and column.
//
// Rules, configuration, feature files and API objects are all read through this one tree. Scalars are resolved
// as NFD resolves them (YAML 1.1, section 2.7 of NFD's behaviour): `yes` is a boolean, 0200 is 128, 1.10 is 1.1.
// Duplicate keys are kept, in source order, so that a strict reader can refuse what a lenient one overrides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

/// "file:line:column", or just "file" without a mark.
std::string place(std::string_view origin, Mark mark);

struct Member;

struct Value {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, list, map };

  Kind kind = Kind::null;
  Mark mark;
  std::string text;    // a scalar as text wants it: "true", decimal integers, Go's shortest floats; "" for null
  std::string source;  // the scalar as it was spelled, where that differs from text
  std::vector<Value> items;
  std::vector<Member> members;

  static Value string(std::string text);
  static Value boolean(bool value);
  static Value integer(std::int64_t value);
  static Value list();
  static Value list(std::vector<Value> items);
  static Value map();

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_scalar() const { return kind != Kind::list && kind != Kind::map; }

  /// Last member of that name (the later duplicate wins), or nullptr; also nullptr on anything but a map.
  const Value* find(std::string_view key) const;
  /// As find, but "CONFIGOPTS" finds configOpts: Go's JSON decoder on a struct.
  const Value* find_ignoring_case(std::string_view key) const;
  /// Appends; never overrides an earlier member of the same name.
  Value& add(std::string key, Value value);
};

struct Member {
  std::string key;  // as text, as scalars are: `on` is "true", 010 is "8"
  Mark mark;
  Value value;
  Value::Kind key_kind = Value::Kind::string;
  std::string key_source = {};  // the key as it was spelt, where that differs from it
};

/// "a map", "a list", "the string \"x\"", "the number 3": for messages.
std::string describe(const Value& value);

/// Deep equality of content; marks, spelling and the order of members are ignored.
bool same_content(const Value& a, const Value& b);

}  // namespace nodescout
