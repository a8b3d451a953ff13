#pragma once

#include <string_view>

#include "nodescout/features.h"

namespace nodescout {

/// KEY=value lines, as NFD reads them: outer quotes of either kind dropped, nothing unescaped, comments and `KEY=`
/// ignored. VERSION_ID.major and .minor are added where VERSION_ID begins with numbers.
Attributes parse_os_release(std::string_view text);

}  // namespace nodescout
