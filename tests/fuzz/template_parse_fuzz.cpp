// Any bytes are a template or an error with a place, and what a template mentions can always be told.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "template/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = nodescout::Template::parse(source);
  if (!parsed) {
    if (parsed.error().where.empty() || parsed.error().what.empty()) std::abort();
    return 0;
  }
  for (const nodescout::TemplateMention& mention : parsed->mentions())
    if (mention.where.empty()) std::abort();
  return 0;
}
