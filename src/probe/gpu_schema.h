// What the GPU probe declares. The sets of single vendors are in their rows (gpu_vendors.h).
#pragma once

#include "probe/gpu_vendors.h"

namespace nodescout::gpu::schema {

/// "nvidia|amd|...", of the rows.
inline constexpr auto kNamesText = [] {
  constexpr std::size_t kLength = [] {
    std::size_t length = 0;
    for (const GpuVendor& vendor : kVendors) length += vendor.name.size() + 1;
    return length;
  }();
  std::array<char, kLength> text{};
  auto at = text.begin();
  for (const GpuVendor& vendor : kVendors) {
    at = std::copy(vendor.name.begin(), vendor.name.end(), at);
    *at++ = '|';
  }
  return text;
}();
inline constexpr std::string_view kNames(kNamesText.data(), kNamesText.size() - 1);

inline constexpr ElementSpec kDevice[] = {
    {"address", kPciBus, "domain:bus:device.function; gpu0, ... for a GPU that is on no bus", true},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "its maker", true, kNames},
    {"class", "/sys/bus/pci/devices/*/class", "4 hex digits: class and subclass", true, "[0-9a-f]{4}"},
    {"device", "/sys/bus/pci/devices/*/device", "4 hex digits", true, "[0-9a-f]{4}"},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver bound to it", true},
    {"model", kIds, "h100-sxm5-80gb, mi300x, ...; vendor and device id of an unknown one", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB, as advertised", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true},
    {"product", "NVML, or product_name of amdgpu", "the driver's name for it", true},
    {"memory", "NVML, or sysfs of amdgpu, i915, xe", "MiB, as the driver reports it", true, "[0-9]+"},
    {"health", kNvml, "ok; failed; missing: it is on the bus and the driver does not offer it", true,
     "ok|failed|missing"},
    {"numa_node", "/sys/bus/pci/devices/*/numa_node", "NUMA node, where the kernel knows one", true, "[0-9]+"},
    {"pcie_root", kPciBus, "host bridge: pci0000:17", true},
    {"nic", "/sys/class/infiniband", "nearest RDMA and fabric devices, joined by commas", true},
    {"nic_distance", kPciBus, "PIX one switch, PXB several, PHB host bridge, NODE NUMA node", true, "PIX|PXB|PHB|NODE"},
    {"max_link_speed", "/sys/bus/pci/devices/*/max_link_speed", "GT/s per lane that it can do", true},
    {"link_width", "/sys/bus/pci/devices/*/current_link_width", "PCIe lanes in use", true, "[0-9]+"},
    {"max_link_width", "/sys/bus/pci/devices/*/max_link_width", "PCIe lanes that it has", true, "[0-9]+"},
    {"link_limit", "/sys/bus/pci/devices/*/current_link_width",
     "what keeps its PCIe link below its capability: width (fewer lanes), speed (a slower slot)", true,
     "width|speed|width,speed"},
    {"device_uuid", "NVML, or unique_id of amdgpu", "GPU-...", true},
    {"compute", kNvml, "compute capability: 9.0", true},
    {"mig", kNvml, "MIG mode, where the GPU has one", true, "on|off"},
    {"mig_pending", kNvml, "MIG mode after the next reset, where it differs", true, "on|off"},
    {"ecc", kNvml, "ECC, where the GPU has it", true, "on|off"},
    {"ecc_pending", kNvml, "ECC after the next reset, where it differs", true, "on|off"},
    {"remap_pending", kNvml, "memory rows wait for a reset to be remapped", true, "true|false"},
    {"persistence", kNvml, "persistence mode", true, "on|off"},
    {"compute_mode", kNvml, "default, exclusive-process, prohibited", true},
    {"virtualization", kNvml, "none, passthrough, vgpu, host-vgpu, host-vsga", true},
    {"addressing", kNvml, "how it shares memory with the CPU: none, hmm, ats", true},
    {"memory_node", kNvml, "NUMA node of its own memory, on coherent systems", true, "[0-9]+"},
    {"module_id", kNvml, "place on its baseboard", true, "[0-9]+"},
    {"board_part", kNvml, "board part number", true},
    {"vbios", kNvml, "version of its firmware", true},
    {"power_limit", kNvml, "configured limit in W", true, "[0-9]+"},
    {"nvlink_links", kNvml, "active NVLinks", true, "[0-9]+"},
    {"nvlink_version", kNvml, "version of NVLink", true, "[0-9]+"},
    {"nvlink_peers", kNvml, "addresses of the GPUs that NVLink joins it with, joined by commas", true},
    {"xgmi_peers", "/sys/class/kfd/kfd/topology/nodes/*/io_links", "AMD: addresses of the GPUs that xGMI joins it with",
     true},
    {"fabric_state", kNvml, "registration with the NVLink fabric: not-started, in-progress, completed", true},
    {"rack_chassis", kNvml, "serial number of the chassis in a rack system", true},
    {"rack_slot", kNvml, "slot in that chassis", true, "[0-9]+"},
    {"rack_tray", kNvml, "tray in that chassis", true, "[0-9]+"},
    {"rack_host", kNvml, "host in that tray", true, "[0-9]+"},
    {"compute_partition", "/sys/bus/pci/devices/*/current_compute_partition", "AMD: SPX, DPX, QPX, CPX, ...", true},
    {"memory_partition", "/sys/bus/pci/devices/*/current_memory_partition", "AMD: NPS1, NPS4, ...", true},
    {"logical_devices", "/sys/class/kfd/kfd/topology/nodes",
     "AMD: devices that programs see for it, if there are several", true, "[0-9]+"},
    {"tiles", "/sys/bus/pci/devices/*/tile*, or gt of i915", "Intel: tiles of the GPU", true, "[0-9]+"}};

inline constexpr ElementSpec kModel[] = {
    {"name", kIds, "as model of gpu.device", true},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "its maker", true, kNames},
    {"count", kPciBus, "GPUs of this model", true, "[0-9]+"},
    {"product", "NVML, or product_name of amdgpu", "the driver's name, where all have the same", true},
    {"family", kIds, "hopper, cdna3, xe-hpc, ...", true},
    {"memory_gb", kIds, "GB, as advertised", true, "[0-9]+"},
    {"form_factor", kIds, "sxm, pcie, oam, mxm, superchip, soc", true}};

