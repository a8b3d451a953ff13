// Base 64 (RFC 4648 with padding), as Go's base64.StdEncoding reads and writes it.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace nodescout {

/// Line breaks between the characters are skipped. Errors: malformed, what = Go's words ("illegal base64 data at input
/// byte 3"); where stays empty.
Result<std::string> decode_base64(std::string_view text);

std::string encode_base64(std::string_view bytes);

}  // namespace nodescout
