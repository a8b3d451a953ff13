#include "nodescout/features.h"

namespace nodescout {

void merge(Features& into, const Features& from) {
  for (const auto& [key, flags] : from.flags) into.flags[key].insert(flags.begin(), flags.end());
  for (const auto& [key, attributes] : from.attributes) {
    Attributes& set = into.attributes[key];
    for (const auto& [name, value] : attributes) set.insert_or_assign(name, value);
  }
  for (const auto& [key, instances] : from.instances) {
    Instances& list = into.instances[key];
    list.insert(list.end(), instances.begin(), instances.end());
  }
}

const std::string* find_attribute(const Features& features, std::string_view set, std::string_view name) {
  const auto attributes = features.attributes.find(set);
  if (attributes == features.attributes.end()) return nullptr;
  const auto value = attributes->second.find(name);
  return value == attributes->second.end() ? nullptr : &value->second;
}

}  // namespace nodescout
