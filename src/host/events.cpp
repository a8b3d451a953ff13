#include "host/events.h"

#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/path.h"
#include "system/file.h"
#include "system/udev_library.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_TO |
                                   IN_MOVED_FROM | IN_MOVE_SELF | IN_ATTRIB | IN_MODIFY;
/// A storm of 10,000 uevents of half a kilobyte each fits.
constexpr int kReceiveBuffer = 8 << 20;

sigset_t taken_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

std::set<std::string> concerned_by(const std::set<std::string>& wanted, const std::string& changed) {
  std::set<std::string> concerned;
  const std::string* innermost = nullptr;
  const fs::path path(changed);
  const bool is_configmaps = path.filename().native().starts_with("..");
  for (const std::string& one : wanted) {
    if (is_below(changed, one)) {
      if (!innermost || one.size() > innermost->size()) innermost = &one;
    } else if (is_below(one, changed) || (is_configmaps && path.parent_path() == fs::path(one).parent_path())) {
      concerned.insert(one);
    }
  }
  if (innermost) concerned.insert(*innermost);
  return concerned;
}

struct Events::State {
  Fd epoll, signals, wakeups, inotify;
  const UdevLibrary* library = UdevLibrary::get();
  UdevHandle<udev> context;
  UdevHandle<udev_monitor> monitor;
  std::string no_uevents_reason, no_inotify_reason;
  std::set<std::string> wanted;            // every path that was asked for
  std::map<int, std::string> watched;      // inotify descriptor -> path
  std::map<std::string, int> descriptors;  // and back

  void add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void listen_to_the_kernel() {
    if (!library) {
      no_uevents_reason = "cannot subscribe to the kernel's uevents: " + UdevLibrary::why_not();
      return;
    }
    context.reset(library->udev_new());
    // Group "kernel": udevd multicasts its own group in the host's network namespace only.
    if (context) monitor.reset(library->udev_monitor_new_from_netlink(context.get(), "kernel"));
    if (!monitor) {
      no_uevents_reason = "cannot subscribe to the kernel's uevents";
      return;
    }
    library->udev_monitor_set_receive_buffer_size(monitor.get(), kReceiveBuffer);  // as large as the system allows
    if (const int error = library->udev_monitor_enable_receiving(monitor.get()); error < 0) {
      no_uevents_reason = std::string("cannot receive the kernel's uevents: ") + std::strerror(-error);
      monitor.reset();
      return;
    }
    add(library->udev_monitor_get_fd(monitor.get()));
  }

  /// The path itself where it exists, else the nearest directory above it.
  static std::string nearest(std::string path) {
    std::error_code ignored;
    while (path.size() > 1 && !fs::exists(path, ignored)) path = fs::path(path).parent_path().string();
    return path;
  }

  void watch_one(const std::string& path) {
    if (descriptors.contains(path)) return;
    const int descriptor = ::inotify_add_watch(inotify.get(), path.c_str(), kChanges);
    if (descriptor < 0) {
      if (errno == ENOSPC)
        no_inotify_reason = path + " cannot be watched: the user's limit of inotify watches is reached";
      return;
    }
    watched[descriptor] = path;
    descriptors[path] = descriptor;
  }

  /// A file is watched through its directory, because editors and ConfigMaps replace it.
  void settle_watches() {
    if (!inotify) return;
    for (const std::string& path : wanted) {
      std::error_code ignored;
      const std::string there = nearest(path);
      watch_one(there);
      if (there == path && !fs::is_directory(there, ignored)) watch_one(fs::path(there).parent_path().string());
    }
  }

  void read_uevents(std::vector<HostEvent>& events) {
    std::set<std::string> subsystems;
    while (true) {
      errno = 0;
      const UdevHandle<udev_device> device(library->udev_monitor_receive_device(monitor.get()));
      if (!device) {
        if (errno == ENOBUFS) events.push_back({HostEvent::Kind::overrun, ""});
        if (errno == EINTR || errno == ENOBUFS) continue;
        break;
      }
      if (const char* subsystem = library->udev_device_get_subsystem(device.get())) subsystems.insert(subsystem);
    }
    for (const std::string& subsystem : subsystems) events.push_back({HostEvent::Kind::uevent, subsystem});
  }

