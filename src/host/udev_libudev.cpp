#include "host/udev_libudev.h"

#include <algorithm>

#include "base/text.h"
#include "host/id_file.h"
#include "host/pci_libpci.h"
#include "system/file.h"
#include "system/udev_library.h"

namespace nodescout {
namespace {

void add_property(UdevProperties& properties, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals != std::string_view::npos && equals > 0)
    properties.insert_or_assign(std::string(assignment.substr(0, equals)), std::string(assignment.substr(equals + 1)));
}

/// The name of udevd's database entry: "b8:0", "n3", or "+subsystem:name".
std::string database_id(const Root& files, std::string_view subsystem, const std::string& name,
                        const std::string& syspath) {
  if (subsystem == "net") {
    const auto index = files.read(syspath + "/ifindex");
    return index ? "n" + std::string(trim(*index)) : "";
  }
  if (const auto number = files.read(syspath + "/dev"))
    return (subsystem == "block" ? "b" : "c") + std::string(trim(*number));
  return "+" + std::string(subsystem) + ":" + name;
}

}  // namespace

UdevProperties live_udev_properties(std::string_view subsystem, const std::string& name) {
  UdevProperties properties;
  const UdevLibrary* library = UdevLibrary::get();
  if (!library) return properties;
  const UdevHandle<udev> context(library->udev_new());
  if (!context) return properties;
  const UdevHandle<udev_device> device(
      library->udev_device_new_from_subsystem_sysname(context.get(), std::string(subsystem).c_str(), name.c_str()));
  if (!device) return properties;
  library->each_entry(library->udev_device_get_properties_list_entry(device.get()),
                      [&](const char* property, const char* value) { properties.emplace(property, value); });
  return properties;
}

UdevProperties recorded_udev_properties(const Root& files, std::string_view subsystem, const std::string& name,
                                        const std::string& syspath, std::string_view dump) {
  UdevProperties properties;
  if (!dump.empty()) {
    // Blocks of "P: path" and "E: NAME=value" lines.
    const std::string path = syspath.substr(std::min<std::size_t>(syspath.size(), 4));  // without "/sys"
    bool ours = false;
    for (const std::string_view line : split(dump, '\n')) {
      if (line.starts_with("P: "))
        ours = line.substr(3) == path;
      else if (ours && line.starts_with("E: "))
        add_property(properties, line.substr(3));
    }
    return properties;
  }
  const std::string id = database_id(files, subsystem, name, syspath);
  if (const auto data = files.read("/run/udev/data/" + id); !id.empty() && data)
    for (const std::string_view line : split(*data, '\n'))
      if (line.starts_with("E:")) add_property(properties, line.substr(2));
  return properties;
}

namespace {

/// The first of these files that can be read, once a name is looked for in it. For usb.ids, which no library reads.
class IdFile {
 public:
  explicit IdFile(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  HardwareNames::Names find(std::string_view vendor, std::string_view device) {
    constexpr std::size_t kCap = 8u << 20;  // today's has 1.4 MB
    for (const std::string& path : paths_)
      if (text_.empty())
        if (auto content = read_whole_file(path, kCap)) text_ = *std::move(content);
    paths_.clear();
    const IdNames names = find_in_id_file(text_, vendor, device);
    return {std::string(names.vendor), std::string(names.device)};
  }

 private:
  std::vector<std::string> paths_;
  std::string text_;
};

}  // namespace

struct HardwareNames::State {
  explicit State(IdFiles files) : pci(std::move(files.pci)), usb(std::move(files.usb)) {}

  const UdevLibrary* library = UdevLibrary::get();
  UdevHandle<udev> context{library ? library->udev_new() : nullptr};
  UdevHandle<udev_hwdb> database{context ? library->udev_hwdb_new(context.get()) : nullptr};
  PciNames pci;
  IdFile usb;

  Names lookup(const std::string& vendor_alias, const std::string& device_alias) const {
    Names names;
    if (!database) return names;
    const auto property = [&](const std::string& alias, std::string_view wanted) {
      std::string found;
      library->each_entry(library->udev_hwdb_get_properties_list_entry(database.get(), alias.c_str(), 0),
                          [&](std::string_view name, const char* value) {
                            if (name == wanted) found = value;
                          });
      return found;
    };
    names.vendor = property(vendor_alias, "ID_VENDOR_FROM_DATABASE");
    names.device = property(device_alias, "ID_MODEL_FROM_DATABASE");
    return names;
  }
};

HardwareNames::HardwareNames(IdFiles files) : state_(std::make_unique<State>(std::move(files))) {}
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
  Names names = state_->lookup(v + "*", v + "d0000" + upper(device) + "*");
  if (!names.vendor.empty()) return names;
  PciNames::Names listed = state_->pci.find(vendor, device);
  return {std::move(listed.vendor), std::move(listed.device)};
}

HardwareNames::Names HardwareNames::usb(std::string_view vendor, std::string_view device) const {
  const std::string v = "usb:v" + upper(vendor);
  Names names = state_->lookup(v + "*", v + "p" + upper(device) + "*");
  return names.vendor.empty() ? state_->usb.find(vendor, device) : names;
}

}  // namespace nodescout
