#pragma once

#include <vector>

#include "template/syntax.h"
#include "template/template.h"

namespace nodescout::tmpl {

/// See Template::lines.
std::vector<TemplateLine> lines_of(const Program& program);

}  // namespace nodescout::tmpl
