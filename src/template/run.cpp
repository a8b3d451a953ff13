#include "template/run.h"

#include <string>

#include "base/text.h"
#include "template/go/regex.h"

namespace nodescout::tmpl {

Run::Run(const TemplateLimits& limits) : arena_(limits.memory), steps_left_(limits.steps) {}
Run::~Run() = default;

void Run::out_of_steps() {
  refuse("the template takes too long: it loops over too much or works on strings that are too large");
}

RegexCache& Run::regexes() {
  if (!regexes_) regexes_ = std::make_unique<RegexCache>();
  return *regexes_;
}

Datum Run::text(const Text& text) { return Datum::of(arena_.keep(text.view())); }

Datum Run::make_map(Type type) { return Datum::map(type, arena_.make<Dict>(&arena_)); }

std::span<Datum> Run::make_items(std::size_t count) {
  if (count > arena_.left() / sizeof(Datum))
    refuse("the template needs more memory than it may have: a list is too long");
  spend(count);
  Datum* items = static_cast<Datum*>(arena_.take(count * sizeof(Datum), alignof(Datum)));
  std::uninitialized_default_construct_n(items, count);
  return {items, count};
}

Datum Run::make_list(Type type, std::span<const Datum> items) {
  spend(items.size());
  return Datum::list(type, arena_.keep(items));
}

void Deeper::too_deep() {
  refuse("templates, parentheses or values are nested deeper than " + std::to_string(TemplateLimits::kDepth) +
         " levels");
}

void Text::append_rune(char32_t rune) {
  check(4);
  nodescout::append_rune(text_, rune);
}

}  // namespace nodescout::tmpl
