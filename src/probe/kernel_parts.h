// Text of the kernel's own files -> values. Pure, and fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"

namespace nodescout {

/// First word of every line; blank lines are skipped.
FlagSet parse_modules(std::string_view text);
/// "kernel/lib/crc-t10dif.ko" -> "crc-t10dif", one per line of modules.builtin.
FlagSet parse_builtin_modules(std::string_view text);
/// CONFIG_X=y -> X: y. Outer double quotes are dropped; the last duplicate wins. With `wanted` only those options.
Attributes parse_kconfig(std::string_view text, const FlagSet* wanted = nullptr);
/// full, and major, minor, revision where the release has that form (a missing part is an empty text).
Attributes parse_release(std::string_view release);
/// Parameters of the command line that are on the list. "nosmt" -> "", "a=1 a=2" -> "1,2".
Attributes parse_cmdline(std::string_view text, const std::vector<std::string>& allowed);

}  // namespace nodescout
