// Boards with an integrated GPU (Jetson): the CUDA driver interface reports a name, a capability and a memory size.
#include "host/nvml_report.h"
#include "host/nvml_scan.h"
#include "host/nvml_scan_parts.h"

namespace nodescout {
namespace {

constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;
constexpr int kNameLength = 96;

/// The address of a CUDA function whose results all are int, 0 for success.
template <class... P>
using CudaFunction = int (*)(P...);

template <class... P>
bool succeeds(const SharedLibrary& library, const char* name, NvmlReport& report, P... arguments) {
  const auto function = reinterpret_cast<CudaFunction<P...>>(library.symbol(name));
  const int code = function ? function(arguments...) : kNvmlFunctionNotFound;
  if (code != 0) report.failures.push_back({name, code, "CUDA error " + std::to_string(code)});
  return code == 0;
}

}  // namespace

void scan_tegra(std::span<const std::string> libraries, const LineSink& write) {
  NvmlReport report;
  report.backend = "cuda";
  const auto library = first_library(libraries, report);
  if (!library) return write(nvml_first_line(report));
  const auto call = [&](const char* name, auto... arguments) { return succeeds(*library, name, report, arguments...); };

  std::vector<NvmlGpu> gpus;
  int version = 0, count = 0;
  if (!call("cuInit", 0u)) report.init = report.failures.back().code;
  if (report.init == 0 && call("cuDriverGetVersion", &version)) report.cuda_version = version;
  if (report.init == 0 && call("cuDeviceGetCount", &count)) report.gpu_count = count;
  constexpr int kMostGpus = 16;
  for (int index = 0; index < std::min(count, kMostGpus); ++index) {
    int device = 0, major = 0, minor = 0;
    std::size_t memory = 0;
    std::array<char, kNameLength> name{};
    NvmlGpu gpu;
    if (!call("cuDeviceGet", &device, index)) continue;
    if (call("cuDeviceGetName", name.data(), kNameLength, device)) gpu.name = nvml::text_of(name);
    if (call("cuDeviceGetAttribute", &major, kCapabilityMajor, device) &&
        call("cuDeviceGetAttribute", &minor, kCapabilityMinor, device)) {
      gpu.compute_major = major;
      gpu.compute_minor = minor;
    }
    if (call("cuDeviceTotalMem_v2", &memory, device)) gpu.memory = static_cast<std::int64_t>(memory);
    gpus.push_back(std::move(gpu));
  }
  write(nvml_first_line(report));
  for (const NvmlGpu& gpu : gpus) write(nvml_gpu_line(gpu));
  write(nvml_last_line());
}

}  // namespace nodescout
