// pci.ids and usb.ids, the lists of names that distributions ship: the source of udev's hardware database, for systems
// without one.
#pragma once

#include <string_view>

namespace nodescout {

struct IdNames {
  std::string_view vendor, device;  // views into the text; empty if it does not list them
};

/// `text` is the whole list; ids are 4 hex digits in lower case.
IdNames find_in_id_file(std::string_view text, std::string_view vendor, std::string_view device);

}  // namespace nodescout
