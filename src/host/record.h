// Writes what one pass over the machine read, so that `--root DIR` replays it.
#pragma once

#include <filesystem>

#include "host/journal.h"
#include "nodescout/host.h"

namespace nodescout {

struct Recorded {
  std::size_t files = 0;
  std::size_t links = 0;
  std::size_t placeholders = 0;
};

/// Completes `journal` with what else a replay needs (CPUID leaves, facts that are not in files, the types of directory
/// entries) and writes all of it below `directory`, which must be empty or not exist. `redactor` may be null. Errors:
/// malformed if the directory is in use, else unavailable.
Result<Recorded> write_recording(const Host& host, Journal& journal, const Redactor* redactor,
                                 const std::filesystem::path& directory);

}  // namespace nodescout
