// All functions by name, and the names that are refused.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "template/function.h"
#include "template/functions/groups.h"
#include "template/print.h"

namespace nodescout::tmpl {
namespace {

constexpr Function refused(std::string_view name, std::string_view why) {
  Function made{.name = name, .about = why};
  made.kind = Function::Kind::refused;
  return made;
}

constexpr std::string_view kRandom = "it gives another value each time, so the label would change at every evaluation";
constexpr std::string_view kClock = "it reads the clock, so the label would change at every evaluation";
constexpr std::string_view kSecret =
    "it makes or uses secrets, which do not belong into labels, and most of them are others each time";
constexpr std::string_view kEnvironment = "NFD does not have it in rules either: a rule sees only features of the node";

constexpr Function kRefused[] = {
    refused("randAlpha", kRandom),
    refused("randAlphaNum", kRandom),
    refused("randAscii", kRandom),
    refused("randBytes", kRandom),
    refused("randInt", kRandom),
    refused("randNumeric", kRandom),
    refused("shuffle", kRandom),
    refused("uuidv4", kRandom),
    refused("now", kClock),
    refused("ago", kClock),
    refused("bcrypt", kSecret),
    refused("htpasswd", kSecret),
    refused("derivePassword", kSecret),
    refused("encryptAES", kSecret),
    refused("decryptAES", kSecret),
    refused("genPrivateKey", kSecret),
    refused("genCA", kSecret),
    refused("genCAWithKey", kSecret),
    refused("genSelfSignedCert", kSecret),
    refused("genSelfSignedCertWithKey", kSecret),
    refused("genSignedCert", kSecret),
    refused("genSignedCertWithKey", kSecret),
    refused("buildCustomCert", kSecret),
    refused("env", kEnvironment),
    refused("expandenv", kEnvironment),
    refused("getHostByName", kEnvironment),
};

/// Month, Weekday and Location have one method each: their text.
Datum text_of_receiver(Run& run, Datum value) { return run.text(own_text(value).value_or("")); }
constexpr Function kString[] = {define<text_of_receiver>("String", "", "", "", "")};

std::span<const Function> methods_of(Type type) {
  switch (type) {
    case Type::time: return time_methods();
    case Type::duration: return duration_methods();
    case Type::version: return version_value_methods();
    case Type::version_ptr: return version_methods();
    case Type::month:
    case Type::weekday:
    case Type::location: return kString;
    default: return {};
  }
}

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

std::span<const Function> refused_functions() { return kRefused; }

std::span<const Group> function_groups() {
  static const Group groups[] = {
      {"Logic", logic_functions()},
      {"Comparison", comparison_functions()},
      {"Items and printing", printing_functions()},
      {"Texts", text_functions()},
      {"Words", word_functions()},
      {"Splitting and joining", split_functions()},
      {"Regular expressions", regex_functions()},
      {"Conversion", conversion_functions()},
      {"Types", type_functions()},
      {"Integers", integer_functions()},
      {"Numbers with decimals", floating_functions()},
      {"Defaults", default_functions()},
      {"Lists", list_functions()},
      {"Dicts", dict_functions()},
      {"JSON", json_functions()},
      {"Encodings and hashes", encoding_functions()},
      {"Paths", path_functions()},
      {"URLs", url_functions()},
      {"Versions", version_functions()},
      {"Dates", date_functions()},
      {"Refused", refused_functions()},
  };
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
