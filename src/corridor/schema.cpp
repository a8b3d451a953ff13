#include "corridor/schema.h"

#include "base/text.h"
#include "probe/cpuid_flags.h"
#include "probe/hwcap.h"

namespace nodescout {
namespace {

bool is_any(std::string_view name) { return name.find('<') != std::string_view::npos; }

/// "hugepages-<size>" matches "hugepages-2Mi".
bool matches(std::string_view name, std::string_view element) {
  const std::size_t bracket = name.find('<');
  return bracket == std::string_view::npos ? name == element : element.starts_with(name.substr(0, bracket));
}

}  // namespace

Schema schema_of_probes() {
  Schema schema;
  for (const Probe* probe : all_probes()) {
    for (const FeatureSpec& spec : probe->produces) {
      KnownFeature& feature = schema[std::string(spec.key)];
      auto& elements = spec.kind == FeatureSpec::Kind::flag        ? feature.flags
                       : spec.kind == FeatureSpec::Kind::attribute ? feature.attributes
                                                                   : feature.instances;
      elements.emplace();
      for (const ElementSpec& element : spec.elements) {
        if (is_any(element.name))
          elements->any_name = true;
        else
          elements->values.emplace(element.name, element.values);
      }
    }
  }
  // The flags of all architectures are known by name.
  KnownElements& flags = *schema.at("cpu.cpuid").flags;
  flags.any_name = false;
  for (const auto& [name, source] : x86_flag_sources()) flags.values.emplace(name, "");
  for (const auto& [name, source] : hwcap_flag_sources()) flags.values.emplace(name, "");
  return schema;
}

std::string source_of(std::string_view feature, std::string_view element) {
  const std::string key = lower_ascii(feature);
  std::string source;
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces) {
      if (spec.key != key) continue;
      if (source.empty() && !spec.elements.empty()) source = spec.elements[0].source;
      for (const ElementSpec& known : spec.elements)
        if (matches(known.name, element)) return std::string(known.source);
    }
  return source;
}

}  // namespace nodescout
