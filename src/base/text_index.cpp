#include "base/text_index.h"

#include <algorithm>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::size_t kStride = 256;  // bytes between points, at least

std::size_t size_of_rune(std::string_view rest) { return static_cast<std::size_t>(decode_rune(rest).length); }

}  // namespace

TextIndex::TextIndex(std::string_view text) : text_(text), starts_{0}, points_{{0, 0}} {
  std::size_t runes = 0;
  for (std::size_t byte = 0; byte < text.size(); ++runes) {
    if (byte - points_.back().byte >= kStride) points_.push_back({byte, runes});
    if (text[byte] == '\n') starts_.push_back(byte + 1);
    byte += size_of_rune(text.substr(byte));
  }
}

std::string_view TextIndex::line(int number) const {
  if (!has(number)) return {};
  const bool is_last = static_cast<std::size_t>(number) == starts_.size();
  const std::size_t end = is_last ? text_.size() : start_of(number + 1) - 1;
  return text_.substr(start_of(number), end - start_of(number));
}

Mark TextIndex::mark_of(std::size_t byte) const {
  byte = std::min(byte, text_.size());
  const auto line = std::upper_bound(starts_.begin(), starts_.end(), byte) - starts_.begin();
  const std::size_t start = starts_[static_cast<std::size_t>(line) - 1];
  return {static_cast<int>(line), static_cast<int>(runes_before(byte) - runes_before(start)) + 1};
}

int TextIndex::column_of(int line, std::size_t byte) const {
  if (!has(line)) return 1;
  return mark_of(start_of(line) + std::min(byte, this->line(line).size())).column;
}

std::size_t TextIndex::byte_of(int line, int column) const {
  if (!has(line) || column <= 1) return 0;
  const std::size_t size = this->line(line).size();
  const std::size_t wanted = runes_before(start_of(line)) + static_cast<std::size_t>(column) - 1;
  const auto behind = std::upper_bound(points_.begin(), points_.end(), wanted,
                                       [](std::size_t runes, const Point& point) { return runes < point.runes; });
  Point at = *std::prev(behind);
  for (; at.runes < wanted && at.byte < start_of(line) + size; ++at.runes)
    at.byte += size_of_rune(text_.substr(at.byte));
  return std::min(at.byte - start_of(line), size);
}

std::size_t TextIndex::runes_before(std::size_t byte) const {
  const auto behind = std::upper_bound(points_.begin(), points_.end(), byte,
                                       [](std::size_t wanted, const Point& point) { return wanted < point.byte; });
  Point at = *std::prev(behind);
  for (; at.byte < byte; ++at.runes) at.byte += size_of_rune(text_.substr(at.byte));
  return at.runes;
}

}  // namespace nodescout
