#pragma once

#include <string>
#include <string_view>

namespace nodescout::tmpl {

/// url.QueryEscape
std::string escape_query(std::string_view text);

}  // namespace nodescout::tmpl
