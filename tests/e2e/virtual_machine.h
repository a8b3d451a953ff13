// A machine with a kernel of its own, systemd, udev and control groups v2, emulated by QEMU without the help of this
// machine's processor: devices are plugged into it, and it starts again, while its user sees what a real kernel
// reports.
//
// It starts from tests/e2e/vm-image, in about 25 s. What it writes to its disk outlasts a start, but not the object.
// Without -icount its clock is that of this machine, so that times are comparable; the emulated processor is 10 to 30
// times slower than the real one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "document/value.h"
#include "e2e/process.h"
#include "system/file.h"

namespace nodescout::test {

class VirtualMachine {
 public:
  using Time = std::chrono::system_clock::time_point;
  struct Line {
    Time time;  // when it appeared on the console
    std::string text;
  };
  struct Setup {
    std::filesystem::path root;        // laid over the disk at each start
    std::vector<std::string> options;  // more of QEMU's
  };

  /// Where a program in the machine finds what listens at 127.0.0.1 of this one.
  static constexpr const char* kThisMachine = "10.0.2.2";

  /// Why there can be none on this machine; empty if there can. Makes the image first.
  static std::string why_not();

  /// Switches it on. `folder` gets its files. Call it from the main thread.
  VirtualMachine(const std::filesystem::path& folder, const Setup& setup);
  ~VirtualMachine();
  VirtualMachine(const VirtualMachine&) = delete;
  VirtualMachine& operator=(const VirtualMachine&) = delete;

  /// A command of QEMU's machine protocol, QMP. `arguments` is JSON. Throws with what QEMU answers if it refuses.
  Value command(const std::string& name, const std::string& arguments = "{}");

  /// A line for the machine's shell, which is root's and runs once systemd has reached basic.target. What it prints is
  /// seen if it goes to /dev/console.
  void type(const std::string& line);

  /// How many lines the console has shown.
  std::size_t lines() const;
  /// The first line, of those after the first `since`, that contains the pattern, in which an asterisk is any text;
  /// waits for it.
  std::optional<Line> wait_for_line(const std::string& pattern, std::size_t since = 0,
                                    std::chrono::seconds patience = std::chrono::seconds(60));
  /// For messages: the console from that line on.
  std::string console(std::size_t since = 0) const;

 private:
  std::string receive();
  void follow_console(const std::filesystem::path& file);

  std::unique_ptr<Process> process_;
  Fd monitor_, shell_;
  std::string received_;  // and not yet used

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable shown_;
  std::vector<Line> lines_;
  bool ends_ = false;

  std::thread follower_;
};

}  // namespace nodescout::test
