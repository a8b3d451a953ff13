// dlopen with RAII. Lazy, because an old library may refer to what nobody calls; local, because its symbols are nobody
// else's business.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

#include "base/handle.h"
#include "nodescout/result.h"

namespace nodescout {

class SharedLibrary {
 public:
  /// Errors: unavailable, with the linker's own words.
  static Result<SharedLibrary> open(const std::string& path) {
    if (void* handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) return SharedLibrary(handle);
    const char* why = ::dlerror();
    return Error{Errc::unavailable, path, why ? why : "cannot be loaded"};
  }

  /// nullptr if the library has no such symbol.
  void* symbol(const char* name) const { return ::dlsym(handle_.get(), name); }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  Handle<void, ::dlclose> handle_;
};

}  // namespace nodescout
