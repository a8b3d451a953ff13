// One line per CPUID bit: leaf, sub-leaf, register, bit, when NFD reports it, when it is true, name.
//
// libcpuid names 114 flags and stops at avx512vbmi2, decodes half of them on one vendor's path only, and its raw data
// holds sub-leaf 0 alone; so it executes the leaves and this table reads them. The two gate columns differ where NFD's
// library is wrong: it takes XSAVE and OSXSAVE from the SSE3 bit, AMXFP8 from the PKU bit, FXSROPT also from the SSE
// bit, POPCNT also from LZCNT, gates AMX on the ZMM state instead of the tile state, and lets AVX-512 bits stand
// without AVX512F.
#include "probe/cpuid_flags.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace nodescout {
namespace {

enum Gate : std::uint8_t {
  any,
  never,
  osxsave,  // the kernel enabled XSAVE
  ymm,      // ... and saves YMM state
  zmm,      // ... and ZMM state
  avx,      // AVX itself is usable
  avx512,   // AVX512F itself is usable
  amx,      // the kernel saves tile state
  apx,      // the kernel saves the extended general registers
  avx10,
  bmi1,
  xsave,  // NFD: the SSE3 bit
  sgx,
  svm,
  ibs,
  amd,  // NFD: AMD alone; in truth Hygon too
};

enum Register : std::uint8_t { eax, ebx, ecx, edx };

struct FlagBit {
  std::uint32_t leaf;
  std::uint8_t subleaf;
  Register reg;
  std::uint8_t bit;
  Gate nfd;
  Gate actual;
  const char* name;
};

constexpr FlagBit kBits[] = {
    {0x1, 0, ecx, 0, any, any, "SSE3"},
    {0x1, 0, ecx, 0, any, never, "OSXSAVE"},
    {0x1, 0, ecx, 0, any, never, "XSAVE"},
    {0x1, 0, ecx, 1, any, any, "CLMUL"},
    {0x1, 0, ecx, 5, any, any, "VMX"},
    {0x1, 0, ecx, 9, any, any, "SSSE3"},
    {0x1, 0, ecx, 12, osxsave, ymm, "FMA3"},
    {0x1, 0, ecx, 13, any, any, "CX16"},
    {0x1, 0, ecx, 19, any, any, "SSE4"},
    {0x1, 0, ecx, 20, any, any, "SSE42"},
    {0x1, 0, ecx, 22, any, any, "MOVBE"},
    {0x1, 0, ecx, 23, any, any, "POPCNT"},
    {0x1, 0, ecx, 25, any, any, "AESNI"},
    {0x1, 0, ecx, 26, never, any, "XSAVE"},
    {0x1, 0, ecx, 27, never, any, "OSXSAVE"},
    {0x1, 0, ecx, 28, ymm, ymm, "AVX"},
    {0x1, 0, ecx, 29, any, ymm, "F16C"},
    {0x1, 0, ecx, 30, any, any, "RDRAND"},
    {0x1, 0, ecx, 31, any, any, "HYPERVISOR"},
    {0x1, 0, edx, 0, any, any, "X87"},
    {0x1, 0, edx, 8, any, any, "CMPXCHG8"},
    {0x1, 0, edx, 11, any, any, "SYSEE"},
    {0x1, 0, edx, 15, any, any, "CMOV"},
    {0x1, 0, edx, 23, any, any, "MMX"},
    {0x1, 0, edx, 24, any, any, "FXSR"},
    {0x1, 0, edx, 25, any, any, "SSE"},
    {0x1, 0, edx, 25, any, never, "FXSROPT"},
    {0x1, 0, edx, 26, any, any, "SSE2"},
    {0x7, 0, ebx, 2, any, any, "SGX"},
    {0x7, 0, ebx, 3, any, any, "BMI1"},
    {0x7, 0, ebx, 4, any, any, "HLE"},
    {0x7, 0, ebx, 5, avx, avx, "AVX2"},
    {0x7, 0, ebx, 8, bmi1, bmi1, "BMI2"},
    {0x7, 0, ebx, 9, any, any, "ERMS"},
    {0x7, 0, ebx, 11, any, any, "RTM"},
    {0x7, 0, ebx, 14, any, any, "MPX"},
    {0x7, 0, ebx, 16, zmm, zmm, "AVX512F"},
    {0x7, 0, ebx, 17, zmm, avx512, "AVX512DQ"},
    {0x7, 0, ebx, 18, any, any, "RDSEED"},
    {0x7, 0, ebx, 19, any, any, "ADX"},
    {0x7, 0, ebx, 21, zmm, avx512, "AVX512IFMA"},
    {0x7, 0, ebx, 26, zmm, avx512, "AVX512PF"},
    {0x7, 0, ebx, 27, zmm, avx512, "AVX512ER"},
    {0x7, 0, ebx, 28, zmm, avx512, "AVX512CD"},
    {0x7, 0, ebx, 29, any, any, "SHA"},
    {0x7, 0, ebx, 30, zmm, avx512, "AVX512BW"},
    {0x7, 0, ebx, 31, zmm, avx512, "AVX512VL"},
    {0x7, 0, ecx, 1, zmm, avx512, "AVX512VBMI"},
    {0x7, 0, ecx, 3, zmm, never, "AMXFP8"},
    {0x7, 0, ecx, 5, any, any, "WAITPKG"},
    {0x7, 0, ecx, 6, zmm, avx512, "AVX512VBMI2"},
    {0x7, 0, ecx, 7, any, any, "CETSS"},
    {0x7, 0, ecx, 8, any, any, "GFNI"},
    {0x7, 0, ecx, 9, any, ymm, "VAES"},
    {0x7, 0, ecx, 10, any, ymm, "VPCLMULQDQ"},
    {0x7, 0, ecx, 11, zmm, avx512, "AVX512VNNI"},
    {0x7, 0, ecx, 12, zmm, avx512, "AVX512BITALG"},
    {0x7, 0, ecx, 13, any, any, "TME"},
    {0x7, 0, ecx, 14, zmm, avx512, "AVX512VPOPCNTDQ"},
    {0x7, 0, ecx, 23, any, any, "KEYLOCKER"},
    {0x7, 0, ecx, 25, any, any, "CLDEMOTE"},
    {0x7, 0, ecx, 27, any, any, "MOVDIRI"},
    {0x7, 0, ecx, 28, any, any, "MOVDIR64B"},
    {0x7, 0, ecx, 29, any, any, "ENQCMD"},
    {0x7, 0, ecx, 30, any, any, "SGXLC"},
    {0x7, 0, edx, 4, any, any, "FSRM"},
    {0x7, 0, edx, 8, zmm, avx512, "AVX512VP2INTERSECT"},
    {0x7, 0, edx, 9, any, any, "SRBDS_CTRL"},
    {0x7, 0, edx, 10, any, any, "MD_CLEAR"},
    {0x7, 0, edx, 11, any, any, "RTM_ALWAYS_ABORT"},
    {0x7, 0, edx, 14, any, any, "SERIALIZE"},
    {0x7, 0, edx, 15, any, any, "HYBRID_CPU"},
    {0x7, 0, edx, 16, any, any, "TSXLDTRK"},
    {0x7, 0, edx, 18, any, any, "PCONFIG"},
    {0x7, 0, edx, 20, any, any, "CETIBT"},
    {0x7, 0, edx, 22, zmm, amx, "AMXBF16"},
    {0x7, 0, edx, 23, zmm, avx512, "AVX512FP16"},
    {0x7, 0, edx, 24, zmm, amx, "AMXTILE"},
    {0x7, 0, edx, 25, zmm, amx, "AMXINT8"},
    {0x7, 0, edx, 26, any, any, "IBPB"},
    {0x7, 0, edx, 27, any, any, "STIBP"},
    {0x7, 0, edx, 28, any, any, "FLUSH_L1D"},
    {0x7, 0, edx, 29, any, any, "IA32_ARCH_CAP"},
    {0x7, 0, edx, 30, any, any, "IA32_CORE_CAP"},
    {0x7, 0, edx, 31, any, any, "SPEC_CTRL_SSBD"},
    {0x7, 1, eax, 1, any, any, "SM3_X86"},
    {0x7, 1, eax, 2, any, any, "SM4_X86"},
    {0x7, 1, eax, 4, avx, avx, "AVXVNNI"},
    {0x7, 1, eax, 5, zmm, avx512, "AVX512BF16"},
    {0x7, 1, eax, 7, any, any, "CMPCCXADD"},
    {0x7, 1, eax, 10, any, any, "MOVSB_ZL"},
    {0x7, 1, eax, 11, any, any, "STOSB_SHORT"},
    {0x7, 1, eax, 12, any, any, "CMPSB_SCADBS_SHORT"},
    {0x7, 1, eax, 17, any, any, "FRED"},
    {0x7, 1, eax, 19, zmm, any, "WRMSRNS"},
    {0x7, 1, eax, 21, zmm, amx, "AMXFP16"},
    {0x7, 1, eax, 22, any, any, "HRESET"},
    {0x7, 1, eax, 23, any, ymm, "AVXIFMA"},
    {0x7, 1, eax, 26, any, any, "LAM"},
    {0x7, 1, eax, 27, zmm, any, "MSRLIST"},
    {0x7, 1, edx, 4, any, ymm, "AVXVNNIINT8"},
    {0x7, 1, edx, 5, any, ymm, "AVXNECONVERT"},
    {0x7, 1, edx, 6, any, never, "AMXTRANSPOSE"},
    {0x7, 1, edx, 7, any, never, "AMXTF32"},
    {0x7, 1, edx, 8, any, amx, "AMXCOMPLEX"},
    {0x7, 1, edx, 10, any, ymm, "AVXVNNIINT16"},
    {0x7, 1, edx, 14, any, any, "PREFETCHI"},
    {0x7, 1, edx, 19, any, zmm, "AVX10"},
    {0x7, 1, edx, 21, any, apx, "APX_F"},
    {0x7, 2, edx, 0, any, any, "PSFD"},
    {0x7, 2, edx, 1, any, any, "IDPRED_CTRL"},
    {0x7, 2, edx, 2, any, any, "RRSBA_CTRL"},
    {0x7, 2, edx, 4, any, any, "BHI_CTRL"},
    {0x7, 2, edx, 5, any, any, "MCDT_NO"},
    {0xd, 1, eax, 0, xsave, xsave, "XSAVEOPT"},
    {0xd, 1, eax, 1, xsave, xsave, "XSAVEC"},
    {0xd, 1, eax, 2, xsave, xsave, "XGETBV1"},
    {0xd, 1, eax, 3, xsave, xsave, "XSAVES"},
    {0x12, 0, eax, 12, sgx, sgx, "SGXPQC"},
    {0x1e, 1, eax, 4, never, amx, "AMXFP8"},
    {0x1e, 1, eax, 5, never, amx, "AMXTRANSPOSE"},
    {0x1e, 1, eax, 6, never, amx, "AMXTF32"},
    {0x24, 0, ebx, 16, avx10, avx10, "AVX10_128"},
    {0x24, 0, ebx, 17, avx10, avx10, "AVX10_256"},
    {0x24, 0, ebx, 18, avx10, avx10, "AVX10_512"},
    {0x80000001, 0, ecx, 0, any, any, "LAHF"},
    {0x80000001, 0, ecx, 2, any, any, "SVM"},
    {0x80000001, 0, ecx, 5, any, any, "LZCNT"},
    {0x80000001, 0, ecx, 5, any, never, "POPCNT"},
    {0x80000001, 0, ecx, 6, any, any, "SSE4A"},
    {0x80000001, 0, ecx, 10, any, any, "IBS"},
    {0x80000001, 0, ecx, 11, avx, avx, "XOP"},
    {0x80000001, 0, ecx, 16, avx, avx, "FMA4"},
    {0x80000001, 0, ecx, 22, any, any, "TOPEXT"},
    {0x80000001, 0, edx, 11, any, any, "SYSCALL"},
    {0x80000001, 0, edx, 20, any, any, "NX"},
    {0x80000001, 0, edx, 22, any, any, "MMXEXT"},
    {0x80000001, 0, edx, 23, any, any, "MMX"},
    {0x80000001, 0, edx, 24, any, any, "FXSR"},
    {0x80000001, 0, edx, 25, any, any, "FXSROPT"},
    {0x80000001, 0, edx, 27, any, any, "RDTSCP"},
    {0x80000001, 0, edx, 30, any, any, "AMD3DNOWEXT"},
    {0x80000001, 0, edx, 31, any, any, "AMD3DNOW"},
    {0x80000007, 0, ebx, 0, any, any, "MCAOVERFLOW"},
    {0x80000007, 0, ebx, 1, any, any, "SUCCOR"},
    {0x80000007, 0, ebx, 2, any, any, "HWA"},
    {0x80000007, 0, edx, 9, any, any, "CPBOOST"},
    {0x80000008, 0, ebx, 0, any, any, "CLZERO"},
    {0x80000008, 0, ebx, 1, any, any, "MSRIRC"},
    {0x80000008, 0, ebx, 3, any, any, "INVLPGB"},
    {0x80000008, 0, ebx, 4, any, any, "RDPRU"},
    {0x80000008, 0, ebx, 8, any, any, "MCOMMIT"},
    {0x80000008, 0, ebx, 9, any, any, "WBNOINVD"},
    {0x80000008, 0, ebx, 12, any, any, "IBPB"},
    {0x80000008, 0, ebx, 13, any, any, "INT_WBINVD"},
    {0x80000008, 0, ebx, 14, any, any, "IBRS"},
    {0x80000008, 0, ebx, 15, any, any, "STIBP"},
    {0x80000008, 0, ebx, 17, any, any, "STIBP_ALWAYSON"},
    {0x80000008, 0, ebx, 18, any, any, "IBRS_PREFERRED"},
    {0x80000008, 0, ebx, 19, any, any, "IBRS_PROVIDES_SMP"},
    {0x80000008, 0, ebx, 20, any, any, "EFER_LMSLE_UNS"},
    {0x80000008, 0, ebx, 21, any, any, "TLB_FLUSH_NESTED"},
    {0x80000008, 0, ebx, 23, any, any, "PPIN"},
    {0x80000008, 0, ebx, 24, any, any, "SPEC_CTRL_SSBD"},
    {0x80000008, 0, ebx, 27, any, any, "CPPC"},
    {0x80000008, 0, ebx, 28, any, any, "PSFD"},
    {0x8000000a, 0, edx, 0, svm, svm, "SVMNP"},
    {0x8000000a, 0, edx, 1, svm, svm, "LBRVIRT"},
    {0x8000000a, 0, edx, 2, svm, svm, "SVML"},
    {0x8000000a, 0, edx, 3, svm, svm, "NRIPS"},
    {0x8000000a, 0, edx, 4, svm, svm, "TSCRATEMSR"},
    {0x8000000a, 0, edx, 5, svm, svm, "VMCBCLEAN"},
    {0x8000000a, 0, edx, 6, svm, svm, "SVMFBASID"},
    {0x8000000a, 0, edx, 7, svm, svm, "SVMDA"},
    {0x8000000a, 0, edx, 10, svm, svm, "SVMPF"},
    {0x8000000a, 0, edx, 12, svm, svm, "SVMPFT"},
    {0x8000001a, 0, eax, 0, any, any, "FP128"},
    {0x8000001a, 0, eax, 1, any, any, "MOVU"},
    {0x8000001a, 0, eax, 2, any, any, "FP256"},
    {0x8000001b, 0, eax, 0, ibs, ibs, "IBSFFV"},
    {0x8000001b, 0, eax, 1, ibs, ibs, "IBSFETCHSAM"},
    {0x8000001b, 0, eax, 2, ibs, ibs, "IBSOPSAM"},
    {0x8000001b, 0, eax, 3, ibs, ibs, "IBSRDWROPCNT"},
    {0x8000001b, 0, eax, 4, ibs, ibs, "IBSOPCNT"},
    {0x8000001b, 0, eax, 5, ibs, ibs, "IBSBRNTRGT"},
    {0x8000001b, 0, eax, 6, ibs, ibs, "IBSOPCNTEXT"},
    {0x8000001b, 0, eax, 7, ibs, ibs, "IBSRIPINVALIDCHK"},
    {0x8000001b, 0, eax, 8, ibs, ibs, "IBS_OPFUSE"},
    {0x8000001b, 0, eax, 9, ibs, ibs, "IBS_FETCH_CTLX"},
    {0x8000001b, 0, eax, 10, ibs, ibs, "IBS_OPDATA4"},
    {0x8000001b, 0, eax, 11, ibs, ibs, "IBS_ZEN4"},
    {0x8000001f, 0, eax, 0, amd, amd, "SME"},
    {0x8000001f, 0, eax, 1, amd, amd, "SEV"},
    {0x8000001f, 0, eax, 2, amd, amd, "MSR_PAGEFLUSH"},
    {0x8000001f, 0, eax, 3, amd, amd, "SEV_ES"},
    {0x8000001f, 0, eax, 4, amd, amd, "SEV_SNP"},
    {0x8000001f, 0, eax, 5, amd, amd, "VMPL"},
    {0x8000001f, 0, eax, 10, amd, amd, "SME_COHERENT"},
    {0x8000001f, 0, eax, 11, amd, amd, "SEV_64BIT"},
    {0x8000001f, 0, eax, 12, amd, amd, "SEV_RESTRICTED"},
    {0x8000001f, 0, eax, 13, amd, amd, "SEV_ALTERNATIVE"},
    {0x8000001f, 0, eax, 14, amd, amd, "SEV_DEBUGSWAP"},
    {0x8000001f, 0, eax, 15, amd, amd, "IBS_PREVENTHOST"},
    {0x8000001f, 0, eax, 16, amd, amd, "VTE"},
    {0x8000001f, 0, eax, 24, amd, amd, "VMSA_REGPROT"},
    {0x80000021, 0, eax, 5, amd, amd, "TSA_VERW_CLEAR"},
    {0x80000021, 0, eax, 23, amd, avx512, "AVX512BMM"},
    {0x80000021, 0, eax, 27, amd, amd, "SBPB"},
    {0x80000021, 0, eax, 28, amd, amd, "IBPB_BRTYPE"},
    {0x80000021, 0, eax, 29, amd, amd, "SRSO_NO"},
    {0x80000021, 0, eax, 30, amd, amd, "SRSO_USER_KERNEL_NO"},
    {0x80000021, 0, eax, 31, amd, amd, "SRSO_MSR_FIX"},
    {0x80000021, 0, ecx, 1, amd, amd, "TSA_L1_NO"},
    {0x80000021, 0, ecx, 2, amd, amd, "TSA_SQ_NO"},
};

std::uint32_t word_of(const CpuidRegisters& registers, Register reg) {
  switch (reg) {
    case eax: return registers.eax;
    case ebx: return registers.ebx;
    case ecx: return registers.ecx;
    case edx: return registers.edx;
  }
  return 0;
}

bool has(std::uint32_t word, unsigned bit) { return ((word >> bit) & 1u) != 0; }

std::string text_of(std::initializer_list<std::uint32_t> words) {
  std::string text;
  for (const std::uint32_t word : words)
    for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>((word >> shift) & 0xFF);
  return text.substr(0, text.find('\0'));
}

class Decoder {
 public:
  Decoder(const CpuidReader& cpuid, CpuidTruth truth) : cpuid_(cpuid), nfd_(truth == CpuidTruth::nfd) {
    const std::string id = cpuid.vendor();
    amd_ = id == "AuthenticAMD" || id == "AMDisbetter!";
    hygon_ = id == "HygonGenuine";
    intel_ = id == "GenuineIntel";
    highest_basic_ = cpuid.highest_basic();
    highest_extended_ = cpuid.highest_extended();
    signature_ = cpu_signature(cpuid);
    const CpuidRegisters& one = cpuid.leaf(1);
    const CpuidRegisters seven = highest_basic_ >= 7 ? cpuid.leaf(7) : CpuidRegisters{};
    const CpuidRegisters extended = highest_extended_ >= 0x80000001 ? cpuid.leaf(0x80000001) : CpuidRegisters{};
    const std::uint64_t xcr0 = cpuid.xcr0();
    const bool enabled = has(one.ecx, 26) && has(one.ecx, 27);
    open_[any] = true;
    open_[osxsave] = has(one.ecx, 27);
    open_[ymm] = enabled && (xcr0 & 0x6) == 0x6;
    open_[zmm] = open_[ymm] && (xcr0 & 0xE0) == 0xE0;
    open_[avx] = open_[ymm] && has(one.ecx, 28);
    open_[avx512] = open_[zmm] && has(seven.ebx, 16);
    open_[amx] = enabled && (xcr0 & 0x60000) == 0x60000 && has(seven.edx, 24);
    open_[apx] = enabled && (xcr0 & 0x80000) != 0;
    open_[avx10] = highest_basic_ >= 7 && has(leaf7(1).edx, 19) && (nfd_ || open_[zmm]);
    open_[bmi1] = has(seven.ebx, 3);
    open_[xsave] = has(one.ecx, nfd_ ? 0 : 26);
    open_[sgx] = has(seven.ebx, 2);
    open_[svm] = has(extended.ecx, 2);
    open_[ibs] = has(extended.ecx, 10);
    open_[amd] = amd_ || (hygon_ && !nfd_);
  }

