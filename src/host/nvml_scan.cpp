#include "host/nvml_scan.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "host/nvml_report.h"
#include "host/nvml_scan_parts.h"

namespace nodescout {
namespace nvml {
namespace {

constexpr std::int64_t kMostGpus = 256;

std::string cluster_text(const unsigned char (&bytes)[16]) {
  if (std::all_of(std::begin(bytes), std::end(bytes), [](unsigned char byte) { return byte == 0; })) return "";
  std::string out;
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

/// The structure grew twice. A driver that does not know the requested version reports that, and is asked for an older
/// one.
void scan_fabric(const Api& api, Device gpu, NvmlGpu& into) {
  Return code = kNvmlFunctionNotFound;
  for (const std::uint32_t version : {kFabricInfoV3, kFabricInfoV2}) {
    FabricInfoV info{};
    info.version = version;
    code = api.fabric_v(gpu, &info);
    if (code == kArgumentVersionMismatch) continue;
    if (code != kSuccess) break;
    into.fabric = NvmlFabric{info.state, info.status, cluster_text(info.cluster), info.clique, info.health_mask, {}};
    if (version == kFabricInfoV3) into.fabric->health_summary = info.health_summary;
    return;
  }
  if (code == kNvmlFunctionNotFound || code == kArgumentVersionMismatch) {
    FabricInfo info{};
    code = api.fabric(gpu, &info);
    if (code == kSuccess) {
      into.fabric = NvmlFabric{info.state, info.status, cluster_text(info.cluster), info.clique, {}, {}};
      return;
    }
  }
  note(api, into.failures, api.fabric_v ? api.fabric_v.name() : api.fabric.name(), code);
}

void scan_links(const Api& api, Device gpu, NvmlGpu& into) {
  for (unsigned link = 0; link < kMostLinks; ++link) {
    unsigned active = 0;
    if (const Return code = api.link_state(gpu, link, &active); code != kSuccess) {
      // This is how it reports that there are no more.
      if (code != kInvalidArgument && code != kNotFound) note(api, into.failures, api.link_state.name(), code);
      return;
    }
    if (active != 1) continue;
    NvmlLink found;
    unsigned type = 0;
    if (api.link_remote_type(gpu, link, &type) == kSuccess) found.remote_type = type;
    PciInfo remote{};
    if (api.link_remote(gpu, link, &remote) == kSuccess) found.remote = bus_id_of(remote);
    if (unsigned version = 0; api.link_version(gpu, link, &version) == kSuccess) into.nvlink_version = version;
    into.links.push_back(std::move(found));
  }
}

void scan_platform(const Api& api, Device gpu, NvmlGpu& into) {
  PlatformInfo info{};
  if (api.platform(gpu, &info) != kSuccess) return;  // only rack systems have a place
  into.platform = NvmlPlatform{text_of(info.chassis_serial), info.slot, info.tray, info.host, info.module};
}

NvmlGpu scan_gpu(const Api& api, unsigned index) {
  NvmlGpu gpu;
  Device device = nullptr;
  if (const Return code = api.handle(index, &device); code != kSuccess) {
    note_any(api, gpu.failures, api.handle.name(), code);
    return gpu;
  }
  const Asking ask{api, device, gpu.failures}, must{api, device, gpu.failures, note_any};
  PciInfo pci{};
  if (ask(api.pci, &pci)) gpu.bus_id = bus_id_of(pci);
  std::array<char, kNameLength> name{};
  if (const Return code = api.name(device, name.data(), kNameLength); code == kSuccess)
    gpu.name = text_of(name);
  else
    note_any(api, gpu.failures, api.name.name(), code);
  // A GPU that fell off its bus answers nothing more, and each further question may hang.
  const auto is_lost = [&] {
    return std::any_of(gpu.failures.begin(), gpu.failures.end(),
                       [](const NvmlFailure& failure) { return failure.code == kNvmlGpuIsLost; });
  };
  if (is_lost()) return gpu;
  gpu.uuid = must.text<kUuidLength>(api.uuid);
  gpu.serial = ask.text<kSerialLength>(api.serial);
  gpu.board_part = ask.text<kBoardPartLength>(api.board_part);
  gpu.vbios = ask.text<kVbiosLength>(api.vbios);
  Memory memory{};
  if (const Return code = api.memory(device, &memory); code == kSuccess)
    gpu.memory = static_cast<std::int64_t>(memory.total);
  else if (code != kNvmlNotSupported)  // as GPUs report that share the memory of the machine
    note_any(api, gpu.failures, api.memory.name(), code);
  if (int major = 0, minor = 0; must(api.compute_capability, &major, &minor)) {
    gpu.compute_major = major;
    gpu.compute_minor = minor;
  }
  if (unsigned current = 0, pending = 0; ask(api.mig_mode, &current, &pending)) {
    gpu.mig = current;
    gpu.mig_pending = pending;
  }
  if (is_lost()) return gpu;
  if (unsigned current = 0, pending = 0; ask(api.ecc_mode, &current, &pending)) {
    gpu.ecc = current;
    gpu.ecc_pending = pending;
  }
  if (unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
      ask(api.remapped_rows, &corrected, &uncorrected, &pending, &failed)) {
    gpu.remap_pending = pending;
    gpu.remap_failed = failed;
  }
  if (AddressingMode mode{AddressingMode{}.version, 0}; ask(api.addressing, &mode)) gpu.addressing = mode.value;
  gpu.memory_node = ask.number(api.memory_node);
  gpu.virtualization = ask.number(api.virtualization);
  gpu.persistence = ask.number(api.persistence);
  gpu.compute_mode = ask.number(api.compute_mode);
  gpu.power_limit = ask.number(api.power_limit);
  gpu.module_id = ask.number(api.module_id);
  scan_platform(api, device, gpu);
  scan_fabric(api, device, gpu);
  scan_links(api, device, gpu);
  if (gpu.mig == 1) scan_migs(api, device, gpu);
  return gpu;
}

/// Facts of the machine. False if the GPUs cannot be asked at all.
void scan_system(const Api& api, NvmlReport& report) {
  std::array<char, kDriverVersionLength> version{};
  if (const Return code = api.driver_version(version.data(), kDriverVersionLength); code == kSuccess)
    report.driver_version = text_of(version);
  else
    note_any(api, report.failures, api.driver_version.name(), code);
  int cuda = 0;
  if (const Return code = api.cuda_version(&cuda); code == kSuccess)
    report.cuda_version = cuda;
  else
    note_any(api, report.failures, api.cuda_version.name(), code);
  if (DriverBranch branch{}; api.driver_branch(&branch, sizeof branch.text) == kSuccess)
    report.driver_branch = text_of(branch.text);
  if (ConfComputeState state{}; api.conf_compute(&state) == kSuccess)
    report.confidential = NvmlConfidential{state.environment, state.feature, state.devtools};
  unsigned count = 0;
  if (const Return code = api.count(&count); code != kSuccess)
    note_any(api, report.failures, api.count.name(), code);
  else
    report.gpu_count = std::min<std::int64_t>(count, kMostGpus);
  if (count > kMostGpus)
    report.failures.push_back(
        {api.count.name(), kSuccess, "it counts " + std::to_string(count) + " GPUs, more than a machine can have"});
}

}  // namespace
}  // namespace nvml

void scan_nvml(std::span<const std::string> libraries, const LineSink& write) {
  NvmlReport report;
  report.backend = "nvml";
  const auto library = first_library(libraries, report);
  if (!library) return write(nvml_first_line(report));
  const nvml::Api api(*library);
  report.init = api.init();
  if (report.init != nvml::kSuccess) {
    note_any(api, report.failures, api.init.name(), report.init);
    write(nvml_first_line(report));
    return write(nvml_last_line());
  }
  nvml::scan_system(api, report);
  write(nvml_first_line(report));
  for (std::int64_t index = 0; index < report.gpu_count.value_or(0); ++index)
    write(nvml_gpu_line(nvml::scan_gpu(api, static_cast<unsigned>(index))));
  write(nvml_last_line());
  api.shutdown();
}

int nvml_scan_command(std::span<char* const> arguments) {
  constexpr int kAnswerAbove = 100;
  // If the parent is gone, or ends, nothing reads the answer: end with it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  constexpr rlimit kNoCoreDump{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNoCoreDump);
  bool tegra = false;
  std::vector<std::string> libraries;
  for (const char* argument : arguments) {
    if (std::string_view(argument) == "--tegra")
      tegra = true;
    else
      libraries.emplace_back(argument);
  }
  // A driver's library may print. What it writes to the standard output must not come between the lines of the answer.
  const int answer = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kAnswerAbove);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (answer < 0 || nowhere < 0 || ::dup2(nowhere, STDOUT_FILENO) < 0) ::_exit(1);
  ::close(nowhere);
  const auto write = [answer](const std::string& line) {
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t count = ::write(answer, rest.data(), rest.size());
      if (count <= 0) ::_exit(1);
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  };
  (tegra ? scan_tegra : scan_nvml)(libraries, write);
  // No destructor of a driver library is worth waiting for.
  ::_exit(0);
}

}  // namespace nodescout
