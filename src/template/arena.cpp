#include "template/arena.h"

#include <algorithm>
#include <cstring>

#include "template/failure.h"

namespace nodescout::tmpl {

void* Arena::take(std::size_t bytes, std::size_t alignment) {
  if (bytes > left_) refuse("the template needs more memory than it may have: build smaller strings and lists");
  left_ -= bytes;
  void* place = next_;
  auto space = static_cast<std::size_t>(end_ - next_);
  if (!std::align(alignment, bytes, place, space)) {
    const std::size_t size = std::max(block_, bytes + alignment);
    block_ = std::min<std::size_t>(block_ * 2, 1u << 20);
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    next_ = blocks_.back().get();
    end_ = next_ + size;
    place = next_;
    space = size;
    std::align(alignment, bytes, place, space);
  }
  next_ = static_cast<std::byte*>(place) + bytes;
  return place;
}

std::string_view Arena::keep(std::string_view text) {
  if (text.empty()) return {};
  char* copy = static_cast<char*>(take(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

}  // namespace nodescout::tmpl
