// Entries whose absence from the desired state proves nothing: some rule that may make them cannot be evaluated, or
// uses facts that may be old.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "keep/kept.h"
#include "nodescout/rules.h"

namespace nodescout {

struct CompiledRule;

class Doubt {
 public:
  /// Everything, for this reason. The first reason is kept.
  void add_all(Kept why);
  /// What these rules may make while the feature sets of `stale` were not read completely.
  void add_stale(const std::vector<const RuleSet*>& rules, const std::set<std::string, std::less<>>& stale);

  /// Why this entry (of any kind; a taint is "key:Effect") may still be made; nothing if no rule in doubt makes it.
  std::optional<Kept> about(const std::string& key) const;

 private:
  void add(const Rule& rule, const CompiledRule& compiled);
  void add_key(const std::string& key);
  void add_head(const std::string& head);

  std::optional<Kept> all_;
  std::set<std::string, std::less<>> keys_;  // as full keys
  std::vector<std::string> heads_;           // how the keys begin that templates make
};

}  // namespace nodescout
