#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#include "base/text.h"
#include "document/json.h"
#include "host/cpuid_libcpuid.h"
#include "host/errands.h"
#include "host/host_facts.h"
#include "host/journal.h"
#include "host/numa.h"
#include "host/nvml_host.h"
#include "host/nvml_report.h"
#include "host/udev_libudev.h"
#include "nodescout/host.h"

namespace nodescout {
namespace {

constexpr std::string_view kBuildArchitecture =
#if defined(__x86_64__)
    "amd64";
#elif defined(__aarch64__)
    "arm64";
#elif defined(__arm__)
    "arm";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    "ppc64le";
#elif defined(__s390x__)
    "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
    "riscv64";
#elif defined(__loongarch64)
    "loong64";
#else
    "unknown";
#endif

std::uint64_t live_midr([[maybe_unused]] std::uint64_t hwcap) {
#if defined(__aarch64__)
  constexpr std::uint64_t kHwcapCpuid = 1u << 11;  // the kernel emulates the register for user space
  if (hwcap & kHwcapCpuid) {
    std::uint64_t midr = 0;
    __asm__("mrs %0, MIDR_EL1" : "=r"(midr));
    return midr;
  }
#endif
  return 0;
}

}  // namespace

struct Host::State {
  explicit State(Root root) : files(std::move(root)) {}

