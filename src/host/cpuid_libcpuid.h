// CPUID leaves of the processor that this runs on, through libcpuid.
#pragma once

#include "nodescout/host.h"

namespace nodescout {

/// False on every architecture but x86.
bool live_cpuid_present();
CpuidRegisters live_cpuid(std::uint32_t leaf, std::uint32_t subleaf);
/// XGETBV with ECX = 0; 0 unless the kernel enabled it (CPUID 1:ECX.27). libcpuid offers no XGETBV.
std::uint64_t live_xcr0();

}  // namespace nodescout
