#include "system/own_program.h"

#include <filesystem>

namespace nodescout {

std::string program_of(const std::string& executable) {
  const std::filesystem::path path = executable;
  if (!path.filename().string().starts_with("ld-linux")) return executable;
  return (path.parent_path().parent_path() / "bin" / "nodescout").string();
}

std::string own_program() {
  constexpr const char* kSelf = "/proc/self/exe";
  std::error_code error;
  const std::string executable = std::filesystem::read_symlink(kSelf, error).string();
  const std::string program = program_of(executable);
  return error || program == executable ? kSelf : program;
}

}  // namespace nodescout