inline constexpr ElementSpec kDriver[] = {
    {"state", kNvml,
     "ready; absent; asking (no answer yet); failed; paused; vfio; unasked (a recording without an answer)", true,
     "ready|absent|asking|failed|paused|vfio|unasked"},
    {"version", kNvml, "580.65.06", true},
    {"branch", kNvml, "r580_00", true},
    {"cuda", kNvml, "newest CUDA that it supports: 13.0", true},
    {"backend", kNvml, "nvml, or cuda on a Tegra", true, "nvml|cuda"},
    {"gpu_count", kNvml, "GPUs that it counts, failed ones included", true, "[0-9]+"},
    {"confidential_computing", kNvml, "on, off or devtools, where the driver knows it", true, "on|off|devtools"},
    {"kernel_module", "/proc/driver/nvidia/version", "open or proprietary", true, "open|proprietary"},
    {"kernel_module_version", "/proc/driver/nvidia/version", "580.65.06", true}};

inline constexpr ElementSpec kMig[] = {{"uuid", kNvml, "MIG-...", true},
                                       {"parent", kNvml, "address of its GPU", true},
                                       {"parent_product", kNvml, "the driver's name for that GPU", true},
                                       {"profile", kNvml, "1g.5gb, 1c.3g.20gb, ...", true},
                                       {"memory", kNvml, "MiB", true, "[0-9]+"},
                                       {"multiprocessors", kNvml, "count", true, "[0-9]+"},
                                       {"gpu_slices", kNvml, "count", true, "[0-9]+"},
                                       {"compute_slices", kNvml, "count", true, "[0-9]+"},
                                       {"copy_engines", kNvml, "count", true, "[0-9]+"},
                                       {"decoders", kNvml, "count", true, "[0-9]+"},
                                       {"encoders", kNvml, "count", true, "[0-9]+"},
                                       {"jpeg_engines", kNvml, "count", true, "[0-9]+"},
                                       {"ofa_engines", kNvml, "count", true, "[0-9]+"}};

inline constexpr ElementSpec kFabric[] = {
    {"state", kNvml, "not-started, in-progress, completed; mixed", true},
    {"cluster", kNvml, "UUID of the NVLink domain, where the GPUs agree", true},
    {"clique", kNvml, "as the label gpu.clique: UUID.number", true},
    {"health", kNvml, "healthy or unhealthy, where the driver reports it", true, "healthy|unhealthy"},
    {"gpus", kNvml, "GPUs that take part", true, "[0-9]+"}};

inline constexpr ElementSpec kTopology[] = {
    {"nvlink", kNvml, "whether NVLink joins the GPUs with each other: all, some, none", true, "all|some|none"},
    {"xgmi", "/sys/class/kfd/kfd/topology/nodes/*/io_links",
     "whether xGMI joins AMD's GPUs with each other: all, some, none", true, "all|some|none"},
    {"numa_nodes", "/sys/bus/pci/devices/*/numa_node", "NUMA nodes that have GPUs, joined by commas", true},
    {"nic_pairs", "/sys/class/infiniband", "pairs of a GPU and an RDMA device below the same PCIe switches (PIX, PXB)",
     true, "[0-9]+"},
    {"matrix", kPciBus, "distances between GPUs and RDMA devices, as JSON: docs/gpu.md", true}};

inline constexpr ElementSpec kGfd[] = {
    {"<label>", kNvml, "a label of gpu-feature-discovery without its nvidia.com/: gpu.product, mig.capable, ...",
     true}};

