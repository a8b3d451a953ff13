// What udev knows: of the live machine's devices through libudev, of a recorded one's from udev's own text forms.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nodescout/host.h"

namespace nodescout {

using UdevProperties = std::map<std::string, std::string, std::less<>>;

/// Of a device of the live machine.
UdevProperties live_udev_properties(std::string_view subsystem, const std::string& name);

/// From `dump` (the text of udev.txt) or, where that is empty, from udevd's database below the root. `syspath` is the
/// device's canonical directory.
UdevProperties recorded_udev_properties(const Root& files, std::string_view subsystem, const std::string& name,
                                        const std::string& syspath, std::string_view dump);

/// Where distributions put the lists of names; the first that exists is read.
struct IdFiles {
  std::vector<std::string> pci{"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/var/lib/pciutils/pci.ids"};
  std::vector<std::string> usb{"/usr/share/misc/usb.ids", "/usr/share/hwdata/usb.ids", "/var/lib/usbutils/usb.ids"};
};

/// Human names from udev's hardware database of this system, or from pci.ids and usb.ids where that has none: for the
/// table only, never part of features.
class HardwareNames {
 public:
  explicit HardwareNames(IdFiles files = {});
  ~HardwareNames();
  HardwareNames(const HardwareNames&) = delete;
  HardwareNames& operator=(const HardwareNames&) = delete;

  struct Names {
    std::string vendor, device;  // empty if unknown
  };
  /// Ids as sysfs spells them, without 0x.
  Names pci(std::string_view vendor, std::string_view device) const;
  Names usb(std::string_view vendor, std::string_view device) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
