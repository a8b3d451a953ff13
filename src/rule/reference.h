// "@kernel.config.HZ" as a value of a rule: the value of that attribute.
#pragma once

#include <optional>
#include <string_view>

namespace nodescout {

struct Reference {
  std::string_view feature;  // "kernel.config"
  std::string_view element;  // "HZ"; dots belong to it
};

/// What to do about a reference to a flag.
constexpr std::string_view kFlagAdvice = "match the flag in this rule, and write the value itself, such as \"true\"";

/// Nothing for a text that is not a reference. The parts are views of the text.
inline std::optional<Reference> parse_reference(std::string_view text) {
  if (!text.starts_with('@')) return std::nullopt;
  text.remove_prefix(1);
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Reference{text.substr(0, second), text.substr(second + 1)};
}

}  // namespace nodescout
