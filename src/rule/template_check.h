#pragma once

#include <functional>
#include <string>

#include "nodescout/rules.h"
#include "rule/check.h"
#include "rule/source_map.h"

namespace nodescout {

using ReportMistake = std::function<void(Mark, std::string code, std::string what, std::string todo)>;

/// A rule's templates: do they parse, and can they render on what the rule's terms match?
void check_templates(const Rule& rule, const Schema& schema, const SourceMap& source, const ReportMistake& report);

}  // namespace nodescout
