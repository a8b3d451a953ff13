// The corpus of real machines and rules that lives beside the checkout and is never part of it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout::test {

/// $NODESCOUT_SHARED, or ../shared beside the checkout; empty where there is neither.
inline std::filesystem::path shared_folder() {
  namespace fs = std::filesystem;
  if (const char* named = std::getenv("NODESCOUT_SHARED")) return fs::exists(named) ? fs::path(named) : fs::path();
  const fs::path beside = fs::path(NODESCOUT_SOURCE_DIR).parent_path() / "shared";
  return fs::exists(beside / "hosts") ? beside : fs::path();
}

/// Every recorded machine of that folder, unpacked: one folder each. In memory where there is a place for it, because
/// there are 34,000 files.
class SharedHosts {
 public:
  SharedHosts() {
    const std::string archive = (shared_folder() / "hosts/hosts.tar.xz").string();
    if (run_program({"/bin/tar", "-xJf", archive, "-C", directory_.path().string()}).status != 0)
      throw std::runtime_error(archive + " cannot be unpacked");
  }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  /// Containers often have only 64 MB there.
  static std::filesystem::path roomy() {
    std::error_code missing;
    const std::filesystem::space_info memory = std::filesystem::space("/dev/shm", missing);
    return !missing && memory.available > (1u << 29) ? "/dev/shm" : std::filesystem::temp_directory_path();
  }

  TempDirectory directory_{roomy()};
};

}  // namespace nodescout::test

/// Says aloud that a corpus test did not run.
#define NODESCOUT_NEEDS_SHARED()                \
  if (nodescout::test::shared_folder().empty()) \
  GTEST_SKIP() << "skipped: the folder of real machines and rules is not here; name it in NODESCOUT_SHARED"
