#include "gpu/vfio.h"

#include <bit>
#include <limits>
#include <vector>

#include "base/text.h"

namespace nodescout {
namespace {

std::uint64_t hex_word(std::string_view word) {
  if (word.starts_with("0x")) word.remove_prefix(2);
  return parse_hex(word).value_or(0);
}

}  // namespace

std::uint64_t addressable_memory(std::string_view resource) {
  constexpr std::size_t kRegions = 6;
  constexpr std::uint64_t kTypeMask = 0x6;
  constexpr std::uint64_t k64Bit = 0x4;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  std::uint64_t sum = 0;
  const std::vector<std::string_view> lines = split(resource, '\n');
  for (std::size_t i = 0; i < lines.size() && i < kRegions; ++i) {
    const std::vector<std::string_view> words = fields(lines[i]);
    if (words.size() != 3 || (hex_word(words[2]) & kTypeMask) != k64Bit) continue;
    const std::uint64_t start = hex_word(words[0]);
    const std::uint64_t end = hex_word(words[1]);
    if (end <= start || end - start >= kMost - sum) continue;
    sum += end - start + 1;
  }
  return sum == 0 ? 0 : std::bit_ceil(sum);
}

std::string pci_ids_name(std::string_view pci_ids, std::string_view vendor, std::string_view device) {
  bool in_vendor = false;
  for (const std::string_view line : split(pci_ids, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != '\t') {
      if (in_vendor) return "";
      in_vendor = line.starts_with(vendor) && line.substr(vendor.size()).starts_with("  ");
    } else if (in_vendor && line.size() > 1 && line[1] != '\t' && line.substr(1).starts_with(device)) {
      return std::string(trim(line.substr(1 + device.size())));
    }
  }
  return "";
}

}  // namespace nodescout
