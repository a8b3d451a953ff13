// The parts of the GPU probe: what the bus shows (gpu_bus.cpp), what the drivers of AMD and Intel add to it
// (gpu_drm.cpp), what NVIDIA's says (gpu_nvidia.cpp), and what comes of all (gpu.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/gfd.h"
#include "gpu/pci_table.h"
#include "gpu/topology.h"
#include "nodescout/probes.h"
#include "probe/reading.h"

namespace nodescout::gpu {

/// A GPU, as far as it is known: from the bus, from its driver, or from both.
struct Gpu {
  std::string address;  // "0000:3b:00.0"; "gpu0" for one that is on no bus
  GpuVendor vendor = GpuVendor::nvidia;
  std::string device_id;  // 4 hex digits
  std::string pci_class;  // "0x030200"
  std::string driver;     // of the kernel; empty if none is bound
  bool is_on_bus = false;
  PciPlace place;
  GpuModel model;                                // of the shipped table; empty texts if it is not there
  std::optional<std::int64_t> width, max_width;  // lanes
  std::string link_limit;                        // "width", "speed", "width,speed": below the GPU's own capability
  std::string product;                           // the driver's name
  std::optional<std::int64_t> memory;            // MiB, as the driver says
  std::string health = "ok";                     // "failed", "missing" (the driver does not list it)
  Attributes attributes;                         // everything else for its instance
};

struct Bus {
  std::vector<Gpu> gpus;                      // by address
  std::vector<std::string> nvidia_functions;  // of any class
  std::vector<ProximityNic> nics;             // RDMA devices, by address; empty without any GPU
  bool is_driver_silent = false;              // NVIDIA's was asked and did not answer, or must not be asked now
};

/// Display controllers and processing accelerators of NVIDIA, AMD and Intel. Virtual functions whose physical one is on
/// the same machine belong to guests and are left out.
Bus scan_bus(const Host& host, Observation& seen);

/// VRAM, product and compute partition, where amdgpu, i915 or xe say so.
void add_drm_facts(const Host& host, Observation& seen, Gpu& gpu);

/// Everything that NVIDIA's driver says: into the GPUs, and the sets gpu.driver, gpu.mig, gpu.fabric, gpu.gfd,
/// gpu.vgpu. GPUs that are on no bus (Tegra, WSL) are added.
void add_nvidia_facts(const Host& host, const GpuOptions& options, const Moment& moment, Bus& bus, Observation& seen);

/// Whether there may be something to ask: the driver is loaded, or it is a Tegra or a WSL guest.
bool has_nvidia_driver(const Host& host);

/// Files that appear, change or go when NVIDIA's driver, or a MIG device of it, comes or goes.
inline constexpr std::string_view kDriverFiles[] = {
    // User space makes it once the kernel driver is loaded, which is a kernel event of its own.
    "/dev/nvidiactl",
    // A MIG device comes with a capability file, and goes with it.
    "/dev/nvidia-caps",
    // The GPU Operator's driver container, and what it says about it.
    "/run/nvidia/driver", "/run/nvidia/validations", "/run/nvidia/validations/driver-ready"};

/// Labels by which the GPU Operator says what it is doing on a node.
inline constexpr std::string_view kInstallsDriver = "nvidia.com/gpu.deploy.driver";
inline constexpr std::string_view kRunsGfd = "nvidia.com/gpu.deploy.gpu-feature-discovery";
inline constexpr std::string_view kRunsClients = "nvidia.com/gpu.deploy.client";
inline constexpr std::string_view kMigState = "nvidia.com/mig.config.state";
inline constexpr std::string_view kOperatorLabels[] = {kInstallsDriver, kRunsGfd, kRunsClients, kMigState};

/// Why NVIDIA's library must not be opened now: the Operator unloads the driver, has not validated it yet, or its MIG
/// manager needs every client gone. Empty if it may be opened.
std::string pause_reason(const Host& host, const Moment& moment);
/// Whether there is one on the bus: where there is none, its driver's files are not worth a watch on /dev and /run.
bool has_nvidia_gpu(const Root& files);

/// Order of addresses on the bus.
void sort_by_address(std::vector<Gpu>& gpus);

}  // namespace nodescout::gpu
