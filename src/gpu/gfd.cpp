#include "gpu/gfd.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/text.h"
#include "gpu/gfd_text.h"
#include "gpu/mig_profile.h"

namespace nodescout {
namespace {

using Gpu = GfdInput::Gpu;

constexpr std::int64_t kMib = 1 << 20;
constexpr std::string_view kFullGpu = "nvidia.com/gpu";

bool is_in_mig_mode(const Gpu& gpu) { return gpu.reported.mig == 1; }

bool has_failed(const Gpu& gpu, std::string_view part_of_call) {
  return std::any_of(gpu.reported.failures.begin(), gpu.reported.failures.end(),
                     [&](const NvmlFailure& failure) { return failure.call.find(part_of_call) != std::string::npos; });
}

/// A call failed that a label depends on: what is missing may be there.
bool has_gaps(const Gpu& gpu) {
  constexpr std::string_view kCalls[] = {"Handle", "PciInfo", "Name", "MemoryInfo", "ComputeCapability",
                                         "Mig",    "Fabric"};
  return std::any_of(std::begin(kCalls), std::end(kCalls),
                     [&](std::string_view call) { return has_failed(gpu, call); });
}

/// Neither in MIG mode nor out of it: the GPU could not be asked, or did not say.
bool hides_mig_mode(const Gpu& gpu) {
  return !gpu.reported.mig &&
         (gpu.reported.name.empty() ||
          std::any_of(gpu.reported.failures.begin(), gpu.reported.failures.end(), [](const auto& each) {
            return each.code == kNvmlGpuIsLost || each.call.find("MigMode") != std::string::npos;
          }));
}

/// What one resource ("nvidia.com/gpu", "nvidia.com/mig-1g.5gb") is shared by.
struct Share {
  std::int64_t replicas = 1;
  const char* strategy = "none";
  const char* suffix = "";
};

bool has_replicas(const std::optional<GpuSharing>& sharing) {
  return sharing && std::any_of(sharing->resources.begin(), sharing->resources.end(),
                                [](const GpuSharing::Resource& resource) { return resource.replicas > 1; });
}

/// MPS as such has precedence, even if its block names other resources.
const char* overall_strategy(const GpuOptions& options) {
  return has_replicas(options.mps) ? "mps" : has_replicas(options.time_slicing) ? "time-slicing" : "none";
}

Share share_of(const GpuOptions& options, std::string_view resource) {
  const std::optional<GpuSharing>& active = options.mps ? options.mps : options.time_slicing;
  if (!active) return {};
  const auto entry = std::find_if(active->resources.begin(), active->resources.end(),
                                  [&](const GpuSharing::Resource& each) { return each.name == resource; });
  if (entry == active->resources.end() || entry->replicas <= 1) return {};
  return {entry->replicas, overall_strategy(options), active->renames ? "" : "-SHARED"};
}

/// GPUs of one name, in the order of the bus.
struct Model {
  std::string name;
  std::vector<const Gpu*> full, in_mig_mode;
  std::size_t count() const { return full.size() + in_mig_mode.size(); }
};

struct MigDevice {
  const Gpu* parent;
  const NvmlMig* reported;
  std::string profile;
};

class Labeler {
 public:
  Labeler(const GfdInput& input, const GpuOptions& options) : in_(input), options_(options) {}

  GfdLabels machine_alone() {
    machine();
    return std::move(out_);
  }

  GfdLabels run() {
    if (options_.with_timestamp && in_.timestamp) put("gfd.timestamp", *in_.timestamp);
    if (in_.gpus.empty()) return std::move(out_);
    out_.is_partial = any_of(has_gaps);
    machine();
    versions();
    const bool is_mig_capable = any_of([](const Gpu& gpu) { return gpu.reported.mig.has_value(); });
    if (is_mig_capable || !any_of(hides_mig_mode)) put("mig.capable", is_mig_capable ? "true" : "false");
    const bool shares_by_mps = std::string_view(overall_strategy(options_)) == "mps";
    put("mps.capable", shares_by_mps && !any_of(is_in_mig_mode) ? "true" : "false");
    full_gpus();
    mig_devices();
    put("gpu.mode", mode());
    clique();
    return std::move(out_);
  }

 private:
  template <class Predicate>
  bool any_of(const Predicate& predicate) const {
    return std::any_of(in_.gpus.begin(), in_.gpus.end(), predicate);
  }

  /// An empty value stays one; what is not legal and cannot be made so is left out, and said.
  void put(std::string_view key, std::string_view value) {
    std::string legal = legal_label_value(value);
    if (value.empty() || !legal.empty())
      out_.labels.insert_or_assign(key, std::move(legal));
    else
      warn_of_junk(key, value);
  }
  void put(std::string_view key, std::int64_t value) {
    if (value >= 0)
      out_.labels.insert_or_assign(key, std::to_string(value));
    else
      out_.is_partial = true;  // junk
  }
  void put(std::string_view key, Number value) {
    if (value)
      put(key, *value);
    else
      out_.is_partial = true;
  }

