// Any bytes are a JSON value or an error, and what is written reads back as the same.
#include "document/json.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  const auto parsed = parse_json(fuzz::text_of(data, size), "f");
  if (!parsed) {
    fuzz::must(!parsed.error().where.empty() && !parsed.error().what.empty(), "an error has a place and words");
    return 0;
  }
  // The first time a number may change its spelling: -0.0 is written -0, which is 0.
  std::string before = to_json(*parsed);
  for (const int indent : {0, 2, 0}) {
    const auto again = parse_json(to_json(*parsed, indent), "f");
    fuzz::must(again.has_value(), "what is written can be read");
    const std::string after = to_json(*again);
    fuzz::must(after == before || before.find("-0") != std::string::npos, "what is written reads back as the same");
  }
  return 0;
}
