#include "template/data.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

/// The entry of that name in a list in byte order; made if it is not there.
template <class Entry>
Entry& entry_of(std::vector<Entry>& entries, std::string_view name) {
  auto at = std::lower_bound(entries.begin(), entries.end(), name,
                             [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; });
  if (at == entries.end() || at->name != name) {
    at = entries.insert(at, Entry{});
    at->name = name;
  }
  return *at;
}

}  // namespace

void TemplateData::add(std::string_view feature, std::span<const MatchedElement> elements) {
  const std::size_t dot = feature.find('.');
  const bool dotless = dot == std::string_view::npos;
  Domain& domain = dotless ? entry_of(domains_, lower_ascii(feature)) : entry_of(domains_, feature.substr(0, dot));
  Feature& entry = entry_of(domain.features, dotless ? std::string_view() : feature.substr(dot + 1));
  if (entry.elements.empty()) {
    entry.elements = elements;
    return;
  }
  if (entry.joined.empty()) entry.joined.assign(entry.elements.begin(), entry.elements.end());
  entry.joined.insert(entry.joined.end(), elements.begin(), elements.end());
  entry.elements = entry.joined;
}

}  // namespace nodescout
