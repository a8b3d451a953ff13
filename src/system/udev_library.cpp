#include "system/udev_library.h"

namespace nodescout {

bool UdevLibrary::complete() {
  bool all = true;
#define NODESCOUT_FIND(name) all &= library_.find(#name, name);
  NODESCOUT_UDEV_FUNCTIONS(NODESCOUT_FIND)
#undef NODESCOUT_FIND
  return all;
}

const Result<UdevLibrary>& UdevLibrary::opened() {
  static const Result<UdevLibrary> library = []() -> Result<UdevLibrary> {
    auto file = SharedLibrary::open("libudev.so.1");
    if (!file) return file.error();
    UdevLibrary functions(*std::move(file));
    if (!functions.complete()) return Error{Errc::unsupported, "libudev.so.1", "a function that is needed is missing"};
    return functions;
  }();
  return library;
}

const UdevLibrary* UdevLibrary::get() { return opened() ? &*opened() : nullptr; }

std::string UdevLibrary::why_not() { return opened() ? "" : opened().error().text(); }

}  // namespace nodescout
