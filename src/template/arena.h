// Memory of one run of a template, given back all at once when the run ends.
//
// Values made by functions (texts, lists, dicts) refer to each other freely, and `set` can even make a dict that
// contains itself; no value is freed alone. So there are no counts, no destructors to recurse through, and one number
// bounds what a template can take.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

namespace nodescout::tmpl {

class Arena final : public std::pmr::memory_resource {
 public:
  explicit Arena(std::size_t limit) : left_(limit) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Fails when the limit is reached.
  void* take(std::size_t bytes, std::size_t alignment);
  std::size_t left() const { return left_; }

  std::string_view keep(std::string_view text);
  template <class T>
  std::span<T> keep(std::span<const T> items) {
    T* copy = static_cast<T*>(take(items.size_bytes(), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
  }
  /// An object that is never destroyed: what it owns must come from this arena, too.
  template <class T, class... Args>
  T* make(Args&&... args) {
    return ::new (take(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return take(bytes, alignment); }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  // Most runs fit into the first block and allocate nothing.
  alignas(std::max_align_t) std::byte first_[1024];
  std::byte* next_ = first_;
  std::byte* end_ = first_ + sizeof first_;
  std::size_t left_;
  std::size_t block_ = 4096;  // size of the next block; doubles up to 1 MiB
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

}  // namespace nodescout::tmpl
