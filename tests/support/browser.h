// Chromium without a window, driven over a pipe by its DevTools protocol: no port, no driver program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "document/value.h"
#include "support/temp_host.h"
#include "system/file.h"

namespace nodescout::test {

class Browser {
 public:
  /// Why there can be no browser on this machine; empty if there can.
  static std::string why_not();

  /// The program has ended by itself, such as one without its libraries or without the rights for its sandbox.
  struct Ended : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  /// Throws Ended.
  explicit Browser(const std::string& program = kProgram);
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Returns when the page has loaded.
  void open(const std::filesystem::path& page);
  /// The value of a JavaScript expression, a promise's when it is settled; throws with the page's error.
  Value evaluate(const std::string& expression);
  std::string text(const std::string& expression) { return evaluate(expression).text; }
  void press(const std::string& key);
  void set_dark(bool dark);
  void screenshot(const std::filesystem::path& png);
  /// Requests that left the page for the network, and what its policy refused.
  std::vector<std::string> complaints;

 private:
  static constexpr const char* kProgram = "/usr/bin/chromium";

  /// A child process that is killed with all of its own.
  class Child {
   public:
    Child() = default;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();
    pid_t pid = -1;
  };

  Value call(const std::string& method, Value parameters = Value::map());
  Value read();

  TempDirectory profile_;
  Child child_;
  Fd in_, out_;
  int calls_ = 0;
  std::string session_, unread_;
};

}  // namespace nodescout::test
