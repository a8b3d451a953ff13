#include "support/gpus.h"

#include <filesystem>
#include <stdexcept>

#include "corridor/rule_layers.h"
#include "corridor/walk.h"
#include "document/json.h"
#include "host/nvml_report.h"
#include "probe/catalog.h"

namespace nodescout::test {
namespace {

constexpr std::int64_t kMib = 1 << 20;

NvmlGpu gpu(const char* name, const std::string& bus_id, std::int64_t mib, int major, int minor) {
  NvmlGpu reported;
  reported.name = name;
  reported.bus_id = bus_id;
  reported.uuid =
      "GPU-00000000-0000-0000-0000-" + bus_id.substr(0, 4) + bus_id.substr(5, 2) + bus_id.substr(8, 2) + "0000";
  reported.memory = mib * kMib;
  reported.compute_major = major;
  reported.compute_minor = minor;
  return reported;
}

Desired desired_for(const Features& features) {
  Config config;
  config.labels.write_prefixes = default_write_prefixes();
  for (const Probe* probe : all_probes()) config.label_sources.emplace_back(probe->name);
  auto rules = load_rules(config, {.paths = {}, .shipped = true, .drop_ins = false, .replacing = {}});
  if (!rules) throw std::runtime_error(rules.error().text());
  return walk(compile_layers(*std::move(rules)), {features}, config.labels).built.desired;
}

}  // namespace

NvmlReport driver_report(std::vector<NvmlGpu> gpus) {
  NvmlReport report;
  report.backend = "nvml";
  report.driver_version = "580.65.06";
  report.driver_branch = "r580_00";
  report.cuda_version = 13000;
  report.gpu_count = std::ssize(gpus);
  report.gpus = std::move(gpus);
  report.complete = true;
  return report;
}

NvmlGpu h100(const std::string& bus_id) {
  NvmlGpu reported = gpu("NVIDIA H100 80GB HBM3", bus_id, 81559, 9, 0);
  reported.mig = reported.mig_pending = 0;
  reported.ecc = reported.ecc_pending = 1;
  return reported;
}

NvmlGpu h200(const std::string& bus_id) {
  NvmlGpu reported = h100(bus_id);
  reported.name = "NVIDIA H200";
  reported.memory = 143771 * kMib;
  return reported;
}

NvmlGpu a100(const std::string& bus_id) {
  NvmlGpu reported = gpu("NVIDIA A100-SXM4-40GB", bus_id, 40960, 8, 0);
  reported.mig = reported.mig_pending = 0;
  return reported;
}

NvmlGpu t4(const std::string& bus_id) { return gpu("Tesla T4", bus_id, 15360, 7, 5); }

NvmlGpu l40s(const std::string& bus_id) { return gpu("NVIDIA L40S", bus_id, 46068, 8, 9); }

NvmlGpu gb200(const std::string& bus_id, const std::string& cluster, std::int64_t clique) {
  NvmlGpu reported = gpu("NVIDIA GB200", bus_id, 189471, 10, 0);
  reported.mig = reported.mig_pending = 0;
  reported.fabric = NvmlFabric{3, 0, cluster, clique, 0, 1};
  reported.platform = NvmlPlatform{"1821325190123456", 12, 4, 1, 2};
  return reported;
}

NvmlGpu gb10(const std::string& bus_id) {
  NvmlGpu reported = gpu("NVIDIA GB10", bus_id, 0, 12, 1);
  reported.memory.reset();
  reported.addressing = 2;
  return reported;
}

NvmlMig mig_device(std::int64_t index, std::int64_t gpu_profile, std::int64_t compute_profile, std::int64_t memory) {
  NvmlMig mig;
  mig.index = index;
  mig.uuid = "MIG-00000000-0000-0000-0000-00000000000" + std::to_string(index);
  mig.gpu_profile = gpu_profile;
  mig.compute_profile = compute_profile;
  mig.memory = memory;
  mig.multiprocessors = 14;
  mig.copy_engines = 1;
  mig.decoders = 2;
  mig.encoders = 0;
  mig.jpeg_engines = 3;
  mig.ofa_engines = 4;
  mig.gpu_slices = 1;
  mig.compute_slices = 1;
  return mig;
}

NvmlMig mig_1g5gb(std::int64_t index) { return mig_device(index, 0, 0, 4864); }

NvmlGpu in_mig_mode(NvmlGpu gpu, std::vector<NvmlMig> migs) {
  gpu.mig = gpu.mig_pending = 1;
  gpu.migs = std::move(migs);
  return gpu;
}

void add_function(TempHost& host, const BusFunction& function) {
  const std::string path = "/sys/devices/" + function.parent + "/" + function.address;
  host.write(path + "/vendor", function.vendor + "\n");
  host.write(path + "/device", function.device + "\n");
  host.write(path + "/class", function.pci_class + "\n");
  host.write(path + "/subsystem_vendor", function.vendor + "\n");
  host.write(path + "/subsystem_device", "0x0001\n");
  host.write(path + "/numa_node", std::to_string(function.numa_node) + "\n");
  host.write(path + "/config", std::string(256, '\0'));
  if (!function.driver.empty()) host.write(path + "/driver", "-> ../bus/pci/drivers/" + function.driver);
  host.write("/sys/bus/pci/devices/" + function.address,
             "-> ../../../devices/" + function.parent + "/" + function.address);
}

void add_nic(TempHost& host, const std::string& name, BusFunction function) {
  function.vendor = "0x15b3";
  function.device = "0x1021";
  function.pci_class = "0x020700";
  function.driver = "mlx5_core";
  add_function(host, function);
  host.write("/sys/class/infiniband/" + name + "/device",
             "-> ../../../devices/" + function.parent + "/" + function.address);
}

void load_nvidia_driver(TempHost& host) {
  host.write("/proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)\n"
             "GCC version:  gcc version 12.2.0\n");
}

void record_answer(TempHost& host, const NvmlReport& report) {
  load_nvidia_driver(host);
  host.write("/nvml.json", print_nvml(report));
}

void install_nvidia_driver(TempHost& host, const NvmlReport& report, std::chrono::milliseconds start) {
  namespace fs = std::filesystem;
  const fs::path library = host.path() / "usr/lib64/libnvidia-ml.so.1";
  fs::create_directories(library.parent_path());
  if (!fs::exists(library)) fs::copy_file(FAKE_NVML, library);
  auto scenario = parse_json(print_nvml(report), "scenario");
  if (start.count() > 0) {
    scenario->add("slow", Value::string("nvmlInit_v2"));
    scenario->add("milliseconds", Value::integer(start.count()));
  }
  write_file(library.parent_path() / "scenario", to_json(*scenario, 1));
  load_nvidia_driver(host);
}

Observation look_at_gpus(const Host& host, const GpuOptions& options, const Moment& moment) {
  ProbeConfig config;
  config.gpu = options;
  return probe::gpu.run(host, config, moment);
}

Attributes labels_below(const Features& features, const std::string& prefix) {
  Attributes out;
  for (const auto& [key, value] : desired_for(features).labels)
    if (key.starts_with(prefix)) out.emplace(key.substr(prefix.size()), value);
  return out;
}

Attributes annotations_of(const Features& features) { return desired_for(features).annotations; }

}  // namespace nodescout::test
