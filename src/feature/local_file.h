// One file of features.d: lines "key" or "key=value", comments, and the directives "# +expiry-time=", "# +no-feature",
// "# +no-label".
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "nodescout/features.h"
#include "nodescout/origins.h"

namespace nodescout {

/// First line of the file that `agent --publish file` writes into features.d for NFD's worker. This program skips such
/// a file: it would read its own results as features.
inline constexpr std::string_view kPublishedMarker = "# Published by nodescout agent --publish file; do not edit.";

struct LocalFile {
  Attributes labels;
  Attributes features;
  Origins origins;  // of all of them: file and line
  std::vector<Problem> problems;
};

/// `now` decides what has expired. Keys and values are raw text, neither trimmed nor validated.
LocalFile parse_local_file(std::string_view text, std::string_view origin, std::chrono::system_clock::time_point now);

}  // namespace nodescout
