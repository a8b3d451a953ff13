// Traces of rules for people and for programs.
#pragma once

#include <string>

#include "cli/rule_views.h"
#include "cli/table.h"
#include "document/value.h"

namespace nodescout::cli {

/// Each term: wanted, found, verdict; then, for a rule that matched, what became of each entry, and the chain behind
/// it.
std::string explain_text(const ExplainedRule& rule, const Style& style);
Value explain_value(const ExplainedRule& rule);

/// The document of `rules eval` as aligned text.
std::string outcome_table(const Value& document);

}  // namespace nodescout::cli
