// dlopen with RAII. Lazy, because an old library may refer to symbols that are never called; local, because its symbols
// must not satisfy other libraries.
//
// libudev is opened like NVIDIA's library, when something is asked of it: linked, it and what it needs cost every start
// time and a dozen mappings, and a dump of labels does not ask it.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

#include "nodescout/result.h"
#include "system/handle.h"

namespace nodescout {

class SharedLibrary {
 public:
  /// Errors: unavailable, with the linker's message.
  static Result<SharedLibrary> open(const std::string& path) {
    if (void* handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) return SharedLibrary(handle);
    const char* why = ::dlerror();
    return Error{Errc::unavailable, path, why ? why : "cannot be loaded"};
  }

  /// nullptr if the library does not have the symbol.
  void* symbol(const char* name) const { return ::dlsym(handle_.get(), name); }

  /// The function of that name, with the type of `function`; false if the library does not have it.
  template <class F>
  bool find(const char* name, F*& function) const {
    function = reinterpret_cast<F*>(symbol(name));
    return function != nullptr;
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  Handle<void, ::dlclose> handle_;
};

}  // namespace nodescout
