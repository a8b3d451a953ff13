#include <algorithm>
#include <map>
#include <set>

#include "gpu/mig_profile.h"
#include "gpu/vgpu.h"
#include "probe/gpu_nvidia.h"

namespace nodescout::gpu {
namespace {

constexpr std::int64_t kMib = 1 << 20;

void put_mode(Attributes& into, const char* name, const Number& value) {
  if (value) into.insert_or_assign(name, *value == 1 ? "on" : "off");
}

/// Word for a code of NVML; the number itself where a newer driver has more of them.
std::string word_of(const Number& code, std::initializer_list<const char*> words) {
  if (!code) return "";
  return *code >= 0 && *code < static_cast<std::int64_t>(words.size()) ? words.begin()[*code] : std::to_string(*code);
}

bool has_failed_with(const NvmlGpu& reported, int code) {
  return std::any_of(reported.failures.begin(), reported.failures.end(),
                     [&](const NvmlFailure& failure) { return failure.code == code; });
}

bool has_failed_at(const NvmlGpu& reported, std::string_view part_of_call) {
  return std::any_of(reported.failures.begin(), reported.failures.end(),
                     [&](const NvmlFailure& failure) { return failure.call.find(part_of_call) != std::string::npos; });
}

bool is_sick(const NvmlGpu& reported) {
  constexpr int kResetRequired = 16;
  return reported.name.empty() || reported.remap_failed == 1 || has_failed_with(reported, kNvmlGpuIsLost) ||
         has_failed_with(reported, kResetRequired);
}

class ReportTaker {
 public:
  ReportTaker(NvmlReport& report, Bus& bus, Observation& seen) : report_(report), bus_(bus), seen_(seen) {}

  void run() {
    bus_.offered.emplace();
    report_failures();
    leave_out_displays();
    std::stable_sort(report_.gpus.begin(), report_.gpus.end(),
                     [](const NvmlGpu& a, const NvmlGpu& b) { return is_earlier_address(a.bus_id, b.bus_id); });
    for (std::size_t i = 0; i < report_.gpus.size(); ++i) take(report_.gpus[i], i);
    sort_by_address(bus_.gpus);
    match_unplaced();
    links();
    fabric();
  }

 private:
  void unknown(std::initializer_list<const char*> sets) {
    for (const char* set : sets) seen_.incomplete.emplace(set);
  }

  void problem(const char* code, std::string where, std::string what, std::string todo) {
    seen_.problems.push_back({code, std::move(where), std::move(what), std::move(todo)});
  }

  /// The board for the screen of a DGX Station: where its subsystem does not say so, its name does.
  void leave_out_displays() {
    for (const NvmlGpu& reported : report_.gpus)
      if (is_gfd_display(reported))
        std::erase_if(bus_.gpus, [&](const Gpu& gpu) { return gpu.address == reported.bus_id; });
    std::erase_if(report_.gpus, is_gfd_display);
  }

  /// GPUs are named as nvidia-smi takes them, by the driver's index. Those that fail alike one after the other are one
  /// problem: a driver that miscounts fails at hundreds.
  void report_failures() {
    const std::vector<NvmlGpu>& gpus = report_.gpus;
    const auto is_same = [](const NvmlGpu& a, const NvmlGpu& b) {
      return a.bus_id.empty() && b.bus_id.empty() && a.failures.size() == 1 && b.failures.size() == 1 &&
             a.failures[0].call == b.failures[0].call && a.failures[0].code == b.failures[0].code;
    };
    for (std::size_t first = 0, last; first < gpus.size(); first = last + 1) {
      for (last = first; last + 1 < gpus.size() && is_same(gpus[first], gpus[last + 1]);) ++last;
      std::string where = gpus[first].bus_id;
      if (where.empty()) where = "GPU " + std::to_string(first);
      if (last > first) where += " to " + std::to_string(last);
      for (const NvmlFailure& failure : gpus[first].failures)
        problem("gpu-failed", where,
                failure.call + ": " + failure.what + " (code " + std::to_string(failure.code) + ")",
                nvml_todo(failure.code));
    }
  }

