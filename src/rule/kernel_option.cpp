#include "rule/kernel_option.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {

std::string as_kernel_option(std::string_view written) {
  constexpr std::string_view kPrefix = "CONFIG_";
  if (lower_ascii(written).starts_with("config_")) written.remove_prefix(kPrefix.size());
  std::string name(trim(written.substr(0, written.find('='))));
  const bool has_capital = std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!has_capital)
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

}  // namespace nodescout
