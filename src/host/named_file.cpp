#include "host/named_file.h"

#include <filesystem>

namespace nodescout {

Result<std::string> read_named_file(const std::string& path, std::size_t cap) {
  auto text = Root::at("/").read(std::filesystem::absolute(path).lexically_normal().string(), cap);
  if (text) return text;
  const Error& error = text.error();
  return Error{error.code == Errc::malformed ? Errc::unsupported : error.code, path, error.what};
}

}  // namespace nodescout
