// The parts of the cpu probe; each fills its own sets and none depends on another.
#pragma once

#include <string>
#include <string_view>

#include "nodescout/probes.h"
#include "probe/cpuid_flags.h"

namespace nodescout {

struct CpuContext {
  const Host& host;
  const ProbeConfig& config;
  const CpuidReader& cpuid;
  Observation& seen;

  /// NFD builds one program per architecture; a recording of unknown architecture is read like an amd64 one, because
  /// the files of another machine are simply not there.
  bool is_x86() const { return host.architecture() == "amd64" || host.architecture().empty(); }
  bool is(std::string_view architecture) const { return host.architecture() == architecture; }
};

void observe_model(const CpuContext& cpu);        // cpu.model
void observe_riscv(const CpuContext& cpu);        // cpu.riscv
void observe_idle_states(const CpuContext& cpu);  // cpu.cstate
void observe_frequency(const CpuContext& cpu);    // cpu.pstate, cpu.sst
void observe_resources(const CpuContext& cpu);    // cpu.rdt
void observe_security(const CpuContext& cpu);     // cpu.security
void observe_topology(const CpuContext& cpu);     // cpu.topology, cpu.cache

/// Every run of characters outside [-A-Za-z0-9_.] becomes one "_".
std::string label_safe(std::string_view text);

}  // namespace nodescout
