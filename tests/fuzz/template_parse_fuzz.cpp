// Any bytes are a template or an error with a place; what a template mentions can always be listed; and a template that
// is printed from its tree parses to the same tree.
#include <optional>

#include "input.h"
#include "print_template.h"
#include "template/limits.h"
#include "template/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  const std::string_view source = fuzz::text_of(data, size);
  const auto parsed = Template::parse(source);
  if (!parsed) {
    fuzz::must(!parsed.error().where.empty() && !parsed.error().what.empty(), "an error has a place and words");
    return 0;
  }
  const auto mentions = parsed->mentions().list;
  for (const TemplateMention& mention : mentions) fuzz::must(!mention.where.empty(), "a mention has a place");

  const auto printed = fuzz::printed_template(source);
  if (!printed || printed->size() > TemplateLimits::kSource) return 0;
  const auto again = Template::parse(*printed);
  fuzz::must(again.has_value(), "a printed template parses");
  fuzz::must(again->mentions().list.size() == mentions.size(), "a printed template mentions the same");
  fuzz::must(fuzz::printed_template(*printed) == printed, "a printed template parses to the same tree");
  return 0;
}
