#include "system/exhaustion.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <system_error>

namespace nodescout {
namespace {

constexpr const char* kNoThread =
    "no thread can be started; raise the limit of processes (ulimit -u) or of the cgroup (pids.max)";

std::terminate_handler before = nullptr;

[[noreturn]] void end() {
  if (const std::exception_ptr failure = std::current_exception()) try {
      std::rethrow_exception(failure);
    } catch (const std::exception& known) {
      if (const std::string words = what_is_exhausted(known); !words.empty()) {
        const std::string line = "nodescout: " + words + "\n";
        static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
        ::_exit(1);
      }
    } catch (...) {
    }
  if (before) before();
  std::abort();
}

}  // namespace

std::string what_is_exhausted(const std::exception& failure) {
  if (dynamic_cast<const std::bad_alloc*>(&failure))
    return "no memory is left; raise the memory limit of the container, or the limit of the process (ulimit -v)";
  // Boost throws its own exception; only its text shows that it is this one.
  if (const std::string_view what = failure.what();
      what.starts_with("thread: ") && what.ends_with(std::strerror(EAGAIN)))
    return kNoThread;
  const auto* system = dynamic_cast<const std::system_error*>(&failure);
  if (system && system->code() == std::errc::resource_unavailable_try_again) return kNoThread;
  if (system && system->code() == std::errc::too_many_files_open)
    return "no file descriptor is left; raise the limit of open files (ulimit -n)";
  return "";
}

void explain_exhaustion() { before = std::set_terminate(end); }

}  // namespace nodescout
