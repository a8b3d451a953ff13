// x86 CPU flags from CPUID leaves: NFD's names, and for each what NFD reports and what is true.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/host.h"

namespace nodescout {

/// Leaves on demand, each executed once: the instruction traps in a virtual machine.
class CpuidReader {
 public:
  explicit CpuidReader(const Host& host);
  /// For tests and recordings of any kind. A leaf that is not there answers zeros.
  CpuidReader(std::function<CpuidRegisters(std::uint32_t, std::uint32_t)> execute, std::uint64_t xcr0);

  const CpuidRegisters& leaf(std::uint32_t number, std::uint32_t subleaf = 0) const;
  std::uint32_t highest_basic() const { return leaf(0).eax; }
  std::uint32_t highest_extended() const;
  /// "GenuineIntel": EBX, EDX, ECX of leaf 0, cut at the first NUL.
  std::string vendor() const;
  std::uint64_t xcr0() const { return xcr0_; }

 private:
  std::function<CpuidRegisters(std::uint32_t, std::uint32_t)> execute_;
  std::uint64_t xcr0_;
  mutable std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidRegisters> known_;
};

struct CpuSignature {
  unsigned family = 0;
  unsigned model = 0;
};
CpuSignature cpu_signature(const CpuidReader& cpuid);

enum class CpuidTruth {
  actual,  // what the processor and the kernel offer
  nfd,     // what NFD's library reports, its wrong bits included
};

/// Flag names, X86_64_V1... included. Empty if the highest basic leaf is 0.
FlagSet x86_flags(const CpuidReader& cpuid, CpuidTruth truth);

/// "Intel", "AMD", "KVM", ... or "VendorUnknown": one table for processors and hypervisors.
std::string_view vendor_name(std::string_view id);

/// Every name that x86_flags can return, sorted, with the leaf that it stands for ("7.0:EBX.5").
std::vector<std::pair<std::string, std::string>> x86_flag_sources();

}  // namespace nodescout
