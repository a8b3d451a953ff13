// GPUs: one instance for each, of any vendor, with or without a driver; what they have in common; and
// GFD's labels as facts (gpu.gfd), which a shipped rule turns into labels.
//
// On a machine without any GPU this costs reading each PCI function's vendor, and looking up four file names. NVIDIA's
// library is loaded, in a separate process, only where the kernel driver is.
#include <algorithm>
#include <array>
#include <functional>

#include "gpu/gfd_text.h"
#include "probe/catalog.h"
#include "probe/gpu_operator.h"
#include "probe/gpu_parts.h"
#include "probe/gpu_schema.h"

namespace nodescout {
namespace {

using gpu::Bus;
using gpu::Gpu;
using gpu::GpuVendor;
using gpu::schema::kProduces;

void put(Attributes& into, std::string_view name, std::string_view value) {
  if (!value.empty()) into.insert_or_assign(std::string(name), std::string(value));
}

Attributes instance_of(const Gpu& gpu, const std::vector<ProximityNic>& nics) {
  Attributes out = gpu.attributes;
  out["address"] = gpu.address;
  out["vendor"] = gpu.vendor->name;
  if (gpu.pci_class.size() >= 6) out["class"] = gpu.pci_class.substr(2, 4);
  put(out, "device", gpu.device_id);
  put(out, "driver", gpu.driver);
  put(out, "model", model_of(gpu));
  put(out, "family", family_of(gpu));
  put(out, "memory_gb", memory_gb_of(gpu));
  put(out, "form_factor", form_factor_of(gpu));
  put(out, "product", gpu.product);
  if (gpu.memory) out["memory"] = std::to_string(*gpu.memory);
  put(out, "health", gpu.health);
  put(out, "link_limit", gpu.link_limit);
  if (gpu.place.numa_node) out["numa_node"] = std::to_string(*gpu.place.numa_node);
  put(out, "pcie_root", pcie_root(gpu.place.path));
  const NearestNics nearest = nearest_nics(gpu.place, nics);
  put(out, "nic", nearest.names);
  put(out, "nic_distance", name_of(nearest.nearness));
  return out;
}

void add_models(const std::vector<Gpu>& gpus, Features& features) {
  std::map<std::pair<std::string, std::string>, std::vector<const Gpu*>> groups;
  for (const Gpu& each : gpus)
    if (!each.has_left) groups[{std::string(each.vendor->name), model_of(each)}].push_back(&each);
  Instances& models = features.instances["gpu.model"];
  for (const auto& [key, group] : groups) {
    if (key.second.empty()) continue;
    Attributes& model = models.emplace_back();
    model["vendor"] = key.first;
    model["name"] = key.second;
    model["count"] = std::to_string(group.size());
    put(model, "product", gpu::common(group, [](const Gpu& each) { return each.product; }));
    put(model, "family", gpu::common(group, gpu::family_of));
    put(model, "memory_gb", gpu::common(group, gpu::memory_gb_of));
    put(model, "form_factor", gpu::common(group, gpu::form_factor_of));
  }
}

constexpr std::string_view kSubsystems[] = {"pci", "drm", "infiniband", "cxi", "module"};

Observation run(const Host& host, const ProbeConfig& config, const Moment& moment) {
  Observation seen;
  if (config.nfd_compat) return seen;
  Bus bus = gpu::scan_bus(host, seen);
  if (!seen.incomplete.empty())
    for (const FeatureSpec& spec : kProduces) {
      seen.incomplete.emplace(spec.key);
      seen.unsettled.emplace(spec.key);  // a count without the one that could not be read is not hurried
    }
  gpu::add_sysfs_facts(host, seen, bus.gpus);
  gpu::mark_slices(host, bus.gpus);
  const bool has_nvidia =
      std::any_of(bus.gpus.begin(), bus.gpus.end(), [](const Gpu& each) { return each.vendor == &gpu::kNvidia; });
  const bool asks = config.gpu.discovery != GpuDiscovery::none;
  if (asks && (has_nvidia || gpu::has_nvidia_driver(host))) gpu::add_nvidia_facts(host, config.gpu, moment, bus, seen);
  if (!asks && has_nvidia) gpu::scan_vgpus(host, bus);
  gpu::find_missing(moment, config.gpu, bus, seen);
  if (!bus.gpus.empty()) {
    Instances& devices = seen.features.instances["gpu.device"];
    for (const Gpu& each : bus.gpus) devices.push_back(instance_of(each, bus.nics));
    add_models(bus.gpus, seen.features);
  }
  for (const GpuVendor& vendor : gpu::kVendors) gpu::add_vendor(host, vendor, bus, config.gpu, seen);
  gpu::add_topology(bus, seen.features);
  gpu::add_vendor_labels(host, config.gpu, bus, seen);
  gpu::add_wsl_facts(host, seen.features);
  gpu::add_accelerators(bus.accelerators, seen.features);
  return seen;
}

}  // namespace

std::vector<std::string_view> gpu_vendor_names() {
  std::vector<std::string_view> names;
  for (const GpuVendor& vendor : gpu::kVendors) names.push_back(vendor.name);
  return names;
}

std::vector<std::vector<std::string>> GpuOptions::shared_labels() const {
  std::vector<std::vector<std::string>> groups;
  for (const GpuVendor& vendor : gpu::kVendors) {
    const auto chosen = labellers.find(vendor.name);
    if (!vendor.shared_labels.empty() && (chosen == labellers.end() || chosen->second == Labeller::automatic))
      groups.emplace_back(vendor.shared_labels.begin(), vendor.shared_labels.end());
  }
  return groups;
}

namespace probe {
constinit const Probe gpu{.name = "gpu",
                          .summary = "GPUs",
                          .produces = kProduces,
                          .wakes = {.subsystems = kSubsystems,
                                    .paths = nodescout::gpu::kDriverFiles,
                                    .watches_paths = nodescout::gpu::has_nvidia_gpu,
                                    .node_labels = nodescout::gpu::kOperatorLabels},
                          .run = run};
}  // namespace probe

}  // namespace nodescout
