// The functions that Go's text/template itself provides.
#pragma once

#include <span>

#include "template/function.h"

namespace nodescout::tmpl {

/// In the order of the documentation.
std::span<const Group> builtin_groups();

}  // namespace nodescout::tmpl
