#pragma once

#include "template/syntax.h"
#include "template/template.h"

namespace nodescout::tmpl {

/// See Template::makes.
TemplateKeys keys_of(const Program& program);

}  // namespace nodescout::tmpl
