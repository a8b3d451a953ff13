#include "system/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace nodescout {
namespace {

class Plan {
 public:
  Plan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  void give(int fd, int as) {
    if (fd < 0)
      ::posix_spawn_file_actions_addopen(&files, as, "/dev/null", O_WRONLY, 0);
    else
      ::posix_spawn_file_actions_adddup2(&files, fd, as);
  }

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_of_errno(errno, "pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Spawned spawn(SpawnRequest request) {
  Plan plan;
  plan.give(request.output, STDOUT_FILENO);
  plan.give(request.complaint, STDERR_FILENO);
  ::posix_spawn_file_actions_addopen(&plan.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.files, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  Spawned spawned;
  spawned.error = ::posix_spawnp(&spawned.process, request.program.c_str(), &plan.files, &plan.attributes,
                                 pointers(request.words).data(), pointers(request.environment).data());
  return spawned;
}

}  // namespace nodescout
