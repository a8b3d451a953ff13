#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nodescout/features.h"

namespace nodescout {

/// KEY=value lines, as NFD reads them: outer quotes of either kind dropped, nothing unescaped, comments and `KEY=`
/// ignored. VERSION_ID.major and .minor are added where VERSION_ID begins with numbers.
Attributes parse_os_release(std::string_view text);

/// Lines of it that have no effect and are neither blank nor comments.
struct JunkLines {
  int line = 0;      // of the first one
  std::string text;  // its beginning
  int others = 0;
};
std::optional<JunkLines> junk_of_os_release(std::string_view text);

}  // namespace nodescout