  FlagSet flags() {
    if (highest_basic_ == 0) return {};
    for (const FlagBit& flag : kBits) {
      if (!open_[nfd_ ? flag.nfd : flag.actual] || !reaches(flag)) continue;
      const CpuidRegisters& registers = flag.leaf == 7 ? leaf7(flag.subleaf) : cpuid_.leaf(flag.leaf, flag.subleaf);
      if (has(word_of(registers, flag.reg), flag.bit)) found_.insert(flag.name);
    }
    if (has(cpuid_.leaf(1).edx, 28) && threads_per_core() > 1) found_.insert("HTT");
    if (open_[avx] && is_slow_at_avx()) found_.insert("AVXSLOW");
    if (found_.contains("KEYLOCKER") && highest_basic_ >= 0x19 && (cpuid_.leaf(0x19).ebx & 5) == 5)
      found_.insert("KEYLOCKERW");
    performance_counters();
    trusted_domain();
    if (amd_ && is_immune_to_tsa()) found_.insert({"TSA_L1_NO", "TSA_SQ_NO"});
    psabi_levels();
    return std::move(found_);
  }

 private:
  /// Sub-leaf 0 says how many sub-leaves leaf 7 has; NFD's library does not ask.
  CpuidRegisters leaf7(std::uint32_t subleaf) const {
    if (!nfd_ && subleaf > cpuid_.leaf(7).eax) return {};
    return cpuid_.leaf(7, subleaf);
  }

