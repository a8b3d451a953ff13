#include "rule/expression.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

/// How many values an operator takes; -1: one or more.
int arity(Operator op) {
  switch (op) {
    case Operator::in:
    case Operator::not_in:
    case Operator::in_regexp: return -1;
    case Operator::gt:
    case Operator::ge:
    case Operator::lt:
    case Operator::le: return 1;
    case Operator::gt_lt:
    case Operator::ge_le: return 2;
    default: return 0;
  }
}

std::optional<Version> version_of(std::string_view text) {
  const auto parsed = parse_version(text);
  if (!parsed) return std::nullopt;
  return Version{parsed->major, parsed->minor, parsed->patch};
}

bool is_ordering(Operator op) { return op >= Operator::gt && op <= Operator::ge_le; }

}  // namespace

CompiledExpression::CompiledExpression(const Expression& source, PatternBudget* budget)
    : op_(source.op), values_(source.values) {
  const std::string name = "operator " + std::string(name_of(op_));
  const int wanted = arity(op_);
  if (op_ == Operator::unknown) {
    defect_ = "unknown operator " + quote(source.spelling);
    defect_is_fatal_ = true;
  } else if (wanted == 0 && !values_.empty()) {
    defect_ = (op_ == Operator::any ? std::string("an empty operator") : name) + " takes no value";
    defect_is_fatal_ = op_ == Operator::any || op_ == Operator::exists || op_ == Operator::does_not_exist;
  } else if (wanted == -1 && values_.empty()) {
    defect_ = name + " needs at least one value";
  } else if (wanted > 0 && values_.size() != static_cast<std::size_t>(wanted)) {
    defect_ = name + (wanted == 1 ? " needs exactly one value" : " needs exactly two values");
  }
  if (!defect_.empty()) return;

  if (op_ == Operator::in_regexp) {
    for (const std::string& value : values_) {
      auto pattern = Pattern::compile(value, budget);
      if (!pattern) {
        defect_ = "bad regular expression " + quote(value.substr(0, 100)) + ": " + pattern.error().what;
        return;
      }
      patterns_.push_back(*std::move(pattern));
    }
  } else if (is_ordering(op_)) {
    by_version_ = source.type == "version";
    if (!by_version_ && !source.type.empty()) {
      defect_ = "unknown type " + quote(source.type);
      return;
    }
    for (const std::string& value : values_) {
      if (by_version_) {
        const auto version = version_of(value);
        if (!version) {
          defect_ = "not a version: " + quote(value);
          return;
        }
        versions_.push_back(*version);
      } else {
        const auto number = parse_int(value);
        if (!number) {
          defect_ = "not a number: " + quote(value);
          return;
        }
        numbers_.push_back(*number);
      }
    }
    if (numbers_.size() == 2 && numbers_[0] >= numbers_[1]) defect_ = name + " needs its first value below its second";
  }
}

Verdict CompiledExpression::compare(const std::string& input, std::string& why) const {
  const auto decide = [&](const auto& value, const auto& bounds) {
    switch (op_) {
      case Operator::gt: return value > bounds[0];
      case Operator::ge: return value >= bounds[0];
      case Operator::lt: return value < bounds[0];
      case Operator::le: return value <= bounds[0];
      case Operator::gt_lt: return bounds[0] < value && value < bounds[1];
      default: return bounds[0] <= value && value <= bounds[1];
    }
  };
  if (by_version_) {
    const auto version = version_of(input);
    if (!version) return why = "not a version: " + quote(input), Verdict::error;
    return decide(*version, versions_) ? Verdict::yes : Verdict::no;
  }
  const auto number = parse_int(input);
  if (!number) return why = "not a number: " + quote(input), Verdict::error;
  return decide(*number, numbers_) ? Verdict::yes : Verdict::no;
}

Verdict CompiledExpression::evaluate(bool exists, const std::string* value, std::string& why) const {
  const auto answer = [](bool truth) { return truth ? Verdict::yes : Verdict::no; };
  if (defect_is_fatal_) return why = defect_, Verdict::error;
  if (op_ == Operator::any) return Verdict::yes;
  if (op_ == Operator::exists) return answer(exists);
  if (op_ == Operator::does_not_exist) return answer(!exists);
  if (!exists || !value) return Verdict::no;
  if (!defect_.empty()) return why = defect_, Verdict::error;
  switch (op_) {
    case Operator::in: return answer(std::find(values_.begin(), values_.end(), *value) != values_.end());
    case Operator::not_in: return answer(std::find(values_.begin(), values_.end(), *value) == values_.end());
    case Operator::in_regexp:
      return answer(std::any_of(patterns_.begin(), patterns_.end(),
                                [&](const Pattern& pattern) { return pattern.found_in(*value); }));
    case Operator::is_true: return answer(*value == "true");
    case Operator::is_false: return answer(*value == "false");
    default: return compare(*value, why);
  }
}

std::string text_of(const Expression& expression) {
  std::string out = "{op: " + quote(expression.op == Operator::unknown ? expression.spelling : name_of(expression.op));
  if (!expression.values.empty()) {
    out += ", value: [";
    for (const std::string& value : expression.values) {
      if (&value != &expression.values.front()) out += ' ';
      out += quote(value);
    }
    out += ']';
  }
  return out + "}";
}

}  // namespace nodescout
