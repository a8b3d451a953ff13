// All functions by name: Go's built-in ones and sprig's.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "template/builtins.h"
#include "template/function.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

/// Pointers to all functions, in byte order of their names.
const std::vector<const Function*>& by_name() {
  static const std::vector<const Function*> sorted = [] {
    std::vector<const Function*> all;
    for (const Group& group : function_groups())
      for (const Function& function : group.functions) all.push_back(&function);
    std::sort(all.begin(), all.end(), [](const Function* a, const Function* b) { return a->name < b->name; });
    return all;
  }();
  return sorted;
}

}  // namespace

std::span<const Group> function_groups() {
  static const std::vector<Group> groups = [] {
    std::vector<Group> all;
    for (const std::span<const Group> part : {builtin_groups(), sprig_groups()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return groups;
}

const Function* find_function(std::string_view name) {
  // A template has a few names and most programs a few templates: cheaper than making an index.
  for (const Group& group : function_groups())
    for (const Function& function : group.functions)
      if (function.name == name) return &function;
  return nullptr;
}

std::string_view similar_function(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Function* function : by_name())
    if (function->kind != Function::Kind::refused) names.push_back(function->name);
  return closest(name, names);
}

const Function* find_method(Type receiver, std::string_view name) {
  const std::span<const Function> methods = methods_of(receiver);
  const auto at =
      std::find_if(methods.begin(), methods.end(), [&](const Function& method) { return method.name == name; });
  return at == methods.end() ? nullptr : &*at;
}

}  // namespace nodescout::tmpl
