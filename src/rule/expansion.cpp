#include "rule/expansion.h"

namespace nodescout {

Result<Attributes> Expansion::run(const MatchedTerms& matched) const {
  const auto placed = [&](const Error& error) { return Error{error.code, field_ + ":" + error.where, error.what}; };
  if (!template_) return placed(template_.error());
  TemplateData data;
  for (const MatchedTerm& term : matched) data.add(term.feature, term.elements);
  const auto output = template_->run(data, limits_);
  if (!output) return placed(output.error());
  auto map = expand_to_map(*output);
  if (!map) return placed(map.error());
  return map;
}

}  // namespace nodescout
