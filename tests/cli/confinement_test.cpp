// What a command opens below --root stays below it, whatever is there: FIFOs, links that lead out, junk.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "base/text.h"
#include "support/run_program.h"
#include "support/temp_host.h"

namespace nodescout {
namespace {

namespace fs = std::filesystem;
using test::TempDirectory;

/// What a command may open beside the root: its own libraries, the linker's list of them, its own configuration and
/// rules, and what the C library reads of its own process.
constexpr std::string_view kOwn[] = {"/lib",
                                     "/lib64",
                                     "/usr/lib",
                                     "/usr/local/lib",
                                     "/etc/ld.so.cache",
                                     "/etc/ld.so.preload",
                                     "/etc/nodescout",
                                     "/etc/kubernetes/node-feature-discovery/nfd-worker.conf",
                                     "/etc/kubernetes/node-feature-discovery/nfd-master.conf",
                                     "/etc/kubernetes/node-feature-discovery/custom.d",
                                     "/etc/localtime",  // of the log
                                     "/usr/share/zoneinfo",
                                     "/proc/self",
                                     "/proc/cgroup",
                                     "/dev/null",
                                     "/dev/tty"};

bool is_below(std::string_view path, std::string_view directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

/// Every place where a probe of a bus, a directory or a file may meet something odd.
class OddRoot {
 public:
  OddRoot() {
    const std::string pci = "/sys/bus/pci/devices/0000:00:0";
    for (const char* number : {"1.0", "2.0", "3.0", "4.0"}) {
      file(pci + number + "/class", "0x030000\n");
      file(pci + number + "/vendor", "0x10de\n");
      file(pci + number + "/device", "0x2330\n");
    }
    fifo(pci + "1.0/numa_node");
    link(pci + "2.0/numa_node", "/proc/sys/kernel/pid_max");
    file(pci + "3.0/numa_node", "99999999999\n");
    file(pci + "4.0/numa_node", "abc\n");
    link(pci + "5.0", "/proc");
    link(pci + "6.0", "../../../../../../../../../../../proc");
    fifo("/proc/modules");
    link("/proc/cmdline", "/proc/cmdline");
    link("/etc/os-release", "/etc/passwd");
    fifo("/usr/lib/os-release");
    link("/proc/config.gz", "../../../../../../etc/passwd");
    file("/proc/sys/kernel/osrelease", "6.1.0\n");
    fifo("/boot/config-6.1.0");
    fifo("/sys/bus/usb/devices/1-1/idVendor");
    link("/sys/class/net/eth0", "/sys/class/net/lo");
    fifo("/sys/class/net/eth1/speed");
    link("/sys/block/sda", "/sys/block");
    fifo("/sys/block/sdb/queue/rotational");
    fifo("/sys/class/infiniband/mlx5_0/device/numa_node");
    link("/sys/class/drm/card0", "/sys");
    link("/sys/bus/node/devices", "/sys/bus/node/devices");
    fifo("/proc/swaps");
    fifo("/proc/meminfo");
    link("/etc/kubernetes/node-feature-discovery/features.d/out", "/etc/passwd");
    fifo("/etc/kubernetes/node-feature-discovery/features.d/fifo");
    link("/run/udev/data", "/etc");
    link("/sys/devices/virtual/dmi/id", "/sys/devices/virtual/dmi/id");
    fifo("/sys/firmware/devicetree/base/model");
    link("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", "/lib/x86_64-linux-gnu/libc.so.6");
  }
  std::string path() const { return directory_.path().string(); }

 private:
  std::string real(const std::string& path) const {
    const std::string real = directory_.path().string() + path;
    fs::create_directories(fs::path(real).parent_path());
    return real;
  }
  void file(const std::string& path, const std::string& content) const { std::ofstream(real(path)) << content; }
  void fifo(const std::string& path) const { ASSERT_EQ(::mkfifo(real(path).c_str(), 0600), 0) << path; }
  void link(const std::string& path, const std::string& target) const { fs::create_symlink(target, real(path)); }

  TempDirectory directory_;
};

/// "openat(AT_FDCWD</cwd>, "path", ...) = 5</real/path>": the path that was asked for, and the one that was opened.
std::vector<std::string> opened_in(std::string_view line) {
  std::vector<std::string> paths;
  if (line.find("openat(") == line.npos && line.find("open(") == line.npos) return paths;
  const std::size_t quote = line.find('"');
  const std::size_t end = line.find('"', quote + 1);
  if (quote == line.npos || end == line.npos) return paths;
  std::string asked(line.substr(quote + 1, end - quote - 1));
  const std::size_t directory = line.find('<');
  if (!asked.starts_with('/') && directory < quote)
    asked = std::string(line.substr(directory + 1, line.find('>', directory) - directory - 1)) + "/" + asked;
  paths.push_back(fs::path(asked).lexically_normal().string());
  const std::size_t result = line.rfind("= ");
  const std::size_t real = line.find('<', result);
  if (result != line.npos && real != line.npos)
    paths.emplace_back(line.substr(real + 1, line.find('>', real) - real - 1));
  return paths;
}

/// The sanitizers of a test build look at the process that they are in.
bool is_process_of_sanitizer(const std::string& path) {
  const std::vector<std::string_view> parts = split(path, '/');
  return parts.size() == 4 && parts[1] == "proc" && parse_int(parts[2]).has_value() &&
         (parts[3] == "cmdline" || parts[3] == "environ" || parts[3] == "maps");
}

TEST(Confinement, NoPathOutsideTheRootIsOpened) {
  const char* const strace = "/usr/bin/strace";
  if (!fs::exists(strace)) GTEST_SKIP() << "skipped: strace, which shows the files, is not installed";
  const OddRoot root;
  const TempDirectory work;
  test::write_file(work.path() / "rule.yaml", "- {name: a, labels: {a: b}}\n");
  test::write_file(work.path() / "own.conf", "stateFile: \"\"\n");
  // Paths of the configuration are the host's, too.
  test::write_file(work.path() / "paths.conf",
                   "sources: {kernel: {kconfigFile: /../../../../../etc/passwd}}\ngpu: {machineTypeFile: "
                   "/../../../../etc/passwd}\n");
  const std::string rule = (work.path() / "rule.yaml").string();
  const std::string paths = (work.path() / "paths.conf").string();
  const std::string config = (work.path() / "own.conf").string();
  const std::string program = fs::canonical(test::nodescout_program()).string();
  const std::vector<std::vector<std::string>> commands = {
      {"dump", "--root", root.path(), "--no-live", "-o", "json", "--config", config},
      {"dump", "--root", root.path(), "--no-live", "-o", "labels", "--config", config},
      {"dump", "--root", root.path(), "--no-live", "--compat", "nfd", "--config", config},
      {"dump", "--root", root.path(), "--no-live", "-o", "json", "--config", paths},
      {"rules", "eval", rule, "--root", root.path(), "--no-live"},
      {"rules", "explain", rule, "--root", root.path(), "--no-live"},
      {"rules", "preview", rule, "--root", root.path(), "--no-live"},
      {"agent", "--once", "--publish", "none", "--node", "n", "--listen", "", "--root", root.path(), "--no-live",
       "--config", config},
      {"record", (work.path() / "record").string(), "--root", root.path(), "--no-live"}};
  for (const std::vector<std::string>& command : commands) {
    const std::string trace = (work.path() / "trace").string();
    // The leak sanitizer of a test build does not work in a traced program.
    std::vector<std::string> line{"/usr/bin/env",
                                  "ASAN_OPTIONS=detect_leaks=0",
                                  "/usr/bin/timeout",
                                  "60",
                                  strace,
                                  "-f",
                                  "-y",
                                  "-s",
                                  "4096",
                                  "-e",
                                  "trace=open,openat",
                                  "-o",
                                  trace,
                                  program};
    line.insert(line.end(), command.begin(), command.end());
    const test::Ran ran = test::run_program(line);
    if (ran.err.find("PTRACE_") != std::string::npos) GTEST_SKIP() << "skipped: tracing is not allowed here";
    EXPECT_EQ(ran.status, 0) << command[0] << ": " << ran.err;  // 124: something hung
    EXPECT_EQ(ran.out.find("numa_node\": \""), std::string::npos) << ran.out;
    std::set<std::string> outside;
    int inside = 0;
    const std::string text = test::read_file(trace);
    for (const std::string_view each : split(text, '\n'))
      for (const std::string& path : opened_in(each)) {
        if (is_below(path, root.path())) ++inside;
        if (is_process_of_sanitizer(path)) continue;
        const bool is_own =
            std::any_of(std::begin(kOwn), std::end(kOwn), [&](std::string_view own) { return is_below(path, own); }) ||
            is_below(path, work.path().string()) || is_below(path, fs::path(program).parent_path().string());
        if (!is_own && !is_below(path, root.path())) outside.insert(path);
      }
    EXPECT_GT(inside, 10) << command[0];
    for (const std::string& path : outside) ADD_FAILURE() << command[0] << " opened " << path;
  }
}

}  // namespace
}  // namespace nodescout
