#include "e2e/own_namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <vector>

#include "support/patience.h"
#include "support/run_program.h"

namespace nodescout::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "nodescout-test-";
std::string control_group;
fs::path scratch;  // where temporary files are: in the child only

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "own namespaces: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

/// Roots of the hierarchies of control groups: several of version 1, or the one of version 2.
std::vector<fs::path> hierarchies() {
  const fs::path top = "/sys/fs/cgroup";
  if (fs::exists(top / "cgroup.controllers")) return {top};
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& each : fs::directory_iterator(top, none))
    if (each.is_directory() && !each.is_symlink()) found.push_back(each.path());
  return found;
}

/// The deepest first. A group goes only when its last process has gone.
bool remove_group(const fs::path& group) {
  std::error_code error;
  std::vector<fs::path> below{group};
  for (const auto& each : fs::recursive_directory_iterator(group, error))
    if (each.is_directory(error)) below.push_back(each.path());
  std::ranges::sort(below, std::ranges::greater());
  for (const fs::path& each : below) ::rmdir(each.c_str());
  return !fs::exists(group);
}

void remove_what_stays() {
  std::error_code ignored;
  fs::remove(scratch, ignored);
  Patience patience(20s);
  const auto all_gone = [&] {
    bool gone = true;
    for (const fs::path& hierarchy : hierarchies()) gone = remove_group(hierarchy / control_group) && gone;
    return gone;
  };
  while (!all_gone() && !patience.is_over()) std::this_thread::sleep_for(50ms);
}

/// A process in a session of its own that removes what belongs to no namespace when this one ends, however it ends.
void start_guardian() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) fail("pipe");
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child > 0) {
    ::close(pipe[0]);
    ::waitpid(child, nullptr, 0);
    return;  // pipe[1] stays open for as long as this process lives
  }
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  // Whoever reads the program's output must not wait for this process.
  const int null = ::open("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
  ::close(pipe[1]);
  char byte;
  while (::read(pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
  remove_what_stays();
  ::_exit(0);
}

/// What a node does in its namespaces, once.
constexpr const char* kTried =
    "mount -t tmpfs none /mnt\n"
    "mkdir /mnt/lower /mnt/upper /mnt/work /mnt/merged\n"
    "mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work none /mnt/merged\n"
    "ip link add tried0 type veth peer name tried1\n";

}  // namespace

std::string why_no_own_namespaces() {
  if (::geteuid() != 0) return "only root can make namespaces";
  const Ran tried = run_program({"/usr/bin/unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork",
                                 "--mount-proc", "/bin/sh", "-euc", kTried});
  if (tried.status != 0) return "namespaces, mounts or interfaces are not permitted here: " + tried.err;
  const std::vector<fs::path> roots = hierarchies();
  if (roots.empty()) return "there are no control groups below /sys/fs/cgroup";
  for (const fs::path& root : roots) {
    const fs::path group = root / (std::string(kPrefix) + "tried-" + std::to_string(::getpid()));
    if (::mkdir(group.c_str(), 0755) != 0) return "no control group can be made in " + root.string();
    ::rmdir(group.c_str());
    const fs::path delegated = root / "cgroup.subtree_control";
    std::error_code missing;
    if (!fs::exists(root / "cgroup.controllers", missing) || fs::file_size(root / "cgroup.controllers", missing) == 0)
      continue;
    // Of version 2: as in a container, whose own processes are in this group.
    if (run_program({"/bin/sh", "-c",
                     "for c in $(cat \"$0/cgroup.controllers\"); do echo +$c >\"$0/cgroup.subtree_control\" "
                     "|| exit 1; done",
                     root.string()})
            .status != 0)
      return "controllers cannot be delegated in " + delegated.string();
  }
  return "";
}

void enter_own_namespaces() {
  control_group = std::string(kPrefix) + std::to_string(::getpid());
  scratch = fs::temp_directory_path() / control_group;
  fs::create_directory(scratch);
  start_guardian();
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) != 0) fail("unshare");
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child > 0) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    remove_what_stays();
    // Not exit: static objects belong to the child.
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("make mounts private");
  if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) fail("mount /proc");
  if (::mount("scratch", scratch.c_str(), "tmpfs", 0, "mode=1777") != 0) fail("mount a tmpfs");
  ::setenv("TMPDIR", scratch.c_str(), 1);
}

const std::string& own_control_group() { return control_group; }

}  // namespace nodescout::test
