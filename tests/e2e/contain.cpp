// The least of a container runtime: contain ROOT UID [SOURCE:TARGET:ro|rw]... -- PROGRAM ARGUMENT...
//
// Runs PROGRAM in the root file system ROOT, read-only, as user and group UID without any capability and without a way
// to gain one. Each SOURCE is bound to TARGET in ROOT, and the host's /proc to /proc. Exit status 125: it could not be
// done. The process that was started becomes PROGRAM.
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "contain: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(125);
}

void must(int status, const std::string& what) {
  if (status != 0) fail(what);
}

struct Mount {
  std::string source, target;
  bool read_only;
};

Mount parse(const std::string& text) {
  const std::size_t first = text.find(':'), last = text.rfind(':');
  if (first == last) fail("not SOURCE:TARGET:ro: " + text);
  return {text.substr(0, first), text.substr(first + 1, last - first - 1), text.substr(last + 1) == "ro"};
}

void make_mount_point(const fs::path& target, bool directory) {
  if (fs::exists(target)) return;
  fs::create_directories(directory ? target : target.parent_path());
  if (!directory) std::ofstream(target).flush();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) fail("usage: contain ROOT UID [SOURCE:TARGET:ro|rw]... -- PROGRAM ARGUMENT...");
  const std::string root = argv[1];
  const auto id = static_cast<uid_t>(std::stoul(argv[2]));
  std::vector<Mount> mounts{{"/proc", "/proc", true}};
  int at = 3;
  for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at) mounts.push_back(parse(argv[at]));
  if (at + 1 >= argc) fail("no program");

  // From here on nothing is seen outside.
  must(::unshare(CLONE_NEWNS), "unshare");
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
  must(::mount(root.c_str(), root.c_str(), nullptr, MS_BIND, nullptr), "mount " + root);
  for (const Mount& mount : mounts) {
    make_mount_point(root + mount.target, fs::is_directory(mount.source));
    must(::mount(mount.source.c_str(), (root + mount.target).c_str(), nullptr, MS_BIND | MS_REC, nullptr),
         "mount " + mount.source);
  }
  mounts.push_back({"", "", true});
  for (const Mount& mount : mounts)
    if (mount.read_only)
      must(::mount("none", (root + mount.target).c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
           "remount " + mount.target);
  must(::chroot(root.c_str()), "chroot");
  must(::chdir("/"), "chdir");

  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    must(::prctl(PR_CAPBSET_DROP, capability), "drop a capability");
  must(::setgroups(0, nullptr), "setgroups");
  must(::setresgid(id, id, id), "setresgid");
  must(::setresuid(id, id, id), "setresuid");
  must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
  must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "end with the parent");  // the change of user took that back
  ::execv(argv[at + 1], argv + at + 1);
  fail(argv[at + 1]);
}
