#include <array>

#include "probe/catalog.h"
#include "probe/cpu_parts.h"
#include "probe/hwcap.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kFlags[] = {{"<flag>", "CPUID (amd64), AT_HWCAP and AT_HWCAP2 (arm64, arm, ppc64le, s390x)",
                                   "instruction-set extension or processor property"}};
constexpr ElementSpec kFlagValues[] = {
    {"AVX10_VERSION", "CPUID 24.0:EBX[7:0]", "version of the AVX10 vector instructions", false, "-?[0-9]+"}};
constexpr ElementSpec kModel[] = {
    {"vendor_id", "CPUID 0, MIDR_EL1, /proc/cpuinfo", "Intel, AMD, ARM, ...; VendorUnknown if it is not known"},
    {"family", "CPUID 1:EAX, MIDR_EL1, /proc/cpuinfo", "family number, decimal; on s390x the identification", false,
     "[0-9A-F]+"},
    {"id", "CPUID 1:EAX, MIDR_EL1, /proc/cpuinfo", "model number, decimal", false, "[0-9]+"},
    {"hypervisor", "CPUID 40000000, /proc/sysinfo", "kvm, vmware, ...; none on a real machine"},
    {"name", "CPUID 80000002 to 80000004, /proc/cpuinfo",
     "the processor's own name: \"AMD EPYC 9654 96-Core Processor\"", true}};
constexpr ElementSpec kRiscv[] = {
    {"isa", "/proc/cpuinfo", "extensions of the instruction set: rv64imafdc_zba_zbb", true},
    {"mvendorid", "/proc/cpuinfo", "JEDEC number of the vendor, as the kernel prints it", true},
    {"marchid", "/proc/cpuinfo", "microarchitecture, likewise", true},
    {"mimpid", "/proc/cpuinfo", "version of the implementation, likewise", true}};
constexpr ElementSpec kIdle[] = {{"enabled", "/sys/module/intel_idle/parameters/max_cstate",
                                  "whether intel_idle may use any idle state", false, "true|false"}};
constexpr ElementSpec kFrequency[] = {
    {"status", "/sys/devices/system/cpu/intel_pstate/status", "active or passive"},
    {"turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", "whether turbo frequencies are allowed", false,
     "true|false"},
    {"scaling_governor", "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor", "only where all policies agree"}};
constexpr ElementSpec kResources[] = {
    {"RDTMON", "CPUID 7.0:EBX.12, F.0:EDX.1", "monitoring of shared resources", false, "true|false"},
    {"RDTCMT", "CPUID F.1:EDX.0", "L3 occupancy monitoring", false, "true|false"},
    {"RDTMBM", "CPUID F.1:EDX.1, F.1:EDX.2", "memory bandwidth monitoring", false, "true|false"},
    {"RDTL3CA", "CPUID 10.0:EBX.1", "L3 cache allocation", false, "true|false"},
    {"RDTL3CA_NUM_CLOSID", "info/L3/num_closids of resctrl", "classes of service for L3 beyond the default one", false,
     "-?[0-9]+"},
    {"RDTL2CA", "CPUID 10.0:EBX.2", "L2 cache allocation", false, "true|false"},
    {"RDTMBA", "CPUID 10.0:EBX.3", "memory bandwidth allocation", false, "true|false"}};
constexpr ElementSpec kSecurity[] = {
    {"sgx.enabled", "CPUID 7.0:EBX.2, 12", "SGX with enclave memory", false, "true|false"},
    {"sgx.epc", "CPUID 12.2 to 12.9", "bytes of enclave memory", false, "-?[0-9]+"},
    {"tdx.enabled", "/sys/module/kvm_intel/parameters/tdx", "this host can run TDX guests", false, "true|false"},
    {"tdx.total_keys", "/sys/fs/cgroup/misc.capacity", "TDX guests that fit at once", false, "-?[0-9]+"},
    {"tdx.protected", "CPUID 21", "this is a TDX guest", false, "true|false"},
    {"sev.enabled", "/sys/module/kvm_amd/parameters/sev", "this host can run SEV guests", false, "true|false"},
    {"sev.asids", "/sys/fs/cgroup/misc.capacity", "SEV guests that fit at once", false, "-?[0-9]+"},
    {"sev.es.enabled", "/sys/module/kvm_amd/parameters/sev_es", "... with encrypted registers", false, "true|false"},
    {"sev.encrypted_state_ids", "/sys/fs/cgroup/misc.capacity", "SEV-ES guests that fit at once", false, "-?[0-9]+"},
    {"sev.snp.enabled", "/sys/module/kvm_amd/parameters/sev_snp", "... with integrity protection", false, "true|false"},
    {"se.enabled", "/sys/firmware/uv/prot_virt_host", "s390x: this host can run Secure Execution guests", false,
     "true|false"}};