inline constexpr ElementSpec kVgpu[] = {
    {"present", "/sys/bus/pci/devices/*/config", "whether an NVIDIA GPU is a virtual one", true, "true|false"},
    {"host-driver-version", "/sys/bus/pci/devices/*/config", "version of the host's driver", true},
    {"host-driver-branch", "/sys/bus/pci/devices/*/config", "branch of the host's driver", true}};

inline constexpr ElementSpec kAccelerator[] = {
    {"address", kPciBus, "domain:bus:device.function", true},
    {"vendor", "/sys/bus/pci/devices/*/vendor", "qualcomm, intel, aws, google, huawei, furiosa, tenstorrent", true},
    {"name", "/sys/bus/pci/devices/*/vendor", "ai100, gaudi, neuron, tpu, ascend, npu", true},
    {"class", "/sys/bus/pci/devices/*/class", "4 hex digits: class and subclass", true, "[0-9a-f]{4}"},
    {"device", "/sys/bus/pci/devices/*/device", "4 hex digits", true, "[0-9a-f]{4}"},
    {"model", kIds, "gaudi2, trainium, v5e, 910b, wormhole, ...", true},
    {"driver", "/sys/bus/pci/devices/*/driver", "kernel driver bound to it", true},
    {"numa_node", "/sys/bus/pci/devices/*/numa_node", "NUMA node, where the kernel knows one", true, "[0-9]+"}};

inline constexpr ElementSpec kAcceleratorKind[] = {
    {"vendor", "/sys/bus/pci/devices/*/vendor", "as in accelerator.device", true},
    {"name", "/sys/bus/pci/devices/*/vendor", "as in accelerator.device", true},
    {"count", kPciBus, "accelerators of this vendor and name", true, "[0-9]+"},
    {"model", kIds, "where all have the same", true}};

inline constexpr ElementSpec kWsl[] = {{"nvidia", "/dev/dxg or /sys/class/misc/dxg, and /usr/lib/wsl/lib",
                                        "true: Windows gives this Linux (WSL 2) its GPU, and NVIDIA's library for it",
                                        true, "true"}};

inline constexpr ElementSpec kAmdLabels[] = {
    {"<label>", "sysfs of amdgpu and KFD",
     "a label of AMD's node labeller: amd.com/gpu.family, beta.amd.com/gpu.vram.192G, ...", true}};

inline constexpr ElementSpec kIntelLabels[] = {
    {"<label>", kPciBus, "a label of Intel's rules and GPU plugin: gpu.intel.com/product, gpu.intel.com/tiles, ...",
     true}};

using Kind = FeatureSpec::Kind;
inline constexpr FeatureSpec kBeforeVendors[] = {
    {"gpu.device", Kind::instance, kPciBus, "GPUs, by address", kDevice, true},
    {"gpu.model", Kind::instance, kPciBus, "GPU models with their counts", kModel, true}};

inline constexpr FeatureSpec kAfterVendors[] = {
    {"gpu.topology", Kind::attribute, kPciBus, "distances between GPUs, RDMA devices and NUMA nodes", kTopology, true},
    {"gpu.driver", Kind::attribute, kPciBus, "NVIDIA's driver", kDriver, true},
    {"gpu.mig", Kind::instance, kPciBus, "MIG devices, by GPU and index", kMig, true},
    {"gpu.fabric", Kind::attribute, kPciBus, "NVLink fabric across nodes", kFabric, true},
    {"gpu.gfd", Kind::attribute, kPciBus, "labels of NVIDIA's gpu-feature-discovery, for rules", kGfd, true},
    {"gpu.vgpu", Kind::attribute, kPciBus, "virtual NVIDIA GPUs", kVgpu, true},
    {"gpu.wsl", Kind::attribute, "/dev/dxg", "GPUs of a Windows host", kWsl, true},
    {"gpu.amd_labels", Kind::attribute, kPciBus, "labels of AMD's node labeller, for rules", kAmdLabels, true},
    {"gpu.intel_labels", Kind::attribute, kPciBus, "labels of Intel's rules and GPU plugin, for rules", kIntelLabels,
     true},
    {"accelerator.device", Kind::instance, kPciBus, "accelerators that are not GPUs, by address", kAccelerator, true},
    {"accelerator.kind", Kind::instance, kPciBus, "accelerators with their counts", kAcceleratorKind, true}};

/// In the order of docs/features.md.
inline constexpr auto kProduces = [] {
  std::array<FeatureSpec, std::size(kBeforeVendors) + std::size(kVendors) + std::size(kAfterVendors)> all{};
  auto at = std::copy(std::begin(kBeforeVendors), std::end(kBeforeVendors), all.begin());
  for (const GpuVendor& vendor : kVendors) *at++ = vendor.common;
  std::copy(std::begin(kAfterVendors), std::end(kAfterVendors), at);
  return all;
}();

}  // namespace nodescout::gpu::schema
