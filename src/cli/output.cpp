#include "cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "cli/style.h"

namespace nodescout::cli {

ExitStatus print(std::string_view text, ExitStatus status) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return status;
  if (errno != EPIPE) std::fprintf(stderr, "nodescout: standard output: %s\n", std::strerror(errno));
  return ExitStatus::failed;
}

std::vector<Problem> distinct(std::vector<Problem> problems) {
  std::set<Problem> seen;
  std::erase_if(problems, [&](const Problem& problem) { return !seen.insert(problem).second; });
  return problems;
}

void print_problems(const std::vector<Problem>& problems) {
  for (const Problem& problem : distinct(problems)) {
    const std::string todo = problem.todo.empty() ? "" : " (" + problem.todo + ")";
    std::fprintf(stderr, "warning: %s\n", printable(problem.where + ": " + problem.what + todo).c_str());
  }
}

ExitStatus fail(const Error& error, ExitStatus status) {
  std::fprintf(stderr, "nodescout: %s\n", printable(error.text()).c_str());
  return status;
}

ExitStatus fail_to_open(const Error& error) {
  switch (error.code) {
    case Errc::absent:
    case Errc::denied:
    case Errc::unsupported: return fail(error, ExitStatus::usage);
    default: return fail(error);
  }
}

ExitStatus leave(ExitStatus status) {
#ifdef NDEBUG
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(status));
#else
  return status;
#endif
}

}  // namespace nodescout::cli
