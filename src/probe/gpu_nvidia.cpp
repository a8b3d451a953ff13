#include <algorithm>

#include "gpu/gfd_text.h"
#include "gpu/mig_profile.h"
#include "gpu/vfio.h"
#include "gpu/vgpu.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr const char* kKernelDriver = "/proc/driver/nvidia/version";
constexpr const char* kWsl = "/dev/dxg";
constexpr std::int64_t kMib = 1 << 20;

bool is_nvidia(const Gpu& gpu) { return gpu.vendor == &kNvidia; }

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

std::string text_of(std::int64_t number) { return std::to_string(number); }

void put(Attributes& into, const char* name, const std::string& value) {
  if (!value.empty()) into.insert_or_assign(name, value);
}
void put(Attributes& into, const char* name, const Number& value) {
  if (value) into.insert_or_assign(name, text_of(*value));
}
void put_mode(Attributes& into, const char* name, const Number& value) {
  if (value) into.insert_or_assign(name, *value == 1 ? "on" : "off");
}

/// Word for a code of NVML; the number itself where a newer driver has more of them.
std::string word_of(const Number& code, std::initializer_list<const char*> words) {
  if (!code) return "";
  return *code >= 0 && *code < static_cast<std::int64_t>(words.size()) ? words.begin()[*code] : text_of(*code);
}

