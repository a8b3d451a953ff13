// One row for each vendor of GPUs: how its GPUs are recognised on the bus, which kernel drivers offer them to programs,
// what those report in sysfs, and what the GPUs are called. The probe, its schema, the configuration's `expected` and
// the table output are made from the rows; docs/gpu.md, "A new vendor", has the steps.
#pragma once

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nodescout/probes.h"

namespace nodescout::gpu {

struct Gpu;

/// A file of the device in sysfs that its driver fills.
struct SysfsFact {
  enum class Kind : unsigned char { text, mebibytes, mode };
  std::string_view attribute;  // of gpu.device; "product" and "memory" are those of every vendor
  std::string_view file;
  Kind kind = Kind::text;  // mebibytes: of a number of bytes; mode: a word that is a label value
};

/// What joins a vendor's GPUs besides PCIe.
struct PeerLink {
  std::string_view name;     // "nvlink": the fact of gpu.topology; its attribute in gpu.device is "nvlink_peers"
  std::string_view peers;    // "nvlink_peers"
  char letter = 0;           // in the proximity matrix; 0: there is no such link
  bool needs_proof = false;  // PCIe alone says nothing of how far apart two GPUs are while their links are unknown
};

struct GpuVendor {
  std::string_view name;                            // "amd": in gpu.device, and of gpu.expected
  std::string_view people;                          // "AMD": what its product names begin with
  std::string_view pci_id;                          // "1002"
  std::span<const std::string_view> classes;        // how the PCI class of a GPU begins; other devices are not GPUs
  std::span<const std::string_view> drivers;        // kernel drivers that offer a GPU to programs
  std::span<const SysfsFact> facts;                 // read where one of these drivers has it
  std::span<const std::string_view> displays = {};  // device ids of what only drives a screen: not GPUs for jobs
  PeerLink link = {};
  /// What the facts above cannot express about GPUs that one of these drivers has.
  void (*observe)(const Host& host, Observation& seen, const std::vector<Gpu*>& gpus) = nullptr;
  /// How keys of labels begin that the vendor's own labeller makes, and we as well.
  std::span<const std::string_view> shared_labels = {};
  /// A library of the vendor lists the GPUs that work, which distinguishes a sick one from a missing one.
  bool has_library = false;
  FeatureSpec common;  // the set of what all its GPUs have in common: "gpu.amd"
};

/// Special: gpu_amd.cpp, gpu_intel.cpp.
void observe_amd(const Host& host, Observation& seen, const std::vector<Gpu*>& gpus);
void observe_intel(const Host& host, Observation& seen, const std::vector<Gpu*>& gpus);

inline constexpr const char* kPciBus = "/sys/bus/pci/devices";
inline constexpr const char* kNvml = "NVML";
inline constexpr const char* kIds = "shipped table of PCI ids";

inline constexpr ElementSpec kCommon[] = {
    {"count", kPciBus, "GPUs of this vendor", true, "[0-9]+"},
    {"models", kIds, "number of different models", true, "[0-9]+"},
    {"product", kIds, "as model of gpu.device; this and the following only where all GPUs agree", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB, as advertised", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true},
    {"memory", "NVML, or sysfs of amdgpu, i915, xe", "MiB, as the driver reports it", true, "[0-9]+"},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver", true},
    {"missing", "bus, driver and configuration",
     "GPUs that the bus or the configuration promises and the driver does not offer", true, "[0-9]+"},
    {"passthrough", "/sys/bus/pci/devices/*/driver", "GPUs passed through to virtual machines, if there are any", true,
     "[0-9]+"},
    {"link_limited", kPciBus, "GPUs that use fewer PCIe lanes than they and their slot have, on bare metal", true,
     "[0-9]+"}};

/// What all vendors have, and more.
template <std::size_t count>
constexpr auto common_and(const ElementSpec (&more)[count]) {
  std::array<ElementSpec, std::size(kCommon) + count> all{};
  std::copy(std::begin(kCommon), std::end(kCommon), all.begin());
  std::copy(std::begin(more), std::end(more), all.begin() + std::size(kCommon));
  return all;
}

inline constexpr std::string_view kDisplays[] = {"03"};

inline constexpr std::string_view kNvidiaDrivers[] = {"nvidia"};
inline constexpr auto kNvidiaElements =
    common_and({{"ecc", kNvml, "ECC", true, "on|off"},
                {"failed", kNvml, "GPUs that the driver offers and that do not work", true, "[0-9]+"}});

inline constexpr std::string_view kAmdClasses[] = {"03", "1200"};  // Instinct are processing accelerators
inline constexpr std::string_view kAmdDrivers[] = {"amdgpu", "radeon"};
inline constexpr std::string_view kAmdDisplays[] = {"515e", "5969"};  // ES1000, of management boards
inline constexpr auto kAmdElements = common_and(
    {{"compute_partition", "/sys/bus/pci/devices/*/current_compute_partition", "SPX, DPX, QPX, CPX, ...", true},
     {"memory_partition", "/sys/bus/pci/devices/*/current_memory_partition", "NPS1, NPS4, ...", true},
     {"logical_devices", "/sys/class/kfd/kfd/topology/nodes",
      "devices that programs see for all these GPUs together, if they can be partitioned", true, "[0-9]+"}});
// SPX, DPX, QPX, CPX: how many devices one GPU shows itself as; NPS1 ... NPS8: how its memory is divided.
inline constexpr SysfsFact kAmdFacts[] = {{"memory", "mem_info_vram_total", SysfsFact::Kind::mebibytes},
                                          {"product", "product_name"},
                                          {"device_uuid", "unique_id"},
                                          {"compute_partition", "current_compute_partition", SysfsFact::Kind::mode},
                                          {"memory_partition", "current_memory_partition", SysfsFact::Kind::mode}};

inline constexpr std::string_view kAmdLabelHeads[] = {"amd.com/gpu.", "beta.amd.com/gpu."};

inline constexpr std::string_view kIntelLabelHeads[] = {"gpu.intel.com/"};
inline constexpr std::string_view kIntelDrivers[] = {"i915", "xe"};

inline constexpr GpuVendor kVendors[] = {
    {.name = "nvidia",
     .people = "NVIDIA",
     .pci_id = "10de",
     .classes = kDisplays,
     .drivers = kNvidiaDrivers,
     .facts = {},
     .link = {"nvlink", "nvlink_peers", 'n'},
     .has_library = true,
     .common = {"gpu.nvidia", FeatureSpec::Kind::attribute, kPciBus, "what NVIDIA's GPUs have in common",
                kNvidiaElements, true}},
    {.name = "amd",
     .people = "AMD",
     .pci_id = "1002",
     .classes = kAmdClasses,
     .drivers = kAmdDrivers,
     .facts = kAmdFacts,
     .displays = kAmdDisplays,
     .link = {"xgmi", "xgmi_peers", 'g', true},
     .observe = observe_amd,
     .shared_labels = kAmdLabelHeads,
     .common = {"gpu.amd", FeatureSpec::Kind::attribute, kPciBus, "what AMD's GPUs have in common", kAmdElements,
                true}},
    {.name = "intel",
     .people = "Intel",
     .pci_id = "8086",
     .classes = kDisplays,
     .drivers = kIntelDrivers,
     .facts = {},
     .observe = observe_intel,
     .shared_labels = kIntelLabelHeads,
     .common = {"gpu.intel", FeatureSpec::Kind::attribute, kPciBus, "what Intel's GPUs have in common", kCommon, true}},
};

/// The one whose code is in gpu_nvidia.cpp: its driver has to be asked as a whole, not GPU by GPU.
inline constexpr const GpuVendor& kNvidia = kVendors[0];

}  // namespace nodescout::gpu
