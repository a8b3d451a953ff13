#include "host/child.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "system/spawn.h"

namespace nodescout {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long a killed process may take to go. One that needs longer hangs in the kernel.
constexpr milliseconds kDyingTime{200};

/// The child that did not die, or 0. Of the process, as children are: a second one would hang in the same place.
std::atomic<pid_t> left_behind = 0;

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

enum class Ending { closed, deadline, too_much };

Ending read_until(int fd, Clock::time_point end, std::size_t most, std::string& output) {
  std::array<char, 16384> block;
  while (true) {
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, milliseconds_until(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Ending::deadline;
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Ending::closed;
    output.append(block.data(), static_cast<std::size_t>(count));
    if (output.size() > most) return Ending::too_much;
  }
}

/// Exit status as waitpid tells it, or nothing if the process is still there at `end`.
std::optional<int> wait_until(pid_t child, Clock::time_point end) {
  constexpr int kLongestNap = 20;
  for (int nap = 1;; nap = std::min(nap * 2, kLongestNap)) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return 0;  // somebody else has reaped it
    if (Clock::now() >= end) return std::nullopt;
    ::poll(nullptr, 0, std::min(nap, milliseconds_until(end)));
  }
}

std::vector<std::string> environment() {
  std::vector<std::string> out{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  // Some clouds' images find the driver by this variable, and by nothing else.
  if (const char* path = std::getenv("LD_LIBRARY_PATH")) out.push_back("LD_LIBRARY_PATH=" + std::string(path));
  return out;
}

}  // namespace

ChildOutcome run_child(const std::string& program, const std::vector<std::string>& arguments, milliseconds deadline,
                       std::size_t most) {
  ChildOutcome outcome;
  const auto fail = [&](Errc code, std::string what) {
    outcome.error = Error{code, arguments.empty() ? program : arguments.front(), std::move(what)};
    return outcome;
  };
  if (const pid_t earlier = left_behind) {
    if (!wait_until(earlier, Clock::now()))
      return fail(Errc::timeout, "an earlier one (process " + std::to_string(earlier) + ") still hangs in the driver");
    left_behind = 0;
  }

  auto pipe = make_pipe();
  if (!pipe) return fail(Errc::unavailable, pipe.error().what);
  std::vector<std::string> words{"nodescout"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto start = Clock::now();
  const auto [child, error] = spawn({program, std::move(words), environment(), pipe->write.get(), -1});
  pipe->write.close();
  if (error != 0) return fail(Errc::unavailable, "cannot be started: " + std::string(std::strerror(error)));

  const Ending ending = read_until(pipe->read.get(), start + deadline, most, outcome.output);
  std::optional<int> status;
  if (ending == Ending::closed) status = wait_until(child, start + deadline);
  const bool killed = !status;
  if (killed) {
    ::kill(-child, SIGKILL);
    status = wait_until(child, Clock::now() + kDyingTime);
    if (!status) left_behind = child;
  }
  if (ending == Ending::too_much)
    return fail(Errc::malformed, "it wrote more than " + std::to_string(most) + " bytes");
  if (killed) return fail(Errc::timeout, "no answer within " + std::to_string(deadline.count()) + " ms");
  if (WIFSIGNALED(*status))
    return fail(Errc::unavailable, std::string("it crashed: ") + ::sigdescr_np(WTERMSIG(*status)));
  if (WEXITSTATUS(*status) != 0)
    return fail(Errc::unavailable, "it failed with exit status " + std::to_string(WEXITSTATUS(*status)));
  return outcome;
}

}  // namespace nodescout
