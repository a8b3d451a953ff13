#include "rule/expansion.h"

#include <mutex>
#include <optional>

namespace nodescout {

struct Expansion::Parsed {
  std::once_flag once;
  std::optional<Result<Template>> result;
};

Expansion::Expansion(std::string_view source, std::string_view field, const TemplateLimits& limits)
    : source_(source), field_(field), limits_(limits), parsed_(std::make_unique<Parsed>()) {}
Expansion::Expansion(Expansion&&) noexcept = default;
Expansion& Expansion::operator=(Expansion&&) noexcept = default;
Expansion::~Expansion() = default;

const Result<Template>& Expansion::parsed() const {
  std::call_once(parsed_->once, [&] { parsed_->result.emplace(Template::parse(source_)); });
  return *parsed_->result;
}

Result<Attributes> Expansion::run(const MatchedTerms& matched) const {
  const auto placed = [&](const Error& error) {
    return Error{error.code, std::string(field_) + ":" + error.where, error.what};
  };
  const Result<Template>& parsed = this->parsed();
  if (!parsed) return placed(parsed.error());
  TemplateData data;
  for (const MatchedTerm& term : matched) data.add(term.feature, term.elements);
  const auto output = parsed->run(data, limits_);
  if (!output) return placed(output.error());
  auto map = expand_to_map(*output);
  if (!map) return placed(map.error());
  return map;
}

}  // namespace nodescout
