#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kDevice[] = {
    {"name", "/sys/class/net", "interface with a device behind it"},
    {"operstate", "/sys/class/net/*/operstate", "up, down, ..."},
    {"speed", "/sys/class/net/*/speed", "Mbit/s; missing or -1 while the link is down"},
    {"sriov_numvfs", "/sys/class/net/*/device/sriov_numvfs", "virtual functions in use"},
    {"sriov_totalvfs", "/sys/class/net/*/device/sriov_totalvfs", "virtual functions that the device offers"},
    {"mtu", "/sys/class/net/*/mtu", "largest packet in bytes"}};
constexpr ElementSpec kVirtual[] = {{"name", "/sys/class/net", "interface without a device: lo, bridges, veth, ..."},
                                    {"operstate", "/sys/class/net/*/operstate", "up, down, ..."},
                                    {"speed", "/sys/class/net/*/speed", "Mbit/s"},
                                    {"mtu", "/sys/class/net/*/mtu", "largest packet in bytes"}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"network.device", instance, "/sys/class/net", "network interfaces that are hardware", kDevice, false, true},
    {"network.virtual", instance, "/sys/class/net", "network interfaces that are not hardware", kVirtual, false, true},
};

constexpr std::string_view kSubsystems[] = {"pci", "net"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  Reading real(host, seen, "network.device");
  Reading virtual_(host, seen, "network.virtual");
  const auto interfaces = host.files().list("/sys/class/net");
  if (!interfaces) {
    real.note(interfaces.error());
    virtual_.note(interfaces.error());
    return seen;
  }
  Instances& devices = seen.features.instances["network.device"];
  Instances& others = seen.features.instances["network.virtual"];
  for (const std::string& interface : *interfaces) {
    if (interface == "bonding_masters") continue;
    const std::string directory = "/sys/class/net/" + interface;
    const bool is_device = real.exists(directory + "/device");
    Reading& reading = is_device ? real : virtual_;
    reading.enter(directory);
    Attributes& attributes = (is_device ? devices : others).emplace_back(Attributes{{"name", interface}});
    const auto wants = [&, feature = is_device ? "network.device" : "network.virtual"](std::string_view element) {
      return config.wanted.has(feature, element);
    };
    for (const char* name : {"operstate", "speed", "mtu"})
      if (wants(name)) reading.attribute(attributes, name, name);
    if (is_device)
      for (const char* name : {"sriov_numvfs", "sriov_totalvfs"})
        if (wants(name)) reading.attribute(attributes, name, std::string("device/") + name);
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe network{.name = "network",
                              .summary = "network interfaces and SR-IOV",
                              .produces = kProduces,
                              .wakes = {.subsystems = kSubsystems},
                              .run = run};
}  // namespace probe

}  // namespace nodescout
