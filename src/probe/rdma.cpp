#include <algorithm>

#include "host/numa.h"
#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kDevice[] = {
    {"name", "/sys/class/infiniband", "RDMA device: mlx5_0, bnxt_re0, efa_0, cxi0, ...", true},
    {"port", "/sys/class/infiniband/*/ports", "port number, from 1; one entry per port", true},
    {"link_layer", "/sys/class/infiniband/*/ports/*/link_layer", "InfiniBand, Ethernet or Slingshot", true},
    {"rate", "/sys/class/infiniband/*/ports/*/rate", "Gb/s of the port", true},
    {"state", "/sys/class/infiniband/*/ports/*/state", "ACTIVE, DOWN, INIT, ...", true},
    {"netdev", "/sys/class/infiniband/*/ports/*/gid_attrs/ndevs/0", "network interface of the port", true},
    {"driver", "/sys/class/infiniband/*/device/driver", "kernel driver", true},
    {"address", "/sys/class/infiniband/*/device", "PCI address of the device", true},
    {"vendor", "/sys/class/infiniband/*/device/vendor", "4 hex digits", true},
    {"numa_node", "/sys/class/infiniband/*/device/numa_node", "NUMA node, where the kernel knows one", true}};

constexpr FeatureSpec kProduces[] = {
    {"rdma.device", FeatureSpec::Kind::instance, "/sys/class", "ports of RDMA devices of any vendor", kDevice, true}};

/// "4: ACTIVE" -> "ACTIVE"
std::string_view state_word(std::string_view text) {
  const std::size_t colon = text.find(": ");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

/// "200 Gb/sec (4X HDR)" -> "200"
std::string_view rate_number(std::string_view text) { return text.substr(0, text.find(' ')); }

/// Interface of the port's first GID; where the GID table is empty, the device's only interface.
std::string netdev_of(Reading& reading, const std::string& device, const std::string& port) {
  if (const auto name = reading.text(port + "/gid_attrs/ndevs/0"); name && !name->empty()) return *name;
  const auto names = reading.list(device + "/device/net");
  return names && names->size() == 1 ? names->front() : "";
}

/// What is known of the device without its ports.
Attributes device_of(Reading& reading, const std::string& name, const std::string& directory) {
  Attributes device{{"name", name}};
  if (const auto driver = reading.link_name(directory + "/device/driver")) device["driver"] = *driver;
  if (const auto address = reading.link_name(directory + "/device"); address && address->find(':') != std::string::npos)
    device["address"] = *address;
  if (auto vendor = reading.text(directory + "/device/vendor"))
    device["vendor"] = vendor->starts_with("0x") ? vendor->substr(2) : *vendor;
  if (const auto text = reading.text(directory + "/device/numa_node"))
    if (const auto node = parse_numa_node(*text)) device["numa_node"] = std::to_string(*node);
  return device;
}

void add_ports(Reading& reading, const Attributes& device, const std::string& directory, Instances& devices) {
  auto ports = reading.list(directory + "/ports");
  if (!ports) return;
  std::sort(ports->begin(), ports->end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  for (const std::string& number : *ports) {
    const std::string port = directory + "/ports/" + number;
    Attributes& entry = devices.emplace_back(device);
    entry["port"] = number;
    reading.attribute(entry, "link_layer", port + "/link_layer");
    if (const auto rate = reading.text(port + "/rate")) entry["rate"] = rate_number(*rate);
    if (const auto state = reading.text(port + "/state")) entry["state"] = state_word(*state);
    if (std::string netdev = netdev_of(reading, directory, port); !netdev.empty()) entry["netdev"] = std::move(netdev);
  }
}

/// HPE's Slingshot has no InfiniBand device; its NICs have their own class, and one port each.
void add_slingshot(Reading& reading, Instances& devices) {
  const auto names = reading.list("/sys/class/cxi");
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string directory = "/sys/class/cxi/" + name;
    Attributes& entry = devices.emplace_back(device_of(reading, name, directory));
    entry["port"] = "1";
    entry["link_layer"] = "Slingshot";
    if (const auto interfaces = reading.list(directory + "/device/net"); interfaces && interfaces->size() == 1)
      entry["netdev"] = interfaces->front();
  }
}

constexpr std::string_view kSubsystems[] = {"pci", "net", "infiniband", "cxi"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  if (config.nfd_compat) return seen;
  Instances& devices = seen.features.instances["rdma.device"];
  Reading reading(host, seen, "rdma.device");
  if (const auto names = reading.list("/sys/class/infiniband"))
    for (const std::string& name : *names) {
      const std::string directory = "/sys/class/infiniband/" + name;
      add_ports(reading, device_of(reading, name, directory), directory, devices);
    }
  add_slingshot(reading, devices);
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe rdma{
    .name = "rdma", .summary = "RDMA devices", .produces = kProduces, .wakes = {.subsystems = kSubsystems}, .run = run};
}  // namespace probe

}  // namespace nodescout
