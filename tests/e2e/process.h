// A program that the tests start, with its output in a file.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace nodescout::test {

/// Killed when the object goes away, and by the kernel when the thread that started it ends (so start it from a test's
/// main thread): nothing is left behind, however the test program dies.
class Process {
 public:
  /// `words[0]` is the path of the program. Throws if it cannot be started.
  Process(const std::vector<std::string>& words, const std::filesystem::path& log);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  /// SIGSTOP, and until it has come to pass; SIGCONT lets it go on.
  void pause();
  /// SIGTERM, and SIGKILL if that takes longer than `patience`. Returns the wait status.
  int stop(std::chrono::seconds patience = std::chrono::seconds(60));
  /// Waits for the end; the wait status, or -1 when it is still running after `patience`.
  int wait(std::chrono::seconds patience);

  /// User and system time so far.
  double cpu_seconds() const;
  /// A line of /proc/PID/status, in KiB: "VmRSS", "RssAnon".
  long memory_kib(const std::string& field) const;
  /// Voluntary and involuntary context switches of all threads.
  long context_switches() const;

  const std::filesystem::path& log() const { return log_; }
  /// For messages.
  std::string end_of_log() const;

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

/// A TCP port of 127.0.0.1 without a listener, kept for this process and what it starts. Not for several threads.
int free_port();

}  // namespace nodescout::test
