// Label values as gpu-feature-discovery spells them, and as Kubernetes takes them.
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

/// GFD's sanitising of a machine type or one part of a product name: everything but letters, digits, "-_." and space is
/// removed, and runs of white space become one dash.
std::string gfd_sanitised(std::string_view text);

/// A product of a model and a suffix ("-MIG-1g.5gb-SHARED"): at most 63 characters, of which the suffix keeps all, and
/// legal at both ends. Empty if nothing is left of the model.
std::string gfd_product(std::string_view model, std::string_view suffix);

/// Trimmed at both ends to what a label value may begin and end with, and cut to 63 characters. Empty if nothing is
/// left or if another character is illegal.
std::string legal_label_value(std::string_view text);

}  // namespace nodescout
