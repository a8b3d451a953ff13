#pragma once

#include <string>

#include "template/data.h"
#include "template/limits.h"
#include "template/syntax.h"

namespace nodescout::tmpl {

/// What the program prints for the data. Throws Failure, with the place where it happened.
std::string evaluate(const Program& program, const TemplateData& data, const TemplateLimits& limits);

}  // namespace nodescout::tmpl
