// Features in any of their three shapes, JSON or YAML: read, merged, and printed as what they are.
#include "base/text.h"
#include "document/json.h"
#include "feature/json.h"
#include "input.h"

namespace {

using namespace nodescout;

/// JSON has no word for broken UTF-8.
bool is_text(const Features& features) {
  bool valid = true;
  const auto look = [&](const Attributes& set) {
    for (const auto& [name, value] : set) valid &= is_utf8(name) && is_utf8(value);
  };
  for (const auto& [key, set] : features.flags) {
    valid &= is_utf8(key);
    for (const std::string& name : set) valid &= is_utf8(name);
  }
  for (const auto& [key, set] : features.attributes) valid &= is_utf8(key), look(set);
  for (const auto& [key, list] : features.instances) {
    valid &= is_utf8(key);
    for (const Attributes& set : list) look(set);
  }
  return valid;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = features_from_text(fuzz::text_of(data, size), "f");
  if (!read) {
    fuzz::must(!read.error().what.empty(), "an error has words");
    return 0;
  }
  Features twice = read->features;
  merge(twice, read->features);
  if (!is_text(read->features)) return 0;
  const auto again = features_from_text(to_json(to_value(read->features)), "f");
  fuzz::must(again && again->problems.empty(), "what is printed can be read");
  fuzz::must(again->features == read->features, "what is printed reads back as the same");
  return 0;
}
