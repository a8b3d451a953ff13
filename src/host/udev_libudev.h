// Devices through libudev on the live machine; through sysfs and udev's own text forms on any other root.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nodescout/host.h"

namespace nodescout {

/// As Host::udev. `dump` is the text of udev.txt (empty if there is none).
Result<std::vector<UdevDevice>> list_udev(const Root& files, std::string_view subsystem, std::string_view dump,
                                          bool ask_libudev);

/// Human names from udev's hardware database of this system: for the table only, never part of features.
class HardwareNames {
 public:
  HardwareNames();
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
