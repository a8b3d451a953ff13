// The corpus of real machines and rules that lives beside the checkout and is never part of it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace nodescout::test {

/// $NODESCOUT_SHARED, or ../shared beside the checkout; empty where there is neither.
inline std::filesystem::path shared_folder() {
  namespace fs = std::filesystem;
  if (const char* named = std::getenv("NODESCOUT_SHARED")) return fs::exists(named) ? fs::path(named) : fs::path();
  const fs::path beside = fs::path(NODESCOUT_SOURCE_DIR).parent_path() / "shared";
  return fs::exists(beside / "hosts") ? beside : fs::path();
}

}  // namespace nodescout::test

/// Says aloud that a corpus test did not run.
#define NODESCOUT_NEEDS_SHARED()                \
  if (nodescout::test::shared_folder().empty()) \
  GTEST_SKIP() << "skipped: the folder of real machines and rules is not here; name it in NODESCOUT_SHARED"
