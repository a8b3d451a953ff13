// RAII for C handles: `using UdevHandle = Handle<udev, udev_unref>;`
#pragma once

#include <memory>

namespace nodescout {

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);  // NOLINT(cppcoreguidelines-owning-memory, cppcoreguidelines-no-malloc): this is the one place
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Freeing<Free>>;

}  // namespace nodescout
