#pragma once

#include "template/syntax.h"
#include "template/template.h"

namespace nodescout::tmpl {

/// See Template::mentions.
TemplateMentions mentions_of(const Program& program);

}  // namespace nodescout::tmpl
