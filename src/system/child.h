// A program run for its output, with a deadline that holds whatever the program does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace nodescout {

struct ChildRequest {
  std::string program;                   // a path, or a name that is looked up in our PATH
  std::vector<std::string> words;        // argv, its first one included
  std::vector<std::string> environment;  // "NAME=value"
  std::chrono::milliseconds deadline{};
  std::size_t most_output = 0;     // bytes on standard output; the program is killed when it writes more
  std::size_t most_complaint = 0;  // bytes kept of standard error; the rest is dropped
  std::function<void()> on_slow;   // called once, if it takes longer than kSlow; may be empty

  static constexpr std::chrono::milliseconds kSlow{1000};
};

struct ChildOutcome {
  enum class Ending : std::uint8_t {
    exited,       // number: its exit status
    crashed,      // number: the signal
    not_started,  // number: the errno
    timeout,      // it was killed at the deadline
    stopped,      // it was killed because the caller stops
    too_much,     // it was killed because it wrote more than most_output bytes
    hanging,      // not started, because an earlier run still hangs in the kernel; number: its process
  };

  Ending ending = Ending::exited;
  int number = 0;
  std::string output, complaint;  // of the whole run, or until it was killed
};

/// Runs the program with its standard output and error in our hands, nothing else open, and its own process group, all
/// of which is killed with it.
///
/// A process in a hung system call does not even die of SIGKILL. It is then left behind, and as long as it exists the
/// same program is not started again.
ChildOutcome run_child(const ChildRequest& request, const std::stop_token& stop = {});

}  // namespace nodescout