class Nvidia {
 public:
  Nvidia(const Host& host, const GpuOptions& options, Bus& bus, Observation& seen)
      : host_(host), options_(options), bus_(bus), seen_(seen) {}

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
        told();
        return;
      }
      // With the driver go its facts, but nothing that the node was labelled with: it will be back. Not so if the GPUs
      // themselves are gone, whatever their driver says then.
      if (state == "absent" && options_.driver_absence_is_proof) return;
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
    return std::any_of(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia) || is_there(host_, kWsl) || is_tegra(host_);
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

  /// A virtual GPU tells of itself in its PCI configuration space. On a machine that is no guest there is none.
  void vgpu() {
    constexpr std::uint32_t kHypervisor = 1u << 31;
    std::optional<Vgpu> found;
    const bool is_bare_metal = host_.has_cpuid() && host_.cpuid(0).eax >= 1 && !(host_.cpuid(1).ecx & kHypervisor);
    for (const std::string& address : bus_.nvidia_functions) {
      if (is_bare_metal) break;
      const std::string path = "/sys/bus/pci/devices/" + address + "/config";
      const auto config = host_.files().read_head(path, kPciConfigSize);
      if (!config || config->size() < kPciConfigSize) {
        unknown({"gpu.vgpu"});
        problem("gpu-vgpu", path, "only its beginning can be read, so it is not known whether this is a virtual GPU",
                "run as root, in a cluster with the overlay gpu-mig; until then the vgpu labels stay as they are");
        return;
      }
      if (auto one = find_vgpu(*config)) found = std::move(one);
    }
    Attributes& facts = seen_.features.attributes["gpu.vgpu"];
    facts["present"] = found ? "true" : "false";
    if (!found) return;
    put(facts, "host-driver-version", legal_label_value(found->host_driver_version));
    put(facts, "host-driver-branch", legal_label_value(found->host_driver_branch));
  }

  void label_vfio() {
    driver()["state"] = "vfio";
    GfdInput input = new_input(GpuDiscovery::vfio);
    for (Gpu& gpu : bus_.gpus) {
      if (!is_nvidia(gpu) || gpu.driver != "vfio-pci") continue;
      if (!gpu.pci_class.starts_with("0x0300") && !gpu.pci_class.starts_with("0x0302")) continue;
      NvmlGpu told;
      told.bus_id = gpu.address;
      told.name = gpu.model.pci_name.empty() ? name_in_pci_ids(gpu.device_id) : std::string(gpu.model.pci_name);
      const auto regions = read("/sys/bus/pci/devices/" + gpu.address + "/resource");
      if (const std::uint64_t bytes = regions ? addressable_memory(*regions) : 0; bytes > 0) {
        told.memory = static_cast<std::int64_t>(bytes);
        gpu.memory = *told.memory / kMib;
      }
      gpu.product = told.name;
      input.gpus.push_back({std::move(told), gpu.pci_class});
    }
    label(std::move(input));
  }

  std::string name_in_pci_ids(std::string_view device) const {
    constexpr std::size_t kCap = 8u << 20;
    for (const char* directory : {"/usr/share/misc", "/usr/local/share", "/usr/share/hwdata", "/usr/share"}) {
      const auto text = host_.files().read(std::string(directory) + "/pci.ids", kCap);
      if (std::string name = text ? pci_ids_name(*text, "10de", device) : ""; !name.empty()) return name;
    }
    return "UNKNOWN_DEVICE";
  }

  // ---- the driver ---------------------------------------------------------------------------------------------------

  std::string paused() const {
    if (!options_.nvml_paused.empty()) return options_.nvml_paused;
    if (options_.operator_managed && is_there(host_, "/run/nvidia/validations") &&
        !is_there(host_, "/run/nvidia/validations/driver-ready"))
      return "the GPU Operator has not validated the driver yet";
    return "";
  }

  /// "ready", "absent", "paused", "failed" or "unasked". A pause is no problem, and neither is a driver that nobody has
  /// loaded.
  std::string ask() {
    if (options_.discovery == GpuDiscovery::automatic && !has_nvidia_driver(host_)) return "absent";
    if (!paused().empty()) return "paused";
    NvmlRequest request;
    request.driver_root = options_.driver_root;
    request.deadline = options_.nvml_timeout;
    request.tegra = options_.discovery == GpuDiscovery::tegra;
    report_ = host_.nvml(request);
    if (!request.tegra && options_.discovery == GpuDiscovery::automatic && wants_tegra()) {
      request.tegra = true;
      report_ = host_.nvml(request);
    }
    for (const NvmlFailure& failure : report_.failures)
      problem("gpu-driver", failure.call, failure.what + " (code " + text_of(failure.code) + ")",
              todo_of(failure.code));
    if (report_.error) {
      // A recording says what its machine said; one that has no answer cannot be asked.
      if (report_.error->code == Errc::unsupported) return "unasked";
      problem("gpu-driver", report_.error->where, report_.error->what,
              report_.error->code == Errc::absent
                  ? "make NVIDIA's library visible: the overlay gpu, or the option gpu.driverRoot"
                  : "look at the kernel's messages of the driver (dmesg | grep NVRM)");
      return "failed";
    }
    const bool lists_gpus = report_.gpu_count || !report_.gpus.empty();
    return report_.complete && report_.init == 0 && lists_gpus ? "ready" : "failed";
  }

  /// Boards with an integrated GPU: either there is no NVML, or it lists a GPU that only CUDA knows well.
  bool wants_tegra() const {
    if (report_.backend == "cuda") return false;
    const bool lists_one = std::any_of(report_.gpus.begin(), report_.gpus.end(), [](const NvmlGpu& gpu) {
      return gpu.name.find("(nvgpu)") != std::string::npos || gpu.name.find("NVIDIA Thor") != std::string::npos;
    });
    return lists_one || (report_.error && report_.error->code == Errc::absent && is_tegra(host_));
  }

  static std::string todo_of(int code) {
    switch (code) {
      case kNvmlNoPermission: return "give the agent the rights of the overlay gpu-mig";
      case kNvmlDriverNotLoaded: return "load the driver, or give the agent its device files (overlay gpu)";
      case kNvmlVersionMismatch: return "library and kernel driver differ: finish the upgrade, or reboot";
      case kNvmlGpuIsLost: return "reset the GPU or drain the node; see nvidia-smi and dmesg";
      default: return "see nvidia-smi and dmesg";
    }
  }

  /// What a complete answer is worth.
  void told() {
    Attributes& facts = driver();
    facts["backend"] = report_.backend;
    put(facts, "version", report_.driver_version);
    put(facts, "branch", report_.driver_branch);
    if (report_.cuda_version)
      facts["cuda"] = text_of(*report_.cuda_version / 1000) + "." + text_of(*report_.cuda_version % 1000 / 10);
    put(facts, "gpu_count", report_.gpu_count);
    if (const auto& cc = report_.confidential)
      facts["confidential_computing"] = cc->feature == 1 ? (cc->devtools == 1 ? "devtools" : "on") : "off";

    for (std::size_t i = 0; i < report_.gpus.size(); ++i) report_failures(report_.gpus[i], i);
    std::stable_sort(report_.gpus.begin(), report_.gpus.end(),
                     [](const NvmlGpu& a, const NvmlGpu& b) { return is_earlier_address(a.bus_id, b.bus_id); });
    for (std::size_t i = 0; i < report_.gpus.size(); ++i) take(report_.gpus[i], i);
    sort_by_address(bus_.gpus);
    for (Gpu& gpu : bus_.gpus) {
      if (!is_nvidia(gpu) || gpu.driver != "nvidia" || told_.contains(gpu.address)) continue;
      unknown({"gpu.nvidia", "gpu.topology"});  // what all have in common is not known of this one
      if (unplaced_ > 0) {                      // it is one of those that do not tell where they are
        --unplaced_;
        gpu.health = "failed";
        continue;
      }
      gpu.health = "missing";
      problem("gpu-missing", gpu.address, "the GPU is on the bus, but the driver does not offer it",
              "see dmesg | grep NVRM; the labels count the GPUs that answer");
    }
    if (!report_.failures.empty()) unknown({"gpu.gfd"});
    if (report_.gpus.empty() && waits_for_gpus())
      unknown({"gpu.gfd", "gpu.mig", "gpu.fabric", "gpu.nvidia", "gpu.topology"});
    links();
    fabric();

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

  /// `index` is the driver's, as nvidia-smi takes it.
  void report_failures(const NvmlGpu& told, std::size_t index) {
    for (const NvmlFailure& failure : told.failures)
      problem("gpu-failed", told.bus_id.empty() ? "GPU " + std::to_string(index) : told.bus_id,
              failure.call + ": " + failure.what + " (code " + text_of(failure.code) + ")", todo_of(failure.code));
  }

  void take(const NvmlGpu& told, std::size_t index) {
    if (told.bus_id.empty() && told.name.empty()) return;  // a handle that cannot be had: on the bus it is "missing"
    if (told.bus_id.empty() && std::any_of(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia)) {
      ++unplaced_;
      return;
    }
    Gpu& gpu = gpu_of(told, index);
    told_.insert(gpu.address);
    const bool is_sick = told.name.empty() || told.remap_failed == 1 ||
                         std::any_of(told.failures.begin(), told.failures.end(), [](const NvmlFailure& failure) {
                           constexpr int kResetRequired = 16;
                           return failure.code == kNvmlGpuIsLost || failure.code == kResetRequired;
                         });
    if (is_sick) gpu.health = "failed";
    if (is_sick && told.uuid.empty()) unknown({"gpu.nvidia", "gpu.topology"});
    if (told.remap_failed == 1)
      problem("gpu-failed", gpu.address, "memory rows could not be remapped", "the GPU should be replaced");
    gpu.product = told.name;
    if (told.memory && *told.memory >= kMib) gpu.memory = *told.memory / kMib;
    Attributes& facts = gpu.attributes;
    put(facts, "device_uuid", told.uuid);
    if (told.compute_major && told.compute_minor) {
      facts["compute"] = text_of(*told.compute_major) + "." + text_of(*told.compute_minor);
      if (gpu.model.family.empty()) facts["family"] = gpu_family(*told.compute_major, *told.compute_minor);
    }
    put_mode(facts, "mig", told.mig);
    put_mode(facts, "ecc", told.ecc);
    put_mode(facts, "persistence", told.persistence);
    if (told.mig && told.mig_pending && told.mig != told.mig_pending) put_mode(facts, "mig_pending", told.mig_pending);
    if (told.ecc && told.ecc_pending && told.ecc != told.ecc_pending) put_mode(facts, "ecc_pending", told.ecc_pending);
    if (told.remap_pending) facts["remap_pending"] = *told.remap_pending != 0 ? "true" : "false";
    put(facts, "addressing", word_of(told.addressing, {"none", "hmm", "ats"}));
    put(facts, "virtualization",
        word_of(told.virtualization, {"none", "passthrough", "vgpu", "host-vgpu", "host-vsga"}));
    put(facts, "compute_mode",
        word_of(told.compute_mode, {"default", "exclusive-thread", "prohibited", "exclusive-process"}));
    put(facts, "memory_node", told.memory_node);
    put(facts, "module_id", told.module_id);
    put(facts, "board_part", told.board_part);
    put(facts, "vbios", told.vbios);
    if (told.power_limit) facts["power_limit"] = text_of(*told.power_limit / 1000);
    if (const auto& place = told.platform) {
      put(facts, "rack_chassis", place->chassis_serial);
      put(facts, "rack_slot", place->slot);
      put(facts, "rack_tray", place->tray);
      put(facts, "rack_host", place->host);
    }
    if (!told.links.empty()) facts["nvlink_links"] = std::to_string(told.links.size());
    put(facts, "nvlink_version", told.nvlink_version);
    for (const NvmlMig& mig : told.migs) take_mig(gpu, told, mig);
    if (told.mig == 1 && std::any_of(told.failures.begin(), told.failures.end(), [](const NvmlFailure& failure) {
          return failure.call.find("Mig") != std::string::npos;
        }))
      unknown({"gpu.mig"});
    // MIG devices are made one after the other, and the mode may wait for a reset: what is missing now may be on its
    // way.
    if (told.mig == 1 && (told.migs.empty() || told.mig_pending == 0)) seen_.unsettled.insert({"gpu.gfd", "gpu.mig"});
  }

  Gpu& gpu_of(const NvmlGpu& told, std::size_t index) {
    for (Gpu& gpu : bus_.gpus)
      if (!told.bus_id.empty() && gpu.address == told.bus_id) return gpu;
    Gpu gpu;
    gpu.address = told.bus_id.empty() ? "gpu" + std::to_string(index) : told.bus_id;
    return bus_.gpus.emplace_back(std::move(gpu));
  }

  void take_mig(const Gpu& gpu, const NvmlGpu& told, const NvmlMig& mig) {
    for (const NvmlFailure& failure : mig.failures)
      problem("gpu-mig", mig.uuid.empty() ? gpu.address : mig.uuid, failure.call + ": " + failure.what,
              todo_of(failure.code));
    Attributes facts{{"parent", gpu.address}};
    put(facts, "uuid", mig.uuid);
    put(facts, "parent_product", told.name);
    put(facts, "profile", mig_profile(told, mig));
    put(facts, "memory", mig.memory);
    put(facts, "multiprocessors", mig.multiprocessors);
    put(facts, "gpu_slices", mig.gpu_slices);
    put(facts, "compute_slices", mig.compute_slices);
    put(facts, "copy_engines", mig.copy_engines);
    put(facts, "decoders", mig.decoders);
    put(facts, "encoders", mig.encoders);
    put(facts, "jpeg_engines", mig.jpeg_engines);
    put(facts, "ofa_engines", mig.ofa_engines);
    seen_.features.instances["gpu.mig"].push_back(std::move(facts));
  }

  /// NVLink joins two GPUs directly, or all that hang on a switch.
  void links() {
    std::map<std::string, std::set<std::string>> peers;
    std::set<std::string> switched;
    for (const NvmlGpu& gpu : report_.gpus)
      for (const NvmlLink& link : gpu.links) {
        constexpr std::int64_t kToGpu = 0, kToProcessor = 1;
        const bool is_gpu = link.remote_type ? *link.remote_type == kToGpu : told_.contains(link.remote);
        if (is_gpu && !link.remote.empty())
          peers[gpu.bus_id].insert(link.remote);
        else if (!is_gpu && link.remote_type != kToProcessor)
          switched.insert(gpu.bus_id);
      }
    for (Gpu& gpu : bus_.gpus) {
      std::set<std::string> joined = peers[gpu.address];
      if (switched.contains(gpu.address))
        for (const std::string& other : switched)
          if (other != gpu.address) joined.insert(other);
      if (!joined.empty()) gpu.attributes["nvlink_peers"] = join({joined.begin(), joined.end()}, ",");
    }
  }

  void fabric() {
    std::vector<const NvmlGpu*> gpus;
    std::set<std::string> states, clusters;
    bool is_unhealthy = false, tells_health = false;
    for (const NvmlGpu& gpu : report_.gpus) {
      constexpr std::int64_t kUnhealthy = 2;
      gpus.push_back(&gpu);
      if (!gpu.fabric || gpu.fabric->state.value_or(0) == 0) continue;
      const std::string state = word_of(gpu.fabric->state, {"unsupported", "not-started", "in-progress", "completed"});
      states.insert(state);
      if (is_fabric_attached(gpu)) clusters.insert(gpu.fabric->cluster);
      tells_health = tells_health || gpu.fabric->health_summary.value_or(0) != 0;
      is_unhealthy = is_unhealthy || gpu.fabric->health_summary == kUnhealthy || gpu.fabric->status.value_or(0) != 0;
      for (Gpu& each : bus_.gpus)
        if (each.address == gpu.bus_id) each.attributes["fabric_state"] = state;
    }
    if (states.empty()) return;
    Attributes& facts = seen_.features.attributes["gpu.fabric"];
    facts["state"] = states.size() == 1 ? *states.begin() : "mixed";
    if (clusters.size() == 1) facts["cluster"] = *clusters.begin();
    put(facts, "clique", common_clique(gpus));
    if (tells_health || is_unhealthy) facts["health"] = is_unhealthy ? "unhealthy" : "healthy";
    facts["gpus"] = std::to_string(
        std::count_if(gpus.begin(), gpus.end(), [](const NvmlGpu* gpu) { return is_fabric_attached(*gpu); }));
  }

  // ---- labels -------------------------------------------------------------------------------------------------------

  GfdInput new_input(GpuDiscovery backend) {
    GfdInput input;
    input.backend = backend;
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
    GfdLabels made = gfd_labels(std::move(input), options);
    if (!made.labels.empty()) seen_.features.attributes["gpu.gfd"] = std::move(made.labels);
    if (made.is_partial) unknown({"gpu.gfd"});
    std::move(made.problems.begin(), made.problems.end(), std::back_inserter(seen_.problems));
  }

  const Host& host_;
  const GpuOptions& options_;
  Bus& bus_;
  Observation& seen_;
  NvmlReport report_;
  std::set<std::string> told_;  // addresses of GPUs that answered
  int unplaced_ = 0;            // GPUs that answered, but not where they are
};

}  // namespace

bool has_nvidia_driver(const Host& host) {
  return is_there(host, kKernelDriver) || is_there(host, kWsl) || is_tegra(host);
}

void add_nvidia_facts(const Host& host, const GpuOptions& options, Bus& bus, Observation& seen) {
  Nvidia(host, options, bus, seen).run();
}

}  // namespace nodescout::gpu
