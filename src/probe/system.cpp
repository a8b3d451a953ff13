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

constexpr std::string_view kDeviceTree = "/sys/firmware/devicetree/base";
constexpr ElementSpec kTree[] = {
    {"model", kDeviceTree, "name of the board or machine", true},
    {"compatible", kDeviceTree, "what the board is compatible with, from special to general, joined by a comma", true}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"system.name", attribute, "", "the Node's name", kName},
    {"system.osrelease", attribute, "/etc/os-release", "operating system", kRelease},
    {"system.dmiid", attribute, "/sys/devices/virtual", "what the firmware says about the machine", kDmi, false, true},
    {"system.devicetree", attribute, "/sys/firmware", "what the device tree says about the machine", kTree, true, true},
};

/// The texts of a property, each of which ends with a zero, joined by a comma.
std::string property_text(std::string_view bytes) {
  std::string out;
  for (const std::string_view part : split(bytes, '\0')) {
    const std::string_view text = trim(part);
    if (!text.empty()) out += (out.empty() ? "" : ",") + std::string(text);
  }
  return out;
}

/// os-release, of /etc or else of /usr/lib. Where a system has none, or an empty one, all its labels are missing, so
/// a problem reports it.
std::optional<std::string> os_release(const Host& host, Observation& seen, bool nfd_compat) {
  constexpr std::string_view kEtc = "/etc/os-release";
  Reading reading(host, seen, "system.osrelease");
  // NFD opens a directory like a file and finds nothing in it.
  if (nfd_compat && reading.is_directory(std::string(kEtc))) return "";
  std::string path(kEtc);
  auto text = reading.raw(path);
  if (!text && !nfd_compat) text = reading.raw(path = "/usr/lib/os-release");
  const std::string labels = ": there are no labels system-os_release.*";
  if (text) {
    if (parse_os_release(*text).empty())
      reading.say({"missing-file", path, "has no line NAME=VALUE" + labels, "write one: ID=NAME"});
    else if (const auto junk = junk_of_os_release(*text))
      reading.say({"malformed-file", path + ":" + std::to_string(junk->line),
                   quote(junk->text) + " is not NAME=VALUE, and is left out" +
                       (junk->others == 0 ? "" : ", as are " + std::to_string(junk->others) + " more lines"),
                   "correct it, or begin it with #"});
    return text;
  }
  if (seen.incomplete.contains("system.osrelease") || !reading.is_directory("/etc")) return text;
  const auto target = host.files().link(kEtc);
  reading.say({"missing-file", std::string(kEtc),
               (target ? "a link to " + *target + ", which does not exist" : std::string("there is none")) + labels,
               "write it, or mount the host's: /etc/os-release and /usr/lib/os-release"});
  return text;
}

constexpr std::string_view kPaths[] = {"/etc/os-release"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  Features& features = seen.features;
  features.attributes["system.name"]["nodename"] = host.node_name();

  if (const auto text = os_release(host, seen, config.nfd_compat))
    features.attributes["system.osrelease"] = parse_os_release(*text);

  Reading dmi(host, seen, "system.dmiid");
  Attributes ids;
  if (config.wanted.has("system.dmiid") && dmi.exists(std::string(kDmiSource))) {
    dmi.enter(std::string(kDmiSource));
    for (const ElementSpec& element : kDmi) dmi.attribute(ids, element.name, std::string(element.name));
  }
  if (!ids.empty()) features.attributes["system.dmiid"] = std::move(ids);

  if (!config.nfd_compat && config.wanted.has("system.devicetree")) {
    Reading tree(host, seen, "system.devicetree");
    for (const ElementSpec& element : kTree)
      if (const auto bytes = tree.raw(std::string(kDeviceTree) + "/" + std::string(element.name)))
        if (std::string text = property_text(*bytes); !text.empty())
          features.attributes["system.devicetree"][std::string(element.name)] = std::move(text);
  }
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
