#include "gpu/vgpu.h"

#include <algorithm>
#include <bitset>
#include <iterator>

namespace nodescout {
namespace {

constexpr std::size_t kStatus = 0x06;
constexpr unsigned kHasCapabilities = 0x10;
constexpr std::size_t kFirstCapability = 0x34;
constexpr unsigned kVendorSpecific = 0x09;
constexpr unsigned kBrokenChain = 0xff;
constexpr std::size_t kRecords = 5;  // behind id, next, length and the signature
constexpr unsigned kHostDriverRecord = 0;
constexpr std::size_t kTextLength = 10;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

/// The first vendor-specific capability, as many of its bytes as are there; empty if there is none.
std::string_view vendor_capability(std::string_view config) {
  if (!(byte_at(config, kStatus) & kHasCapabilities)) return {};
  std::bitset<kPciConfigSize> visited;
  for (std::size_t at = byte_at(config, kFirstCapability); at != 0 && !visited[at]; at = byte_at(config, at + 1)) {
    visited[at] = true;
    const unsigned id = byte_at(config, at);
    if (id == kBrokenChain) return {};
    if (id == kVendorSpecific) return config.substr(at, byte_at(config, at + 2));
  }
  return {};
}

std::string without_zeros(std::string_view text) {
  const std::size_t first = text.find_first_not_of('\0');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of('\0') + 1 - first));
}

}  // namespace

std::optional<Vgpu> find_vgpu(std::string_view config) {
  const std::string_view capability = vendor_capability(config.substr(0, kPciConfigSize));
  if (capability.size() < kRecords || capability[3] != 'V' || capability[4] != 'F') return std::nullopt;
  for (std::size_t at = kRecords; at + 2 <= capability.size();) {
    const std::string_view record = capability.substr(at);
    if (byte_at(record, 0) == kHostDriverRecord) {
      if (record.size() < 2 + 2 * kTextLength) break;
      return Vgpu{without_zeros(record.substr(2, kTextLength)),
                  without_zeros(record.substr(2 + kTextLength, kTextLength))};
    }
    const unsigned length = byte_at(record, 1);
    if (length < 2) break;  // no record is shorter than its own head: the walk would not end
    at += length;
  }
  return Vgpu{};
}

bool is_vgpu_name(std::string_view name) {
  // "B4" has four displays, "CME" the media engines.
  constexpr std::string_view kSeries[] = {"A", "B", "B4", "C", "CME", "Q"};
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view type = name.substr(dash + 1);
  const std::size_t digits = std::min(type.find_first_not_of("0123456789"), type.size());
  return digits > 0 && std::find(std::begin(kSeries), std::end(kSeries), type.substr(digits)) != std::end(kSeries);
}

}  // namespace nodescout
