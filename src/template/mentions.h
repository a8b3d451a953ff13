#pragma once

#include <vector>

#include "template/syntax.h"
#include "template/template.h"

namespace nodescout::tmpl {

/// See Template::mentions.
std::vector<TemplateMention> mentions_of(const Program& program);

}  // namespace nodescout::tmpl
