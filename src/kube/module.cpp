#include "kube/module.h"

#include <dlfcn.h>

#include <filesystem>

#include "nodescout/version.h"
#include "system/own_program.h"

namespace nodescout {
namespace {

constexpr const char* kFile = "libnodescout-kube.so";

}  // namespace

Result<KubeModule*> kube_module_at(const std::string& path) {
  // RTLD_NODELETE: the library's threads run in it until the process ends. RTLD_NOW: what is missing shows here.
  void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module) return Error{Errc::absent, path, std::string("cannot be loaded: ") + ::dlerror()};
  const auto factory = reinterpret_cast<KubeModuleFactory>(::dlsym(module, "nodescout_kube_module"));
  KubeModule* made = factory ? factory(kVersion) : nullptr;
  if (!made)
    return Error{
        Errc::malformed, path,
        std::string("belongs to a different build than this program (") + kVersion + "); install both together"};
  return made;
}

std::string kube_module_path(const std::string& program) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(program).parent_path();
  const fs::path installed = folder.parent_path() / "lib" / "nodescout" / kFile;
  const fs::path built = folder / kFile;
  std::error_code error;
  return (!fs::exists(installed, error) && fs::exists(built, error) ? built : installed).string();
}

Result<KubeModule*> kube_module() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Error{Errc::unavailable, "/proc/self/exe", error.message()};
  return kube_module_at(kube_module_path(program_of(program.string())));
}

}  // namespace nodescout
