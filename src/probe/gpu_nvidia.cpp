#include <algorithm>

#include "gpu/gfd_text.h"
#include "gpu/mig_profile.h"
#include "gpu/vfio.h"
#include "gpu/vgpu.h"
#include "host/id_file.h"
#include "probe/gpu_nvidia.h"
#include "probe/gpu_operator.h"
#include "probe/virtualization.h"

namespace nodescout::gpu {
namespace {

using namespace std::chrono_literals;

constexpr const char* kKernelDriver = "/proc/driver/nvidia/version";
constexpr std::int64_t kMib = 1 << 20;
constexpr const char* kTimedOut = "nvidia-driver-timed-out";  // a condition that lasts

bool is_tegra(const Host& host) {
  if (const auto release = host.files().status("/etc/nv_tegra_release");
      release && release->type == Root::FileType::regular)
    return true;
  const auto family = host.files().read("/sys/devices/soc0/family");
  return family && lower_ascii(*family).starts_with("tegra");
}

bool is_there(const Host& host, std::string_view path) {
  const auto found = host.files().exists(path);
  return found && *found;
}

class Nvidia {
 public:
  Nvidia(const Host& host, const GpuOptions& options, const Moment& moment, Bus& bus, Observation& seen)
      : host_(host), options_(options), moment_(moment), bus_(bus), seen_(seen) {}

  void run() {
    seen_.problems.insert(seen_.problems.end(), options_.problems.begin(), options_.problems.end());
    vgpu();
    kernel_driver();
    if (options_.discovery == GpuDiscovery::vfio) {
      label_vfio();
    } else {
      const std::string state = ask();
      driver()["state"] = state;
      if (state == "ready") {
        take_answer();
        return;
      }
      if (std::any_of(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia) && !options_.labels_in_doubt)
        publish(gfd_machine(new_input(GpuDiscovery::nvml), options_));
      if (state == "asking") {
        bus_.is_driver_silent = true;
        for (const char* set : {"gpu.driver", "gpu.mig", "gpu.fabric", "gpu.gfd", "gpu.nvidia", "gpu.topology",
                                "gpu.device", "gpu.model"})
          seen_.awaited.emplace(set);
        return;
      }
      // With the driver go its facts, but nothing that the node was labelled with: it will be back. Not so if the GPUs
      // themselves are gone, whatever their driver says then.
      if (state == "absent" && is_gone_for_good()) return;
      if (state != "paused" && !has_gpus()) return;
      bus_.is_driver_silent = true;
      unknown({"gpu.driver", "gpu.mig", "gpu.fabric", "gpu.gfd", "gpu.nvidia", "gpu.topology"});
      if (state == "absent") return;
      unknown({"gpu.device"});
      seen_.unsettled.insert("gpu.topology");  // NVLinks are missing from its matrix
    }
  }

 private:
  Attributes& driver() { return seen_.features.attributes["gpu.driver"]; }

  void unknown(std::initializer_list<const char*> sets) {
    for (const char* set : sets) seen_.incomplete.emplace(set);
  }

  /// On the bus, or where there is none.
  bool has_gpus() const {
    return std::any_of(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia) || is_nvidia_wsl(host_) || is_tegra(host_);
  }

  /// Content that GFD's labels depend on. Where there is none they do without; where it cannot be read they are in
  /// doubt.
  std::optional<std::string> read(const std::string& path) {
    auto text = host_.files().read(path);
    if (text) return *std::move(text);
    if (text.error().code != Errc::absent) {
      seen_.problems.push_back(problem_of(text.error()));
      unknown({"gpu.gfd"});
    }
    return std::nullopt;
  }

  void problem(const char* code, std::string where, std::string what, std::string todo) {
    seen_.problems.push_back({code, std::move(where), std::move(what), std::move(todo)});
  }

  // ---- without any library ------------------------------------------------------------------------------------------

