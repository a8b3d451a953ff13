// RAII for C handles: `using UdevHandle = Handle<udev, udev_unref>;`
#pragma once

#include <memory>

namespace nodescout {

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Freeing<Free>>;

}  // namespace nodescout
