#include <algorithm>

#include "host/numa.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr std::string_view kSet = "gpu.device";

std::string device_of(const std::string& address) { return "/sys/bus/pci/devices/" + address; }

/// "0x10DE\n" -> "10de"
std::string hex_id(const std::optional<std::string>& text) {
  if (!text) return "";
  std::string id = lower_ascii(*text);
  if (id.starts_with("0x")) id.erase(0, 2);
  return id;
}

const GpuVendor* vendor_of(std::string_view pci_id) {
  const auto at = std::find_if(std::begin(kVendors), std::end(kVendors),
                               [&](const GpuVendor& vendor) { return vendor.pci_id == pci_id; });
  return at == std::end(kVendors) ? nullptr : at;
}

bool is_gpu_class(const GpuVendor& vendor, std::string_view id) {
  return std::any_of(vendor.classes.begin(), vendor.classes.end(),
                     [&](std::string_view beginning) { return id.starts_with(beginning); });
}

/// Only drives a screen, beside the GPUs.
bool is_display(const Gpu& gpu) {
  const auto& displays = gpu.vendor->displays;
  return gpu.model.form_factor == "display" ||
         std::find(displays.begin(), displays.end(), gpu.device_id) != displays.end();
}

/// PCIe has up to 32 lanes. A device that is switched off (D3cold) shows 0 or 63, an unknown number 255.
std::optional<std::int64_t> lanes(const std::optional<std::string>& text) {
  const auto count = text ? parse_int(*text) : std::nullopt;
  return count && *count > 0 && *count <= 32 ? count : std::nullopt;
}

/// "16.0 GT/s PCIe" -> tenths; 0 for "Unknown".
int speed_of(const std::optional<std::string>& text) {
  if (!text || text->find(" GT/s") == std::string::npos) return 0;
  const std::string number = text->substr(0, text->find(' '));
  const std::size_t dot = std::min(number.find('.'), number.size());
  const auto whole = parse_int(number.substr(0, dot));
  const auto tenth = dot + 1 < number.size() ? parse_int(number.substr(dot + 1, 1)) : std::optional<std::int64_t>(0);
  return whole && tenth && *whole < 10'000 ? static_cast<int>(*whole * 10 + *tenth) : 0;
}

/// amdgpu lists the states between which it switches the link, "0: 2.5GT/s, x1 310Mhz": of some GPUs an idle one uses
/// fewer lanes. It may refuse to, while the GPU rests.
bool may_switch_lanes(const Host& host, const std::string& device) {
  const auto states = host.files().read(device + "/pp_dpm_pcie");
  if (!states) return states.error().code != Errc::absent;
  std::set<std::string, std::less<>> widths;
  for (const std::string_view word : fields(*states))
    if (word.starts_with('x') && parse_int(word.substr(1))) widths.emplace(word);
  return widths.size() > 1;
}

/// The current speed says nothing: an idle GPU slows its link down. Narrow lanes stay, and so does a slow slot. A card
/// in a slot of fewer lanes uses what there is, and so may one in a slot of which nothing is known.
void observe_link(Reading& reading, Gpu& gpu) {
  const auto fastest = reading.text("max_link_speed");
  if (!fastest) return;  // no PCI Express, or a virtual one
  gpu.width = lanes(reading.text("current_link_width"));
  gpu.max_width = lanes(reading.text("max_link_width"));
  const std::string port = upstream_port(gpu.place.path);
  if (const int speed = speed_of(fastest); speed > 0) {
    gpu.attributes["max_link_speed"] = fastest->substr(0, fastest->find(' '));
    const auto slot = port.empty() ? std::nullopt : reading.text(port + "/max_link_speed");
    if (const int slot_speed = speed_of(slot); slot_speed > 0 && slot_speed < speed) gpu.link_limit = "speed";
  }
  if (gpu.width) gpu.attributes["link_width"] = std::to_string(*gpu.width);
  if (gpu.max_width) gpu.attributes["max_link_width"] = std::to_string(*gpu.max_width);
  if (!gpu.width || !gpu.max_width || *gpu.width >= *gpu.max_width) return;
  const auto slot_width = port.empty() ? std::nullopt : lanes(reading.text(port + "/max_link_width"));
  if (!slot_width || *slot_width <= *gpu.width || may_switch_lanes(reading.host(), device_of(gpu.address))) return;
  gpu.link_limit = gpu.link_limit.empty() ? "width" : "width,speed";
}

PciPlace place_of(const Host& host, const std::string& device, const std::optional<std::string>& numa_node) {
  const auto path = host.files().resolve(device);
  return {path ? *path : "", numa_node ? parse_numa_node(*numa_node) : std::nullopt};
}

