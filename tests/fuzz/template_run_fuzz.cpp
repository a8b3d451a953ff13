// No template hangs, crashes, or prints two things for the same data; and one that is printed from its tree prints what
// the first one does. Each key that it makes is among those that it can make.
#include <algorithm>

#include "input.h"
#include "print_template.h"
#include "template/template.h"

namespace {

using namespace nodescout;

const Attributes kGpu{{"class", "0302"}, {"device", "20b0"}, {"vendor", "10de"}};
const Attributes kOdd{{"", "empty"}, {"Name", "x"}, {"sub/attr", "\xFF"}, {"n", "0x1f"}};

const std::string kSix = "6";
const std::string kKernel = "6.8.0-45-generic";
const std::vector<MatchedElement> kFlags{MatchedElement::flag("ADX"), MatchedElement::flag("AVX512F")};
const std::vector<MatchedElement> kModel{MatchedElement::attribute("family", kSix),
                                         MatchedElement::attribute("id", kSix)};
const std::vector<MatchedElement> kDevices{MatchedElement::instance(kGpu), MatchedElement::instance(kOdd)};
const std::vector<MatchedElement> kVersion{MatchedElement::attribute("version", kKernel)};

TemplateData data() {
  TemplateData out;
  out.add("cpu.cpuid", kFlags);
  out.add("cpu.model", kModel);
  out.add("pci.device", kDevices);
  out.add("usb.device", {});
  out.add("a.b.c", kVersion);
  return out;
}

// A tenth of what the agent allows, so that a slow unit here is one of a few seconds there.
constexpr TemplateLimits kLimits{.steps = 100'000, .output = 1u << 18, .memory = 4u << 20};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const TemplateData kData = data();
  const std::string_view source = fuzz::text_of(bytes, size);
  const auto parsed = Template::parse(source);
  if (!parsed) return 0;
  const auto first = parsed->run(kData, kLimits);
  const auto printed = fuzz::printed_template(source);
  const auto again = Template::parse(printed && printed->size() <= TemplateLimits::kSource ? *printed : source);
  fuzz::must(again.has_value(), "a printed template parses");
  const auto second = again->run(kData, kLimits);
  fuzz::must(first.has_value() == second.has_value(), "the same template runs or fails");
  if (!first) return 0;
  fuzz::must(*first == *second, "the same template prints the same");
  const auto map = expand_to_map(*first);
  const TemplateKeys keys = parsed->makes();
  if (!map || !keys.complete) return 0;
  for (const auto& [key, value] : *map)
    fuzz::must(keys.keys.contains(key) ||
                   std::any_of(keys.heads.begin(), keys.heads.end(),
                               [&, &made = key](const std::string& head) { return made.starts_with(head); }),
               "what a template makes is among what it can make");
  return 0;
}
