// What an agent's Lease says about who made which label.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nodescout::fleet {

inline constexpr const char* kProvenanceAnnotation = "nodescout.dev/provenance";

struct Provenance {
  std::string key;
  std::string maker;  // probe, file or rule
  std::string since;  // of its last change, as the agent wrote it
};

/// {"KEY": ["MAKER", "SINCE"], ...}. Entries of another shape are left out, as is a text that is not such an object:
/// their keys are unknown then.
std::vector<Provenance> read_provenance(std::string_view annotation);

}  // namespace nodescout::fleet
