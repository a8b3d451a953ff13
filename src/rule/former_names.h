// Names that NFD once had, with what takes the place of each. They are checked before spelling suggestions: someone who
// writes `matchOn` has not misspelt anything.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nodescout {

struct FormerName {
  enum Kind : std::uint8_t {
    config_key,  // of NFD's configuration files, in full: "restrictions.disableTaints"
    rule_field,  // of a rule: "matchOn"
    feature,     // "cpu.sgx"
  };
  Kind kind;
  std::string_view name;  // found in any case
  std::string_view todo;  // what to write instead, for people
};

std::span<const FormerName> former_names();

/// The `todo` of that name, or empty.
std::string_view advice_on_former_name(FormerName::Kind kind, std::string_view name);

/// The API group of NFD's operator before NFD had one of its own.
inline constexpr std::string_view kFormerApiVersion = "nfd.openshift.io/v1alpha1";

}  // namespace nodescout