  /// "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build ..."
  void kernel_driver() {
    const auto text = host_.files().read(kKernelDriver);
    if (!text) return;
    const std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
    if (line.find("Kernel Module") == std::string_view::npos) return;
    driver()["kernel_module"] = line.find("Open Kernel Module") != std::string_view::npos ? "open" : "proprietary";
    for (const std::string_view word : fields(line))
      if (word.front() >= '1' && word.front() <= '9' && word.find('.') != std::string_view::npos) {
        driver()["kernel_module_version"] = std::string(word);
        break;
      }
  }

  void vgpu() {
    const VgpuScan scan = scan_vgpus(host_, bus_);
    if (!scan.unreadable.empty()) {
      unknown({"gpu.vgpu"});
      problem("gpu-vgpu", scan.unreadable,
              "only its beginning can be read, so it is not known whether this is a virtual GPU",
              "run as root, in a cluster with the overlay gpu-mig; until then the vgpu labels stay as they are");
      return;
    }
    Attributes& facts = seen_.features.attributes["gpu.vgpu"];
    facts["present"] = scan.found ? "true" : "false";
    if (!scan.found) return;
    put(facts, "host-driver-version", legal_label_value(scan.found->host_driver_version));
    put(facts, "host-driver-branch", legal_label_value(scan.found->host_driver_branch));
  }

  void label_vfio() {
    driver()["state"] = "vfio";
    GfdInput input = new_input(GpuDiscovery::vfio);
    for (Gpu& gpu : bus_.gpus) {
      if (!is_nvidia(gpu) || gpu.driver != "vfio-pci") continue;
      if (!gpu.pci_class.starts_with("0x0300") && !gpu.pci_class.starts_with("0x0302")) continue;
      NvmlGpu reported;
      reported.bus_id = gpu.address;
      gpu.product = gpu.model.maker_name.empty() ? name_in_pci_ids(gpu.device_id) : std::string(gpu.model.maker_name);
      reported.name = gpu.product.empty() ? "UNKNOWN_DEVICE" : gpu.product;  // as GFD has it
      const auto regions = read("/sys/bus/pci/devices/" + gpu.address + "/resource");
      if (const std::uint64_t bytes = regions ? addressable_memory(*regions) : 0; bytes > 0) {
        reported.memory = static_cast<std::int64_t>(bytes);
        gpu.memory = *reported.memory / kMib;
      }
      input.gpus.push_back({std::move(reported), gpu.pci_class});
    }
    label(std::move(input));
  }

  std::string name_in_pci_ids(std::string_view device) const {
    constexpr std::size_t kCap = 8u << 20;
    for (const char* directory : {"/usr/share/misc", "/usr/local/share", "/usr/share/hwdata", "/usr/share"}) {
      const auto text = host_.files().read(std::string(directory) + "/pci.ids", kCap);
      if (!text) continue;
      if (const std::string_view name = find_in_id_file(*text, "10de", device).device; !name.empty())
        return std::string(name);
    }
    return "";
  }

  // ---- the driver ---------------------------------------------------------------------------------------------------

  /// Without a driver for as long as the administrator gave it (keepLabels).
  bool is_gone_for_good() {
    if (!options_.keep_labels) return false;
    constexpr const char* kAbsent = "nvidia-driver-absent";
    seen_.ongoing[kAbsent] = *options_.keep_labels;
    const auto lasting = lasting_of(kAbsent);
    return lasting && *lasting >= *options_.keep_labels;
  }

  std::optional<std::chrono::milliseconds> lasting_of(const char* condition) const {
    const auto lasting = moment_.lasting.find(condition);
    return lasting == moment_.lasting.end() ? std::nullopt : std::optional(lasting->second);
  }

  /// Without persistence mode the driver starts each GPU anew for whoever asks: seconds each.
  std::chrono::milliseconds deadline() const {
    return options_.nvml_timeout.value_or(15s + 5s * std::count_if(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia));
  }

  /// The driver needed too long: it is asked again, with growing pauses.
  void retry_later() {
    const auto lasting = lasting_of(kTimedOut).value_or(0ms);
    seen_.ongoing[kTimedOut] = lasting + std::clamp<std::chrono::milliseconds>(lasting, 15s, 10min);
  }

