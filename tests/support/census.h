// Which declared elements are seen on some machines; a gtest failure for each one that is not declared, or whose value
// is none of those that were declared.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "nodescout/probes.h"
#include "probe/cpuid_flags.h"
#include "probe/hwcap.h"
#include "rule/pattern.h"

namespace nodescout::test {

/// "pci.device instance vendor", or "kernel.config attribute <option>" for the elements whose names are the machine's.
inline std::string element_name(const FeatureSpec& spec, std::string_view element) {
  return std::string(spec.key) + " " + std::string(name_of(spec.kind)) + " " + std::string(element);
}

inline const FeatureSpec* spec_of(std::string_view key, FeatureSpec::Kind kind) {
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      if (spec.key == key && spec.kind == kind) return &spec;
  return nullptr;
}

/// The declaration that covers an element, or nullptr if it is not declared.
inline const ElementSpec* declaration_of(const FeatureSpec& spec, std::string_view element) {
  const ElementSpec* any = nullptr;
  for (const ElementSpec& known : spec.elements) {
    const std::size_t bracket = known.name.find('<');
    if (known.name == element) return &known;
    if (bracket != std::string_view::npos && element.starts_with(known.name.substr(0, bracket))) any = &known;
  }
  return any;
}

inline bool matches_whole(const std::string& value, std::string_view pattern) {
  const auto compiled = Pattern::compile("^(?:" + std::string(pattern) + ")$");
  return compiled && compiled->found_in(value);
}

class Census {
 public:
  void count(const Features& features, const std::string& host) {
    for (const auto& [key, flags] : features.flags)
      for (const std::string& flag : flags) see(key, FeatureSpec::Kind::flag, flag, "", host);
    for (const auto& [key, attributes] : features.attributes)
      for (const auto& [name, value] : attributes) see(key, FeatureSpec::Kind::attribute, name, value, host);
    for (const auto& [key, instances] : features.instances)
      for (const Attributes& instance : instances)
        for (const auto& [name, value] : instance) see(key, FeatureSpec::Kind::instance, name, value, host);
  }

  const std::set<std::string>& seen() const { return seen_; }

 private:
  void see(std::string_view key, FeatureSpec::Kind kind, const std::string& name, const std::string& value,
           const std::string& host) {
    const FeatureSpec* spec = spec_of(key, kind);
    ASSERT_TRUE(spec) << host << ": " << key << " (" << name_of(kind) << ") is not declared";
    const ElementSpec* declared = declaration_of(*spec, name);
    ASSERT_TRUE(declared) << host << ": " << key << " " << name << " is not declared";
    if (!declared->values.empty()) {
      EXPECT_TRUE(matches_whole(value, declared->values))
          << host << ": " << key << " " << name << " is " << value << ", declared is " << declared->values;
    }
    if (key == "cpu.cpuid" && kind == FeatureSpec::Kind::flag) {
      EXPECT_TRUE(known_flags_.contains(name)) << host << ": flag " << name << " is not in docs/features.md";
    }
    seen_.insert(element_name(*spec, declared->name));
  }

  std::set<std::string> known_flags_ = [] {
    std::set<std::string> names;
    for (const auto& [name, source] : x86_flag_sources()) names.insert(name);
    for (const auto& [name, source] : hwcap_flag_sources()) names.insert(name);
    return names;
  }();
  std::set<std::string> seen_;
};

}  // namespace nodescout::test
