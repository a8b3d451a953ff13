// What is reported about all GPUs of a vendor, and about the whole machine: counts, common facts, health, topology.
#include <algorithm>
#include <chrono>

#include "probe/gpu_parts.h"
#include "probe/virtualization.h"

namespace nodescout::gpu {
namespace {

constexpr std::int64_t kMibPerGib = 1024;

/// How long a GPU may be without a driver while the others have theirs: drivers take them one after the other.
constexpr std::chrono::seconds kSettleTime{60};

void put(Attributes& into, std::string_view name, std::string_view value) {
  if (!value.empty()) into.insert_or_assign(std::string(name), std::string(value));
}

template <class Predicate>
std::int64_t count_if(const std::vector<const Gpu*>& gpus, const Predicate& predicate) {
  return std::count_if(gpus.begin(), gpus.end(), [&](const Gpu* each) { return predicate(*each); });
}

std::int64_t count_health(const std::vector<const Gpu*>& gpus, std::string_view health) {
  return count_if(gpus, [&](const Gpu& each) { return each.health == health; });
}

/// Those that represent the vendor: cards, if there are any.
std::vector<const Gpu*> speakers_of(const std::vector<const Gpu*>& gpus) {
  std::vector<const Gpu*> cards;
  std::copy_if(gpus.begin(), gpus.end(), std::back_inserter(cards),
               [](const Gpu* each) { return !is_integrated(*each); });
  return cards.empty() ? gpus : cards;
}

/// The table has AMD's virtual functions, which have ids of their own.
bool is_virtual_function(const GpuModel& model) { return model.name.ends_with("-vf"); }

/// Of a slice whose row in the table is that of the card.
const char* suffix_of_slice(const Gpu& gpu) {
  if (!gpu.is_virtual || is_virtual_function(gpu.model)) return "";
  return gpu.vendor->has_library ? "-vgpu" : "-vf";
}

/// How many GPUs of the vendor the configuration promises; 0 if it does not.
std::int64_t expected_of(const GpuVendor& vendor, const GpuOptions& options) {
  const auto wanted = options.expected.find(vendor.name);
  return wanted == options.expected.end() ? 0 : std::max<std::int64_t>(wanted->second, 0);
}

/// Programs or a virtual machine can use it, or it may get its driver in a moment.
bool is_usable(const Gpu& gpu, const Bus& bus) {
  if (gpu.health != "ok") return false;
  const bool is_offered = gpu.vendor->has_library && bus.offered && bus.offered->contains(gpu.address);
  return is_offered || has_working_driver(gpu) || is_given_away(gpu) || gpu.is_settling || !gpu.is_on_bus;
}

/// Lanes that a slot has and its card does not use. In a virtual machine neither is real, and a GPU beside its
/// processor is joined with it by something better.
std::int64_t limited_links(const Host& host, const std::vector<const Gpu*>& gpus) {
  const std::int64_t narrow = count_if(gpus, [](const Gpu& each) {
    const bool is_beside_its_processor = each.model.form_factor == "superchip" || each.model.form_factor == "soc";
    return each.link_limit.starts_with("width") && !is_beside_its_processor && !is_integrated(each);
  });
  return narrow > 0 && is_known_bare_metal(host) ? narrow : 0;
}

}  // namespace

std::string attribute_of(const Gpu& gpu, std::string_view name) {
  const auto at = gpu.attributes.find(name);
  return at == gpu.attributes.end() ? "" : at->second;
}

std::string model_of(const Gpu& gpu) {
  if (!gpu.own_name.empty()) return gpu.own_name;
  const std::string of_driver = model_of_product(gpu.product);
  if (gpu.is_virtual && !of_driver.empty()) return of_driver;
  if (!gpu.model.name.empty()) return std::string(gpu.model.name) + suffix_of_slice(gpu);
  if (!of_driver.empty()) return of_driver;
  return gpu.device_id.empty() ? "" : std::string(gpu.vendor->name) + "-" + gpu.device_id;
}

std::string family_of(const Gpu& gpu) {
  return gpu.model.family.empty() ? attribute_of(gpu, "family") : std::string(gpu.model.family);
}

std::string memory_gb_of(const Gpu& gpu) {
  if (!gpu.is_virtual) return std::string(gpu.model.memory);
  const std::int64_t size = (gpu.memory.value_or(0) + kMibPerGib / 2) / kMibPerGib;
  return size > 0 ? std::to_string(size) : "";
}

std::string form_factor_of(const Gpu& gpu) { return gpu.is_virtual ? "" : std::string(gpu.model.form_factor); }

void mark_slices(const Host& host, std::vector<Gpu>& gpus) {
  const bool is_guest = is_guest_by_cpuid(host) == true;
  for (Gpu& gpu : gpus) {
    const auto whole = parse_int(gpu.model.memory);
    if (gpu.vendor->has_library || !gpu.memory || !whole) continue;
    // A card keeps some of its memory for itself, an eighth of it for ECC; the largest slice of two has half.
    const bool is_part = *gpu.memory < *whole * kMibPerGib / 4 * 3;
    gpu.is_virtual = is_part && (is_guest || is_virtual_function(gpu.model));
  }
}

std::string common(const std::vector<const Gpu*>& gpus, const std::function<std::string(const Gpu&)>& text) {
  std::string first = gpus.empty() ? "" : text(*gpus.front());
  return std::all_of(gpus.begin(), gpus.end(), [&](const Gpu* each) { return text(*each) == first; }) ? first : "";
}

void find_missing(const Moment& moment, const GpuOptions& options, Bus& bus, Observation& seen) {
  for (const GpuVendor& vendor : kVendors) {
    const auto is_card = [&](const Gpu& each) { return each.vendor == &vendor && !is_integrated(each); };
    // The driver of an integrated GPU is that of the cards as well.
    const bool is_ready = vendor.has_library ? bus.offered.has_value()
                                             : std::any_of(bus.gpus.begin(), bus.gpus.end(), [&](const Gpu& each) {
                                                 return each.vendor == &vendor && has_working_driver(each);
                                               });
    if (!is_ready && expected_of(vendor, options) == 0) continue;
    const bool has_card = std::any_of(bus.gpus.begin(), bus.gpus.end(), is_card);
    int unplaced = vendor.has_library ? bus.unplaced : 0;
    for (Gpu& gpu : bus.gpus) {
      const bool is_taken = has_working_driver(gpu);
      if (gpu.vendor != &vendor || !gpu.is_on_bus || is_given_away(gpu)) continue;
      if (is_integrated(gpu) && !is_taken && has_card) continue;  // switched off beside a card
      if (vendor.has_library && is_ready ? bus.offered->contains(gpu.address) : is_taken) continue;
      if (is_ready) {  // what all have in common is not known of this one
        seen.incomplete.emplace(vendor.common.key);
        seen.incomplete.emplace("gpu.topology");
      }
      if (is_taken && unplaced > 0) {  // it is one of those that do not say where they are
        --unplaced;
        gpu.health = "failed";
        continue;
      }
      if (!is_taken) {
        const std::string condition = "gpu-without-driver " + gpu.address;
        seen.ongoing[condition] = kSettleTime;
        gpu.is_settling = !moment.has_lasted(condition, kSettleTime);
        if (gpu.is_settling) seen.incomplete.emplace(vendor.common.key);
        if (gpu.is_settling || !is_ready) continue;  // without any driver none is missed but those that are expected
      }
      gpu.health = "missing";
      if (is_taken && vendor.has_library && bus.lost > 0) --bus.lost;  // it is that one
      const std::string what = is_taken ? "the GPU is on the bus, but the driver does not offer it"
                               : gpu.driver.empty()
                                   ? "no driver is bound to the GPU, while the driver of the others works"
                                   : "the GPU is bound to " + gpu.driver + ", which does not offer it to jobs";
      seen.problems.push_back({"gpu-missing", gpu.address, what,
                               vendor.has_library ? "see dmesg | grep NVRM; the labels count the GPUs that answer"
                                                  : "see dmesg and lspci -k; gpu.expected counts the GPUs that work"});
    }
  }
}

/// GPUs that should be there: by configuration, and those on the bus that the driver has taken.
void add_vendor(const Host& host, const GpuVendor& vendor, const Bus& bus, const GpuOptions& options,
                Observation& seen) {
  std::vector<const Gpu*> gpus;
  for (const Gpu& each : bus.gpus)
    if (each.vendor == &vendor) gpus.push_back(&each);
  const std::int64_t expected = expected_of(vendor, options);
  if (gpus.empty() && expected == 0) return;
  Attributes& facts = seen.features.attributes[std::string(vendor.common.key)];
  std::vector<const Gpu*> there;
  std::copy_if(gpus.begin(), gpus.end(), std::back_inserter(there), [](const Gpu* each) { return !each->has_left; });
  facts["count"] = std::to_string(there.size());
  std::set<std::string> models;
  for (const Gpu* each : there) models.insert(model_of(*each));
  facts["models"] = std::to_string(models.size());
  const std::vector<const Gpu*> speakers = speakers_of(there);
  put(facts, "product", common(speakers, model_of));
  put(facts, "family", common(speakers, family_of));
  put(facts, "memory_gb", common(speakers, memory_gb_of));
  put(facts, "form_factor", common(speakers, form_factor_of));
  put(facts, "memory",
      common(speakers, [](const Gpu& each) { return each.memory ? std::to_string(*each.memory) : ""; }));
  put(facts, "driver", common(speakers, [](const Gpu& each) { return each.driver; }));
  for (const ElementSpec& more : vendor.common.elements.subspan(std::size(kCommon)))
    put(facts, more.name, common(speakers, [&](const Gpu& each) { return attribute_of(each, more.name); }));

  // A silent driver does not prove that all GPUs are healthy: its last answer is still used.
  const bool is_silent = vendor.has_library && bus.is_driver_silent;
  const std::int64_t absent = count_health(gpus, "missing");
  const std::int64_t failed = count_health(gpus, "failed") + (vendor.has_library ? bus.lost : 0);
  if (vendor.has_library && !is_silent) facts["failed"] = std::to_string(failed);
  facts["link_limited"] = std::to_string(limited_links(host, gpus));
  const std::int64_t given_away = count_if(gpus, is_given_away);
  if (given_away > 0) facts["passthrough"] = std::to_string(given_away);
  std::int64_t missing = absent;
  const std::int64_t usable = count_if(gpus, [&](const Gpu& each) { return is_usable(each, bus); });
  if (usable < expected) {
    missing = std::max(missing, expected - usable);
    seen.problems.push_back({"gpu-missing", "gpu.expected." + std::string(vendor.name),
                             std::to_string(expected) + " GPUs are expected, and " + std::to_string(usable) +
                                 " work or were passed through",
                             "look for the others with lspci -k and in the firmware's setup"});
  }
  // While one may still get its driver, the previous value is kept.
  const bool is_settling = std::any_of(gpus.begin(), gpus.end(), [](const Gpu* each) { return each->is_settling; });
  if (missing > 0 || !(is_silent || is_settling)) facts["missing"] = std::to_string(missing);
}

void add_topology(const Bus& bus, Features& features) {
  // Rules put it into an annotation, of which Kubernetes' NFD takes 1024 bytes.
  constexpr std::size_t kMostMatrix = 1024;
  if (bus.gpus.empty()) return;
  Attributes& facts = features.attributes["gpu.topology"];
  std::vector<ProximityGpu> gpus;
  std::set<int> nodes;
  std::size_t nic_pairs = 0;
  // Only GPUs whose links are known count: not the one in the mainboard, and not a guest's. One that is missing or
  // lost, or whose driver does not report its links, leaves its peers with less than all.
  struct Joined {
    std::size_t links = 0, tellers = 0;
    bool lacks_one = false, is_settling = false;
  };
  std::map<const GpuVendor*, Joined> joined;
  for (const Gpu& each : bus.gpus) {
    ProximityGpu gpu{each.address, each.place, {}, each.vendor->link.letter, std::string(each.vendor->name), false};
    if (const PeerLink& link = each.vendor->link; link.letter != 0) {
      const std::string list = attribute_of(each, link.peers);
      for (const std::string_view peer : split(list, ','))
        if (!peer.empty()) gpu.joined.emplace(peer);
      gpu.hides_links = link.needs_proof && !each.reports_links;
      Joined& all = joined[each.vendor];
      all.links += gpu.joined.size();
      all.tellers += each.reports_links ? 1 : 0;
      const bool is_apart =
          each.health == "missing" || (each.health == "failed" && !each.reports_links) || each.has_left;
      all.is_settling = all.is_settling || each.is_settling;
      const bool hides_links = has_working_driver(each) && !each.reports_links && !is_integrated(each);
      all.lacks_one = all.lacks_one || is_apart || hides_links || (each.vendor->has_library && bus.lost > 0);
    }
    if (each.place.numa_node) nodes.insert(*each.place.numa_node);
    for (const ProximityNic& nic : bus.nics)
      nic_pairs += pci_nearness(each.place, nic.place) <= Nearness::switches ? 1 : 0;
    gpus.push_back(std::move(gpu));
  }
  std::vector<std::string> node_names;
  for (const int node : nodes) node_names.push_back(std::to_string(node));
  put(facts, "numa_nodes", join(node_names, ","));
  for (const auto& [vendor, all] : joined)
    if (all.tellers > 1 && !all.is_settling)  // else the previous value is kept
      facts[std::string(vendor->link.name)] = all.links == 0                                                 ? "none"
                                              : all.links < all.tellers * (all.tellers - 1) || all.lacks_one ? "some"
                                                                                                             : "all";
  if (!bus.nics.empty()) facts["nic_pairs"] = std::to_string(nic_pairs);
  put(facts, "matrix", proximity_matrix(std::move(gpus), bus.nics, kMostMatrix));
  if (facts.empty()) features.attributes.erase("gpu.topology");
}

}  // namespace nodescout::gpu
