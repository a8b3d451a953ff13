#include "host/cpuid_libcpuid.h"

#if defined(__x86_64__) || defined(__i386__)
#include <libcpuid/libcpuid.h>
#endif

namespace nodescout {

#if defined(__x86_64__) || defined(__i386__)

bool live_cpuid_present() { return cpuid_present() != 0; }

CpuidRegisters live_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  std::uint32_t registers[4] = {leaf, 0, subleaf, 0};
  cpu_exec_cpuid_ext(registers);
  return {registers[0], registers[1], registers[2], registers[3]};
}

std::uint64_t live_xcr0() {
  constexpr std::uint32_t kOsxsave = 1u << 27;
  if ((live_cpuid(1, 0).ecx & kOsxsave) == 0) return 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

#else

bool live_cpuid_present() { return false; }
CpuidRegisters live_cpuid(std::uint32_t, std::uint32_t) { return {}; }
std::uint64_t live_xcr0() { return 0; }

#endif

}  // namespace nodescout
