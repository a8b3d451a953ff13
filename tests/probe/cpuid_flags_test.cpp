#include "probe/cpuid_flags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/text.h"
#include "document/json.h"
#include "base/gunzip_libdeflate.h"
#include "support/shared.h"

namespace nodescout {
namespace {

/// A processor given by a few leaves; the rest is zero.
CpuidReader processor(std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidRegisters> leaves,
                      std::uint64_t xcr0 = 0) {
  return CpuidReader(
      [leaves = std::move(leaves)](std::uint32_t leaf, std::uint32_t subleaf) {
        const auto at = leaves.find({leaf, subleaf});
        return at == leaves.end() ? CpuidRegisters{} : at->second;
      },
      xcr0);
}

constexpr CpuidRegisters kIntel{0x20, 0x756e6547, 0x6c65746e, 0x49656e69};

TEST(CpuidFlags, NoLeavesNoFlags) {
  EXPECT_TRUE(x86_flags(processor({}), CpuidTruth::actual).empty());
  EXPECT_TRUE(x86_flags(processor({}), CpuidTruth::nfd).empty());
}

TEST(CpuidFlags, XsaveIsTheSse3BitOnlyForNfd) {
  const CpuidReader cpu = processor({{{0, 0}, kIntel}, {{1, 0}, {0, 0, 1u << 0, 0}}});
  EXPECT_TRUE(x86_flags(cpu, CpuidTruth::nfd).contains("XSAVE"));
  EXPECT_FALSE(x86_flags(cpu, CpuidTruth::actual).contains("XSAVE"));
  const CpuidReader real = processor({{{0, 0}, kIntel}, {{1, 0}, {0, 0, (1u << 26) | (1u << 27), 0}}});
  EXPECT_FALSE(x86_flags(real, CpuidTruth::nfd).contains("OSXSAVE"));
  EXPECT_TRUE(x86_flags(real, CpuidTruth::actual).contains("OSXSAVE"));
}

TEST(CpuidFlags, ProtectionKeysAreNoAmx) {
  constexpr std::uint64_t kZmm = 0xE7;
  const CpuidReader cpu = processor({{{0, 0}, kIntel},
                                     {{1, 0}, {0, 0, (1u << 26) | (1u << 27) | (1u << 28), 0}},
                                     {{7, 0}, {0, 1u << 16, 1u << 3, 0}}},
                                    kZmm);
  EXPECT_TRUE(x86_flags(cpu, CpuidTruth::nfd).contains("AMXFP8"));
  EXPECT_FALSE(x86_flags(cpu, CpuidTruth::actual).contains("AMXFP8"));
  EXPECT_TRUE(x86_flags(cpu, CpuidTruth::actual).contains("AVX512F"));
}

TEST(CpuidFlags, AVectorUnitThatTheKernelDoesNotSaveIsNotThere) {
  const CpuidReader cpu = processor({{{0, 0}, kIntel}, {{1, 0}, {0, 0, 1u << 28, 0}}}, 0x7);
  EXPECT_FALSE(x86_flags(cpu, CpuidTruth::actual).contains("AVX"));
}

TEST(CpuidFlags, EveryFlagHasASource) {
  for (const auto& [name, source] : x86_flag_sources()) EXPECT_FALSE(source.empty()) << name;
}

/// 2,000 register sets with what NFD's library makes of them.
TEST(CpuidFlags, CorpusGivesExactlyNfdsFlags) {
  NODESCOUT_NEEDS_SHARED();
  std::ifstream file(test::shared_folder() / "corpus/cpuid-cases.jsonl.gz", std::ios::binary);
  std::stringstream compressed;
  compressed << file.rdbuf();
  const auto text = gunzip(compressed.str(), "cpuid-cases", 256u << 20);
  ASSERT_TRUE(text) << text.error().text();
  int cases = 0;
  for (const std::string_view line : split(*text, '\n')) {
    if (line.empty()) continue;
    const auto parsed = parse_json(line, "cpuid-cases");
    ASSERT_TRUE(parsed);
    const auto number = [](const Value& value) { return static_cast<std::uint64_t>(std::stoull(value.text)); };
    std::map<std::pair<std::uint32_t, std::uint32_t>, CpuidRegisters> leaves;
    for (const Member& member : parsed->find("regs")->members) {
      const auto parts = split(member.key, '.');
      const auto& words = member.value.items;
      leaves[{static_cast<std::uint32_t>(*parse_hex(parts[0])), static_cast<std::uint32_t>(*parse_hex(parts[1]))}] = {
          static_cast<std::uint32_t>(number(words[0])), static_cast<std::uint32_t>(number(words[1])),
          static_cast<std::uint32_t>(number(words[2])), static_cast<std::uint32_t>(number(words[3]))};
    }
    std::string vendor = parsed->find("v")->text;
    vendor.resize(12, '\0');
    const auto word = [&](int at) {
      std::uint32_t out = 0;
      for (int i = 3; i >= 0; --i)
        out = (out << 8) | static_cast<unsigned char>(vendor[static_cast<std::size_t>(at + i)]);
      return out;
    };
    leaves[{0, 0}] = {static_cast<std::uint32_t>(number(*parsed->find("mfi"))), word(0), word(8), word(4)};
    leaves[{0x80000000, 0}] = {static_cast<std::uint32_t>(number(*parsed->find("mex"))), 0, 0, 0};
    FlagSet want;
    for (const Value& flag : parsed->find("f")->items) want.insert(flag.text);
    const FlagSet got = x86_flags(processor(std::move(leaves), number(*parsed->find("xcr"))), CpuidTruth::nfd);
    std::string difference;
    for (const std::string& flag : want) difference += got.contains(flag) ? "" : " -" + flag;
    for (const std::string& flag : got) difference += want.contains(flag) ? "" : " +" + flag;
    ASSERT_EQ(difference, "") << "case " << cases;
    ++cases;
  }
  EXPECT_GE(cases, 1);
}

}  // namespace
}  // namespace nodescout
