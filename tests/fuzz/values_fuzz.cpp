// Small values in foreign texts: numbers, versions, times, base64, regular expressions, names of labels.
#include <algorithm>

#include "base/base64.h"
#include "base/go_regex.h"
#include "base/kubernetes_syntax.h"
#include "base/number.h"
#include "base/semver.h"
#include "base/text.h"
#include "base/time.h"
#include "input.h"
#include "nodescout/plan.h"
#include "rule/pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  const std::string_view text = fuzz::text_of(data, size);

  if (const auto version = parse_version(text)) {
    const std::string printed = to_text(*version);
    const auto again = parse_version(printed);
    fuzz::must(again && compare(*again, *version) == 0, "a version that is printed reads back as the same");
  }
  if (const auto number = parse_go_float(text)) {
    const auto again = parse_go_float(format_float(*number, 'g', -1));
    fuzz::must(again && (*again == *number || *number != *number), "a number that is printed reads back as the same");
  }
  if (const auto number = parse_int(text))
    fuzz::must(parse_go_int(text, 10).value == *number, "both readers of integers agree");
  (void)parse_hex(text);
  if (const auto time = parse_rfc3339(text)) (void)rfc3339_micro(*time);
  if (const auto bytes = decode_base64(text))
    fuzz::must(*decode_base64(encode_base64(*bytes)) == *bytes, "bytes that are encoded decode to the same");
  if (resource_amount_defect(text).empty()) fuzz::must(same_quantity(text, text), "an amount is itself");
  if (qualified_name_defect(text).empty()) fuzz::must(text.size() <= 253 + 1 + 63, "a name is short");
  if (label_value_defect(text).empty()) fuzz::must(text.size() <= 63, "a value is short");
  fuzz::must(is_utf8(valid_utf8(text)), "texts can be made valid");
  fuzz::must(rune_count(text) <= text.size(), "a code point is a byte at least");
  fuzz::must(closest(text.substr(0, 100), {"pci.device", "cpu.cpuid"}).size() <= 10, "a guess is one of the words");

  // The first line is a pattern, the rest what it is looked for in.
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view pattern = text.substr(0, end);
  if (const auto compiled = Pattern::compile(pattern)) {
    // A group around it changes nothing but that the short cut for literals is not taken.
    const auto grouped = Pattern::compile("(?:" + std::string(pattern) + ")");
    if (grouped && pattern.find("\\Q") == std::string_view::npos && pattern.find("(?") == std::string_view::npos)
      fuzz::must(compiled->found_in(text.substr(end)) == grouped->found_in(text.substr(end)),
                 "comparing literals is only a short cut");
  }
  return 0;
}