  void warn(std::string what, std::string todo) {
    out_.problems.push_back({"gpu-labels", "nvidia.com", std::move(what), std::move(todo)});
  }

  void warn_of_junk(std::string_view key, std::string_view value) {
    out_.is_partial = true;
    out_.problems.push_back({"gpu-labels", "nvidia.com/" + std::string(key),
                             "the driver says " + quote(value) + ", of which no label value can be made",
                             "compare with nvidia-smi; the label stays as it was"});
  }

  void machine() {
    if (in_.hides_machine_type)
      out_.is_partial = true;
    else if (options_.machine_type_file.empty() || !in_.machine_type)
      put("gpu.machine", "unknown");
    else
      put("gpu.machine", gfd_sanitised(trim(*in_.machine_type)));
  }

  void versions() {
    if (in_.backend == GpuDiscovery::vfio) return;  // no driver to ask
    const std::string driver = in_.backend == GpuDiscovery::tegra ? "unknown.unknown.unknown" : in_.driver_version;
    if (!driver.empty()) {
      const std::vector<std::string_view> parts = split(driver, '.');
      const auto part = [&](std::size_t index) { return index < parts.size() ? parts[index] : ""; };
      const bool is_junk = legal_label_value(driver).empty();
      if (is_junk) warn_of_junk("cuda.driver-version.full", driver);
      const auto put_version = [&](std::string_view key, std::string_view value) {
        if (!is_junk || value.empty() || !legal_label_value(value).empty()) put(key, value);
      };
      put_version("cuda.driver-version.full", driver);
      put_version("cuda.driver-version.major", part(0));
      put_version("cuda.driver-version.minor", part(1));
      put_version("cuda.driver-version.revision", part(2));
      if (options_.deprecated_labels) {
        put_version("cuda.driver.major", part(0));
        put_version("cuda.driver.minor", part(1));
        put_version("cuda.driver.rev", part(2));
      }
    } else {
      out_.is_partial = true;
    }
    if (!in_.cuda_version || *in_.cuda_version < 0) {
      out_.is_partial = true;
      return;
    }
    const std::int64_t major = *in_.cuda_version / 1000;
    const std::int64_t minor = *in_.cuda_version % 1000 / 10;
    put("cuda.runtime-version.full", std::to_string(major) + "." + std::to_string(minor));
    put("cuda.runtime-version.major", major);
    put("cuda.runtime-version.minor", minor);
    if (options_.deprecated_labels) {
      put("cuda.runtime.major", major);
      put("cuda.runtime.minor", minor);
    }
  }

  // ---- full GPUs ----------------------------------------------------------------------------------------------------

  std::vector<Model> models() {
    std::vector<Model> found;
    for (const Gpu& gpu : in_.gpus) {
      if (gpu.reported.name.empty()) {
        out_.is_partial = true;
        continue;
      }
      auto model =
          std::find_if(found.begin(), found.end(), [&](const Model& each) { return each.name == gpu.reported.name; });
      if (model == found.end()) model = found.insert(found.end(), Model{gpu.reported.name, {}, {}});
      (is_in_mig_mode(gpu) ? model->in_mig_mode : model->full).push_back(&gpu);
    }
    return found;
  }

  /// Of several models one can be in the labels: one with GPUs that are not in MIG mode, then the one with most GPUs,
  /// then the first on the bus. GFD throws dice.
  void full_gpus() {
    const std::vector<Model> found = models();
    if (found.empty()) return;
    const auto is_less = [](const Model& a, const Model& b) {
      return std::pair(!a.full.empty(), a.count()) < std::pair(!b.full.empty(), b.count());
    };
    const Model& model = *std::max_element(found.begin(), found.end(), is_less);
    const Share share = model.full.empty() ? Share{0, "none", ""} : share_of(options_, kFullGpu);
    put_resource("gpu.", model.name, "", static_cast<std::int64_t>(model.count()), share);
    const auto hides = [](const Gpu* gpu) { return hides_mig_mode(*gpu); };
    if (!model.full.empty() && std::all_of(model.full.begin(), model.full.end(), hides)) {
      forget({"replicas", "sharing-strategy"});
      if (*share.suffix) forget({"product"});
    }
    // Facts of the last one that reports them.
    const std::vector<const Gpu*>& group = model.full.empty() ? model.in_mig_mode : model.full;
    for (const Gpu* gpu : group) {
      if (const std::int64_t memory = memory_of(*gpu); memory > 0) put("gpu.memory", memory);
      if (!gpu->reported.compute_major || !gpu->reported.compute_minor) continue;
      if (*gpu->reported.compute_major == 0) continue;
      put("gpu.family", gpu_family(*gpu->reported.compute_major, *gpu->reported.compute_minor));
      put("gpu.compute.major", gpu->reported.compute_major);
      put("gpu.compute.minor", gpu->reported.compute_minor);
    }
    if (in_.backend == GpuDiscovery::nvml && !std::any_of(group.begin(), group.end(), [](const Gpu* gpu) {
          return gpu->reported.compute_major.has_value();
        }))
      out_.is_partial = true;
  }

