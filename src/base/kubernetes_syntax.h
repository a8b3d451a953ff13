// Kubernetes' syntax for keys, label values, quantities and taints. Each function describes what is wrong; an empty
// string means that nothing is.
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

/// Optional DNS-1123 sub-domain (at most 253) + "/" + name (1 to 63 of [-A-Za-z0-9_.], alphanumeric at both ends).
std::string qualified_name_defect(std::string_view key);
/// At most 63 of the same characters, or empty.
std::string label_value_defect(std::string_view value);
/// The amount of an extended resource: a quantity that is whole and not negative ("4", "2Ki", "1e3", "1000m").
std::string resource_amount_defect(std::string_view value);
constexpr std::string_view kResourceAmountAdvice =
    "write a whole number that is not negative, such as \"4\", \"2Ki\" or \"1e3\"";
std::string taint_effect_defect(std::string_view effect);
/// What metadata.name of an object may be: a DNS name in lower case.
std::string object_name_defect(std::string_view name);

/// The nearest text of at most 63 legal characters, for advice; empty if there is none.
std::string nearest_label_value(std::string_view text);
/// Advice on a key that qualified_name_defect rejects.
std::string qualified_name_advice(std::string_view key);

/// Text before the first "/", or empty.
std::string_view namespace_of(std::string_view key);
/// Whether `name_space` is `domain` or below it.
bool is_within(std::string_view name_space, std::string_view domain);

}  // namespace nodescout
