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
#include "probe/gpu_schema.h"

namespace nodescout {
namespace {

using gpu::Bus;
using gpu::Gpu;
using gpu::GpuVendor;
using gpu::schema::kProduces;

using Text = std::function<std::string(const Gpu&)>;

std::string memory_text(const Gpu& gpu) { return gpu.memory ? std::to_string(*gpu.memory) : ""; }

std::string attribute_of(const Gpu& gpu, std::string_view name) {
  const auto at = gpu.attributes.find(name);
  return at == gpu.attributes.end() ? "" : at->second;
}

std::string family_of(const Gpu& gpu) {
  return gpu.model.family.empty() ? attribute_of(gpu, "family") : std::string(gpu.model.family);
}

/// A name for labels and for grouping: of the kernel driver, else the table, else the ids, else what the driver says.
std::string model_of(const Gpu& gpu) {
  if (!gpu.own_name.empty()) return gpu.own_name;
  if (!gpu.model.name.empty()) return std::string(gpu.model.name);
  if (!gpu.device_id.empty()) return std::string(gpu.vendor->name) + "-" + gpu.device_id;
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
  out["vendor"] = gpu.vendor->name;
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
  for (const Gpu& each : gpus) groups[{std::string(each.vendor->name), model_of(each)}].push_back(&each);
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
void add_vendor(const GpuVendor& vendor, const Bus& bus, const GpuOptions& options, Observation& seen) {
  std::vector<const Gpu*> gpus;
  for (const Gpu& each : bus.gpus)
    if (each.vendor == &vendor) gpus.push_back(&each);
  const auto wanted = options.expected.find(vendor.name);
  const bool is_expected = wanted != options.expected.end() && wanted->second > 0;
  if (gpus.empty() && !is_expected) return;
  Attributes& facts = seen.features.attributes[std::string(vendor.common.key)];
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
  for (const ElementSpec& more : vendor.common.elements.subspan(std::size(gpu::kCommon)))
    put(facts, more.name, common(gpus, [&](const Gpu& each) { return attribute_of(each, more.name); }));
  const auto absent =
      std::count_if(gpus.begin(), gpus.end(), [](const Gpu* each) { return each->health == "missing"; });
  const std::int64_t present = std::ssize(gpus) - absent;
  // A silent driver does not say that all GPUs are well: what it said before stands.
  const bool is_silent = vendor.has_library && bus.is_driver_silent;
  if (vendor.has_library && !is_silent)
    facts["failed"] = count_if(gpus, [](const Gpu& each) { return each.health == "failed"; });
  facts["link_limited"] = count_if(gpus, [](const Gpu& each) { return !each.link_limit.empty(); });
  std::int64_t missing = absent;
  if (is_expected) {
    missing = std::max(missing, wanted->second - present);
    if (wanted->second > present)
      seen.problems.push_back(
          {"gpu-missing", "gpu.expected." + std::string(vendor.name),
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
    if (each.vendor->has_library && each.attributes.contains("device_uuid")) ++tellers;
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

Observation run(const Host& host, const ProbeConfig& config) {
  Observation seen;
  if (config.nfd_compat) return seen;
  Bus bus = gpu::scan_bus(host, seen);
  if (!seen.incomplete.empty())
    for (const FeatureSpec& spec : kProduces) {
      seen.incomplete.emplace(spec.key);
      seen.unsettled.emplace(spec.key);  // a count without the one that could not be read is not hurried
    }
  for (Gpu& each : bus.gpus) gpu::add_sysfs_facts(host, seen, each);
  const bool has_nvidia =
      std::any_of(bus.gpus.begin(), bus.gpus.end(), [](const Gpu& each) { return each.vendor == &gpu::kNvidia; });
  const bool asks = config.gpu.discovery != GpuDiscovery::none;
  if (asks && (has_nvidia || gpu::has_nvidia_driver(host))) gpu::add_nvidia_facts(host, config.gpu, bus, seen);
  if (!bus.gpus.empty()) {
    Instances& devices = seen.features.instances["gpu.device"];
    for (const Gpu& each : bus.gpus) devices.push_back(instance_of(each, bus.nics));
    add_models(bus.gpus, seen.features);
  }
  for (const GpuVendor& vendor : gpu::kVendors) add_vendor(vendor, bus, config.gpu, seen);
  add_topology(bus, seen.features);
  return seen;
}

}  // namespace

std::vector<std::string_view> gpu_vendor_names() {
  std::vector<std::string_view> names;
  for (const GpuVendor& vendor : gpu::kVendors) names.push_back(vendor.name);
  return names;
}

namespace probe {
constinit const Probe gpu{.name = "gpu", .summary = "GPUs", .produces = kProduces, .run = run};
}  // namespace probe

}  // namespace nodescout
