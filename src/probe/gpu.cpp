// GPUs: one instance for each, whoever made it and whether a driver is there or not; what they have in common; and
// GFD's labels as facts (gpu.gfd), which a shipped rule turns into labels.
//
// On a machine without any GPU this costs one look at each PCI function's vendor and four file names. NVIDIA's library
// is loaded, in a process of its own, only where the kernel driver is.
#include <algorithm>
#include <array>
#include <functional>

#include "gpu/gfd_text.h"
#include "probe/catalog.h"
#include "probe/gpu_parts.h"

namespace nodescout {
namespace {

using gpu::Bus;
using gpu::Gpu;

constexpr const char* kPciBus = "/sys/bus/pci/devices";
constexpr const char* kNvml = "NVML";
constexpr const char* kIds = "shipped table of PCI ids";

constexpr ElementSpec kDevice[] = {
    {"address", kPciBus, "domain:bus:device.function; gpu0, ... for a GPU that is on no bus", true},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "nvidia, amd or intel", true, "nvidia|amd|intel"},
    {"class", "/sys/bus/pci/devices/*/class", "4 hex digits: class and subclass", true, "[0-9a-f]{4}"},
    {"device", "/sys/bus/pci/devices/*/device", "4 hex digits", true, "[0-9a-f]{4}"},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver bound to it", true},
    {"model", kIds, "h100-sxm5-80gb, mi300x, ...; vendor and device id of an unknown one", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB as it is sold", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true},
    {"product", "NVML, or product_name of amdgpu", "the driver's name for it", true},
    {"memory", "NVML, or sysfs of amdgpu, i915, xe", "MiB as the driver says", true, "[0-9]+"},
    {"health", kNvml, "ok; failed; missing: it is on the bus and the driver does not offer it", true,
     "ok|failed|missing"},
    {"numa_node", "/sys/bus/pci/devices/*/numa_node", "NUMA node, where the kernel knows one", true, "[0-9]+"},
    {"pcie_root", kPciBus, "host bridge: pci0000:17", true},
    {"nic", "/sys/class/infiniband", "nearest RDMA devices, joined by commas", true},
    {"nic_distance", kPciBus, "PIX one switch, PXB several, PHB host bridge, NODE NUMA node", true, "PIX|PXB|PHB|NODE"},
    {"max_link_speed", "/sys/bus/pci/devices/*/max_link_speed", "GT/s per lane that it can do", true},
    {"link_width", "/sys/bus/pci/devices/*/current_link_width", "PCIe lanes in use", true, "[0-9]+"},
    {"max_link_width", "/sys/bus/pci/devices/*/max_link_width", "PCIe lanes that it has", true, "[0-9]+"},
    {"link_limit", "/sys/bus/pci/devices/*/current_link_width",
     "what keeps its PCIe link below its capability: width (fewer lanes), speed (a slower slot)", true,
     "width|speed|width,speed"},
    {"device_uuid", "NVML, or unique_id of amdgpu", "GPU-...", true},
    {"compute", kNvml, "compute capability: 9.0", true},
    {"mig", kNvml, "MIG mode, where the GPU has one", true, "on|off"},
    {"mig_pending", kNvml, "MIG mode after the next reset, where it differs", true, "on|off"},
    {"ecc", kNvml, "ECC, where the GPU has it", true, "on|off"},
    {"ecc_pending", kNvml, "ECC after the next reset, where it differs", true, "on|off"},
    {"remap_pending", kNvml, "memory rows wait for a reset to be remapped", true, "true|false"},
    {"persistence", kNvml, "persistence mode", true, "on|off"},
    {"compute_mode", kNvml, "default, exclusive-process, prohibited", true},
    {"virtualization", kNvml, "none, passthrough, vgpu, host-vgpu, host-vsga", true},
    {"addressing", kNvml, "how it shares memory with the CPU: none, hmm, ats", true},
    {"memory_node", kNvml, "NUMA node of its own memory, on coherent systems", true, "[0-9]+"},
    {"module_id", kNvml, "place on its baseboard", true, "[0-9]+"},
    {"board_part", kNvml, "board part number", true},
    {"vbios", kNvml, "version of its firmware", true},
    {"power_limit", kNvml, "configured limit in W", true, "[0-9]+"},
    {"nvlink_links", kNvml, "active NVLinks", true, "[0-9]+"},
    {"nvlink_version", kNvml, "version of NVLink", true, "[0-9]+"},
    {"nvlink_peers", kNvml, "addresses of the GPUs that NVLink joins it with, joined by commas", true},
    {"fabric_state", kNvml, "registration with the NVLink fabric: not-started, in-progress, completed", true},
    {"rack_chassis", kNvml, "serial number of the chassis in a rack system", true},
    {"rack_slot", kNvml, "slot in that chassis", true, "[0-9]+"},
    {"rack_tray", kNvml, "tray in that chassis", true, "[0-9]+"},
    {"rack_host", kNvml, "host in that tray", true, "[0-9]+"},
    {"compute_partition", "/sys/bus/pci/devices/*/current_compute_partition", "AMD: SPX, DPX, QPX, CPX, ...", true},
    {"memory_partition", "/sys/bus/pci/devices/*/current_memory_partition", "AMD: NPS1, NPS4, ...", true},
    {"tiles", "/sys/bus/pci/devices/*/tile*, or gt of i915", "Intel: tiles of the GPU", true, "[0-9]+"}};

constexpr ElementSpec kModel[] = {
    {"name", kIds, "as model of gpu.device", true},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "nvidia, amd or intel", true, "nvidia|amd|intel"},
    {"count", kPciBus, "GPUs of this model", true, "[0-9]+"},
    {"product", "NVML, or product_name of amdgpu", "the driver's name, where all have the same", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB as it is sold", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true}};

constexpr ElementSpec kVendor[] = {
    {"count", kPciBus, "GPUs of this vendor", true, "[0-9]+"},
    {"models", kIds, "how many different ones", true, "[0-9]+"},
    {"product", kIds, "as model of gpu.device; this and the following only where all GPUs agree", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB as it is sold", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true},
    {"memory", "NVML, or sysfs of amdgpu, i915, xe", "MiB as the driver says", true, "[0-9]+"},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver", true},
    {"missing", "bus, driver and configuration",
     "GPUs that the bus or the configuration promises and the driver does not offer", true, "[0-9]+"},
    {"link_limited", kPciBus, "GPUs whose PCIe link is below their capability", true, "[0-9]+"}};

/// What all vendors have, and more.
template <std::size_t count>
constexpr auto vendor_and(const ElementSpec (&more)[count]) {
  std::array<ElementSpec, std::size(kVendor) + count> all{};
  std::copy(std::begin(kVendor), std::end(kVendor), all.begin());
  std::copy(std::begin(more), std::end(more), all.begin() + std::size(kVendor));
  return all;
}

constexpr auto kNvidia =
    vendor_and({{"ecc", kNvml, "ECC", true, "on|off"},
                {"failed", kNvml, "GPUs that the driver offers and that do not work", true, "[0-9]+"}});
constexpr auto kAmd = vendor_and(
    {{"compute_partition", "/sys/bus/pci/devices/*/current_compute_partition", "SPX, DPX, QPX, CPX, ...", true},
     {"memory_partition", "/sys/bus/pci/devices/*/current_memory_partition", "NPS1, NPS4, ...", true}});

constexpr ElementSpec kDriver[] = {
    {"state", kNvml, "ready; absent; failed; paused; vfio; unasked (a recording without an answer)", true,
     "ready|absent|failed|paused|vfio|unasked"},
    {"version", kNvml, "580.65.06", true},
    {"branch", kNvml, "r580_00", true},
    {"cuda", kNvml, "newest CUDA that it supports: 13.0", true},
    {"backend", kNvml, "nvml, or cuda on a Tegra", true, "nvml|cuda"},
    {"gpu_count", kNvml, "GPUs that it counts, failed ones included", true, "[0-9]+"},
    {"confidential_computing", kNvml, "on, off or devtools, where the driver knows it", true, "on|off|devtools"},
    {"kernel_module", "/proc/driver/nvidia/version", "open or proprietary", true, "open|proprietary"},
    {"kernel_module_version", "/proc/driver/nvidia/version", "580.65.06", true}};

constexpr ElementSpec kMig[] = {{"uuid", kNvml, "MIG-...", true},
                                {"parent", kNvml, "address of its GPU", true},
                                {"parent_product", kNvml, "the driver's name for that GPU", true},
                                {"profile", kNvml, "1g.5gb, 1c.3g.20gb, ...", true},
                                {"memory", kNvml, "MiB", true, "[0-9]+"},
                                {"multiprocessors", kNvml, "count", true, "[0-9]+"},
                                {"gpu_slices", kNvml, "count", true, "[0-9]+"},
                                {"compute_slices", kNvml, "count", true, "[0-9]+"},
                                {"copy_engines", kNvml, "count", true, "[0-9]+"},
                                {"decoders", kNvml, "count", true, "[0-9]+"},
                                {"encoders", kNvml, "count", true, "[0-9]+"},
                                {"jpeg_engines", kNvml, "count", true, "[0-9]+"},
                                {"ofa_engines", kNvml, "count", true, "[0-9]+"}};

constexpr ElementSpec kFabric[] = {
    {"state", kNvml, "not-started, in-progress, completed; mixed", true},
    {"cluster", kNvml, "UUID of the NVLink domain, where the GPUs agree", true},
    {"clique", kNvml, "as the label gpu.clique: UUID.number", true},
    {"health", kNvml, "healthy or unhealthy, where the driver tells", true, "healthy|unhealthy"},
    {"gpus", kNvml, "GPUs that take part", true, "[0-9]+"}};

constexpr ElementSpec kTopology[] = {
    {"nvlink", kNvml, "whether NVLink joins the GPUs with each other: all, some, none", true, "all|some|none"},
    {"numa_nodes", "/sys/bus/pci/devices/*/numa_node", "NUMA nodes that have GPUs, joined by commas", true},
    {"nic_pairs", "/sys/class/infiniband", "pairs of a GPU and an RDMA device below one PCIe switch", true, "[0-9]+"},
    {"matrix", kPciBus, "how near GPUs and RDMA devices are, as JSON: docs/gpu.md", true}};

constexpr ElementSpec kGfd[] = {
    {"<label>", kNvml, "a label of gpu-feature-discovery without its nvidia.com/: gpu.product, mig.capable, ...",
     true}};

constexpr ElementSpec kVgpu[] = {
    {"present", "/sys/bus/pci/devices/*/config", "whether an NVIDIA GPU is a virtual one", true, "true|false"},
    {"host-driver-version", "/sys/bus/pci/devices/*/config", "version of the host's driver", true},
    {"host-driver-branch", "/sys/bus/pci/devices/*/config", "branch of the host's driver", true}};

using Kind = FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"gpu.device", Kind::instance, kPciBus, "GPUs of NVIDIA, AMD and Intel, by address", kDevice, true},
    {"gpu.model", Kind::instance, kPciBus, "GPU models with their counts", kModel, true},
    {"gpu.nvidia", Kind::attribute, kPciBus, "what NVIDIA's GPUs have in common", kNvidia, true},
    {"gpu.amd", Kind::attribute, kPciBus, "what AMD's GPUs have in common", kAmd, true},
    {"gpu.intel", Kind::attribute, kPciBus, "what Intel's GPUs have in common", kVendor, true},
    {"gpu.topology", Kind::attribute, kPciBus, "how near GPUs, RDMA devices and NUMA nodes are", kTopology, true},
    {"gpu.driver", Kind::attribute, kPciBus, "NVIDIA's driver", kDriver, true},
    {"gpu.mig", Kind::instance, kPciBus, "MIG devices, by GPU and index", kMig, true},
    {"gpu.fabric", Kind::attribute, kPciBus, "NVLink fabric across nodes", kFabric, true},
    {"gpu.gfd", Kind::attribute, kPciBus, "labels of NVIDIA's gpu-feature-discovery, for rules", kGfd, true},
    {"gpu.vgpu", Kind::attribute, kPciBus, "virtual NVIDIA GPUs", kVgpu, true}};

using Text = std::function<std::string(const Gpu&)>;

std::string memory_text(const Gpu& gpu) { return gpu.memory ? std::to_string(*gpu.memory) : ""; }

std::string attribute_of(const Gpu& gpu, const char* name) {
  const auto at = gpu.attributes.find(name);
  return at == gpu.attributes.end() ? "" : at->second;
}

std::string family_of(const Gpu& gpu) {
  return gpu.model.family.empty() ? attribute_of(gpu, "family") : std::string(gpu.model.family);
}

/// A name for labels and for grouping: of the table, else the ids, else what the driver says.
std::string model_of(const Gpu& gpu) {
  if (!gpu.model.name.empty()) return std::string(gpu.model.name);
  if (!gpu.device_id.empty()) return std::string(name_of(gpu.vendor)) + "-" + gpu.device_id;
  return lower_ascii(gfd_product(gpu.product, ""));
}

/// What all of them say; empty if they differ, or one says nothing.
std::string common(const std::vector<const Gpu*>& gpus, const Text& text) {
  std::string first = gpus.empty() ? "" : text(*gpus.front());
  return std::all_of(gpus.begin(), gpus.end(), [&](const Gpu* each) { return text(*each) == first; }) ? first : "";
}

void put(Attributes& into, std::string_view name, std::string_view value) {
  if (!value.empty()) into.insert_or_assign(std::string(name), std::string(value));
}

template <class Predicate>
std::string count_if(const std::vector<const Gpu*>& gpus, const Predicate& predicate) {
  return std::to_string(std::count_if(gpus.begin(), gpus.end(), [&](const Gpu* each) { return predicate(*each); }));
}

Attributes instance_of(const Gpu& gpu, const std::vector<ProximityNic>& nics) {
  Attributes out = gpu.attributes;
  out["address"] = gpu.address;
  out["vendor"] = name_of(gpu.vendor);
  if (gpu.pci_class.size() >= 6) out["class"] = gpu.pci_class.substr(2, 4);
  put(out, "device", gpu.device_id);
  put(out, "driver", gpu.driver);
  put(out, "model", model_of(gpu));
  put(out, "family", family_of(gpu));
  put(out, "memory_gb", gpu.model.memory);
  put(out, "form_factor", gpu.model.form_factor);
  put(out, "product", gpu.product);
  put(out, "memory", memory_text(gpu));
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
  for (const Gpu& each : gpus) groups[{std::string(name_of(each.vendor)), model_of(each)}].push_back(&each);
  Instances& models = features.instances["gpu.model"];
  for (const auto& [key, group] : groups) {
    if (key.second.empty()) continue;
    Attributes& model = models.emplace_back();
    model["vendor"] = key.first;
    model["name"] = key.second;
    model["count"] = std::to_string(group.size());
    put(model, "product", common(group, [](const Gpu& each) { return each.product; }));
    put(model, "family", common(group, family_of));
    put(model, "memory_gb", group.front()->model.memory);
    put(model, "form_factor", group.front()->model.form_factor);
  }
}

/// GPUs that should be there: by configuration, and those on the bus that the driver has taken.
void add_vendor(GpuVendor vendor, const Bus& bus, const GpuOptions& options, Observation& seen) {
  std::vector<const Gpu*> gpus;
  for (const Gpu& each : bus.gpus)
    if (each.vendor == vendor) gpus.push_back(&each);
  const auto wanted = options.expected.find(name_of(vendor));
  const bool is_expected = wanted != options.expected.end() && wanted->second > 0;
  if (gpus.empty() && !is_expected) return;
  Attributes& facts = seen.features.attributes["gpu." + std::string(name_of(vendor))];
  facts["count"] = std::to_string(gpus.size());
  std::set<std::string> models;
  for (const Gpu* each : gpus) models.insert(model_of(*each));
  facts["models"] = std::to_string(models.size());
  put(facts, "product", common(gpus, model_of));
  put(facts, "family", common(gpus, family_of));
  put(facts, "memory_gb", common(gpus, [](const Gpu& each) { return std::string(each.model.memory); }));
  put(facts, "form_factor", common(gpus, [](const Gpu& each) { return std::string(each.model.form_factor); }));
  put(facts, "memory", common(gpus, memory_text));
  put(facts, "driver", common(gpus, [](const Gpu& each) { return each.driver; }));
  for (const char* name : {"ecc", "compute_partition", "memory_partition"})
    put(facts, name, common(gpus, [&](const Gpu& each) { return attribute_of(each, name); }));
  const auto absent =
      std::count_if(gpus.begin(), gpus.end(), [](const Gpu* each) { return each->health == "missing"; });
  const std::int64_t present = std::ssize(gpus) - absent;
  // A silent driver does not say that all GPUs are well: what it said before stands.
  const bool is_silent = vendor == GpuVendor::nvidia && bus.is_driver_silent;
  if (vendor == GpuVendor::nvidia && !is_silent)
    facts["failed"] = count_if(gpus, [](const Gpu& each) { return each.health == "failed"; });
  facts["link_limited"] = count_if(gpus, [](const Gpu& each) { return !each.link_limit.empty(); });
  std::int64_t missing = absent;
  if (is_expected) {
    missing = std::max(missing, wanted->second - present);
    if (wanted->second > present)
      seen.problems.push_back(
          {"gpu-missing", "gpu.expected." + std::string(name_of(vendor)),
           "expected are " + std::to_string(wanted->second) + " GPUs, and " + std::to_string(present) + " are there",
           "look for the others with lspci and in the firmware's setup"});
  }
  if (missing > 0 || !is_silent) facts["missing"] = std::to_string(missing);
}

void add_topology(const Bus& bus, Features& features) {
  // Rules put it into an annotation, of which Kubernetes' NFD takes 1024 bytes.
  constexpr std::size_t kMostMatrix = 1024;
  if (bus.gpus.empty()) return;
  Attributes& facts = features.attributes["gpu.topology"];
  std::vector<ProximityGpu> gpus;
  std::set<int> nodes;
  // NVLink is a matter of the GPUs that the driver has told of: neither the one in the mainboard nor a guest's counts.
  std::size_t nic_pairs = 0, joined = 0, tellers = 0;
  for (const Gpu& each : bus.gpus) {
    std::set<std::string> peers;
    const std::string list = attribute_of(each, "nvlink_peers");
    for (const std::string_view peer : split(list, ','))
      if (!peer.empty()) peers.emplace(peer);
    joined += peers.size();
    if (each.vendor == GpuVendor::nvidia && each.attributes.contains("device_uuid")) ++tellers;
    if (each.place.numa_node) nodes.insert(*each.place.numa_node);
    for (const ProximityNic& nic : bus.nics)
      nic_pairs += pci_nearness(each.place, nic.place) == Nearness::one_switch ? 1 : 0;
    gpus.push_back({each.address, each.place, std::move(peers)});
  }
  std::vector<std::string> node_names;
  for (const int node : nodes) node_names.push_back(std::to_string(node));
  put(facts, "numa_nodes", join(node_names, ","));
  if (tellers > 1) facts["nvlink"] = joined == 0 ? "none" : joined >= tellers * (tellers - 1) ? "all" : "some";
  if (!bus.nics.empty()) facts["nic_pairs"] = std::to_string(nic_pairs);
  put(facts, "matrix", proximity_matrix(gpus, bus.nics, kMostMatrix));
  if (facts.empty()) features.attributes.erase("gpu.topology");
}

constexpr std::string_view kSubsystems[] = {"pci", "drm", "infiniband", "module"};

Observation run(const Host& host, const ProbeConfig& config, const Moment& moment) {
  Observation seen;
  if (config.nfd_compat) return seen;
  Bus bus = gpu::scan_bus(host, seen);
  if (!seen.incomplete.empty())
    for (const FeatureSpec& spec : kProduces) {
      seen.incomplete.emplace(spec.key);
      seen.unsettled.emplace(spec.key);  // a count without the one that could not be read is not hurried
    }
  for (Gpu& each : bus.gpus)
    if (each.vendor != GpuVendor::nvidia) gpu::add_drm_facts(host, seen, each);
  const bool has_nvidia =
      std::any_of(bus.gpus.begin(), bus.gpus.end(), [](const Gpu& each) { return each.vendor == GpuVendor::nvidia; });
  const bool asks = config.gpu.discovery != GpuDiscovery::none;
  if (asks && (has_nvidia || gpu::has_nvidia_driver(host))) gpu::add_nvidia_facts(host, config.gpu, moment, bus, seen);
  if (!bus.gpus.empty()) {
    Instances& devices = seen.features.instances["gpu.device"];
    for (const Gpu& each : bus.gpus) devices.push_back(instance_of(each, bus.nics));
    add_models(bus.gpus, seen.features);
  }
  for (const GpuVendor vendor : {GpuVendor::nvidia, GpuVendor::amd, GpuVendor::intel})
    add_vendor(vendor, bus, config.gpu, seen);
  add_topology(bus, seen.features);
  return seen;
}

}  // namespace

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
