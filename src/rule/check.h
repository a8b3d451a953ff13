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

/// Findings about documents of one file, in the order of the file. `text` is the file itself: it tells where a
/// template's lines stand.
std::vector<Finding> check_rules(const std::vector<RuleDocument>& documents, std::string_view text,
                                 const Schema& schema);

}  // namespace nodescout
