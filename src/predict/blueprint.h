// A machine before it exists: what is known of it, and machines that fit this description.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/yaml.h"
#include "nodescout/result.h"

namespace nodescout {

/// Equal PCI functions. Ids are hexadecimal digits in lower case, as sysfs shows them after "0x".
struct PlannedGpus {
  std::string vendor, device;  // "10de", "2330"
  std::string pci_class;       // "0302"; empty: unknown
  unsigned count = 1;
};

struct Blueprint {
  std::string name;          // of the instance type; empty: none
  std::string architecture;  // as kubernetes.io/arch: "amd64"; empty: unknown
  std::string cpu_vendor;    // as cpu.model's vendor_id: "Intel", "AMD"; empty: unknown
  std::vector<PlannedGpus> gpus;
};

/// "10de:2330x8", "10de:2330". Errors: malformed.
Result<PlannedGpus> parse_planned_gpus(std::string_view text);

/// Instance types of clouds whose GPUs and processors the providers document, in the order of their names.
std::vector<Blueprint> shipped_blueprints();

/// Reads a catalogue: a map from names to {arch, cpuVendor, gpus: [{id: "10de:2330x8", class: "0302"}]}. A bad entry is
/// reported and left out; the others are used. Errors: malformed if it is not such a map.
Result<std::vector<Blueprint>> read_blueprints(std::string_view text, const std::string& origin,
                                               std::vector<Problem>& problems);

/// One machine that fits a blueprint: what the blueprint leaves open is chosen one way.
struct Guise {
  std::string unknown_class;    // of functions whose class is not known
  bool is_alternative = false;  // another board, all GPUs below one switch, and their driver is loaded
};

/// Every combination that matters to a rule. What all of them have in common is known.
std::vector<Guise> guises_of(const Blueprint& blueprint);

/// Writes the sysfs of such a machine below `folder`. Errors: as the file system's.
Status write_machine(const Blueprint& blueprint, const Guise& guise, const std::string& folder);

}  // namespace nodescout