  bool reaches(const FlagBit& flag) const {
    if (flag.leaf >= 0x80000000) return flag.leaf <= highest_extended_;
    return flag.leaf <= highest_basic_ || (nfd_ && flag.leaf == 0x12);  // NFD reads 12h whenever SGX is set
  }

  unsigned threads_per_core() const {
    const bool amd_like = amd_ || (hygon_ && !nfd_);
    if ((!intel_ && !amd_like) || highest_basic_ < 4) return 1;
    const CpuidRegisters& one = cpuid_.leaf(1);
    if (highest_basic_ < 0xB) {
      if (!intel_ || !has(one.edx, 28)) return 1;
      const unsigned logical = (one.ebx >> 16) & 0xFF;
      return logical > 1 ? logical / ((cpuid_.leaf(4).eax >> 26) + 1) : 1;
    }
    if (const unsigned siblings = cpuid_.leaf(0xB).ebx & 0xFFFF) return siblings;
    if (amd_like && has(one.edx, 28) && signature_.family >= 23)
      return highest_extended_ >= 0x8000001E ? ((cpuid_.leaf(0x8000001E).ebx >> 8) & 0xFF) + 1 : 2;
    return 1;
  }

  bool is_slow_at_avx() const {
    if (intel_) return signature_.family == 6 && signature_.model < 60;
    if (amd_) return signature_.family < 23 || (signature_.family == 23 && signature_.model < 49);
    return false;
  }