  /// "ready", "absent", "asking", "paused", "failed" or "unasked". Neither a pause nor a driver that is not
  /// loaded is a problem.
  std::string ask() {
    if (options_.discovery == GpuDiscovery::automatic && !has_nvidia_driver(host_)) return "absent";
    if (!pause_reason(host_, moment_).empty()) return "paused";
    NvmlRequest request;
    request.driver_root = options_.driver_root;
    request.deadline = deadline();
    request.tegra = options_.discovery == GpuDiscovery::tegra;
    report_ = host_.nvml(request);
    if (!request.tegra && options_.discovery == GpuDiscovery::automatic && wants_tegra()) {
      request.tegra = true;
      report_ = host_.nvml(request);
    }
    if (report_.is_awaited) {
      if (lasting_of(kTimedOut)) seen_.ongoing[kTimedOut] = 0ms;  // not over yet
      return "asking";
    }
    for (const NvmlFailure& failure : report_.failures)
      problem("gpu-driver", failure.call, failure.what + " (code " + std::to_string(failure.code) + ")",
              nvml_todo(failure.code));
    if (report_.error) {
      // A recording says what its machine said; one that has no answer cannot be asked.
      if (report_.error->code == Errc::unsupported) return "unasked";
      problem("gpu-driver", report_.error->where, report_.error->what, todo_of(report_.error->code, moment_));
      if (report_.error->code == Errc::timeout) retry_later();
      return "failed";
    }
    const bool lists_gpus = report_.gpu_count || !report_.gpus.empty();
    if (report_.complete && report_.init == 0 && lists_gpus) return "ready";
    if (report_.failures.empty())
      problem("gpu-driver", "NVML", "the driver's answer was not complete, and it did not say why", nvml_todo(0));
    return "failed";
  }

  /// Boards with an integrated GPU: either there is no NVML, or it lists a GPU that only CUDA knows well.
  bool wants_tegra() const {
    if (report_.backend == "cuda") return false;
    const bool lists_one = std::any_of(report_.gpus.begin(), report_.gpus.end(), [](const NvmlGpu& gpu) {
      return gpu.name.find("(nvgpu)") != std::string::npos || gpu.name.find("NVIDIA Thor") != std::string::npos;
    });
    return lists_one || (report_.error && report_.error->code == Errc::absent && is_tegra(host_));
  }

  static std::string todo_of(Errc code, const Moment& moment) {
    switch (code) {
      case Errc::absent: return "make NVIDIA's library visible: the overlay gpu, or the option gpu.driverRoot";
      case Errc::timeout:
        return std::string(
                   "switch persistence mode on (nvidia-persistenced), or give the driver longer "
                   "(gpu.nvmlTimeout)") +
               (moment.is_only_look ? "" : "; it is asked again");
      default: return "look at the kernel's messages of the driver (dmesg | grep NVRM)";
    }
  }

  /// The facts of a complete answer.
  void take_answer() {
    Attributes& facts = driver();
    facts["backend"] = report_.backend;
    put(facts, "version", report_.driver_version);
    put(facts, "branch", report_.driver_branch);
    if (report_.cuda_version)
      facts["cuda"] =
          std::to_string(*report_.cuda_version / 1000) + "." + std::to_string(*report_.cuda_version % 1000 / 10);
    put(facts, "gpu_count", report_.gpu_count);
    if (const auto& cc = report_.confidential)
      facts["confidential_computing"] = cc->feature == 1 ? (cc->devtools == 1 ? "devtools" : "on") : "off";
    take_report(report_, bus_, seen_);
    if (!report_.failures.empty()) unknown({"gpu.gfd"});
    if (report_.gpus.empty() && waits_for_gpus())
      unknown({"gpu.gfd", "gpu.mig", "gpu.fabric", "gpu.nvidia", "gpu.topology"});

    GfdInput input = new_input(report_.backend == "cuda" ? GpuDiscovery::tegra : GpuDiscovery::nvml);
    for (const NvmlGpu& gpu : report_.gpus) {
      const auto known =
          std::find_if(bus_.gpus.begin(), bus_.gpus.end(), [&](const Gpu& each) { return each.address == gpu.bus_id; });
      input.gpus.push_back({gpu, known != bus_.gpus.end() ? known->pci_class : ""});
    }
    label(std::move(input));
  }

