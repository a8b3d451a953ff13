// A kubeconfig file, and the variables that name proxies.
#include <sys/mman.h>
#include <unistd.h>

#include "input.h"
#include "kube/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nodescout;
  // A file without a place in any directory: the reader takes paths.
  static const int kFile = ::memfd_create("kubeconfig", 0);
  static const std::string kPath = "/proc/self/fd/" + std::to_string(kFile);
  fuzz::must(::ftruncate(kFile, 0) == 0 && ::pwrite(kFile, data, size, 0) == static_cast<ssize_t>(size),
             "memory can be written");
  const std::string text(fuzz::text_of(data, size));
  const Environment environment = [&](const char* name) {
    return std::string_view(name).ends_with("_PROXY") ? text.substr(0, 200) : std::string();
  };
  if (const auto config = read_kubeconfig({kPath}, "", environment))
    fuzz::must(!config->endpoint.server.empty(), "a configuration names a server");
  else
    fuzz::must(!config.error().what.empty(), "an error has words");
  (void)proxy_from_environment("https://10.0.0.1:6443", environment);
  (void)proxy_from_environment(text.substr(0, 200), environment);
  return 0;
}
