#include <algorithm>

#include "probe/cpu_parts.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

struct Implementer {
  unsigned byte;
  std::string_view name;
};
constexpr Implementer kImplementers[] = {{0xC0, "Ampere"}, {0x41, "ARM"},     {0x42, "Broadcom"}, {0x43, "Cavium"},
                                         {0x44, "DEC"},    {0x46, "Fujitsu"}, {0x49, "Infineon"}, {0x4D, "Motorola"},
                                         {0x4E, "NVIDIA"}, {0x50, "AMCC"},    {0x51, "Qualcomm"}, {0x56, "Marvell"},
                                         {0x69, "Intel"}};

bool is_label_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string hypervisor(const CpuidReader& cpuid) {
  constexpr std::uint32_t kHypervisorBit = 1u << 31;
  if (cpuid.highest_basic() == 0 || !(cpuid.leaf(1).ecx & kHypervisorBit)) return "none";
  const CpuidRegisters& registers = cpuid.leaf(0x40000000);
  std::string id;
  for (const std::uint32_t word : {registers.ebx, registers.ecx, registers.edx})
    for (int shift = 0; shift < 32; shift += 8) id += static_cast<char>((word >> shift) & 0xFF);
  id = id.substr(0, id.find('\0'));
  if (const std::string_view known = vendor_name(id); known != "VendorUnknown") return lower_ascii(known);
  const std::string safe = label_safe(id);
  return safe.empty() ? "unknown" : safe;
}

/// "name : value" lines of /proc/cpuinfo, up to the first empty one: what all processors have in common.
Attributes first_processor(std::string_view cpuinfo) {
  Attributes out;
  for (const std::string_view line : split(cpuinfo, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (trim(line).empty() && !out.empty()) break;
      continue;
    }
    out.try_emplace(std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
  }
  return out;
}

/// Runs of blanks become one.
std::string tidy_name(std::string_view text) {
  std::string out;
  for (const std::string_view word : fields(text)) out += (out.empty() ? "" : " ") + std::string(word);
  return out;
}

std::string brand_string(const CpuidReader& cpuid) {
  std::string name;
  if (cpuid.highest_extended() < 0x80000004) return name;
  for (std::uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    const CpuidRegisters& registers = cpuid.leaf(leaf);
    for (const std::uint32_t word : {registers.eax, registers.ebx, registers.ecx, registers.edx})
      for (int shift = 0; shift < 32; shift += 8) name += static_cast<char>((word >> shift) & 0xFF);
  }
  return name.substr(0, name.find('\0'));
}

/// cpu.model's name; kernels call it "model name" (amd64), "cpu" (ppc64le) or "uarch" (riscv64), and some not at all.
void observe_name(const CpuContext& cpu, Attributes& model) {
  if (cpu.config.nfd_compat || !cpu.config.wanted.has("cpu.model", "name")) return;
  std::string name;
  if (cpu.is_x86()) {
    name = tidy_name(brand_string(cpu.cpuid));
  } else if (const auto text = Reading(cpu.host, cpu.seen, "cpu.model").raw("/proc/cpuinfo")) {
    const Attributes first = first_processor(*text);
    for (const char* key : {"model name", "cpu", "uarch"})
      if (const auto at = first.find(key); name.empty() && at != first.end()) name = tidy_name(at->second);
  }
  if (!name.empty()) model["name"] = std::move(name);
}

void observe_s390x(const CpuContext& cpu, Attributes& model) {
  Reading reading(cpu.host, cpu.seen, "cpu.model");
  bool identified = false;
  if (const auto text = reading.raw("/proc/cpuinfo")) {
    for (const std::string_view line : split(*text, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view name = trim(line.substr(0, colon));
      const std::string_view value = trim(line.substr(colon + 1));
      if (value.empty() || value == "0") continue;
      if (name == "vendor_id") model["vendor_id"] = label_safe(value);
      if (name == "machine") model["id"] = value;
      if (name == "identification" && !identified) model["family"] = value, identified = true;
    }
  }
  const auto sysinfo = reading.raw("/proc/sysinfo");
  if (!sysinfo) return;
  std::string program;
  for (const std::string_view line : split(*sysinfo, '\n')) {
    if (line.find("Control Program:") == std::string_view::npos) continue;
    program = label_safe(trim(line.substr(line.find(':') + 1)));
    break;
  }
  model["hypervisor"] = program.empty() ? "none" : program;
}

}  // namespace

std::string label_safe(std::string_view text) {
  std::string safe;
  bool in_run = false;
  for (const char c : text) {
    if (is_label_character(c))
      safe += c;
    else if (!in_run)
      safe += '_';
    in_run = !is_label_character(c);
  }
  return safe;
}

void observe_riscv(const CpuContext& cpu) {
  const auto text = Reading(cpu.host, cpu.seen, "cpu.riscv").raw("/proc/cpuinfo");
  if (!text) return;
  const Attributes first = first_processor(*text);
  for (const char* name : {"isa", "mvendorid", "marchid", "mimpid"})
    if (const auto at = first.find(name); at != first.end() && !at->second.empty())
      cpu.seen.features.attributes["cpu.riscv"][name] = at->second;
}

void observe_model(const CpuContext& cpu) {
  Attributes& model = cpu.seen.features.attributes["cpu.model"];
  if (cpu.is_x86()) {
    if (!cpu.host.has_cpuid()) return;  // a recording without CPUID: unknown, not "VendorUnknown"
    const CpuSignature signature = cpu_signature(cpu.cpuid);
    model["vendor_id"] = vendor_name(cpu.cpuid.vendor());
    model["family"] = std::to_string(signature.family);
    model["id"] = std::to_string(signature.model);
    model["hypervisor"] = hypervisor(cpu.cpuid);
    return observe_name(cpu, model);
  }
  model = {{"vendor_id", "VendorUnknown"}, {"family", "0"}, {"id", "0"}};
  observe_name(cpu, model);
  if (cpu.is("s390x")) return observe_s390x(cpu, model);
  model["hypervisor"] = "none";
  if (cpu.is("arm64")) {
    constexpr std::uint64_t kMidrReadable = 1u << 11;
    const HardwareWords words = cpu.host.hardware_words();
    if (!(words.hwcap & kMidrReadable)) return;
    const unsigned implementer = (words.midr >> 24) & 0xFF;
    for (const Implementer& known : kImplementers)
      if (known.byte == implementer) model["vendor_id"] = known.name;
    model["family"] = std::to_string((words.midr >> 16) & 0xFF);
    model["id"] = std::to_string(words.midr & 0xFFFF);
  }
}

}  // namespace nodescout