  Root files;
  bool ask_machine = true;
  std::shared_ptr<Redactor> redactor;
  std::shared_ptr<Journal> journal;
  std::optional<CpuidTable> cpuid;
  std::optional<NvmlReport> nvml;
  std::string scanner;
  bool trusts_root = false;
  Errands* errands = nullptr;
  std::function<void(const std::string&)> on_wait;
  std::string udev_dump;
  HostFacts facts;
  std::string architecture;
  std::string node_name;
  std::vector<Problem> problems;
};

Host::Host(std::unique_ptr<State> state) : state_(std::move(state)) {}
Host::Host(Host&&) noexcept = default;
Host& Host::operator=(Host&&) noexcept = default;
Host::~Host() = default;

Result<Host> Host::open(const HostOptions& options) {
  struct stat status;
  if (::stat(options.root.c_str(), &status) != 0)
    return Error{errno == ENOENT ? Errc::absent : Errc::denied, options.root, std::strerror(errno)};
  if (!S_ISDIR(status.st_mode)) return Error{Errc::unsupported, options.root, "not a directory"};

  auto state = std::make_unique<State>(Root::at(options.root));
  state->ask_machine = options.ask_machine;
  state->scanner = options.scanner;
  state->trusts_root = options.trusts_root;
  state->errands = options.errands;
  state->on_wait = options.on_wait;
  if (!state->files.is_live()) {
    // These four are beside the recorded tree. They are read as files of the recording, with its limits and its
    // confinement.
    if (const auto text = state->files.read("/cpuid.txt"))
      state->cpuid = CpuidTable::parse(*text, options.root + "/cpuid.txt", state->problems);
    else if (text.error().code != Errc::absent)
      state->problems.push_back(problem_of(text.error()));
    if (const auto text = state->files.read("/nvml.json")) {
      auto report = parse_nvml(*text, options.root + "/nvml.json");
      if (report)
        state->nvml = *std::move(report);
      else
        state->problems.push_back(problem_of(report.error()));
    } else if (text.error().code != Errc::absent) {
      state->problems.push_back(problem_of(text.error()));
    }
    constexpr std::size_t kUdevCap = 64u << 20;
    if (auto text = state->files.read("/udev.txt", kUdevCap))
      state->udev_dump = *std::move(text);
    else if (text.error().code != Errc::absent)
      state->problems.push_back(problem_of(text.error()));
    if (const auto text = state->files.read("/host.json"))
      state->facts = HostFacts::parse(*text, options.root + "/host.json", state->problems);
    else if (text.error().code != Errc::absent)
      state->problems.push_back(problem_of(text.error()));
  }
  state->files.refuse(state->facts.refused);
  if (options.redact) {
    state->redactor = options.redactor ? options.redactor : std::make_shared<Redactor>();
    state->files.redact(state->redactor);
  }
  if (options.journal) {
    state->journal = options.journal;
    state->files.observe(options.journal);
  }

  state->architecture = state->facts.architecture.value_or(options.ask_machine ? std::string(kBuildArchitecture) : "");
  const char* name = std::getenv("NODE_NAME");
  state->node_name = state->facts.node_name.value_or(name ? name : "");
  return Host(std::move(state));
}

std::string boot_id(const Root& files) {
  const auto text = files.read("/proc/sys/kernel/random/boot_id");
  return text ? std::string(trim(*text)) : "";
}

const Root& Host::files() const { return state_->files; }
Root& Host::files() { return state_->files; }
const std::string& Host::architecture() const { return state_->architecture; }
const std::string& Host::node_name() const { return state_->node_name; }
std::chrono::system_clock::time_point Host::now() const {
  return state_->facts.recorded ? std::chrono::system_clock::time_point(std::chrono::seconds(*state_->facts.recorded))
                                : std::chrono::system_clock::now();
}
const std::vector<Problem>& Host::problems() const { return state_->problems; }

bool Host::has_cpuid() const {
  if (state_->cpuid) return true;
  return state_->ask_machine && live_cpuid_present();
}

CpuidRegisters Host::cpuid(std::uint32_t leaf, std::uint32_t subleaf) const {
  CpuidRegisters registers;
  if (state_->cpuid) {
    const auto found = state_->cpuid->leaves.find({leaf, subleaf});
    if (found != state_->cpuid->leaves.end()) registers = found->second;
  } else if (has_cpuid()) {
    registers = live_cpuid(leaf, subleaf);
  }
  if (state_->journal && has_cpuid()) state_->journal->cpuid.leaves[{leaf, subleaf}] = registers;
  return registers;
}

std::uint64_t Host::xcr0() const {
  const std::uint64_t value = state_->cpuid ? state_->cpuid->xcr0.value_or(0) : has_cpuid() ? live_xcr0() : 0;
  if (state_->journal && has_cpuid()) state_->journal->cpuid.xcr0 = value;
  return value;
}

HardwareWords Host::hardware_words() const {
  if (state_->facts.words) return *state_->facts.words;
  if (!state_->ask_machine) return {};
  HardwareWords words;
  words.hwcap = ::getauxval(AT_HWCAP);
  words.hwcap2 = ::getauxval(AT_HWCAP2);
  words.midr = live_midr(words.hwcap);
  return words;
}

std::vector<Mount> Host::mounts() const {
  if (state_->facts.mounts) return *state_->facts.mounts;
  if (!state_->ask_machine) return {};
  // Below a host mount, process 1 is the host's: its table says where the host mounted things. The file itself is
  // private, and not part of a recording.
  const bool live = state_->files.is_live();
  const auto table = Root::at(state_->files.real_path("")).read(live ? "/proc/self/mounts" : "/proc/1/mounts");
  return table ? parse_mounts(*table) : std::vector<Mount>{};
}

std::optional<int> parse_numa_node(std::string_view text) {
  constexpr std::int64_t kMost = 1 << 16;  // kernels are built for 1024 at most
  const auto node = parse_int(trim(text));
  return node && *node >= 0 && *node < kMost ? std::optional(static_cast<int>(*node)) : std::nullopt;
}

Result<std::vector<PciDevice>> Host::pci(std::vector<Problem>& problems, bool with_numa_nodes) const {
  const auto addresses = state_->files.list("/sys/bus/pci/devices");
  if (!addresses) return addresses.error();
  std::vector<PciDevice> devices;
  for (const std::string& address : *addresses) devices.push_back({address, {}});
  if (!with_numa_nodes) return devices;
  for (PciDevice& device : devices) {
    const std::string path = "/sys/bus/pci/devices/" + device.address + "/numa_node";
    const auto text = state_->files.read(path);
    if (!text) {
      if (text.error().code != Errc::absent) problems.push_back(problem_of(text.error()));
      continue;
    }
    device.numa_node = parse_numa_node(*text);
    if (!device.numa_node && trim(*text) != "-1")
      problems.push_back({"malformed-device", path, quote(trim(*text).substr(0, 100)) + " is not a NUMA node", ""});
  }
  return devices;
}

UdevProperties Host::udev_properties(std::string_view subsystem, const std::string& name) const {
  const auto syspath = state_->files.resolve("/sys/class/" + std::string(subsystem) + "/" + name);
  if (!syspath) return {};
  UdevProperties properties =
      state_->files.is_live() ? state_->ask_machine ? live_udev_properties(subsystem, name) : UdevProperties{}
                              : recorded_udev_properties(state_->files, subsystem, name, *syspath, state_->udev_dump);
  if (state_->redactor)
    for (auto& [property, value] : properties) value = state_->redactor->apply_property(property, std::move(value));
  if (state_->journal) state_->journal->udev.insert_or_assign(*syspath, properties);
  return properties;
}

NvmlReport Host::nvml(const NvmlRequest& request) const {
  NvmlReport report;
  if (state_->nvml) {
    report = *state_->nvml;
  } else if (!state_->ask_machine || !(state_->trusts_root || is_running_machine(state_->files))) {
    report.error =
        Error{Errc::unsupported, "nvml.json", "the recording has none, and a recording's library is not run"};
    return report;
  } else if (state_->scanner.empty()) {
    report.error = Error{Errc::unsupported, "libnvidia-ml.so.1", "there is no program that could query it"};
    return report;
  } else {
    const std::string name = request.tegra ? "libcuda.so.1" : "libnvidia-ml.so.1";
    const auto libraries = [&] { return driver_libraries(state_->files, name, request.driver_root); };
    if (state_->errands) {
      auto answer = state_->errands->ask<NvmlReport>(name + " " + request.driver_root, [&] {
        return [program = state_->scanner, found = libraries(), request](const std::stop_token& stop) {
          return ask_nvml(program, found, request, stop);
        };
      });
      if (!answer) {
        report.is_awaited = true;
        return report;
      }
      report = *std::move(answer);
    } else {
      std::function<void()> on_slow;
      if (state_->on_wait) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(request.deadline).count();
        on_slow = [this, seconds] {
          state_->on_wait("waiting for NVIDIA's driver to answer, for up to " + std::to_string(seconds) + " s");
        };
      }
      report = ask_nvml(state_->scanner, libraries(), request, {}, std::move(on_slow));
    }
  }
  if (state_->redactor) redact(report, *state_->redactor);
  if (state_->journal) state_->journal->nvml = print_nvml(report);
  return report;
}

}  // namespace nodescout
