// The labels of AMD's and Intel's own labellers, as facts for rules; and the GPU of a Windows host.
#include <algorithm>

#include "gpu/amd_labels.h"
#include "gpu/intel_labels.h"
#include "host/numa.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr const char* kAmdSet = "gpu.amd_labels";
constexpr const char* kIntelSet = "gpu.intel_labels";

/// What a set is made of is in doubt: so is the set.
void follow_doubt(Observation& seen, const char* of, const char* set) {
  if (seen.incomplete.contains(of) || seen.incomplete.contains("gpu.device")) seen.incomplete.emplace(set);
}

void put(Features& features, const char* set, Attributes labels) {
  if (!labels.empty()) features.attributes[set] = std::move(labels);
}

/// Empty where the module has none, as AMD's labeller writes it; nothing where it cannot be read.
std::optional<std::string> version_in(const Host& host, Reading& reading, const char* path) {
  const auto text = host.files().read(path);
  if (text) return std::string(trim(*text));
  reading.note(text.error());
  return text.error().code == Errc::absent ? std::optional<std::string>("") : std::nullopt;
}

void label_amd(const Host& host, const Bus& bus, Observation& seen) {
  AmdLabelInput input;
  Reading reading(host, seen, kAmdSet);
  for (const Gpu& gpu : bus.gpus) {
    if (gpu.vendor->name != "amd" || gpu.driver != "amdgpu") continue;
    const std::string device = "/sys/bus/pci/devices/" + gpu.address;
    // Where the board has no name AMD's labeller asks libdrm, as the table does.
    const std::string product = gpu.product.empty() ? std::string(gpu.model.maker_name) : gpu.product;
    input.gpus.push_back({std::string(gpu.model.driver_family), gpu.device_id, product,
                          attribute_of(gpu, "compute_partition"), attribute_of(gpu, "memory_partition"),
                          reading.exists(device + "/available_compute_partition"),
                          reading.exists(device + "/available_memory_partition")});
    for (const LogicalDevice& logical : gpu.logical_devices) {
      input.devices.push_back({logical.memory, logical.simds, logical.simds_per_cu});
      // AMD's labeller sees partitions beyond the first one only where the GPU has a NUMA node.
      if (!gpu.place.numa_node) break;
    }
  }
  if (!input.gpus.empty()) {
    input.driver_version = version_in(host, reading, "/sys/module/amdgpu/version");
    input.driver_src_version = version_in(host, reading, "/sys/module/amdgpu/srcversion");
  }
  put(seen.features, kAmdSet, amd_labels(input));
  follow_doubt(seen, "gpu.amd", kAmdSet);
}

void label_intel(const Host& host, const Bus& bus, Observation& seen) {
  IntelLabelInput input;
  // What cannot be read was reported with the GPU's own facts; here it is only in doubt.
  const auto names_in = [&](const std::string& directory) {
    auto names = host.files().list(directory);
    if (!names && names.error().code != Errc::absent) seen.incomplete.emplace(kIntelSet);
    return names ? *std::move(names) : std::vector<std::string>();
  };
  Reading reading(host, seen, kIntelSet);
  for (const GpuFunction& function : bus.functions) {
    if (function.vendor->name != "intel") continue;
    input.functions.push_back({function.pci_class, function.device_id});
    const std::string device = "/sys/bus/pci/devices/" + function.address;
    const std::vector<std::string> names = names_in(device + "/drm");
    if (names.empty()) continue;
    // A card that was divided among guests is theirs.
    if (const auto guests = reading.text(device + "/sriov_numvfs"); guests && *guests != "0") continue;
    // Also of a virtual function, which has memory of its own.
    const bool was_read =
        std::any_of(bus.gpus.begin(), bus.gpus.end(), [&](const Gpu& gpu) { return gpu.address == function.address; });
    Observation reported;  // with the GPU's own facts
    Reading own(host, was_read ? reported : seen, kIntelSet);
    const auto driver = own.link_name(device + "/driver");
    const auto bytes = static_cast<std::int64_t>(intel_memory(own, device, driver.value_or("")).bytes);
    const auto node = reading.text(device + "/numa_node");
    const std::vector<std::string> files = names_in(device);
    for (const std::string& name : names) {
      const auto number = name.starts_with("card") ? parse_int(name.substr(4)) : std::nullopt;
      if (!number) continue;
      IntelLabelInput::Card card{*number, bytes, 0, node ? parse_numa_node(*node) : std::nullopt};
      for (const std::string& gt : names_in(device + "/drm/" + name + "/gt"))
        card.tiles += gt.starts_with("gt") ? 1 : 0;
      for (const std::string& file : files) card.tiles += file.size() == 5 && file.starts_with("tile") ? 1 : 0;
      input.cards.push_back(card);
    }
  }
  put(seen.features, kIntelSet, intel_labels(std::move(input)));
  follow_doubt(seen, "gpu.intel", kIntelSet);
}

/// The devices that programs see of AMD's GPUs: partitions, where they are partitioned.
void count_logical_devices(const Bus& bus, Features& features) {
  std::size_t count = 0;
  bool has_mode = false;
  for (const Gpu& gpu : bus.gpus) {
    count += gpu.logical_devices.size();
    has_mode = has_mode || gpu.attributes.contains("compute_partition");
  }
  if (has_mode && count > 0) features.attributes["gpu.amd"]["logical_devices"] = std::to_string(count);
}

}  // namespace

void add_vendor_labels(const Host& host, const GpuOptions& options, const Bus& bus, Observation& seen) {
  count_logical_devices(bus, seen.features);
  // What is not wanted is removed, and nothing of it is in doubt.
  const auto leave_out = [&](const char* set) {
    seen.features.attributes.erase(set);
    seen.incomplete.erase(set);
  };
  if (options.labels_for("amd"))
    label_amd(host, bus, seen);
  else
    leave_out(kAmdSet);
  if (options.labels_for("intel"))
    label_intel(host, bus, seen);
  else
    leave_out(kIntelSet);
  if (!options.labels_for("nvidia"))
    for (const char* set : {"gpu.gfd", "gpu.vgpu"}) leave_out(set);
}

void add_wsl_facts(const Host& host, Features& features) {
  if (is_nvidia_wsl(host)) features.attributes["gpu.wsl"]["nvidia"] = "true";
}

}  // namespace nodescout::gpu