  void read_files(std::vector<HostEvent>& events) {
    alignas(inotify_event) std::array<char, 16384> buffer;
    std::set<std::string> paths;
    bool lost = false;
    while (true) {
      const ssize_t length = ::read(inotify.get(), buffer.data(), buffer.size());
      if (length <= 0) break;
      for (ssize_t at = 0; at < length;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        if (event->mask & IN_Q_OVERFLOW) {
          for (const std::string& path : wanted) paths.insert(path);
          continue;
        }
        const auto watch = watched.find(event->wd);
        if (watch == watched.end()) continue;
        paths.insert(event->len > 0 ? fs::path(watch->second) / event->name : fs::path(watch->second));
        if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
          ::inotify_rm_watch(inotify.get(), event->wd);
          descriptors.erase(watch->second);
          watched.erase(watch);
        }
        lost |= (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_CREATE | IN_MOVED_TO)) != 0;
      }
    }
    if (lost) settle_watches();
    std::set<std::string> concerned;
    for (const std::string& path : paths) concerned.merge(concerned_by(wanted, path));
    for (const std::string& path : concerned) events.push_back({HostEvent::Kind::file, path});
  }

  void read_signals(std::vector<HostEvent>& events) {
    signalfd_siginfo info;
    while (::read(signals.get(), &info, sizeof info) == sizeof info)
      events.push_back({HostEvent::Kind::signal, info.ssi_signo == SIGHUP ? "reload" : "stop"});
  }
};

Events::Events(std::unique_ptr<State> state) : state_(std::move(state)) {}
Events::Events(Events&&) noexcept = default;
Events& Events::operator=(Events&&) noexcept = default;
Events::~Events() = default;

void Events::block_signals() {
  const sigset_t blocked = taken_signals();
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

Result<Events> Events::open() {
  block_signals();
  auto state = std::make_unique<State>();
  const sigset_t blocked = taken_signals();
  state->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  state->signals = Fd(::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
  state->wakeups = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state->inotify = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!state->inotify) state->no_inotify_reason = std::string("cannot watch files: ") + std::strerror(errno);
  if (!state->epoll || !state->signals || !state->wakeups) return error_of_errno(errno, "events");
  for (const Fd* fd : {&state->signals, &state->wakeups, &state->inotify})
    if (*fd) state->add(fd->get());
  state->listen_to_the_kernel();
  return Events(std::move(state));
}

const std::string& Events::no_uevents_reason() const { return state_->no_uevents_reason; }
const std::string& Events::no_inotify_reason() const { return state_->no_inotify_reason; }

void Events::watch(const std::string& path) {
  if (state_->wanted.insert(path).second) state_->settle_watches();
}

std::vector<HostEvent> Events::wait(std::optional<SteadyTime> until) {
  int timeout = -1;
  if (until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now()).count();
    timeout = static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left, 0, INT_MAX));
  }
  std::array<epoll_event, 8> ready;
  const int count = ::epoll_wait(state_->epoll.get(), ready.data(), static_cast<int>(ready.size()), timeout);
  std::vector<HostEvent> events;
  for (int i = 0; i < count; ++i) {
    const int fd = ready[static_cast<std::size_t>(i)].data.fd;
    if (fd == state_->signals.get()) {
      state_->read_signals(events);
    } else if (fd == state_->inotify.get()) {
      state_->read_files(events);
    } else if (fd == state_->wakeups.get()) {
      std::uint64_t count_of_wakes = 0;
      (void)!::read(fd, &count_of_wakes, sizeof count_of_wakes);
      events.push_back({HostEvent::Kind::wake, ""});
    } else {
      state_->read_uevents(events);
    }
  }
  return events;
}

void Events::wake() {
  const std::uint64_t one = 1;
  (void)!::write(state_->wakeups.get(), &one, sizeof one);
}

}  // namespace nodescout