constexpr ElementSpec kSst[] = {{"bf.enabled", "/sys/bus/cpu/devices/cpu*/cpufreq/base_frequency, CPUID 16",
                                 "Speed Select base frequencies are in use; never false", false, "true|false"}};
constexpr ElementSpec kTopology[] = {
    {"hardware_multithreading", "/sys/bus/cpu/devices/cpu*/topology/thread_siblings_list", "several threads per core",
     false, "true|false"},
    {"socket_count", "/sys/bus/cpu/devices/cpu*/topology/physical_package_id", "processor packages", false, "-?[0-9]+"},
    {"core_count", "/sys/bus/cpu/devices/cpu*/topology", "cores of the processors that are online", true, "-?[0-9]+"},
    {"thread_count", "/sys/bus/cpu/devices", "hardware threads that are online", true, "-?[0-9]+"}};
constexpr ElementSpec kCache[] = {
    {"l1d", "/sys/devices/system/cpu/cpu*/cache", "bytes of one first-level data cache", true, "-?[0-9]+"},
    {"l1i", "/sys/devices/system/cpu/cpu*/cache", "bytes of one first-level instruction cache", true, "-?[0-9]+"},
    {"l2", "/sys/devices/system/cpu/cpu*/cache", "bytes of one second-level cache", true, "-?[0-9]+"},
    {"l3", "/sys/devices/system/cpu/cpu*/cache", "bytes of one third-level cache", true, "-?[0-9]+"}};
constexpr ElementSpec kCoprocessor[] = {
    {"nx_gzip", "/sys/devices/vio/ibm,compression-v1/nx_gzip_caps", "ppc64le: compression unit", false, "true|false"}};

using enum FeatureSpec::Kind;
constexpr std::string_view kCpuDirectory = "/sys/devices/system/cpu";

constexpr FeatureSpec kProduces[] = {
    {"cpu.cpuid", flag, "", "capabilities of the processor, by NFD's names", kFlags},
    {"cpu.cpuid", attribute, "", "processor properties with a value", kFlagValues},
    {"cpu.model", attribute, "", "vendor and model of the processor", kModel, false, true},
    {"cpu.riscv", attribute, "", "RISC-V: instruction set and vendor", kRiscv, true, true},
    {"cpu.cstate", attribute, kCpuDirectory, "idle states", kIdle},
    {"cpu.pstate", attribute, kCpuDirectory, "frequency control by intel_pstate", kFrequency},
    {"cpu.rdt", attribute, "", "Resource Director Technology", kResources, false, true},
    {"cpu.security", attribute, "/sys/module", "enclaves and confidential computing", kSecurity},
    {"cpu.sst", attribute, "/sys/bus/cpu/devices", "Speed Select Technology", kSst},
    {"cpu.topology", attribute, "/sys/bus/cpu/devices", "packages, cores and threads", kTopology},
    {"cpu.cache", attribute, "/sys/bus/cpu/devices", "cache sizes of the first processor that is online", kCache, true,
     true},
    {"cpu.coprocessor", attribute, "", "accelerators beside the cores", kCoprocessor},
};

// A module may switch a feature of the processor (kvm).
constexpr std::string_view kSubsystems[] = {"cpu", "module"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  const CpuidReader cpuid(host);
  const CpuContext cpu{host, config, cpuid, seen};

  FlagSet& flags = seen.features.flags["cpu.cpuid"];
  if (cpu.is_x86()) {
    flags = x86_flags(cpuid, config.nfd_compat ? CpuidTruth::nfd : CpuidTruth::actual);
    Attributes& values = seen.features.attributes["cpu.cpuid"];
    const std::uint32_t version =
        flags.contains("AVX10") && cpuid.highest_basic() >= 0x24 ? cpuid.leaf(0x24).ebx & 0xFF : 0;
    if (version > 0) values["AVX10_VERSION"] = std::to_string(version);
  } else {
    flags = hwcap_flags(host.architecture(), host.hardware_words());
  }
  observe_model(cpu);
  if (!config.nfd_compat && cpu.is("riscv64") && config.wanted.has("cpu.riscv")) observe_riscv(cpu);
  observe_idle_states(cpu);
  observe_frequency(cpu);
  if (config.wanted.has("cpu.rdt")) observe_resources(cpu);  // three CPUID leaves, 4 us each on a virtual machine
  observe_security(cpu);
  observe_topology(cpu);

  Attributes& coprocessor = seen.features.attributes["cpu.coprocessor"];
  if (cpu.is("ppc64le") &&
      Reading(host, seen, "cpu.coprocessor").exists("/sys/devices/vio/ibm,compression-v1/nx_gzip_caps"))
    coprocessor["nx_gzip"] = "true";
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe cpu{.name = "cpu",
                          .summary = "processor flags, model, topology, power and security",
                          .produces = kProduces,
                          .wakes = {.subsystems = kSubsystems},
                          .run = run};
}  // namespace probe

}  // namespace nodescout
