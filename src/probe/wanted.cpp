#include "nodescout/probes.h"

namespace nodescout {

bool Wanted::has(std::string_view feature) const {
  const auto at = limited_.find(feature);
  return at == limited_.end() || at->second.exists;
}

bool Wanted::has(std::string_view feature, std::string_view element) const {
  const FlagSet* some = elements(feature);
  return !some || some->find(element) != some->end();
}

const FlagSet* Wanted::elements(std::string_view feature) const {
  const auto at = limited_.find(feature);
  return at == limited_.end() || at->second.whole ? nullptr : &at->second.elements;
}

void Wanted::leave_out(std::string_view feature) { limited_.insert_or_assign(std::string(feature), Part{}); }

void Wanted::add(std::string_view feature, std::string_view element) {
  const auto at = limited_.find(feature);
  if (at == limited_.end()) return;
  at->second.exists = true;
  if (!at->second.whole && !element.empty()) at->second.elements.emplace(element);
}

void Wanted::add_all_of(std::string_view feature) {
  const auto at = limited_.find(feature);
  if (at != limited_.end()) at->second = {.exists = true, .whole = true, .elements = {}};
}

std::vector<std::string_view> on_demand_features() {
  std::vector<std::string_view> keys;
  for (const Probe* probe : all_probes())
    for (const FeatureSpec& spec : probe->produces)
      if (spec.on_demand) keys.push_back(spec.key);
  return keys;
}

}  // namespace nodescout
