#include "probe/cpu_parts.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

/// Bytes of enclave memory: sub-leaves 2 to 9 of leaf 12h until one is invalid.
std::uint64_t enclave_bytes(const CpuidReader& cpuid) {
  std::uint64_t total = 0;
  for (std::uint32_t subleaf = 2; subleaf <= 9; ++subleaf) {
    const CpuidRegisters& section = cpuid.leaf(0x12, subleaf);
    const std::uint32_t type = section.eax & 0xF;
    if (type == 0) break;
    if (type == 1) total += (section.ecx & 0xFFFFF000u) + (static_cast<std::uint64_t>(section.edx & 0xFFFFFu) << 32);
  }
  return total;
}

/// Capacity of one resource of the misc control group, where the file has a number for it.
std::optional<std::int64_t> misc_capacity(Reading& reading, std::string_view resource, bool nfd) {
  auto text = reading.raw("/sys/fs/cgroup/misc.capacity");
  if (!text) text = reading.raw("/sys/fs/cgroup/misc/misc.capacity");
  if (!text) return std::nullopt;
  for (std::string_view line : split(*text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    // NFD takes the first line that starts with the name, so "sev" also accepts "sev_es", and parts it at single
    // blanks.
    const std::vector<std::string_view> words = nfd ? split(line, ' ') : fields(line);
    if (words.empty() || !(nfd ? line.starts_with(resource) : words[0] == resource)) continue;
    const auto capacity = words.size() > 1 ? parse_int(words[1]) : std::nullopt;
    return capacity && *capacity >= 0 ? capacity : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void observe_security(const CpuContext& cpu) {
  Attributes& security = cpu.seen.features.attributes["cpu.security"];
  Reading reading(cpu.host, cpu.seen, "cpu.security");
  const bool nfd = cpu.config.nfd_compat;
  if (cpu.is("s390x")) {
    if (reading.raw("/sys/firmware/uv/prot_virt_host") == "1\n") security["se.enabled"] = "true";
    return;
  }
  if (!cpu.is_x86()) return;

  const FlagSet& flags = cpu.seen.features.flags.at("cpu.cpuid");
  if (flags.contains("SGX") && (nfd || cpu.cpuid.highest_basic() >= 0x12)) {
    if (const std::uint64_t bytes = enclave_bytes(cpu.cpuid); bytes > 0) {
      security["sgx.enabled"] = "true";
      security["sgx.epc"] = std::to_string(bytes);
    }
  }
  if (flags.contains("TDX_GUEST")) security["tdx.protected"] = "true";

  const auto is_on = [&](const char* parameter) {
    const auto text = reading.raw(std::string("/sys/module/kvm_amd/parameters/") + parameter);
    return text && !text->empty() && (text->front() == '1' || text->front() == 'Y');
  };
  const auto capacity = [&](const char* element, std::string_view resource) {
    if (const auto count = misc_capacity(reading, resource, nfd)) security[element] = std::to_string(*count);
  };
  if (reading.raw("/sys/module/kvm_intel/parameters/tdx") == "Y\n") {
    security["tdx.enabled"] = "true";
    capacity("tdx.total_keys", "tdx");
  }
  if (is_on("sev")) {
    security["sev.enabled"] = "true";
    capacity("sev.asids", "sev");
  }
  if (is_on("sev_es")) {
    security["sev.es.enabled"] = "true";
    capacity("sev.encrypted_state_ids", "sev_es");
  }
  if (is_on("sev_snp")) security["sev.snp.enabled"] = "true";
}

void observe_resources(const CpuContext& cpu) {
  Attributes& rdt = cpu.seen.features.attributes["cpu.rdt"];
  if (!cpu.is_x86() || !cpu.host.has_cpuid()) return;
  // Past the highest leaf Intel's processors answer with another one; NFD does not check.
  const auto leaf = [&](std::uint32_t number, std::uint32_t subleaf) {
    return cpu.config.nfd_compat || number <= cpu.cpuid.highest_basic() ? cpu.cpuid.leaf(number, subleaf)
                                                                        : CpuidRegisters{};
  };
  const auto has = [](std::uint32_t word, unsigned bit) { return ((word >> bit) & 1u) != 0; };
  const std::uint32_t extended = leaf(7, 0).ebx;
  if (has(extended, 12) && has(leaf(0xF, 0).edx, 1)) {
    rdt["RDTMON"] = "true";
    const std::uint32_t monitors = leaf(0xF, 1).edx;
    if (has(monitors, 0)) rdt["RDTCMT"] = "true";
    if (has(monitors, 1) && has(monitors, 2)) rdt["RDTMBM"] = "true";
  }
  if (!has(extended, 15)) return;
  const std::uint32_t allocations = leaf(0x10, 0).ebx;
  if (has(allocations, 2)) rdt["RDTL2CA"] = "true";
  if (has(allocations, 3)) rdt["RDTMBA"] = "true";
  if (!has(allocations, 1)) return;
  rdt["RDTL3CA"] = "true";
  Reading reading(cpu.host, cpu.seen, "cpu.rdt");
  std::string resctrl = "/sys/fs/resctrl";
  if (!reading.exists(resctrl + "/info"))
    for (const Mount& mount : cpu.host.mounts())
      if (mount.type == "resctrl") {
        resctrl = mount.target;
        break;
      }
  if (const auto text = reading.text(resctrl + "/info/L3/num_closids"))
    if (const auto classes = parse_int(*text); classes && *classes >= 1)
      rdt["RDTL3CA_NUM_CLOSID"] = std::to_string(*classes - 1);
}

}  // namespace nodescout
