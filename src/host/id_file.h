// pci.ids and usb.ids, the lists of names that distributions ship: what udev's hardware database was made from, for
// systems without one.
#pragma once

#include <string_view>

namespace nodescout {

struct IdNames {
  std::string_view vendor, device;  // pieces of the text; empty if it does not have them
};

/// `text` is the whole list; ids are 4 hex digits in lower case.
IdNames find_in_id_file(std::string_view text, std::string_view vendor, std::string_view device);

}  // namespace nodescout
