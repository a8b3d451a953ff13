#include "rule/expansion.h"
namespace nodescout {
struct Expansion::State {
  std::string field;
};
Expansion::Expansion(std::string_view, std::string_view field) : state_(new State{std::string(field)}) {}
Expansion::Expansion(Expansion&&) noexcept = default;
Expansion& Expansion::operator=(Expansion&&) noexcept = default;
Expansion::~Expansion() = default;
Result<Attributes> Expansion::run(const MatchedTerms&) const {
  return Error{Errc::unsupported, state_->field, "not yet"};
}
}  // namespace nodescout
