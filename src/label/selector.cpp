#include "label/selector.h"

#include <algorithm>

namespace nodescout {
namespace {

bool holds(const LabelSelector::Term& term, const Attributes& labels) {
  using enum LabelSelector::Operator;
  const auto at = labels.find(term.key);
  const bool is_there = at != labels.end();
  const bool is_listed = is_there && std::find(term.values.begin(), term.values.end(), at->second) != term.values.end();
  switch (term.op) {
    case in: return is_listed;
    case not_in: return !is_listed;
    case exists: return is_there;
    case does_not_exist: return !is_there;
  }
  return false;
}

}  // namespace

bool LabelSelector::matches(const Attributes& labels) const {
  return !is_malformed &&
         std::all_of(terms.begin(), terms.end(), [&](const Term& term) { return holds(term, labels); });
}

}  // namespace nodescout