  std::int64_t memory_of(const Gpu& gpu) const {
    constexpr std::int64_t kAddressTranslation = 2;
    const bool is_shared = gpu.reported.addressing == kAddressTranslation || gpu.reported.bus_id.empty();
    std::int64_t bytes = gpu.reported.memory.value_or(0);
    if (bytes == 0 && is_shared) bytes = in_.system_memory.value_or(0);
    return in_.backend == GpuDiscovery::vfio && options_.vfio_memory_in_bytes ? bytes : bytes / kMib;
  }

  void put_resource(const std::string& prefix, std::string_view model, const std::string& suffix, std::int64_t count,
                    const Share& share) {
    if (std::string product = gfd_product(model, suffix + share.suffix); !product.empty())
      put(prefix + "product", product);
    else
      warn_of_junk(prefix + "product", model);
    put(prefix + "count", count);
    put(prefix + "replicas", share.replicas);
    put(prefix + "sharing-strategy", share.strategy);
  }

  // ---- MIG ----------------------------------------------------------------------------------------------------------

  void mig_devices() {
    if (options_.mig_strategy == MigStrategy::none) return;
    put("mig.strategy", name_of(options_.mig_strategy));
    std::vector<MigDevice> devices;
    bool all_known = true;
    for (const Gpu& gpu : in_.gpus) {
      if (!is_in_mig_mode(gpu)) continue;
      all_known = all_known && !has_failed(gpu, "Mig");
      for (const NvmlMig& reported : gpu.reported.migs) {
        devices.push_back({&gpu, &reported, mig_profile(gpu.reported, reported)});
        all_known = all_known && !devices.back().profile.empty();
      }
    }
    if (!all_known) out_.is_partial = true;
    if (options_.mig_strategy == MigStrategy::mixed)
      mixed(devices);
    else
      single(devices, all_known);
  }

  void mixed(const std::vector<MigDevice>& devices) {
    std::map<std::string, std::vector<const MigDevice*>> profiles;
    for (const MigDevice& device : devices)
      if (!device.profile.empty()) profiles[device.profile].push_back(&device);
    for (const auto& [profile, group] : profiles)
      put_mig("mig-" + profile + ".", "nvidia.com/mig-" + profile, *group.front(), group.size());
  }

  void single(const std::vector<MigDevice>& devices, bool all_known) {
    // A GPU without a name is lost: the others are labelled without it.
    const bool has_unclear = any_of([](const Gpu& gpu) { return !gpu.reported.name.empty() && hides_mig_mode(gpu); });
    const auto first = std::find_if(in_.gpus.begin(), in_.gpus.end(), is_in_mig_mode);
    if (first == in_.gpus.end()) return has_unclear ? forget_resource() : void();
    const bool has_empty =
        all_known && any_of([](const Gpu& gpu) { return is_in_mig_mode(gpu) && gpu.reported.migs.empty(); });
    const bool has_full = any_of([](const Gpu& gpu) { return !is_in_mig_mode(gpu) && !hides_mig_mode(gpu); });
    std::set<std::string> profiles;
    for (const MigDevice& device : devices) profiles.insert(device.profile);
    if (has_empty) return invalid(*first, "a GPU in MIG mode has no MIG device");
    if (has_full) return invalid(*first, "some GPUs are in MIG mode and some are not");
    if (!all_known || has_unclear) return forget_resource();
    if (profiles.size() > 1) return invalid(*first, "there are MIG devices of several profiles");
    put_mig("gpu.", kFullGpu, devices.front(), devices.size());
  }

  /// Whether the node is valid is not known: the labels that would tell stay as they were.
  void forget_resource() { forget({"product", "count", "replicas", "sharing-strategy", "memory"}); }

  /// Labels below "gpu." that stay as they were.
  void forget(std::initializer_list<const char*> keys) {
    for (const char* key : keys) out_.labels.erase(std::string("gpu.") + key);
    out_.is_partial = true;
  }

  void invalid(const Gpu& gpu, const std::string& why) {
    put_resource("gpu.", gpu.reported.name, "-MIG-INVALID", 0, {0, "", ""});
    put("gpu.memory", 0);
    warn("MIG strategy single: " + why + ", so the node offers no GPU",
         "give all GPUs the same MIG devices, or set the strategy to mixed");
  }

