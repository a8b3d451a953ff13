#include "probe/cpu_parts.h"
#include "probe/reading.h"

namespace nodescout {

void observe_idle_states(const CpuContext& cpu) {
  constexpr std::string_view kSet = "cpu.cstate";
  auto& attributes = cpu.seen.features.attributes;
  if (!cpu.is_x86()) {
    attributes[std::string(kSet)];
    return;
  }
  Reading reading(cpu.host, cpu.seen, kSet);
  const Root& files = cpu.host.files();
  if (const auto directory = files.status("/sys/devices/system/cpu"); !directory)
    return reading.note(directory.error());
  const auto idle = files.exists("/sys/devices/system/cpu/cpuidle");
  if (idle && !*idle) {
    attributes[std::string(kSet)];
    return;
  }
  const auto driver = reading.text("/sys/devices/system/cpu/cpuidle/current_driver");
  if (!driver) return;
  if (*driver != "intel_idle") {
    attributes[std::string(kSet)];
    return;
  }
  const auto deepest = reading.text("/sys/module/intel_idle/parameters/max_cstate");
  const auto number = deepest ? parse_int(*deepest) : std::nullopt;
  if (!number) {
    if (deepest)
      reading.note(
          {Errc::malformed, "/sys/module/intel_idle/parameters/max_cstate", "not a number: " + quote(*deepest)});
    return;
  }
  attributes[std::string(kSet)]["enabled"] = *number > 0 ? "true" : "false";
}

namespace {

void observe_pstate(const CpuContext& cpu, Attributes& pstate) {
  if (!cpu.is_x86()) return;
  Reading reading(cpu.host, cpu.seen, "cpu.pstate");
  const auto status = reading.text("/sys/devices/system/cpu/intel_pstate/status");
  if (!status || *status == "off") return;
  pstate["status"] = *status;
  if (const auto no_turbo = reading.raw("/sys/devices/system/cpu/intel_pstate/no_turbo");
      no_turbo && !no_turbo->empty())
    pstate["turbo"] = no_turbo->front() == '0' ? "true" : "false";
  if (*status != "active") return;
  const auto policies = reading.list("/sys/devices/system/cpu/cpufreq");
  if (!policies) return;
  std::string governor;
  for (const std::string& policy : *policies) {
    const std::string directory = "/sys/devices/system/cpu/cpufreq/" + policy;
    const auto affected = reading.text(directory + "/affected_cpus");
    if (!affected || affected->empty()) continue;  // all its processors are offline
    const auto own = reading.text(directory + "/scaling_governor");
    if (!own) continue;
    if (!governor.empty() && governor != *own) return;
    governor = *own;
  }
  if (!governor.empty()) pstate["scaling_governor"] = governor;
}

void observe_speed_select(const CpuContext& cpu, Attributes& sst) {
  if (!cpu.is_x86()) return;
  Reading reading(cpu.host, cpu.seen, "cpu.sst");
  const auto processors = reading.list("/sys/bus/cpu/devices");
  if (!processors) return;
  const bool has_leaf = cpu.config.nfd_compat || cpu.cpuid.highest_basic() >= 0x16;
  std::optional<std::uint32_t> nominal;  // MHz; the leaf is read only where some file asks for it
  for (const std::string& processor : *processors) {
    const std::string path = "/sys/bus/cpu/devices/" + processor + "/cpufreq/base_frequency";
    const auto text = reading.text(path);
    if (!text) continue;
    const auto base = parse_int(*text);
    if (!base) return reading.note({Errc::malformed, path, "not a number: " + quote(*text)});
    if (!nominal) nominal = has_leaf ? cpu.cpuid.leaf(0x16).eax : 0;
    if (*nominal == 0) return;
    if (*base / 1000 > *nominal) {
      sst["bf.enabled"] = "true";
      return;
    }
  }
}

}  // namespace

void observe_frequency(const CpuContext& cpu) {
  observe_pstate(cpu, cpu.seen.features.attributes["cpu.pstate"]);
  observe_speed_select(cpu, cpu.seen.features.attributes["cpu.sst"]);
}

}  // namespace nodescout
