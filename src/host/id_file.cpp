// Reads the file as text and looks for the few ids that are wanted. libpci cannot replace this: it reads neither
// usb.ids nor the pci.ids of the examined machine, by which gpu-feature-discovery names GPUs.
#include "host/id_file.h"

#include <string>

#include "base/text.h"

namespace nodescout {
namespace {

/// "10de  NVIDIA Corporation" -> "NVIDIA Corporation", if the line is that of the id.
std::string_view name_in(std::string_view line, std::string_view id) {
  return line.starts_with(id) && line.substr(id.size()).starts_with("  ") ? trim(line.substr(id.size()))
                                                                          : std::string_view();
}

}  // namespace

IdNames find_in_id_file(std::string_view text, std::string_view vendor, std::string_view device) {
  IdNames names;
  if (vendor.empty()) return names;
  std::size_t start = 0;
  if (!text.starts_with(vendor)) {
    start = text.find("\n" + std::string(vendor) + "  ");
    if (start == std::string_view::npos) return names;
    ++start;
  }
  text.remove_prefix(start);
  bool first = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (first) {
      names.vendor = name_in(line, vendor);
      first = false;
    } else if (line.starts_with('\t')) {
      if (const std::string_view name = name_in(line.substr(1), device); !name.empty()) {
        names.device = name;
        break;
      }
    } else if (!line.empty() && !line.starts_with('#')) {
      break;  // the next vendor
    }
  }
  return names;
}

}  // namespace nodescout
