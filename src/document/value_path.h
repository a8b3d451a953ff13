// Nested members of a Value: at(node, {"metadata", "labels"}).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "document/value.h"

namespace nodescout {

/// The value below these members, one in the other, or nullptr.
inline const Value* at(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* here = &value;
  for (const std::string_view name : path)
    if (here) here = here->find(name);
  return here;
}

/// The text of the scalar there; "" where there is none.
inline std::string text_at(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* found = at(value, path);
  return found && found->is_scalar() ? found->text : "";
}

/// `map` with `value` in place of the member of that name.
inline void replace(Value& map, const std::string& name, Value value) {
  map.members.erase(
      std::remove_if(map.members.begin(), map.members.end(), [&](const Member& member) { return member.key == name; }),
      map.members.end());
  map.add(name, std::move(value));
}

}  // namespace nodescout
