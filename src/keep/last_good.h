// Rules that can no longer be read keep their last good form: a mistake in an edit removes no label.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "nodescout/rules.h"

namespace nodescout {

/// Files and directories of which a part cannot be read.
using BrokenPlaces = std::set<std::string, std::less<>>;

/// Adds to `now` those rules of `before` that come from a broken place and have no successor: a rule of the same name
/// and origin.
void keep_last_good(const std::vector<Rule>& before, const BrokenPlaces& broken, std::vector<Rule>& now);
/// The same for documents, and for the rules of a document that has a successor.
void keep_last_good(const std::vector<RuleDocument>& before, const BrokenPlaces& broken,
                    std::vector<RuleDocument>& now);

/// For an object of which a part cannot be read, and that has rules of these names now, readable or not. If nothing of
/// it can be read, it stays as it was.
void keep_last_good_of_object(const std::vector<RuleDocument>& before,
                              const std::set<std::string, std::less<>>& rule_names, std::vector<RuleDocument>& now);

}  // namespace nodescout
