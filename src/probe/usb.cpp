#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kDevice[] = {
    {"class", "/sys/bus/usb/devices/*/bDeviceClass, */bInterfaceClass",
     "2 hex digits; that of an interface where the device leaves it open", false, "[0-9a-f]{2}"},
    {"vendor", "/sys/bus/usb/devices/*/idVendor", "4 hex digits", false, "[0-9a-f]{4}"},
    {"device", "/sys/bus/usb/devices/*/idProduct", "4 hex digits", false, "[0-9a-f]{4}"},
    {"serial", "/sys/bus/usb/devices/*/serial", "serial number"}};

constexpr FeatureSpec kProduces[] = {{"usb.device", FeatureSpec::Kind::instance, "/sys/bus",
                                      "USB devices, one entry per interface where the interfaces have the class",
                                      kDevice}};

/// Class of every interface of the device, in order of their names; nothing if one cannot be read.
std::optional<std::vector<std::string>> interface_classes(Reading& reading, const std::string& directory) {
  std::vector<std::string> classes;
  const auto children = reading.list(directory);
  if (!children) return std::nullopt;
  for (const std::string& child : *children) {
    if (child.find(':') == std::string::npos) continue;  // interfaces are "<device>:<configuration>.<interface>"
    const auto content = reading.host().files().read(directory + "/" + child + "/bInterfaceClass");
    if (content)
      classes.emplace_back(trim(*content));
    else if (content.error().code != Errc::absent)
      return reading.note(content.error()), std::nullopt;
  }
  return classes;
}

constexpr std::string_view kSubsystems[] = {"usb"};

Observation run(const Host& host, const ProbeConfig&, const Moment&) {
  Observation seen;
  Reading reading(host, seen, "usb.device");
  Instances& devices = seen.features.instances["usb.device"];
  const auto names = reading.list("/sys/bus/usb/devices");
  if (!names) return seen;
  for (const std::string& name : *names) {
    if (name.find(':') != std::string::npos) continue;  // an interface, not a device
    const std::string directory = "/sys/bus/usb/devices/" + name;
    const Root::Directory files = host.files().enter(directory);
    reading.enter(files);
    const auto product = files.read("idProduct");
    if (!product) {
      reading.note(product.error());
      const auto found = host.files().exists(directory + "/idProduct");
      if (!found || !*found) continue;  // not a device
    }
    Attributes device;
    const auto put = [&](const char* attribute, const std::optional<std::string>& value) {
      if (value && !value->empty()) device[attribute] = *value;
    };
    if (product) put("device", std::string(trim(*product)));
    put("class", reading.text("bDeviceClass"));
    put("vendor", reading.text("idVendor"));
    put("serial", reading.text("serial"));
    const auto device_class = device.find("class");
    if (device_class == device.end() || device_class->second != "00") {
      devices.push_back(std::move(device));
      continue;
    }
    const auto classes = interface_classes(reading, directory);
    if (!classes) continue;
    for (const std::string& interface_class : *classes) {
      Attributes& copy = devices.emplace_back(device);
      copy["class"] = interface_class;
    }
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe usb{
    .name = "usb", .summary = "USB devices", .produces = kProduces, .wakes = {.subsystems = kSubsystems}, .run = run};
}  // namespace probe

}  // namespace nodescout