  /// NFD takes the mask of missing architectural events (EBX) for one of missing fixed counters, and asks for their
  /// number only where it is zero. The fixed counters are those that EDX counts or ECX names.
  void performance_counters() {
    constexpr std::array kCounters = {"PMU_FIXEDCOUNTER_INSTRUCTIONS", "PMU_FIXEDCOUNTER_CYCLES",
                                      "PMU_FIXEDCOUNTER_REFCYCLES", "PMU_FIXEDCOUNTER_TOPDOWN_SLOTS"};
    if (highest_basic_ < 0xA) return;
    const CpuidRegisters& monitor = cpuid_.leaf(0xA);
    const unsigned version = monitor.eax & 0xFF;
    if (version == 0) return;
    const unsigned count = version > 1 ? monitor.edx & 0x1F : 0;
    for (unsigned i = 0; i < kCounters.size(); ++i) {
      const bool present = !nfd_              ? i < count || (version > 4 && has(monitor.ecx, i))
                           : monitor.ebx != 0 ? !has(monitor.ebx, i)
                                              : (count == 3 || count == 4) && i < count;
      if (present) found_.insert(kCounters[i]);
    }
  }

  void trusted_domain() {
    const bool hyper_v = highest_basic_ >= 0x20 && cpuid_.leaf(0x4000000C).ebx == 0xBE3;
    const CpuidRegisters tdx = highest_basic_ >= 0x21 ? cpuid_.leaf(0x21) : CpuidRegisters{};
    if (hyper_v || text_of({tdx.ebx, tdx.edx, tdx.ecx}) == "IntelTDX    ") found_.insert("TDX_GUEST");
  }

