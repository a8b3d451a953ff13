#include "probe/hwcap.h"

#include "base/text.h"

namespace nodescout {
namespace {

/// Names in order of their bits, upwards from `first` or downwards. A dash leaves a bit without a name.
struct Word {
  std::string_view architecture;
  bool second;  // AT_HWCAP2
  int first;
  int step;
  std::string_view names;
};

constexpr Word kWords[] = {
    {"arm64", false, 0, 1,
     "FP ASIMD EVTSTRM AES PMULL SHA1 SHA2 CRC32 ATOMICS FPHP ASIMDHP CPUID ASIMDRDM JSCVT FCMA LRCPC "
     "DCPOP SHA3 SM3 SM4 ASIMDDP SHA512 SVE ASIMDFHM DIT USCAT ILRCPC FLAGM SSBS SB PACA PACG"},
    {"arm64", true, 0, 1,
     "DCPODP SVE2 SVEAES SVEPMULL SVEBITPERM SVESHA3 SVESM4 FLAGM2 FRINT SVEI8MM SVEF32MM SVEF64MM SVEBF16 I8MM BF16 "
     "DGH "
     "RNG BTI MTE ECV AFP RPRES MTE3 SME SMEI16I64 SMEF64F64 SMEI8I32 SMEF16F32 SMEB16F32 SMEF32F32 SMEFA64 WFXT EBF16 "
     "SVEEBF16"},
    {"arm", false, 0, 1,
     "SWP HALF THUMB 26BIT FASTMUL FPA VFP EDSP JAVA IWMMXT CRUNCH THUMBEE NEON VFPv3 VFPv3D16 TLS VFPv4 IDIVA IDIVT "
     "VFPD32 "
     "LPAE EVTSTRM"},
    {"arm", true, 0, 1, "AES PMULL SHA1 SHA2 CRC32"},
    {"s390x", false, 0, 1,
     "ESAN3 ZARCH STFLE MSA LDISP EIMM DFP EDAT ETF3EH HIGHGPRS TE VX VXD VXE GS VXE2 VXP SORT DFLT VXP2 NNPA PCIMIO "
     "SIE"},
    {"ppc64le", false, 31, -1,
     "PPC32 PPC64 PPC601 ALTIVEC FPU MMU 4xxMAC UCACHE SPE EFPFLOAT EFPDOUBLE NOTB POWER4 POWER5 POWER5+ CELLBE BOOKE "
     "SMT "
     "IC_SNOOP ARCH_2_05 PA6T DFP POWER6X ARCH_2_06 VSX ARCHPMU"},
    {"ppc64le", false, 1, -1, "TRUE_LE PPCLE"},
    {"ppc64le", true, 31, -1,
     "ARCH_2_07 HTM DSCR EBB ISEL TAR VCRYPTO HTM-NOSC ARCH_3_00 IEEE128 DARN SCV HTM-NO-SUSPEND ARCH_3_1 MMA"},
};

}  // namespace

FlagSet hwcap_flags(std::string_view architecture, const HardwareWords& words) {
  FlagSet flags;
  for (const Word& word : kWords) {
    if (word.architecture != architecture) continue;
    const std::uint64_t bits = word.second ? words.hwcap2 : words.hwcap;
    int bit = word.first;
    for (const std::string_view name : fields(word.names)) {
      if ((bits >> bit) & 1) flags.emplace(name);
      bit += word.step;
    }
  }
  return flags;
}

std::vector<std::pair<std::string, std::string>> hwcap_flag_sources() {
  std::vector<std::pair<std::string, std::string>> sources;
  for (const Word& word : kWords) {
    int bit = word.first;
    for (const std::string_view name : fields(word.names)) {
      sources.emplace_back(name, std::string(word.architecture) + (word.second ? " AT_HWCAP2 bit " : " AT_HWCAP bit ") +
                                     std::to_string(bit));
      bit += word.step;
    }
  }
  return sources;
}

}  // namespace nodescout
