// Configuration made ready: what the command line adds to it, and which probes it leaves.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "corridor/rule_layers.h"
#include "nodescout/probes.h"
#include "nodescout/result.h"
#include "system/own_program.h"

namespace nodescout {

/// One machine: where it is, how it is configured, which rules apply to it, and how it is queried.
struct MachineOptions : HostOptions {
  MachineOptions() { scanner = own_program(); }

  std::string config;        // empty: the usual files
  std::string system = "/";  // has the usual files
  bool nfd_compat = false;
  std::vector<std::string> only;  // probes, in place of the configured ones
  RuleOptions rules;
};

/// What core.featureSources and core.labelSources may name.
struct SourceNames {
  std::vector<std::string_view> features, labels, off_by_default;
};
SourceNames source_names();

/// Names in core.featureSources and core.labelSources that are not sources, and a list that leaves no probe.
void check_source_names(const Config& config, std::vector<Problem>& problems);

/// Names of CPU flags in the configuration that no processor's flag has.
void check_listed_names(const Config& config, std::vector<Problem>& problems);

inline constexpr const char* kNoProbes = "no probe is left to run, so nothing is known of the machine";

struct Setup {
  Config config;                     // its label sources are plain names
  std::vector<const Probe*> probes;  // may be empty
  std::vector<Problem> problems;
};

/// A configuration may leave no probe, as in NFD: that is a problem. Errors: as load_config; unsupported if `only`
/// names no probe.
Result<Setup> set_up(const MachineOptions& options);

}  // namespace nodescout