  bool is_immune_to_tsa() const {
    const auto [family, model] = signature_;
    return family < 0x19 || (family == 0x1A && (model <= 0x4F || (model >= 0x60 && model <= 0x7F)));
  }

  void psabi_levels() {
    if (!found_.contains("SYSEE") && !found_.contains("SYSCALL")) return;
    const std::initializer_list<const char*> levels[] = {
        {"CMOV", "CMPXCHG8", "X87", "FXSR", "MMX", "SSE", "SSE2"},
        {"CX16", "LAHF", "POPCNT", "SSE3", "SSE4", "SSE42", "SSSE3"},
        {"AVX", "AVX2", "BMI1", "BMI2", "F16C", "FMA3", "LZCNT", "MOVBE", "OSXSAVE"},
        {"AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"}};
    int level = 0;
    for (const auto& needed : levels) {
      if (!std::all_of(needed.begin(), needed.end(), [&](const char* name) { return found_.contains(name); })) return;
      found_.insert("X86_64_V" + std::to_string(++level));
    }
  }

  const CpuidReader& cpuid_;
  bool nfd_;
  bool amd_ = false, hygon_ = false, intel_ = false;
  std::uint32_t highest_basic_ = 0, highest_extended_ = 0;
  CpuSignature signature_;
  std::array<bool, amd + 1> open_{};
  FlagSet found_;
};

struct Vendor {
  std::string_view id;
  std::string_view name;
};

constexpr Vendor kVendors[] = {
    {"AMDisbetter!", "AMD"},   {"AuthenticAMD", "AMD"},       {"GenuineIntel", "Intel"},     {"CentaurHauls", "VIA"},
    {"VIA VIA VIA ", "VIA"},   {"TransmetaCPU", "Transmeta"}, {"GenuineTMx86", "Transmeta"}, {"Geode by NSC", "NSC"},
    {"HygonGenuine", "Hygon"}, {"Vortex86 SoC", "SiS"},       {"SiS SiS SiS ", "SiS"},       {"RiseRiseRise", "SiS"},
    {"Genuine  RDC", "RDC"},   {"KVMKVMKVM", "KVM"},          {"Linux KVM Hv", "KVM"},       {"TCGTCGTCGTCG", "QEMU"},
    {"Microsoft Hv", "MSVM"},  {"VMwareVMware", "VMware"},    {"XenVMMXenVMM", "XenHVM"},    {"bhyve bhyve ", "Bhyve"},
    {"QNXQVMBSQG", "QNX"},     {"ACRNACRNACRN", "ACRN"},      {"SRESRESRESRE", "SRE"},       {"Apple VZ", "Apple"},
};

}  // namespace

