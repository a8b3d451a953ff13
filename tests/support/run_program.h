// Runs a program and takes what it printed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace nodescout::test {

struct Ran {
  int status = -1;  // exit status, or 128 + signal
  std::string out, err;
};

struct RunOptions {
  std::map<std::string, std::string> environment;  // beside the inherited one
  bool deny_network = false;                       // any system call that opens a socket ends the program (signal 31)
  bool as_nobody = false;                          // as an unprivileged user, where this one may change to it
};

Ran run_program(const std::vector<std::string>& command, const RunOptions& options = {});

/// The program under test.
std::string nodescout_program();

}  // namespace nodescout::test
