// Names of PCI devices from pci.ids, through libpci.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nodescout {

/// Of the program's own system: for display only, never part of features. The list is read when a name is first asked
/// for, which takes libpci 11 ms.
class PciNames {
 public:
  /// Where the list may be; the first that can be read is used.
  explicit PciNames(std::vector<std::string> paths);
  PciNames(PciNames&&) noexcept;
  PciNames& operator=(PciNames&&) noexcept;
  ~PciNames();

  struct Names {
    std::string vendor, device;  // empty if the list, or libpci, is missing
  };
  /// Ids as sysfs spells them, without 0x.
  Names find(std::string_view vendor, std::string_view device);

 private:
  struct State;
  std::vector<std::string> paths_;
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
