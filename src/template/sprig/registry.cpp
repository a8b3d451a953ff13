// sprig's functions, the methods of the values that they make, and the functions of sprig that are refused.
#include <string>

#include "template/function.h"
#include "template/print.h"
#include "template/sprig/groups.h"

namespace nodescout::tmpl {
namespace {

constexpr Function refused(std::string_view name, std::string_view why) {
  Function made{.name = name, .about = why};
  made.kind = Function::Kind::refused;
  return made;
}

constexpr std::string_view kRandom =
    "it returns a different value each time, so the label would change at every evaluation";
constexpr std::string_view kClock = "it reads the clock, so the label would change at every evaluation";
constexpr std::string_view kSecret =
    "it makes or uses secrets, which do not belong in labels, and most of them differ each time";
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

}  // namespace

std::span<const Group> sprig_groups() {
  static const Group groups[] = {
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
      {"Refused", kRefused},
  };
  return groups;
}

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

}  // namespace nodescout::tmpl
