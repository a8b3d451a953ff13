#pragma once

#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace nodescout {

/// Decompressed content, at most `cap` bytes. Errors: malformed (no gzip, or cut short), unsupported (over the cap).
Result<std::string> gunzip(std::string_view compressed, std::string_view origin, std::size_t cap);

}  // namespace nodescout
