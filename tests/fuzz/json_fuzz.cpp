// Any bytes are a JSON value or an error, what is written reads back as the same, and a part is as in the whole.
#include "document/json.h"
#include "document/json_part.h"
#include "input.h"

namespace {

using namespace nodescout;

bool keeps(std::string_view key) { return key.size() % 3 != 1; }

Value part_of(const Value& value) {
  Value part = value;
  part.items.clear();
  part.members.clear();
  for (const Value& item : value.items) part.items.push_back(part_of(item));
  for (const Member& member : value.members)
    if (keeps(member.key)) part.add(member.key, part_of(member.value));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = parse_json(fuzz::text_of(data, size), "f");
  if (!parsed) {
    fuzz::must(!parsed.error().where.empty() && !parsed.error().what.empty(), "an error has a place and words");
    return 0;
  }
  const auto part = parse_json_part(fuzz::text_of(data, size), "f",
                                    [](std::span<const std::string> path) { return keeps(path.back()); });
  fuzz::must(part && to_json(*part) == to_json(part_of(*parsed)), "a part is as in the whole document");
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
