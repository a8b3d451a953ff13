#include "host/udev_libudev.h"

#include <libudev.h>

#include <algorithm>

#include "base/handle.h"
#include "base/text.h"

namespace nodescout {
namespace {

using UdevHandle = Handle<udev, udev_unref>;
using EnumerateHandle = Handle<udev_enumerate, udev_enumerate_unref>;
using DeviceHandle = Handle<udev_device, udev_device_unref>;
using HwdbHandle = Handle<udev_hwdb, udev_hwdb_unref>;

std::string text_or_empty(const char* text) { return text ? text : ""; }

/// The directory in which sysfs lists a subsystem's devices.
std::string directory_of(std::string_view subsystem) {
  for (const std::string_view bus : {"pci", "usb", "nd", "cpu", "node"})
    if (subsystem == bus) return "/sys/bus/" + std::string(bus) + "/devices";
  return "/sys/class/" + std::string(subsystem);
}

void by_name(std::vector<UdevDevice>& devices) {
  std::sort(devices.begin(), devices.end(), [](const UdevDevice& a, const UdevDevice& b) { return a.name < b.name; });
}

Result<std::vector<UdevDevice>> from_libudev(const Root& files, std::string_view subsystem) {
  // libudev answers "no devices" for a directory that cannot be read; the directory itself tells which it was.
  const auto names = files.list(directory_of(subsystem));
  if (!names) return names.error();
  const UdevHandle context(udev_new());
  const EnumerateHandle enumerate(context ? udev_enumerate_new(context.get()) : nullptr);
  if (!enumerate || udev_enumerate_add_match_subsystem(enumerate.get(), std::string(subsystem).c_str()) < 0 ||
      udev_enumerate_scan_devices(enumerate.get()) < 0)
    return Error{Errc::unavailable, directory_of(subsystem), "libudev could not list the subsystem"};
  std::vector<UdevDevice> devices;
  udev_list_entry* entry = nullptr;
  udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate.get())) {
    const DeviceHandle handle(udev_device_new_from_syspath(context.get(), udev_list_entry_get_name(entry)));
    if (!handle) continue;  // it went away between the listing and now
    UdevDevice device;
    device.name = text_or_empty(udev_device_get_sysname(handle.get()));
    device.syspath = text_or_empty(udev_device_get_syspath(handle.get()));
    device.devtype = text_or_empty(udev_device_get_devtype(handle.get()));
    udev_list_entry* property = nullptr;
    udev_list_entry_foreach(property, udev_device_get_properties_list_entry(handle.get())) {
      device.properties.emplace(text_or_empty(udev_list_entry_get_name(property)),
                                text_or_empty(udev_list_entry_get_value(property)));
    }
    devices.push_back(std::move(device));
  }
  by_name(devices);
  return devices;
}

void add_property(UdevDevice& device, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals != std::string_view::npos && equals > 0)
    device.properties.insert_or_assign(std::string(assignment.substr(0, equals)),
                                       std::string(assignment.substr(equals + 1)));
}

/// Properties of one device from `udevadm info --export-db` output: blocks of "P: path", "E: NAME=value" lines.
void add_from_dump(UdevDevice& device, std::string_view dump) {
  const std::string_view path = std::string_view(device.syspath).substr(4);  // without "/sys"
  bool ours = false;
  for (const std::string_view line : split(dump, '\n')) {
    if (line.starts_with("P: "))
      ours = line.substr(3) == path;
    else if (ours && line.starts_with("E: "))
      add_property(device, line.substr(3));
  }
}

/// The name of udevd's database entry: "b8:0", "n3", or "+subsystem:name".
std::string database_id(const Root& files, std::string_view subsystem, const UdevDevice& device) {
  if (subsystem == "net") {
    const auto index = files.read(device.syspath + "/ifindex");
    return index ? "n" + std::string(trim(*index)) : "";
  }
  if (const auto number = files.read(device.syspath + "/dev"))
    return (subsystem == "block" ? "b" : "c") + std::string(trim(*number));
  return "+" + std::string(subsystem) + ":" + device.name;
}

Result<std::vector<UdevDevice>> from_sysfs(const Root& files, std::string_view subsystem, std::string_view dump) {
  const std::string directory = directory_of(subsystem);
  const auto names = files.list(directory);
  if (!names) return names.error();
  std::vector<UdevDevice> devices;
  for (const std::string& name : *names) {
    UdevDevice device;
    device.name = name;
    const auto path = files.resolve(directory + "/" + name);
    device.syspath = path ? *path : directory + "/" + name;
    if (const auto uevent = files.read(device.syspath + "/uevent"))
      for (const std::string_view line : split(*uevent, '\n')) {
        if (line.starts_with("DEVTYPE=")) device.devtype = line.substr(8);
        add_property(device, line);
      }
    if (!dump.empty()) {
      add_from_dump(device, dump);
    } else if (const std::string id = database_id(files, subsystem, device); !id.empty()) {
      if (const auto data = files.read("/run/udev/data/" + id))
        for (const std::string_view line : split(*data, '\n'))
          if (line.starts_with("E:")) add_property(device, line.substr(2));
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace

Result<std::vector<UdevDevice>> list_udev(const Root& files, std::string_view subsystem, std::string_view dump,
                                          bool ask_libudev) {
  return ask_libudev ? from_libudev(files, subsystem) : from_sysfs(files, subsystem, dump);
}

struct HardwareNames::State {
  UdevHandle context{udev_new()};
  HwdbHandle database{context ? udev_hwdb_new(context.get()) : nullptr};

  Names lookup(const std::string& vendor_alias, const std::string& device_alias) const {
    Names names;
    if (!database) return names;
    const auto property = [&](const std::string& alias, std::string_view wanted) {
      std::string found;
      udev_list_entry* entry = nullptr;
      udev_list_entry_foreach(entry, udev_hwdb_get_properties_list_entry(database.get(), alias.c_str(), 0)) {
        if (udev_list_entry_get_name(entry) == wanted) found = text_or_empty(udev_list_entry_get_value(entry));
      }
      return found;
    };
    names.vendor = property(vendor_alias, "ID_VENDOR_FROM_DATABASE");
    names.device = property(device_alias, "ID_MODEL_FROM_DATABASE");
    return names;
  }
};

HardwareNames::HardwareNames() : state_(std::make_unique<State>()) {}
HardwareNames::~HardwareNames() = default;

namespace {
std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return out;
}
}  // namespace

HardwareNames::Names HardwareNames::pci(std::string_view vendor, std::string_view device) const {
  const std::string v = "pci:v0000" + upper(vendor);
  return state_->lookup(v + "*", v + "d0000" + upper(device) + "*");
}

HardwareNames::Names HardwareNames::usb(std::string_view vendor, std::string_view device) const {
  const std::string v = "usb:v" + upper(vendor);
  return state_->lookup(v + "*", v + "p" + upper(device) + "*");
}

}  // namespace nodescout
