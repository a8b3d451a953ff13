// All rules that apply to this machine, in layers of precedence, from every place where an administrator may put them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "nodescout/labels.h"
#include "nodescout/rules.h"

namespace nodescout {

struct RuleOptions {
  std::vector<std::string> paths;         // --rules: files or directories
  bool shipped = true;                    // --no-shipped-rules
  bool drop_ins = true;                   // /etc/nodescout/rules.d and NFD's custom.d of this system
  std::vector<std::string> replacing;     // files whose documents take the place of those of the same name
  std::vector<RuleDocument> others = {};  // NodeFeatureRules from elsewhere: of a cluster
};

/// The rules as they were found, layer by layer.
struct LoadedRules {
  std::map<Layer, std::vector<Rule>> rules;  // of all layers but `rules`
  std::vector<RuleDocument> documents;       // the layer `rules`: NodeFeatureRules
  std::vector<RuleDocument> groups;
  std::vector<Problem> problems;  // rules and files that could not be used
  /// Files and directories of which a part could not be read: what their rules would make is unknown.
  std::set<std::string, std::less<>> broken;
};

/// Errors: as Root::read if one of `paths` cannot be opened.
Result<LoadedRules> load_rules(const Config& config, const RuleOptions& options);

/// The rules of these files (or directories) and of no other place; "-" stands for `standard_input`. Errors: as
/// Root::read, for the first file that cannot be read.
Result<LoadedRules> load_rule_files(const std::vector<std::string>& paths, std::string_view standard_input = "");

struct RuleLayers {
  std::map<Layer, RuleSet> layers;  // in order of precedence, empty ones left out
  std::vector<RuleDocument> groups;
  std::vector<Problem> problems;

  /// nullptr: the layer has no rules.
  const RuleSet* find(Layer layer) const {
    const auto at = layers.find(layer);
    return at == layers.end() ? nullptr : &at->second;
  }
  /// Compiles them in place of those that the layer has.
  void put(Layer layer, std::vector<Rule> rules);
};
RuleLayers compile_layers(LoadedRules loaded);

/// Regular files of a directory that end in .yaml, .yml or .json, by name; or the file itself.
Result<std::vector<std::string>> rule_files(const std::string& path);

/// A file of rules, parsed. Errors: as Root::read.
Result<ParsedRules> parse_rule_file(const std::string& path);

/// Rules of documents as nfd-master takes them: NodeFeatureRules in byte order of their names. Groups are left where
/// they are.
std::vector<Rule> rules_in_order(std::vector<RuleDocument> documents);

}  // namespace nodescout
