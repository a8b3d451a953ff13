// Any bytes are documents or errors with a place, within limits; and what is written reads back as the same.
#include "base/text.h"
#include "document/json.h"
#include "document/yaml.h"
#include "input.h"

namespace {

using namespace nodescout;

constexpr YamlLimits kLimits{.bytes = 1u << 20, .depth = 100, .values = 20'000};

bool is_placed(const Problem& problem) {
  return problem.where.starts_with("f:") && problem.where.find(":0") == std::string::npos && !problem.what.empty();
}

/// Writing makes texts valid, keeps the last of two members of one name, and has no word for how a scalar was spelt.
bool survives_printing(const Value& value) {
  for (const Member& member : value.members)
    if (value.find(member.key) != &member.value || !is_utf8(member.key) || member.key == "<<" ||
        !survives_printing(member.value))
      return false;
  for (const Value& item : value.items)
    if (!survives_printing(item)) return false;
  return is_utf8(value.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  int line = 0;
  for (const YamlDocument& document : parse_yaml(text, "f", kLimits)) {
    fuzz::must(document.first_line > line && document.last_line >= document.first_line, "documents are in order");
    line = document.last_line;
    if (document.error) {
      fuzz::must(is_placed(*document.error), "an error has a place and words");
      continue;
    }
    if (!survives_printing(document.root)) continue;
    const std::string printed = to_yaml(document.root);
    const auto again = parse_yaml(printed, "f");
    fuzz::must(again.size() == 1 && !again[0].error, "what is written can be read");
    // A number may come back as an integer: 1e3 is written 1000.
    fuzz::must(to_yaml(again[0].root) == printed, "what is written reads back as the same");
    // JSON is YAML.
    const auto as_json = parse_json(to_json(document.root), "f");
    fuzz::must(as_json.has_value(), "what is written as JSON can be read");
  }
  return 0;
}
