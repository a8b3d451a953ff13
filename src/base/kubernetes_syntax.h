// Kubernetes' syntax for keys, label values, quantities and taints. Each function describes what is wrong; an empty
// text means that nothing is.
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

/// Optional DNS-1123 sub-domain (at most 253) + "/" + name (1 to 63 of [-A-Za-z0-9_.], alphanumeric at both ends).
std::string qualified_name_defect(std::string_view key);
/// At most 63 of the same characters, or empty.
std::string label_value_defect(std::string_view value);
/// A Kubernetes quantity: "1", "1.5", "2Ki", "1e3".
std::string quantity_defect(std::string_view value);
std::string taint_effect_defect(std::string_view effect);

/// Text before the first "/", or empty.
std::string_view namespace_of(std::string_view key);
/// Whether `name_space` is `domain` or below it.
bool is_within(std::string_view name_space, std::string_view domain);

}  // namespace nodescout
