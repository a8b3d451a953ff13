// What happens on the machine, as it happens: kernel uevents, changes of files, signals, and wake-ups from other
// threads, all in one wait that costs nothing while nothing happens.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nodescout/result.h"
#include "system/clock.h"

namespace nodescout {

struct HostEvent {
  enum class Kind {
    uevent,   // what = subsystem
    overrun,  // the kernel dropped uevents: anything may have changed
    file,     // what = the path that was asked for; of nested ones, the innermost that the change lies in
    signal,   // what = "stop" or "reload"
    wake,     // wake() was called
  };
  Kind kind;
  std::string what;
};

/// The watched path that a change of `changed` concerns: the innermost of those that it equals or lies in,
/// and all below it. A ConfigMap is mounted as links through "..data", whose change concerns its neighbours.
std::set<std::string> concerned_by(const std::set<std::string>& wanted, const std::string& changed);

class Events {
 public:
  /// SIGTERM, SIGINT and SIGHUP come as events: call this before the process has any other thread, which would
  /// still be ended by them.
  static void block_signals();

  /// Errors: unavailable.
  static Result<Events> open();
  Events(Events&&) noexcept;
  Events& operator=(Events&&) noexcept;
  ~Events();

  /// Why uevents cannot be received (no permission for the netlink group, a separate network namespace); empty if they
  /// can.
  const std::string& no_uevents_reason() const;
  /// Why files cannot be watched (a limit of the user is reached: of inotify instances, or of watches); empty if they
  /// can.
  const std::string& no_inotify_reason() const;

  /// Watches a file or directory, also one that does not exist yet: then the nearest directory above that does.
  void watch(const std::string& path);

  /// What happened, once something has, or nothing at `until`.
  std::vector<HostEvent> wait(std::optional<SteadyTime> until);

  /// From any thread: ends a wait.
  void wake();

 private:
  struct State;
  explicit Events(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nodescout
