// Names that earlier releases of NFD had, and what takes their place: asked before any suggestion of a similar name.
#pragma once

#include <cstdint>
#include <string_view>

namespace nodescout {

/// What NFD did with a name that it has no more.
struct FormerName {
  enum class Kind : std::uint8_t {
    rule_field,  // of a rule, or of what stood below matchOn
    feature,     // as a term or a reference names it
    config_key,  // with its path: "sources.local.hooksEnabled"
  };

  Kind kind;
  std::string_view name;
  std::string_view since;  // what happened to it
  std::string_view todo;   // what to write in its place
};

/// Case counts for features and rule fields, and not for keys of the configuration. nullptr: never a name of NFD.
const FormerName* find_former_name(FormerName::Kind kind, std::string_view name);

/// The API group of NFD's operator before NFD had one of its own.
inline constexpr std::string_view kFormerApiVersion = "nfd.openshift.io/v1alpha1";

}  // namespace nodescout
