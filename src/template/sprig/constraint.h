// Version constraints of Masterminds/semver v3.5: ">=1.2.0, <2 || ~3.1", "^1.2", "1.2 - 1.4", "1.x".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/semver.h"
#include "nodescout/result.h"

namespace nodescout::tmpl {

class Constraint {
 public:
  /// Errors: malformed, what = which part is wrong; where stays empty.
  static Result<Constraint> parse(std::string_view text);

  bool allows(const SemanticVersion& version) const;

 private:
  enum class Operator : std::uint8_t { equal, not_equal, greater, less, greater_equal, less_equal, tilde, caret };

  /// One comparison. What the constraint leaves open (1.x, 1.2) is `dirty`, and 0 in the version.
  struct Clause {
    Operator op = Operator::equal;
    std::uint64_t major = 0, minor = 0, patch = 0;
    std::string prerelease;
    bool dirty = false;
    bool minor_dirty = false;
    bool patch_dirty = false;
  };
  /// Comparisons that must all hold. Pre-releases are allowed only where one of them names a pre-release.
  struct Group {
    std::vector<Clause> clauses;
    bool prereleases = false;
  };

  static Result<Clause> parse_clause(std::string_view text);
  static bool allows(const Clause& clause, const SemanticVersion& version);
  static bool not_equal(const Clause& clause, const SemanticVersion& version);
  static bool tilde(const Clause& clause, const SemanticVersion& version);
  static bool caret(const Clause& clause, const SemanticVersion& version);

  std::vector<Group> groups_;  // one of them must hold
};

}  // namespace nodescout::tmpl
