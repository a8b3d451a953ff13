// What all maps of a rule file have in common when they are read: fields in any case, fields that are unknown or given
// twice, names that YAML turned into something else, and the metadata of objects. Mistakes become findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "nodescout/rules.h"

namespace nodescout {

/// What else a string must satisfy, and what to do if it does not. Without a function any string will do.
struct WantedText {
  std::string (*defect)(std::string_view text) = nullptr;
  std::string todo = {};
};

class MapReader {
 protected:
  using Names = std::vector<std::string_view>;

  MapReader(std::string origin, ParsedRules& parsed) : origin_(std::move(origin)), parsed_(parsed) {}

  void report(Severity severity, Mark mark, std::string code, std::string what, std::string todo);
  void error(Mark mark, std::string code, std::string what, std::string todo);
  void mistake(Mark mark, std::string code, std::string what, std::string todo);

  const Value* field(const Value& map, std::string_view name);
  /// Fields of the map that are not among `known`, and fields given twice.
  void check_fields(const Value& map, const Names& known, std::string_view of_what);
  /// Names of labels and of elements are texts; YAML makes something else of some that have no quotes.
  void check_names(const Value& map);
  /// YAML made a number, a boolean or nothing of something that has to be a text.
  void want_quotes(const Value& value, const std::string& what, const WantedText& wanted = {});
  static std::string spelt(const Value& value) { return value.source.empty() ? value.text : value.source; }

  /// What every object of the API has in its metadata.
  void read_metadata(const Value& root, RuleDocument& document);

  std::string origin_;
  ParsedRules& parsed_;
  Dialect dialect_ = Dialect::api;

 private:
  void no_key(const Member& member);
  void check_duplicates(const Value& map, bool are_fields);
  void former_field(const Value& map, const Member& member, std::string advice);
  void strings_of_metadata(const Value& metadata, std::string_view field_name, bool are_labels);
};

}  // namespace nodescout
