// Output of commands: results on standard output, everything else on standard error.
#pragma once

#include <string_view>
#include <vector>

#include "cli/exit_status.h"
#include "nodescout/result.h"

namespace nodescout::cli {

/// Everything to stdout. Returns `status`, or failed if it could not be written (a full disk), which is reported on
/// stderr.
ExitStatus print(std::string_view text, ExitStatus status = ExitStatus::done);

/// Each of them once, in their order.
std::vector<Problem> distinct(std::vector<Problem> problems);

/// One line for each: "warning: where: what (todo)"; the same problem once.
void print_problems(const std::vector<Problem>& problems);

/// "nodescout: where: what". Returns `status`.
ExitStatus fail(const Error& error, ExitStatus status = ExitStatus::failed);

/// The same for something that the command line names: `usage` if it cannot be opened, `failed` if its content is
/// invalid.
ExitStatus fail_to_open(const Error& error);

/// Ends the program, in a release without tearing down what the kernel frees anyway: a tenth of a dump's time. Debug
/// builds return the status, so that the leak checker still runs.
ExitStatus leave(ExitStatus status);

}  // namespace nodescout::cli
