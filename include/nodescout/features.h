// What a machine is, as plain values: the only thing that rules can see.
//
// A feature is named "domain.feature" ("pci.device") and may exist in three kinds at once
// ("cpu.cpuid" has flags and attributes). All leaves are strings, as in the NodeFeature API.
// A set that is absent from its map and a set that is empty are different things: rules see it.
// Containers are ordered, so output, golden files and patches are deterministic.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/result.h"
#include "nodescout/sorted_map.h"

namespace nodescout {

using FlagSet = std::set<std::string, std::less<>>;
using Attributes = SortedMap<std::string>;
using Instances = std::vector<Attributes>;  // in the order in which the kernel lists the devices

struct Features {
  std::map<std::string, FlagSet, std::less<>> flags;          // "cpu.cpuid"      -> {"AVX2", ...}
  std::map<std::string, Attributes, std::less<>> attributes;  // "kernel.version" -> {"major": "6", ...}
  std::map<std::string, Instances, std::less<>> instances;    // "pci.device"     -> [{"class": "0302", ...}]

  bool empty() const { return flags.empty() && attributes.empty() && instances.empty(); }
  friend bool operator==(const Features&, const Features&) = default;
};

/// Adds `from` to `into` as the API does for several NodeFeature objects of one node: flags are united,
/// attributes overwritten individually (the later wins), instances appended without de-duplication.
void merge(Features& into, const Features& from);

/// Value of one attribute, or nullptr.
const std::string* find_attribute(const Features& features, std::string_view set, std::string_view name);

}  // namespace nodescout