/// RDMA devices, and the NICs of fabrics that have their own class (HPE Slingshot).
std::vector<ProximityNic> scan_nics(const Host& host, Reading& reading) {
  std::vector<std::pair<std::string, ProximityNic>> found;
  for (const std::string kind : {"/sys/class/infiniband/", "/sys/class/cxi/"}) {
    const auto names = reading.list(kind);
    if (!names) continue;
    for (const std::string& name : *names) {
      const std::string device = kind + name + "/device";
      const auto address = reading.link_name(device);
      if (!address || address->find(':') == std::string::npos) continue;
      if (reading.exists(device + "/physfn")) continue;
      const std::string on_bus = device_of(*address);
      found.push_back({*address, {name, place_of(host, on_bus, reading.text(on_bus + "/numa_node"))}});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? is_earlier_address(a.first, b.first) : a.second.name < b.second.name;
  });
  std::vector<ProximityNic> nics;
  for (auto& [address, nic] : found) nics.push_back(std::move(nic));
  return nics;
}

/// An id file of a function. One that ended early is rejected.
std::optional<std::string> id_of(Reading& reading, const std::string& device, const char* name) {
  auto text = reading.text(device + "/" + name);
  if (!text || hex_id(text).size() >= 4) return text;
  reading.note(no_pci_id(device + "/" + name, *text));
  return std::nullopt;
}

}  // namespace

Bus scan_bus(const Host& host, Observation& seen) {
  Bus bus;
  Reading reading(host, seen, kSet);
  const auto addresses = reading.list("/sys/bus/pci/devices");
  if (!addresses) return bus;
  for (const std::string& address : *addresses) {
    const std::string device = device_of(address);
    // The vendor first: on most functions of most machines it is the only question.
    const std::string vendor_id = hex_id(id_of(reading, device, "vendor"));
    const GpuVendor* vendor = vendor_of(vendor_id);
    if (!vendor) {
      if (const AcceleratorVendor* other = accelerator_vendor(vendor_id))
        look_at_accelerator(reading, *other, address, bus.accelerators);
      continue;
    }
    if (vendor == &kNvidia) bus.nvidia_functions.push_back(address);
    const auto pci_class = id_of(reading, device, "class");
    if (!pci_class || !is_gpu_class(*vendor, hex_id(pci_class))) continue;
    const std::string device_id = hex_id(id_of(reading, device, "device"));
    bus.functions.push_back({address, vendor, hex_id(pci_class).substr(0, 4), device_id});
    if (reading.exists(device + "/physfn")) continue;
    Gpu gpu;
    gpu.address = address;
    gpu.vendor = vendor;
    gpu.is_on_bus = true;
    gpu.pci_class = *pci_class;
    gpu.device_id = device_id;
    reading.enter(device);
    const std::string subsystem = hex_id(reading.text("subsystem_vendor")) + hex_id(reading.text("subsystem_device"));
    const std::string revision = hex_id(reading.text("revision"));
    gpu.model = gpu_model({vendor->pci_id, gpu.device_id, subsystem, revision});
    if (is_display(gpu)) continue;
    if (auto driver = reading.link_name("driver")) gpu.driver = *std::move(driver);
    gpu.place = place_of(host, device, reading.text("numa_node"));
    observe_link(reading, gpu);
    bus.gpus.push_back(std::move(gpu));
  }
  sort_by_address(bus.gpus);
  if (!bus.gpus.empty()) bus.nics = scan_nics(host, reading);
  return bus;
}

bool has_working_driver(const Gpu& gpu) {
  const auto& drivers = gpu.vendor->drivers;
  return std::find(drivers.begin(), drivers.end(), gpu.driver) != drivers.end();
}

bool is_given_away(const Gpu& gpu) {
  if (gpu.driver == "gim") return true;  // AMD's driver for hosts: it divides the GPU among virtual machines
  const std::size_t vfio = gpu.driver.find("vfio");
  return (vfio != std::string::npos && gpu.driver.find("pci", vfio) != std::string::npos) || gpu.driver == "pci-stub" ||
         gpu.driver.find("pciback") != std::string::npos;
}

bool is_integrated(const Gpu& gpu) {
  // A processing accelerator (class 12) in a processor, as in an MI300A, is what the machine was bought for.
  const bool is_for_a_screen = !gpu.pci_class.starts_with("0x12");
  // Where the table does not know it: Intel's integrated GPUs have a fixed address.
  return (gpu.model.form_factor == "soc" && is_for_a_screen) ||
         (gpu.model.name.empty() && gpu.vendor->name == "intel" && gpu.address == "0000:00:02.0");
}

void sort_by_address(std::vector<Gpu>& gpus) {
  std::stable_sort(gpus.begin(), gpus.end(),
                   [](const Gpu& a, const Gpu& b) { return is_earlier_address(a.address, b.address); });
}

}  // namespace nodescout::gpu