  void take(const NvmlGpu& reported, std::size_t index) {
    if (reported.bus_id.empty() && reported.name.empty()) {  // a handle that cannot be had: on the bus it is "missing"
      if (has_failed_with(reported, kNvmlGpuIsLost)) ++bus_.lost;
      return;
    }
    const auto is_nvidia_on_bus = [](const Gpu& gpu) { return is_nvidia(gpu) && gpu.is_on_bus; };
    if (reported.bus_id.empty() && std::any_of(bus_.gpus.begin(), bus_.gpus.end(), is_nvidia_on_bus)) {
      ++bus_.unplaced;
      hides_address_by_fault_ = hides_address_by_fault_ || is_sick(reported) || has_failed_at(reported, "PciInfo");
      unexplained_ += has_failed_at(reported, "PciInfo") ? 0 : 1;
      return;
    }
    Gpu& gpu = gpu_of(reported, index);
    bus_.offered->insert(gpu.address);
    const bool has_failed = gpu.has_left || is_sick(reported);
    if (has_failed) gpu.health = "failed";
    if (reported.uuid.empty() && (has_failed || has_failed_at(reported, "UUID")))
      unknown({"gpu.nvidia", "gpu.topology"});
    if (gpu.has_left)
      problem("gpu-failed", gpu.address, "the driver lists the GPU, and the bus no longer has it",
              "look for it with lspci and in dmesg; reset or replace it");
    if (reported.remap_failed == 1)
      problem("gpu-failed", gpu.address, "memory rows could not be remapped", "the GPU should be replaced");
    gpu.product = reported.name;
    constexpr std::int64_t kVgpuGuest = 2;
    gpu.is_virtual = gpu.is_virtual || reported.virtualization == kVgpuGuest || is_vgpu_name(reported.name);
    gpu.reports_links = !reported.uuid.empty() && !has_failed_at(reported, "NvLink");
    if (!reported.memory && !gpu.model.memory.empty() && !has_failed_at(reported, "MemoryInfo")) {
      unknown({"gpu.gfd"});
      problem("gpu-driver", gpu.address, "the driver does not say how much memory the GPU has", nvml_todo(0));
    }
    if (reported.memory && *reported.memory >= kMib) gpu.memory = *reported.memory / kMib;
    Attributes& facts = gpu.attributes;
    put(facts, "device_uuid", reported.uuid);
    if (reported.compute_major && reported.compute_minor) {
      facts["compute"] = std::to_string(*reported.compute_major) + "." + std::to_string(*reported.compute_minor);
      if (gpu.model.family.empty()) facts["family"] = gpu_family(*reported.compute_major, *reported.compute_minor);
    }
    put_mode(facts, "mig", reported.mig);
    put_mode(facts, "ecc", reported.ecc);
    put_mode(facts, "persistence", reported.persistence);
    if (reported.mig && reported.mig_pending && reported.mig != reported.mig_pending)
      put_mode(facts, "mig_pending", reported.mig_pending);
    if (reported.ecc && reported.ecc_pending && reported.ecc != reported.ecc_pending)
      put_mode(facts, "ecc_pending", reported.ecc_pending);
    if (reported.remap_pending) facts["remap_pending"] = *reported.remap_pending != 0 ? "true" : "false";
    put(facts, "addressing", word_of(reported.addressing, {"none", "hmm", "ats"}));
    put(facts, "virtualization",
        word_of(reported.virtualization, {"none", "passthrough", "vgpu", "host-vgpu", "host-vsga"}));
    put(facts, "compute_mode",
        word_of(reported.compute_mode, {"default", "exclusive-thread", "prohibited", "exclusive-process"}));
    put(facts, "memory_node", reported.memory_node);
    put(facts, "module_id", reported.module_id);
    put(facts, "board_part", reported.board_part);
    put(facts, "vbios", reported.vbios);
    if (reported.power_limit) facts["power_limit"] = std::to_string(*reported.power_limit / 1000);
    if (const auto& place = reported.platform) {
      put(facts, "rack_chassis", place->chassis_serial);
      put(facts, "rack_slot", place->slot);
      put(facts, "rack_tray", place->tray);
      put(facts, "rack_host", place->host);
    }
    if (!reported.links.empty()) facts["nvlink_links"] = std::to_string(reported.links.size());
    put(facts, "nvlink_version", reported.nvlink_version);
    for (const NvmlMig& mig : reported.migs) take_mig(gpu, reported, mig);
    if (reported.mig == 1 &&
        std::any_of(reported.failures.begin(), reported.failures.end(),
                    [](const NvmlFailure& failure) { return failure.call.find("Mig") != std::string::npos; }))
      unknown({"gpu.mig"});
    // MIG devices are made one after the other, and the mode may wait for a reset: what is missing now may be on its
    // way.
    if (reported.mig == 1 && (reported.migs.empty() || reported.mig_pending == 0))
      seen_.unsettled.insert({"gpu.gfd", "gpu.mig"});
  }

