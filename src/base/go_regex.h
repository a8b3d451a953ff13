// Go's regular expressions in the spelling of RE2, their common ancestor. Where RE2 20220601 and Go 1.26 differ:
//
// - Go knows (?<name>...) and RE2 only (?P<name>...): rewritten;
// - Go accepts long names of categories (\p{Letter}) in any case: rewritten; script names only as Unicode spells them;
// - RE2 knows \C, a single byte, and letters beyond ASCII in the names of groups: refused.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/result.h"

namespace nodescout {

/// Errors: malformed, what = why Go refuses it; where stays empty. What comes back may still be refused by RE2.
Result<std::string> re2_syntax(std::string_view go_pattern);

}  // namespace nodescout
