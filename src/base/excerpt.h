#pragma once

#include <string>
#include <string_view>

namespace nodescout {

/// Valid UTF-8 of at most about `most` bytes: of a longer text the middle is left out, since a message about a long key
/// names what is wrong with it at its end.
std::string excerpt(std::string_view text, std::size_t most);

}  // namespace nodescout
