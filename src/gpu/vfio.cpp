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

}  // namespace nodescout