  /// Others are there, all of the bus was read, and it is none that belongs to the processor (Tegra).
  bool has_left_the_bus(const NvmlGpu& reported) const {
    const bool is_of_tegra = report_.backend != "nvml" || reported.name.find("nvgpu") != std::string::npos;
    return !reported.bus_id.empty() && !is_of_tegra && !seen_.incomplete.contains("gpu.device") &&
           std::any_of(bus_.gpus.begin(), bus_.gpus.end(),
                       [](const Gpu& each) { return is_nvidia(each) && each.is_on_bus; });
  }

  Gpu& gpu_of(const NvmlGpu& reported, std::size_t index) {
    for (Gpu& gpu : bus_.gpus)
      if (!reported.bus_id.empty() && gpu.address == reported.bus_id) return gpu;
    Gpu gpu;
    gpu.address = reported.bus_id.empty() ? "gpu" + std::to_string(index) : reported.bus_id;
    gpu.has_left = has_left_the_bus(reported);
    return bus_.gpus.emplace_back(std::move(gpu));
  }

  /// As many GPUs of which the driver cannot say where they are as are left over on the bus: they are the same.
  void match_unplaced() {
    if (unexplained_ > 0) {
      unknown({"gpu.gfd"});
      problem("gpu-driver", "nvmlDeviceGetPciInfo",
              "the driver lists GPUs without their addresses: " + std::to_string(unexplained_), nvml_todo(0));
    }
    if (bus_.unplaced == 0 || hides_address_by_fault_) return;
    std::vector<std::string> left_over;
    for (const Gpu& gpu : bus_.gpus)
      if (is_nvidia(gpu) && has_working_driver(gpu) && !bus_.offered->contains(gpu.address))
        left_over.push_back(gpu.address);
    if (left_over.size() != static_cast<std::size_t>(bus_.unplaced)) return;
    bus_.offered->insert(left_over.begin(), left_over.end());
    bus_.unplaced = 0;
    unknown({"gpu.nvidia", "gpu.topology"});  // which is which is not known
  }

  void take_mig(const Gpu& gpu, const NvmlGpu& reported, const NvmlMig& mig) {
    for (const NvmlFailure& failure : mig.failures)
      problem("gpu-mig", mig.uuid.empty() ? gpu.address : mig.uuid, failure.call + ": " + failure.what,
              nvml_todo(failure.code));
    Attributes facts{{"parent", gpu.address}};
    put(facts, "uuid", mig.uuid);
    put(facts, "parent_product", reported.name);
    put(facts, "profile", mig_profile(reported, mig));
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
        const bool is_gpu = link.remote_type ? *link.remote_type == kToGpu : bus_.offered->contains(link.remote);
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

  NvmlReport& report_;
  Bus& bus_;
  Observation& seen_;
  int unexplained_ = 0;  // GPUs without an address, though no call failed
  bool hides_address_by_fault_ = false;
};

}  // namespace

const char* nvml_todo(int code) {
  switch (code) {
    case kNvmlNoPermission: return "give the agent the rights of the overlay gpu-mig";
    case kNvmlDriverNotLoaded: return "load the driver, or give the agent its device files (overlay gpu)";
    case kNvmlVersionMismatch: return "library and kernel driver differ: finish the upgrade, or reboot";
    case kNvmlGpuIsLost: return "reset the GPU or drain the node; see nvidia-smi and dmesg";
    default: return "see nvidia-smi and dmesg";
  }
}

void take_report(NvmlReport& report, Bus& bus, Observation& seen) { ReportTaker(report, bus, seen).run(); }

}  // namespace nodescout::gpu
