#include "system/child.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>

#include "system/spawn.h"

namespace nodescout {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Ending = ChildOutcome::Ending;

/// How long a killed process may take to exit. One that needs longer hangs in the kernel.
constexpr milliseconds kDyingTime{200};

/// Killed processes that did not die, by program: another run would hang in the same place.
std::mutex left_behind_mutex;
std::map<std::string, pid_t>& left_behind() {
  static std::map<std::string, pid_t> processes;
  return processes;
}

int milliseconds_until(SteadyClock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

/// The caller's request to stop, as something that poll(2) waits for.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : token_(stop), event_(::eventfd(0, EFD_CLOEXEC)), wake_(stop, Wake{this}) {}

  bool requested() const { return token_.stop_requested(); }
  int fd() const { return event_.get(); }

 private:
  struct Wake {
    StopSignal* signal;
    void operator()() const { ::eventfd_write(signal->event_.get(), 1); }
  };
  std::stop_token token_;
  Fd event_;
  std::stop_callback<Wake> wake_;
};

/// Wait status as waitpid(2) returns it, or nothing if the process is still there at `end` or when we have to stop.
std::optional<int> wait_until(pid_t child, SteadyClock::time_point end, const StopSignal* stop) {
  constexpr int kLongestNap = 20;
  for (int nap = 1;; nap = std::min(nap * 2, kLongestNap)) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return 0;  // it was reaped elsewhere
    if (SteadyClock::now() >= end || (stop && stop->requested())) return std::nullopt;
    pollfd waiting{stop ? stop->fd() : -1, POLLIN, 0};
    ::poll(&waiting, 1, std::min(nap, milliseconds_until(end)));
  }
}

/// Reads what is there; at the end of the pipe, closes it. What exceeds `most` is dropped. Returns the bytes read.
std::size_t drain(Fd& pipe, std::string& into, std::size_t most) {
  std::array<char, 16384> block;
  const ssize_t count = ::read(pipe.get(), block.data(), block.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
  if (count <= 0) {
    pipe.close();
    return 0;
  }
  const auto bytes = static_cast<std::size_t>(count);
  into.append(block.data(), std::min(bytes, most - std::min(most, into.size())));
  return bytes;
}

/// Reads both pipes to their ends. `exited` if it came so far: the process may then still be there.
Ending read_until(SteadyClock::time_point end, const ChildRequest& request, Fd& output, Fd& complaint,
                  const StopSignal& stop, ChildOutcome& outcome) {
  std::size_t written = 0;
  bool waits_quietly = static_cast<bool>(request.on_slow);
  const SteadyClock::time_point slow = SteadyClock::now() + ChildRequest::kSlow;
  while (output || complaint) {
    std::array<pollfd, 3> waiting{
        pollfd{stop.fd(), POLLIN, 0}, {output.get(), POLLIN, 0}, {complaint.get(), POLLIN, 0}};
    const int ready =
        ::poll(waiting.data(), waiting.size(), milliseconds_until(waits_quietly ? std::min(slow, end) : end));
    if (stop.requested()) return Ending::stopped;
    if (waits_quietly && SteadyClock::now() >= slow) {
      waits_quietly = false;
      request.on_slow();
    }
    if (ready > 0 && waiting[1].revents) written += drain(output, outcome.output, request.most_output);
    if (ready > 0 && waiting[2].revents) drain(complaint, outcome.complaint, request.most_complaint);
    if (written > request.most_output) return Ending::too_much;
    if (SteadyClock::now() >= end) return Ending::timeout;
  }
  return Ending::exited;
}

/// The process of an earlier run that still hangs, or nothing.
std::optional<pid_t> still_hanging(const std::string& program) {
  const std::lock_guard lock(left_behind_mutex);
  const auto earlier = left_behind().find(program);
  if (earlier == left_behind().end()) return std::nullopt;
  if (!wait_until(earlier->second, SteadyClock::now(), nullptr)) return earlier->second;
  left_behind().erase(earlier);
  return std::nullopt;
}

}  // namespace

ChildOutcome run_child(const ChildRequest& request, const std::stop_token& stop_token) {
  ChildOutcome outcome;
  const auto end_with = [&](Ending ending, int number) {
    outcome.ending = ending;
    outcome.number = number;
    return outcome;
  };
  if (const auto earlier = still_hanging(request.program)) return end_with(Ending::hanging, *earlier);
  auto output = make_pipe(), complaint = make_pipe();
  if (!output || !complaint) return end_with(Ending::not_started, EMFILE);
  const StopSignal stop(stop_token);
  const auto end = SteadyClock::now() + request.deadline;
  const auto [child, error] =
      spawn({request.program, request.words, request.environment, output->write.get(), complaint->write.get()});
  if (error != 0) return end_with(Ending::not_started, error);
  output->write.close();
  complaint->write.close();

  Ending ending = read_until(end, request, output->read, complaint->read, stop, outcome);
  if (ending == Ending::exited) {
    // Closed pipes are not the end of a process.
    if (const auto status = wait_until(child, end, &stop))
      return WIFSIGNALED(*status) ? end_with(Ending::crashed, WTERMSIG(*status))
                                  : end_with(Ending::exited, WEXITSTATUS(*status));
    ending = stop.requested() ? Ending::stopped : Ending::timeout;
  }
  ::kill(-child, SIGKILL);
  if (!wait_until(child, SteadyClock::now() + kDyingTime, nullptr)) {
    const std::lock_guard lock(left_behind_mutex);
    left_behind().insert_or_assign(request.program, child);
  }
  return end_with(ending, 0);
}

}  // namespace nodescout
