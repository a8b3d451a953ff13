#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nodescout {

/// RFC 4648 with padding; line breaks and blanks between the characters are skipped. Empty result: not base64.
std::optional<std::string> decode_base64(std::string_view text);

std::string encode_base64(std::string_view bytes);

}  // namespace nodescout
