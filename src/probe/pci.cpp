#include <algorithm>

#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kDevice[] = {
    {"class", "/sys/bus/pci/devices/*/class", "4 hex digits: class and subclass", false, "[0-9a-f]{4}"},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "4 hex digits", false, "[0-9a-f]{4}"},
    {"device", "/sys/bus/pci/devices/*/device", "4 hex digits", false, "[0-9a-f]{4}"},
    {"subsystem_vendor", "/sys/bus/pci/devices/*/subsystem_vendor", "4 hex digits", false, "[0-9a-f]{4}"},
    {"subsystem_device", "/sys/bus/pci/devices/*/subsystem_device", "4 hex digits", false, "[0-9a-f]{4}"},
    {"sriov_totalvfs", "/sys/bus/pci/devices/*/sriov_totalvfs", "virtual functions that the device offers", false,
     "[0-9]+"},
    {"iommu_group/type", "/sys/bus/pci/devices/*/iommu_group/type", "DMA, identity, ..."},
    {"iommu/intel-iommu/version", "/sys/bus/pci/devices/*/iommu/intel-iommu/version",
     "version of the IOMMU in front of it"},
    {"address", "/sys/bus/pci/devices", "domain:bus:device.function", true},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver bound to it", true},
    {"numa_node", "/sys/bus/pci/devices/*/numa_node", "NUMA node, where the kernel knows one", true, "[0-9]+"},
    {"current_link_speed", "/sys/bus/pci/devices/*/current_link_speed",
     "GT/s per lane now; drops while the device idles", true},
    {"current_link_width", "/sys/bus/pci/devices/*/current_link_width", "lanes now", true, "[0-9]+"},
    {"max_link_speed", "/sys/bus/pci/devices/*/max_link_speed", "GT/s per lane that the device can do", true},
    {"max_link_width", "/sys/bus/pci/devices/*/max_link_width", "lanes that the device has", true, "[0-9]+"}};

constexpr FeatureSpec kProduces[] = {{"pci.device", FeatureSpec::Kind::instance, "/sys/bus/pci/devices",
                                      "PCI functions, by address", kDevice, false, true}};

/// Content without one leading "0x", then trimmed: ids exactly as the kernel prints them.
std::string id_text(std::string_view content) {
  if (content.starts_with("0x")) content.remove_prefix(2);
  return std::string(trim(content));
}

/// "16.0 GT/s PCIe" -> "16.0"; "Unknown" -> nothing.
std::string link_speed(const std::string& text) {
  const std::size_t unit = text.find(" GT/s");
  return unit == std::string::npos ? "" : text.substr(0, unit);
}

void observe_link(Reading& reading, Attributes& device) {
  const auto fastest = reading.text("max_link_speed");
  if (!fastest) return;  // no PCI Express link
  const auto put_speed = [&](const char* name, const std::optional<std::string>& text) {
    if (std::string speed = text ? link_speed(*text) : ""; !speed.empty()) device[name] = std::move(speed);
  };
  put_speed("max_link_speed", fastest);
  put_speed("current_link_speed", reading.text("current_link_speed"));
  for (const char* name : {"current_link_width", "max_link_width"})
    if (const auto lanes = reading.text(name); lanes && *lanes != "0" && *lanes != "255") device[name] = *lanes;
}

// A driver that comes or goes changes attributes of its devices, which the bus announces.
constexpr std::string_view kSubsystems[] = {"pci", "drm", "module"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  const auto wants = [&](std::string_view element) { return config.wanted.has("pci.device", element); };
  Reading reading(host, seen, "pci.device");
  constexpr std::string_view kLink[] = {"current_link_speed", "current_link_width", "max_link_speed", "max_link_width"};
  const bool wants_link = std::any_of(std::begin(kLink), std::end(kLink), wants);
  const std::size_t problems_before = seen.problems.size();
  const auto functions = host.pci(seen.problems, !config.nfd_compat && wants("numa_node"));
  if (seen.problems.size() > problems_before) seen.incomplete.emplace("pci.device");
  if (!functions) {
    reading.note(functions.error());
    return seen;
  }
  Instances& devices = seen.features.instances["pci.device"];
  for (const PciDevice& function : *functions) {
    const Root::Directory directory = host.files().enter("/sys/bus/pci/devices/" + function.address);
    reading.enter(directory);
    Attributes device;
    bool complete = true;
    for (const char* name : {"class", "vendor", "device", "subsystem_vendor", "subsystem_device"}) {
      const auto content = directory.read(name);
      if (!content) {
        // Its neighbours are still listed, and the reason is reported, even if the file is simply missing.
        Problem problem = problem_of(content.error());
        const bool is_absent = content.error().code == Errc::absent;
        if (is_absent) problem.what += "; pci.device lacks this device";
        seen.problems.push_back(std::move(problem));
        if (!is_absent) seen.incomplete.emplace("pci.device");
        complete = false;
        break;
      }
      device[name] = id_text(*content);
      // A read that ended early. NFD takes whatever it gets.
      if (device[name].size() < 4 && !config.nfd_compat) {
        reading.note(no_pci_id("/sys/bus/pci/devices/" + function.address + "/" + name, *content));
        complete = false;
        break;
      }
    }
    if (!complete) continue;
    device["class"].resize(std::min<std::size_t>(device["class"].size(), 4));
    for (const char* name : {"sriov_totalvfs", "iommu_group/type", "iommu/intel-iommu/version"})
      if (const auto content = wants(name) ? reading.raw(name) : std::nullopt) device[name] = id_text(*content);
    if (!config.nfd_compat) {
      device["address"] = function.address;
      if (const auto driver = wants("driver") ? reading.link_name("driver") : std::nullopt) device["driver"] = *driver;
      if (function.numa_node) device["numa_node"] = std::to_string(*function.numa_node);
      if (wants_link) observe_link(reading, device);
    }
    devices.push_back(std::move(device));
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe pci{
    .name = "pci", .summary = "PCI devices", .produces = kProduces, .wakes = {.subsystems = kSubsystems}, .run = run};
}  // namespace probe

}  // namespace nodescout
