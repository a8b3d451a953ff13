// What GPUs, their driver and their administrators say: the report of the child process and of a recording, the
// configuration space of a virtual GPU, the regions of one that is passed through, GFD's configuration file.
#include "base/kubernetes_syntax.h"
#include "config/gpu_config.h"
#include "gpu/gfd.h"
#include "gpu/mig_profile.h"
#include "gpu/vfio.h"
#include "gpu/vgpu.h"
#include "host/id_file.h"
#include "host/nvml_report.h"
#include "input.h"

namespace {

using namespace nodescout;

void label(const NvmlReport& report, const GpuOptions& options) {
  for (const GpuDiscovery backend : {GpuDiscovery::nvml, GpuDiscovery::tegra, GpuDiscovery::vfio})
    for (const MigStrategy strategy : {MigStrategy::none, MigStrategy::single, MigStrategy::mixed}) {
      GpuOptions with = options;
      with.mig_strategy = strategy;
      GfdInput input;
      input.backend = backend;
      input.driver_version = report.driver_version;
      input.cuda_version = report.cuda_version;
      for (const NvmlGpu& gpu : report.gpus) input.gpus.push_back({gpu, "0x030200"});
      for (const auto& [key, value] : gfd_labels(std::move(input), with).labels)
        fuzz::must(label_value_defect(value).empty(), "every value of a label is legal");
    }
}

void driver(std::string_view text) {
  if (const auto report = parse_nvml(text, "f")) {
    const std::string printed = print_nvml(*report);
    const auto again = parse_nvml(printed, "f");
    fuzz::must(again.has_value(), "what is printed can be read");
    fuzz::must(print_nvml(*again) == printed, "and is the same");
    label(*report, {});
  }
  label(parse_nvml_lines(text), {});
}

void bus(std::string_view text) {
  std::string config(text.substr(0, kPciConfigSize));
  config.resize(kPciConfigSize);
  config[6] = static_cast<char>(config[6] | 0x10);
  if (const auto found = find_vgpu(config))
    fuzz::must(found->host_driver_version.size() <= 10 && found->host_driver_branch.size() <= 10, "ten characters");
  (void)addressable_memory(text);
  (void)find_in_id_file(text, "10de", "20b0");
  (void)mig_profile_of_name(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  driver(text);
  bus(text);
  GpuOptions options;
  apply_gfd_file(options, text, "f");
  NvmlReport one;
  one.gpus.resize(1);
  one.gpus[0].name = "A";
  label(one, options);
  return 0;
}
