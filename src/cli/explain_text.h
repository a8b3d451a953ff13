// Traces of rules for people and for programs.
#pragma once

#include <string>

#include "cli/style.h"
#include "document/value.h"
#include "rule/explain.h"

namespace nodescout::cli {

/// Each term: wanted, found, verdict; then, for a rule that matched, each label with the chain behind it.
std::string explain_text(const RuleTrace& trace, const Features& features, const Style& style);
Value explain_value(const RuleTrace& trace, const Features& features);

/// The document of `rules eval` as aligned text.
std::string outcome_table(const Value& document);

}  // namespace nodescout::cli
