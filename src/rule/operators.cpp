#include <array>

#include "document/value.h"
#include "nodescout/rules.h"

namespace nodescout {
namespace {

struct Spelling {
  Operator op;
  std::string_view name;
};
constexpr std::array kSpellings = {
    Spelling{Operator::any, ""},           Spelling{Operator::in, "In"},
    Spelling{Operator::not_in, "NotIn"},   Spelling{Operator::in_regexp, "InRegexp"},
    Spelling{Operator::exists, "Exists"},  Spelling{Operator::does_not_exist, "DoesNotExist"},
    Spelling{Operator::gt, "Gt"},          Spelling{Operator::ge, "Ge"},
    Spelling{Operator::lt, "Lt"},          Spelling{Operator::le, "Le"},
    Spelling{Operator::gt_lt, "GtLt"},     Spelling{Operator::ge_le, "GeLe"},
    Spelling{Operator::is_true, "IsTrue"}, Spelling{Operator::is_false, "IsFalse"},
};

}  // namespace

std::string_view name_of(Operator op) {
  for (const Spelling& spelling : kSpellings)
    if (spelling.op == op) return spelling.name;
  return "?";
}

Operator operator_from(std::string_view name) {
  for (const Spelling& spelling : kSpellings)
    if (spelling.name == name) return spelling.op;
  return Operator::unknown;
}

std::string place_of(const Rule& rule) {
  std::string out = place(rule.origin, rule.mark);
  if (!rule.name.empty())
    out += (out.empty() ? "rule \"" : " (rule \"") + rule.name + (place(rule.origin, rule.mark).empty() ? "\"" : "\")");
  return out;
}

}  // namespace nodescout
