// Rules: NFD's rule language as plain values, a compiled form of many rules, and their evaluation over Features.
//
// parse_rules reads a file into Rules with their lines and columns; a RuleSet compiles them once (feature keys
// interned, patterns and templates prepared) and evaluates them any number of times. Nothing here reads the machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/result.h"

namespace nodescout {

/// The namespace of a label, annotation or extended resource that a rule names without one.
inline constexpr std::string_view kFeaturePrefix = "feature.node.kubernetes.io";

enum class Operator : std::uint8_t {
  any,  // spelt ""
  in,
  not_in,
  in_regexp,
  exists,
  does_not_exist,
  gt,
  ge,
  lt,
  le,
  gt_lt,
  ge_le,
  is_true,
  is_false,
  unknown,  // whatever the file says: an error when the expression is evaluated
};
/// "In", "GeLe", "" for any.
std::string_view name_of(Operator op);
/// Exact spelling; Operator::unknown for anything else.
Operator operator_from(std::string_view name);

struct Expression {
  Operator op = Operator::any;
  std::string spelling;  // of the operator, where op is unknown
  std::vector<std::string> values;
  std::string type;  // "", "version", or a mistake
  Mark mark;         // of the expression's value
  Mark op_mark;
  std::vector<Mark> value_marks;
};

struct NamedExpression {
  std::string name;  // element: flag or attribute name
  Expression expression;
  Mark mark;
};

struct Term {
  std::string feature;  // as written; looked up in lower case
  std::optional<std::vector<NamedExpression>> expressions;
  std::optional<Expression> name;
  Mark mark;
  Mark feature_mark;
};

using Matcher = std::vector<Term>;

struct Taint {
  std::string key, value, effect;
  Mark mark;

  std::string text() const { return key + "=" + value + ":" + effect; }
  /// A Node has one of each name.
  std::string name() const { return key + ":" + effect; }
  friend bool operator==(const Taint& a, const Taint& b) {
    return a.key == b.key && a.value == b.value && a.effect == b.effect;
  }
};

/// A text with its line and column.
struct Placed {
  std::string text;
  Mark key_mark;
  Mark mark;
};
using PlacedMap = std::map<std::string, Placed, std::less<>>;

/// Which of NFD's three readers a rule is written for.
enum class Dialect : std::uint8_t {
  api,     // NodeFeatureRule and NodeFeatureGroup objects
  worker,  // bare lists: labels and vars only, short forms, "@" is literal
};

struct Rule {
  std::string name;
  std::string origin;  // file, or object
  Mark mark;
  Dialect dialect = Dialect::api;

  std::vector<Matcher> match_any;
  Matcher match_features;
  PlacedMap labels, annotations, vars, extended_resources;
  std::vector<Taint> taints;
  std::string labels_template, vars_template;
  Mark labels_template_mark, vars_template_mark;
};

/// "file:line:column (rule "name")", for messages.
std::string place_of(const Rule& rule);

// ---- evaluation -----------------------------------------------------------------------------------------------------

/// A value and the rule that made it (index into the set's rules).
struct Made {
  std::string value;
  std::size_t rule = 0;
};
using MadeMap = std::map<std::string, Made, std::less<>>;

struct MadeTaint {
  Taint taint;
  std::size_t rule = 0;
};

/// What a set of rules makes of one machine: keys as written, "@feature.element" values unresolved, nothing validated.
struct Outcome {
  MadeMap labels, annotations, extended_resources;
  std::vector<MadeTaint> taints;
  Attributes matched;                 // rule.matched after the last rule
  std::vector<std::size_t> matching;  // rules that matched, in order
  std::vector<std::size_t> failing;   // rules that failed, in order; each of them contributes nothing
  std::vector<Problem> problems;      // why each of them did
};

/// A compiled set of rules. A copy shares what was compiled.
class RuleSet {
 public:
  RuleSet();
  /// A rule whose template cannot be compiled fails at evaluation, wherever the template would have run, as in NFD.
  explicit RuleSet(std::vector<Rule> rules);

  const std::vector<Rule>& rules() const;
  bool empty() const { return rules().empty(); }

  /// Rules in order; labels and vars of each are rule.matched for the later ones. Thread-safe.
  Outcome evaluate(const Features& features) const;

  /// Feature keys that some rule uses (lower case), "rule.matched" left out.
  std::vector<std::string> inputs() const;

  struct Program;
  const Program& program() const { return *program_; }
  /// Whether both are copies of one set.
  bool is_same_as(const RuleSet& other) const { return program_ == other.program_; }

 private:
  std::shared_ptr<const Program> program_;
};

/// The last outcome of a RuleSet and what it was made of: rules whose inputs did not change are not evaluated again.
class RuleCache {
 public:
  RuleCache();
  RuleCache(RuleCache&&) noexcept;
  RuleCache& operator=(RuleCache&&) noexcept;
  ~RuleCache();

  /// As RuleSet::evaluate; valid until the next call. A different set of rules than the last time starts anew.
  const Outcome& evaluate(const RuleSet& rules, const Features& features);
  /// Rules that the last evaluation really ran.
  std::size_t last_evaluated() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ---- reading --------------------------------------------------------------------------------------------------------

enum class Severity : std::uint8_t {
  error,    // the rule (or the document) is refused
  mistake,  // NFD would accept it and silently do something else than its author meant
};

struct Finding {
  Severity severity = Severity::error;
  Problem problem;  // where = origin:line:column
  Mark mark = {};
};

/// One document of a file: a NodeFeatureRule, a NodeFeatureGroup, or a bare list of the worker's dialect.
struct RuleDocument {
  enum class Kind : std::uint8_t { rules, group, list };
  Kind kind = Kind::rules;
  std::string name;  // metadata.name; empty for a list
  std::string name_space;
  std::string origin;
  Mark mark;
  std::vector<Rule> rules;
};

struct ParsedRules {
  std::vector<RuleDocument> documents;
  std::vector<Finding> findings;         // in the order of the file
  bool is_worker_configuration = false;  // some document is one, with rules of its own or without
};

/// Every document of the text. A rule that cannot be read costs itself; a document that is not YAML costs itself. A
/// document with a "kind" is read in the API's dialect (List kinds are unfolded), a bare list in the worker's, a map
/// with "sources" or "core" as a worker configuration, of which only sources.custom is used.
ParsedRules parse_rules(std::string_view text, std::string_view origin);

}  // namespace nodescout
