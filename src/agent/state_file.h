// What the agent knows of the machine, kept across a restart of its container: without it the first failed read after
// a restart would look like a fact that never existed. A cache: losing it, or failing to write it, costs no label.
#pragma once

#include <cstddef>
#include <string>

#include "keep/known_facts.h"
#include "nodescout/result.h"

namespace nodescout {

class StateFile {
 public:
  /// `path` empty: nothing is kept.
  StateFile(std::string path, std::string boot_id) : path_(std::move(path)), boot_id_(std::move(boot_id)) {}

  /// Errors: as read_whole_file; malformed. A missing file is not an error.
  Status load(KnownFacts& facts) const;
  /// Writes it if it changed. Errors: as write_whole_file; a missing directory is not an
  /// error.
  Status save(const KnownFacts& facts);

 private:
  const std::string path_, boot_id_;
  std::size_t saved_ = 0;  // hash of what is in the file
};

}  // namespace nodescout