CpuidReader::CpuidReader(const Host& host)
    : execute_([&host](std::uint32_t leaf, std::uint32_t subleaf) { return host.cpuid(leaf, subleaf); }),
      xcr0_(host.xcr0()) {}

CpuidReader::CpuidReader(std::function<CpuidRegisters(std::uint32_t, std::uint32_t)> execute, std::uint64_t xcr0)
    : execute_(std::move(execute)), xcr0_(xcr0) {}

const CpuidRegisters& CpuidReader::leaf(std::uint32_t number, std::uint32_t subleaf) const {
  const auto [at, is_new] = known_.try_emplace({number, subleaf});
  if (is_new) at->second = execute_(number, subleaf);
  return at->second;
}

std::uint32_t CpuidReader::highest_extended() const {
  const std::uint32_t highest = leaf(0x80000000).eax;
  return highest >= 0x80000000 ? highest : 0;  // a processor without extended leaves answers anything
}

std::string CpuidReader::vendor() const {
  const CpuidRegisters& zero = leaf(0);
  return text_of({zero.ebx, zero.edx, zero.ecx});
}

CpuSignature cpu_signature(const CpuidReader& cpuid) {
  if (cpuid.highest_basic() == 0) return {};
  const std::uint32_t eax_word = cpuid.leaf(1).eax;
  const unsigned base_family = (eax_word >> 8) & 0xF;
  CpuSignature signature{base_family, (eax_word >> 4) & 0xF};
  if (base_family == 15) signature.family += (eax_word >> 20) & 0xFF;
  if (base_family == 6 || base_family == 15) signature.model += ((eax_word >> 16) & 0xF) * 16;
  return signature;
}