  /// A driver that is just being loaded, or in trouble, lists no GPU although the bus shows some that it has or could
  /// take. Those that have another driver were given away on purpose.
  bool waits_for_gpus() const {
    return std::any_of(bus_.gpus.begin(), bus_.gpus.end(),
                       [](const Gpu& gpu) { return is_nvidia(gpu) && (gpu.driver == "nvidia" || gpu.driver.empty()); });
  }

  // ---- labels -------------------------------------------------------------------------------------------------------

  GfdInput new_input(GpuDiscovery backend) {
    GfdInput input;
    input.backend = backend;
    input.timestamp = moment_.configured_at;
    input.driver_version = report_.driver_version;
    input.cuda_version = report_.cuda_version;
    if (!options_.machine_type_file.empty()) {
      const std::size_t problems_before = seen_.problems.size();
      input.machine_type = read(options_.machine_type_file);
      input.hides_machine_type = seen_.problems.size() > problems_before;
    }
    if (options_.system_memory_as_gpus) {
      const auto text = read("/proc/meminfo");
      for (const std::string_view line : split(text ? std::string_view(*text) : "", '\n'))
        if (const auto words = fields(line); words.size() >= 2 && words[0] == "MemTotal:")
          if (const auto kib = parse_int(words[1]); kib && *kib < (std::int64_t{1} << 50))
            input.system_memory = *kib * 1024;
    }
    return input;
  }

  void label(GfdInput input) {
    if (options_.labels_in_doubt) return unknown({"gpu.gfd"});
    GpuOptions options = options_;
    // Where the DRA driver for compute domains runs, it writes the clique itself.
    if (options.clique == GpuOptions::Clique::automatic &&
        is_there(host_, "/var/lib/kubelet/plugins/compute-domain.nvidia.com"))
      options.clique = GpuOptions::Clique::off;
    publish(gfd_labels(std::move(input), options));
  }

  void publish(GfdLabels made) {
    if (!made.labels.empty()) seen_.features.attributes["gpu.gfd"] = std::move(made.labels);
    if (made.is_partial) unknown({"gpu.gfd"});
    std::move(made.problems.begin(), made.problems.end(), std::back_inserter(seen_.problems));
  }

  const Host& host_;
  const GpuOptions& options_;
  const Moment& moment_;
  Bus& bus_;
  Observation& seen_;
  NvmlReport report_;
};

}  // namespace

VgpuScan scan_vgpus(const Host& host, Bus& bus) {
  VgpuScan scan;
  if (is_guest_by_cpuid(host) == false) return scan;
  for (const std::string& address : bus.nvidia_functions) {
    const std::string path = "/sys/bus/pci/devices/" + address + "/config";
    const auto config = host.files().read_head(path, kPciConfigSize);
    if (!config || config->size() < kPciConfigSize) {
      scan.unreadable = path;
      return scan;
    }
    auto one = find_vgpu(*config);
    if (!one) continue;
    scan.found = std::move(one);
    for (Gpu& gpu : bus.gpus) gpu.is_virtual = gpu.is_virtual || gpu.address == address;
  }
  return scan;
}

bool has_nvidia_driver(const Host& host) {
  return is_there(host, kKernelDriver) || is_nvidia_wsl(host) || is_tegra(host);
}

bool is_nvidia_wsl(const Host& host) {
  // A container may see the machine's sysfs but not its /dev. Windows has both for the GPUs of any vendor.
  const bool is_wsl = is_there(host, "/dev/dxg") || is_there(host, "/sys/class/misc/dxg");
  return is_wsl &&
         (is_there(host, "/usr/lib/wsl/lib/libnvidia-ml.so.1") || is_there(host, "/usr/lib/wsl/lib/libcuda.so.1"));
}

void add_nvidia_facts(const Host& host, const GpuOptions& options, const Moment& moment, Bus& bus, Observation& seen) {
  Nvidia(host, options, moment, bus, seen).run();
}

}  // namespace nodescout::gpu
