// A program run for its output, with a deadline that holds whatever the program does.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

struct ChildOutcome {
  std::string output;  // of the whole run, or until it was stopped
  /// timeout: it was killed at the deadline; unavailable: it crashed, failed or could not be started; malformed: it
  /// wrote more than `most` bytes.
  std::optional<Error> error;
};

/// Runs `program` (its argv[0] is "nodescout") with standard output in our hands, nothing else open, an empty
/// environment but for PATH and LD_LIBRARY_PATH, and a process group of its own, all of which ends with it.
///
/// A process that sits in a hung system call does not even die of SIGKILL. It is left behind then, and as long as it is
/// there no other is started: the error says so.
ChildOutcome run_child(const std::string& program, const std::vector<std::string>& arguments,
                       std::chrono::milliseconds deadline, std::size_t most);

}  // namespace nodescout
