#include "support/temp_host.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace nodescout::test {
namespace fs = std::filesystem;

TempDirectory::TempDirectory(const fs::path& parent) {
  std::string pattern = ((parent.empty() ? fs::temp_directory_path() : parent) / "nodescout-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void write_file(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TempHost::TempHost(std::initializer_list<std::pair<std::string, std::string>> files) {
  for (const auto& [path, content] : files) write(path, content);
}

void TempHost::write(const std::string& host_path, const std::string& content) {
  const fs::path path = directory_.path() / host_path.substr(1);
  if (host_path.ends_with('/')) {
    fs::create_directories(path);
  } else if (content.starts_with("-> ")) {
    fs::create_directories(path.parent_path());
    fs::create_symlink(content.substr(3), path);
  } else {
    write_file(path, content);
  }
}

Host TempHost::host() const {
  auto host = Host::open({.root = directory_.path().string(), .ask_machine = false});
  if (!host) throw std::runtime_error(host.error().text());
  return *std::move(host);
}

}  // namespace nodescout::test
