#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/rules.h"
#include "rule/check.h"
#include "rule/source_map.h"

namespace nodescout {

using ReportMistake = std::function<void(Mark, std::string code, std::string what, std::string todo)>;

/// The candidate that a word most probably meant, or empty.
using Guess = std::function<std::string_view(std::string_view word, const std::vector<std::string_view>& candidates)>;

/// A rule's templates: do they parse, and can they render on what the rule's terms match?
void check_templates(const Rule& rule, const Schema& schema, const SourceMap& source, const ReportMistake& report,
                     const Guess& guess);

}  // namespace nodescout
