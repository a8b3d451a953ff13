#include "host/nvml_host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "host/journal.h"
#include "host/nvml_report.h"
#include "system/child.h"

namespace nodescout {
namespace {

/// Below a root: distributions with one or several architectures, WSL, Talos (its C library is elsewhere), Tegra.
constexpr std::string_view kDirectories[] = {"",
                                             "/usr/lib64",
                                             "/usr/lib/x86_64-linux-gnu",
                                             "/usr/lib/aarch64-linux-gnu",
                                             "/lib64",
                                             "/lib/x86_64-linux-gnu",
                                             "/lib/aarch64-linux-gnu",
                                             "/usr/lib/wsl/lib",
                                             "/usr/local/glibc/usr/lib",
                                             "/usr/lib/glibc/lib64",
                                             "/glibc/lib",
                                             "/usr/lib/aarch64-linux-gnu/nvidia",
                                             "/usr/lib/aarch64-linux-gnu/tegra"};

/// The GPU Operator's driver container, the host itself, and the places of GKE's images.
constexpr std::string_view kDriverRoots[] = {"/run/nvidia/driver", "", "/home/kubernetes/bin/nvidia",
                                             "/usr/local/nvidia", "/opt/nvidia"};

void add_libraries(const std::string& root, const std::string& name, std::vector<std::string>& into) {
  const Root files = Root::at(root);
  for (const std::string_view directory : kDirectories) {
    const auto path = files.resolve(std::string(directory) + "/" + name);
    if (!path) continue;
    const auto status = files.status(*path);
    if (!status || status->type != Root::FileType::regular) continue;
    std::string library = files.real_path(*path);
    if (std::find(into.begin(), into.end(), library) == into.end()) into.push_back(std::move(library));
  }
}

std::vector<std::string> scanner_environment() {
  std::vector<std::string> out{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  // Some clouds' images find the driver by this variable, and by nothing else.
  if (const char* path = std::getenv("LD_LIBRARY_PATH")) out.push_back("LD_LIBRARY_PATH=" + std::string(path));
  return out;
}

/// Why the scanner did not end well; nothing if it did.
std::optional<Error> scanner_error(const ChildOutcome& outcome, const ChildRequest& request) {
  const auto error = [](Errc code, std::string what) { return Error{code, "nvml-scan", std::move(what)}; };
  switch (outcome.ending) {
    case ChildOutcome::Ending::exited:
      if (outcome.number == 0) return std::nullopt;
      return error(Errc::unavailable, "it failed with exit status " + std::to_string(outcome.number));
    case ChildOutcome::Ending::crashed:
      return error(Errc::unavailable, std::string("it crashed: ") + ::sigdescr_np(outcome.number));
    case ChildOutcome::Ending::not_started:
      return error(Errc::unavailable, "cannot be started: " + std::string(std::strerror(outcome.number)));
    case ChildOutcome::Ending::too_much:
      return error(Errc::malformed, "it wrote more than " + std::to_string(request.most_output) + " bytes");
    case ChildOutcome::Ending::hanging:
      return error(Errc::timeout,
                   "an earlier one (process " + std::to_string(outcome.number) + ") still hangs in the driver");
    case ChildOutcome::Ending::timeout:
    case ChildOutcome::Ending::stopped: break;
  }
  return error(Errc::timeout, "no answer within " + std::to_string(request.deadline.count()) + " ms");
}

}  // namespace

std::vector<std::string> driver_libraries(const Root& files, const std::string& name, const std::string& driver_root) {
  std::vector<std::string> found;
  if (!driver_root.empty())
    add_libraries(driver_root, name, found);
  else
    for (const std::string_view root : kDriverRoots) add_libraries(files.real_path(root), name, found);
  // Last the linker's own search: a container runtime that brings the driver in puts it there.
  if (driver_root.empty()) found.push_back(name);
  return found;
}

bool is_running_machine(const Root& files) {
  if (files.is_live()) return true;
  const int sys = ::open(files.real_path("/sys").c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (sys < 0) return false;
  struct statfs status;
  const bool is_mounted = ::fstatfs(sys, &status) == 0 && status.f_type == SYSFS_MAGIC;
  ::close(sys);
  return is_mounted;
}

NvmlReport ask_nvml(const std::string& program, const std::vector<std::string>& libraries, const NvmlRequest& request,
                    const std::stop_token& stop, std::function<void()> on_slow) {
  constexpr std::size_t kMostOutput = 4u << 20;
  if (libraries.empty()) {
    NvmlReport none;
    none.error = Error{Errc::absent, request.driver_root, "the driver's library was not found"};
    return none;
  }
  ChildRequest scan{program, {"nodescout", "nvml-scan"}, scanner_environment(), request.deadline, kMostOutput};
  if (request.tegra) scan.words.emplace_back("--tegra");
  scan.words.insert(scan.words.end(), libraries.begin(), libraries.end());
  scan.on_slow = std::move(on_slow);
  const ChildOutcome outcome = run_child(scan, stop);
  NvmlReport report = parse_nvml_lines(outcome.output);
  if (auto error = scanner_error(outcome, scan); error && !report.complete) {
    // How far it came shows an administrator which GPU to check.
    report.error = std::move(error);
    if (report.gpu_count)
      report.error->what +=
          ", after " + std::to_string(report.gpus.size()) + " of " + std::to_string(*report.gpu_count) + " GPUs";
  }
  if (!report.complete && !report.error)
    report.error = Error{Errc::malformed, "nvml-scan", "it ended before its answer was complete"};
  return report;
}

void redact(NvmlReport& report, Redactor& redactor) {
  constexpr std::string_view kPlace = "nvml.json";
  for (NvmlGpu& gpu : report.gpus) {
    gpu.uuid = redactor.replace("uuid", gpu.uuid, kPlace);
    gpu.serial = redactor.replace("serial", gpu.serial, kPlace);
    if (gpu.fabric) gpu.fabric->cluster = redactor.replace("uuid", gpu.fabric->cluster, kPlace);
    if (gpu.platform) gpu.platform->chassis_serial = redactor.replace("serial", gpu.platform->chassis_serial, kPlace);
    for (NvmlMig& mig : gpu.migs) mig.uuid = redactor.replace("uuid", mig.uuid, kPlace);
  }
}

}  // namespace nodescout
