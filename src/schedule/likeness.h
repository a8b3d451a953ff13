// Whether a key or value of the fleet is probably what a misspelt one meant. Stricter than closest(): keys of devices
// differ by an id alone ("pci-10de.present", "pci-15b3.present"), and none of them means another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nodescout::schedule {

bool is_like_key(std::string_view wanted, std::string_view actual);
bool is_like_value(std::string_view wanted, std::string_view actual);

/// The likeliest of the candidates, all of which are alike; empty if there is none.
std::string_view likeliest(std::string_view wanted, const std::vector<std::string_view>& candidates);

}  // namespace nodescout::schedule
