#include <algorithm>

#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kBlock[] = {
    {"name", "/sys/block", "block device"},
    {"dax", "/sys/block/*/queue/dax", "1 if it can be mapped directly", false, "[01]"},
    {"rotational", "/sys/block/*/queue/rotational", "0 for solid state", false, "[01]"},
    {"nr_zones", "/sys/block/*/queue/nr_zones", "zones of a zoned device", false, "[0-9]+"},
    {"zoned", "/sys/block/*/queue/zoned", "none, host-aware or host-managed", false, "none|host-aware|host-managed"},
    {"size", "/sys/block/*/size", "bytes", true, "[0-9]+"},
    {"model", "/sys/block/*/device/model", "name that the device gives itself", true},
    {"transport", "/sys/block/*, ID_BUS of udev", "nvme, usb, sas, ata, virtio, ...; missing for virtual devices",
     true}};

constexpr FeatureSpec kProduces[] = {{"storage.block", FeatureSpec::Kind::instance, "/sys/block",
                                      "whole block devices, virtual ones included", kBlock, false, true}};

/// How the device is attached: the path through the device tree shows it, and udev where the path does not.
std::string transport_of(const Host& host, const std::string& name, std::string_view link) {
  if (name.starts_with("nvme")) return "nvme";
  if (name.starts_with("mmcblk")) return "mmc";
  if (name.starts_with("dasd")) return "dasd";  // s390x
  constexpr std::pair<std::string_view, std::string_view> kPaths[] = {
      {"/usb", "usb"},   {"/virtio", "virtio"}, {"/ata", "ata"}, {"/end_device-", "sas"},
      {"/rport-", "fc"}, {"/session", "iscsi"}, {"/vbd-", "xen"}};
  for (const auto& [part, transport] : kPaths)
    if (link.find(part) != std::string_view::npos) return std::string(transport);
  const auto properties = host.udev_properties("block", name);
  const auto bus = properties.find("ID_BUS");
  return bus == properties.end() ? "" : bus->second;
}

/// Devices of software, by the names that the kernel gives them: the others are recognised by where their link leads.
bool is_virtual(std::string_view name) {
  constexpr std::string_view kPrefixes[] = {"loop", "ram", "zram", "dm-", "md", "nbd"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

constexpr std::string_view kSubsystems[] = {"block"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  const auto wants = [&](std::string_view element) { return config.wanted.has("storage.block", element); };
  Reading reading(host, seen, "storage.block");
  const auto names = reading.list("/sys/block");
  if (!names) return seen;
  Instances& blocks = seen.features.instances["storage.block"];
  for (const std::string& name : *names) {
    reading.enter("/sys/block/" + name);
    Attributes& block = blocks.emplace_back(Attributes{{"name", name}});
    for (const char* attribute : {"dax", "rotational", "nr_zones", "zoned"})
      if (wants(attribute)) reading.attribute(block, attribute, std::string("queue/") + attribute);
    if (config.nfd_compat) continue;
    constexpr std::int64_t kSector = 512;  // of the size file, whatever the device's own
    if (const auto sectors = wants("size") ? reading.text("size") : std::nullopt)
      if (const auto count = parse_int(*sectors); count && *count >= 0 && *count <= INT64_MAX / kSector)
        block["size"] = std::to_string(*count * kSector);
    if (is_virtual(name) || (!wants("model") && !wants("transport"))) continue;
    const auto link = host.files().link("/sys/block/" + name);
    if (link && link->find("/virtual/") != std::string::npos) continue;  // software: neither model nor transport
    if (wants("model")) reading.attribute(block, "model", "device/model");
    if (!wants("transport")) continue;
    if (std::string transport = transport_of(host, name, link ? *link : ""); !transport.empty())
      block["transport"] = std::move(transport);
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe storage{.name = "storage",
                              .summary = "block devices",
                              .produces = kProduces,
                              .wakes = {.subsystems = kSubsystems},
                              .run = run};
}  // namespace probe

}  // namespace nodescout
