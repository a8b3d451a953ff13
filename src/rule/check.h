// What is wrong with rules that parse: names that no probe makes, values that can never match, labels that the API
// server would refuse, templates that can never render, rules that do nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/rules.h"

namespace nodescout {

/// The elements of one kind of one feature. Names in angle brackets mean that any name may occur.
struct KnownElements {
  std::map<std::string, std::string, std::less<>> values;  // name -> pattern of every value (empty: any)
  bool any_name = false;
};

struct KnownFeature {
  std::optional<KnownElements> flags, attributes, instances;
};

/// By feature key, lower case.
using Schema = std::map<std::string, KnownFeature, std::less<>>;

/// A file of rules: what was read from it, and its text, which shows where a template's lines are.
struct RuleFile {
  std::string text;
  ParsedRules parsed;
};

/// Adds what is wrong with rules that parse to the findings of each file, which then are in the order of the file and
/// name each mistake once. The files are checked together, as they are evaluated: objects in the order of
/// metadata.name.
void check_rules(std::vector<RuleFile>& files, const Schema& schema);

}  // namespace nodescout
