// Chromium without a window, driven over a pipe by its DevTools protocol: no port, no driver program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "document/value.h"
#include "support/temp_host.h"

namespace nodescout::test {

class Browser {
 public:
  /// Why there can be no browser on this machine; empty if there can.
  static std::string why_not();

  Browser();
  ~Browser();
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
  Value call(const std::string& method, Value parameters = Value::map());
  Value read();

  TempDirectory profile_;
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  int calls_ = 0;
  std::string session_, unread_;
};

}  // namespace nodescout::test
