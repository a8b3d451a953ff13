// A machine made of inline files: `const TempHost host{{"/proc/modules", "nvidia 1 0\n"}};`
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>

#include "nodescout/host.h"

namespace nodescout::test {

/// A directory that goes away with the object.
class TempDirectory {
 public:
  /// `parent` empty: where temporary files belong on this system.
  explicit TempDirectory(const std::filesystem::path& parent = {});
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TempHost {
 public:
  /// Host path -> content; a content "-> target" makes a symbolic link, "dir" with a path that ends in "/" a directory.
  TempHost(std::initializer_list<std::pair<std::string, std::string>> files = {});

  void write(const std::string& host_path, const std::string& content);
  /// A host over these files that never queries this machine. Made anew at each call: nothing is remembered.
  Host host() const;
  operator Host() const { return host(); }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TempDirectory directory_;
};

void write_file(const std::filesystem::path& path, const std::string& content);
/// Empty if there is none.
std::string read_file(const std::filesystem::path& path);

}  // namespace nodescout::test