FlagSet x86_flags(const CpuidReader& cpuid, CpuidTruth truth) { return Decoder(cpuid, truth).flags(); }

std::string_view vendor_name(std::string_view id) {
  const auto at =
      std::find_if(std::begin(kVendors), std::end(kVendors), [&](const Vendor& vendor) { return vendor.id == id; });
  return at == std::end(kVendors) ? "VendorUnknown" : at->name;
}

std::vector<std::pair<std::string, std::string>> x86_flag_sources() {
  std::map<std::string, std::string> sources{
      {"AVXSLOW", "family and model"},
      {"HTT", "1:EDX.28 and threads per core"},
      {"KEYLOCKERW", "19:EBX.0 and 19:EBX.2"},
      {"PMU_FIXEDCOUNTER_CYCLES", "A:ECX, A:EDX"},
      {"PMU_FIXEDCOUNTER_INSTRUCTIONS", "A:ECX, A:EDX"},
      {"PMU_FIXEDCOUNTER_REFCYCLES", "A:ECX, A:EDX"},
      {"PMU_FIXEDCOUNTER_TOPDOWN_SLOTS", "A:ECX, A:EDX"},
      {"TDX_GUEST", "21 or 4000000C"},
      {"X86_64_V1", "psABI level"},
      {"X86_64_V2", "psABI level"},
      {"X86_64_V3", "psABI level"},
      {"X86_64_V4", "psABI level"},
  };
  constexpr std::array kRegisterNames = {"EAX", "EBX", "ECX", "EDX"};
  for (const FlagBit& flag : kBits) {
    if (flag.actual == never) continue;
    std::string leaf;
    for (std::uint32_t rest = flag.leaf; rest != 0; rest >>= 4)
      leaf.insert(leaf.begin(), "0123456789ABCDEF"[rest & 15]);
    std::string& source = sources[flag.name];
    if (!source.empty()) source += " or ";
    source += leaf + (flag.leaf == 7 || flag.subleaf > 0 ? "." + std::to_string(flag.subleaf) : "") + ":" +
              kRegisterNames[flag.reg] + "." + std::to_string(flag.bit);
  }
  return {sources.begin(), sources.end()};
}

}  // namespace nodescout