  void put_mig(const std::string& prefix, std::string_view resource, const MigDevice& device, std::size_t count) {
    const NvmlMig& reported = *device.reported;
    put_resource(prefix, device.parent->reported.name, "-MIG-" + device.profile, static_cast<std::int64_t>(count),
                 share_of(options_, resource));
    put(prefix + "memory", reported.memory);
    put(prefix + "multiprocessors", reported.multiprocessors);
    put(prefix + "slices.gi", reported.gpu_slices);
    put(prefix + "slices.ci", reported.compute_slices);
    put(prefix + "engines.copy", reported.copy_engines);
    put(prefix + "engines.decoder", reported.decoders);
    put(prefix + "engines.encoder", reported.encoders);
    put(prefix + "engines.jpeg", reported.jpeg_engines);
    put(prefix + "engines.ofa", reported.ofa_engines);
  }

  // ---- the node -----------------------------------------------------------------------------------------------------

  const char* mode() const {
    if (in_.backend == GpuDiscovery::tegra) return "unknown";
    // A GPU that reports nothing about itself does not spoil what the others report.
    const auto speaks = [](const Gpu& gpu) { return !gpu.reported.name.empty() && !gpu.reported.bus_id.empty(); };
    const auto first = std::find_if(in_.gpus.begin(), in_.gpus.end(), speaks);
    const std::string common = first == in_.gpus.end() ? "" : first->pci_class;
    if (any_of([&](const Gpu& gpu) { return speaks(gpu) && gpu.pci_class != common; })) return "unknown";
    return common == "0x030000" ? "graphics" : common == "0x030200" ? "compute" : "unknown";
  }

  void clique() {
    if (options_.clique == GpuOptions::Clique::off) return;
    std::vector<const NvmlGpu*> gpus;
    for (const Gpu& gpu : in_.gpus) gpus.push_back(&gpu.reported);
    const std::string common = common_clique(gpus);
    if (!common.empty())
      put("gpu.clique", common);
    else if (any_of([](const Gpu& gpu) { return is_fabric_attached(gpu.reported); }))
      warn("the GPUs of this node are in different NVLink cliques, so it has no gpu.clique",
           "look at `nvidia-smi -q` and the fabric manager");
  }

  const GfdInput& in_;
  const GpuOptions& options_;
  GfdLabels out_;
};

}  // namespace

GfdLabels gfd_machine(const GfdInput& input, const GpuOptions& options) {
  if (!input.machine_type) return {};  // "unknown" can wait
  return Labeler(input, options).machine_alone();
}

bool is_gfd_display(const NvmlGpu& gpu) { return gpu.name == "DGX Display" || gpu.name == "NVIDIA DGX Display"; }

GfdLabels gfd_labels(GfdInput input, const GpuOptions& options) {
  std::erase_if(input.gpus, [](const Gpu& gpu) { return is_gfd_display(gpu.reported); });
  std::stable_sort(input.gpus.begin(), input.gpus.end(),
                   [](const Gpu& a, const Gpu& b) { return is_earlier_address(a.reported.bus_id, b.reported.bus_id); });
  return Labeler(input, options).run();
}

const char* name_of(MigStrategy strategy) {
  switch (strategy) {
    case MigStrategy::none: return "none";
    case MigStrategy::single: return "single";
    case MigStrategy::mixed: return "mixed";
  }
  return "none";
}

std::string gpu_family(std::int64_t major, std::int64_t minor) {
  switch (major) {
    case 1: return "tesla";
    case 2: return "fermi";
    case 3: return "kepler";
    case 5: return "maxwell";
    case 6: return "pascal";
    case 7: return minor < 5 ? "volta" : "turing";
    case 8: return minor < 9 ? "ampere" : "ada-lovelace";
    case 9: return "hopper";
    case 10:
    case 12: return "blackwell";
    case 13: return "rubin";
    default: return "undefined";
  }
}

bool is_fabric_attached(const NvmlGpu& gpu) {
  constexpr std::int64_t kCompleted = 3;
  return gpu.fabric && gpu.fabric->state == kCompleted && gpu.fabric->status == 0 && !gpu.fabric->cluster.empty();
}

std::string common_clique(const std::vector<const NvmlGpu*>& gpus) {
  std::set<std::string> clusters;
  std::set<std::int64_t> cliques;
  for (const NvmlGpu* gpu : gpus) {
    if (!is_fabric_attached(*gpu)) continue;
    clusters.insert(gpu->fabric->cluster);
    cliques.insert(gpu->fabric->clique.value_or(0));
  }
  if (clusters.size() != 1 || cliques.size() != 1) return "";
  return *clusters.begin() + "." + std::to_string(*cliques.begin());
}

bool is_earlier_address(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace nodescout
