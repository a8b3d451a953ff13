#include "probe/catalog.h"
#include "probe/os_release.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kName[] = {{"nodename", "$NODE_NAME", "name of the Node object; empty outside a cluster"}};
constexpr ElementSpec kRelease[] = {
    {"<KEY>", "/etc/os-release, /usr/lib/os-release", "any line of the file: ID, VERSION_ID, OSTREE_VERSION, ..."},
    {"VERSION_ID.major", "/etc/os-release", "first number of VERSION_ID"},
    {"VERSION_ID.minor", "/etc/os-release", "second number of VERSION_ID"}};
constexpr std::string_view kDmiSource = "/sys/devices/virtual/dmi/id";
constexpr ElementSpec kDmi[] = {{"bios_date", kDmiSource, "firmware date"},
                                {"bios_vendor", kDmiSource, "firmware vendor"},
                                {"bios_version", kDmiSource, "firmware version"},
                                {"board_asset_tag", kDmiSource, "board asset tag"},
                                {"board_name", kDmiSource, "board name"},
                                {"board_vendor", kDmiSource, "board vendor"},
                                {"board_version", kDmiSource, "board version"},
                                {"chassis_asset_tag", kDmiSource, "chassis asset tag"},
                                {"chassis_type", kDmiSource, "chassis type number"},
                                {"chassis_vendor", kDmiSource, "chassis vendor"},
                                {"chassis_version", kDmiSource, "chassis version"},
                                {"product_family", kDmiSource, "product family"},
                                {"product_name", kDmiSource, "product name"},
                                {"product_sku", kDmiSource, "product number"},
                                {"product_version", kDmiSource, "product version"},
                                {"sys_vendor", kDmiSource, "system vendor"}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"system.name", attribute, "", "the Node's name", kName},
    {"system.osrelease", attribute, "/etc/os-release", "operating system", kRelease},
    {"system.dmiid", attribute, "/sys/devices/virtual", "what the firmware says about the machine", kDmi, false, true},
};

constexpr std::string_view kPaths[] = {"/etc/os-release"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  Features& features = seen.features;
  features.attributes["system.name"]["nodename"] = host.node_name();

  Reading release(host, seen, "system.osrelease");
  auto text = release.raw("/etc/os-release");
  if (!text && !config.nfd_compat) text = release.raw("/usr/lib/os-release");
  if (text) features.attributes["system.osrelease"] = parse_os_release(*text);

  Reading dmi(host, seen, "system.dmiid");
  Attributes ids;
  if (config.wanted.has("system.dmiid") && dmi.exists(std::string(kDmiSource))) {
    dmi.enter(std::string(kDmiSource));
    for (const ElementSpec& element : kDmi) dmi.attribute(ids, element.name, std::string(element.name));
  }
  if (!ids.empty()) features.attributes["system.dmiid"] = std::move(ids);
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe system{.name = "system",
                             .summary = "node name, operating system and firmware identity",
                             .produces = kProduces,
                             .wakes = {.paths = kPaths},
                             .run = run};
}  // namespace probe

}  // namespace nodescout
