// The parts of the GPU probe: one row for each vendor (gpu_vendors.h), what the bus shows (gpu_bus.cpp), what kernel
// drivers report in sysfs (gpu_sysfs.cpp, gpu_intel.cpp), what NVIDIA's library reports (gpu_nvidia.cpp), and what
// follows from all of them (gpu.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gpu/gfd.h"
#include "gpu/pci_table.h"
#include "gpu/topology.h"
#include "gpu/vgpu.h"
#include "nodescout/probes.h"
#include "probe/accelerators.h"
#include "probe/gpu_vendors.h"
#include "probe/reading.h"

namespace nodescout::gpu {

/// A device that programs see of a GPU: one, or each of its partitions.
struct LogicalDevice {
  std::optional<std::int64_t> memory;  // bytes
  std::int64_t simds = 0, simds_per_cu = 0;
};

/// A GPU, as far as it is known: from the bus, from its driver, or from both.
struct Gpu {
  std::string address;  // "0000:3b:00.0"; "gpu0" for one that is on no bus
  const GpuVendor* vendor = &kNvidia;
  std::string device_id;  // 4 hex digits
  std::string pci_class;  // "0x030200"
  std::string driver;     // of the kernel; empty if none is bound
  bool is_on_bus = false;
  PciPlace place;
  GpuModel model;                                // of the shipped table; empty texts if it is not there
  std::string own_name;                          // as model.name, where the kernel driver knows better
  std::optional<std::int64_t> width, max_width;  // lanes
  std::string link_limit;                        // "width", "speed", "width,speed": below the GPU's own capability
  std::string product;                           // the driver's name
  std::optional<std::int64_t> memory;            // MiB, as the driver reports it
  std::string health = "ok";                     // "failed", "missing" (the driver does not list it)
  bool is_settling = false;                      // it has no driver, and may get one in a moment
  bool has_left = false;                         // the bus no longer has it, and its driver still lists it
  bool is_virtual = false;                       // a slice of a card: what the table says of the card is not true of it
  bool reports_links = false;                    // its links to other GPUs are known
  std::vector<LogicalDevice> logical_devices;    // of AMD's GPUs, as the kernel's compute driver shows them
  Attributes attributes;                         // everything else for its instance
};

struct GpuFunction {
  std::string address;
  const GpuVendor* vendor;
  std::string pci_class;  // "0380"
  std::string device_id;  // 4 hex digits
};

struct Bus {
  std::vector<Gpu> gpus;                      // by address
  std::vector<Accelerator> accelerators;      // by address
  std::vector<GpuFunction> functions;         // of GPUs, by address; of guests and displays, too
  std::vector<std::string> nvidia_functions;  // of any class
  std::vector<ProximityNic> nics;             // RDMA devices, by address; empty without any GPU
  bool is_driver_silent = false;              // NVIDIA's was asked and did not answer, or must not be asked now
  std::optional<std::set<std::string, std::less<>>>
      offered;       // addresses of GPUs that NVIDIA's lists; empty: it did not
  int unplaced = 0;  // GPUs that it lists without saying where they are
  int lost = 0;      // those of which it only reports that they are lost, and that are not "missing" either
};

/// GPUs of all vendors. Virtual functions whose physical one is on the same machine belong to guests and are left out.
Bus scan_bus(const Host& host, Observation& seen);

/// What kernel drivers report about their GPUs in sysfs.
void add_sysfs_facts(const Host& host, Observation& seen, std::vector<Gpu>& gpus);

/// In a guest, or where the table has a virtual function: GPUs whose kernel driver reports clearly less memory than
/// their row of the table are slices of that card (Gpu::is_virtual).
void mark_slices(const Host& host, std::vector<Gpu>& gpus);

/// Everything that NVIDIA's driver reports: into the GPUs, and the sets gpu.driver, gpu.mig, gpu.fabric, gpu.gfd,
/// gpu.vgpu. GPUs that are on no bus (Tegra, WSL) are added.
void add_nvidia_facts(const Host& host, const GpuOptions& options, const Moment& moment, Bus& bus, Observation& seen);

/// A virtual GPU says so in its PCI configuration space. A machine that is not a guest has none.
struct VgpuScan {
  std::optional<Vgpu> found;
  std::string unreadable;  // the file that hides whether there is one
};
/// Marks those of the bus.
VgpuScan scan_vgpus(const Host& host, Bus& bus);

/// Whether there may be something to ask: the driver is loaded, or it is a Tegra or a WSL guest with NVIDIA's library.
bool has_nvidia_driver(const Host& host);

/// A WSL guest to which Windows gives an NVIDIA GPU: it has the library for it.
bool is_nvidia_wsl(const Host& host);

/// Its driver is one of those that offer GPUs to programs.
bool has_working_driver(const Gpu& gpu);

/// Memory that one of Intel's GPUs has of its own. xe reports that of each tile. The kernel's i915 reports none;
/// Intel's own builds of it report that of a tile, for each tile or once. (Sources: xe_tile_sysfs.c of the kernel;
/// i915_sysfs.c and intel_gt_sysfs.c of github.com/intel-gpu/intel-gpu-i915-backports; Intel's GPU plugin multiplies by
/// the tiles.)
struct IntelMemory {
  std::uint64_t bytes = 0;
  std::size_t tiles = 0;
};
IntelMemory intel_memory(Reading& reading, const std::string& device, std::string_view driver);

/// Bound to a driver that hands it to virtual machines.
bool is_given_away(const Gpu& gpu);

/// In the processor, beside which there may be a card.
bool is_integrated(const Gpu& gpu);

std::string attribute_of(const Gpu& gpu, std::string_view name);
/// A name for labels and for grouping: of the kernel driver, else of the table, else what the library says, else the
/// ids.
std::string model_of(const Gpu& gpu);
std::string family_of(const Gpu& gpu);
std::string memory_gb_of(const Gpu& gpu);
std::string form_factor_of(const Gpu& gpu);

/// The value that all of these have; empty if they differ, or one has none.
std::string common(const std::vector<const Gpu*>& gpus, const std::function<std::string(const Gpu&)>& text);

/// GPUs that no driver took, or that theirs does not offer, while the others' driver works. Where the configuration
/// expects GPUs, also how long they have been without any driver.
void find_missing(const Moment& moment, const GpuOptions& options, Bus& bus, Observation& seen);
/// Counts, and what the GPUs of a vendor have in common.
void add_vendor(const Host& host, const GpuVendor& vendor, const Bus& bus, const GpuOptions& options,
                Observation& seen);
void add_topology(const Bus& bus, Features& features);

/// The labels of AMD's and Intel's own labellers, for rules. Where the options say that a vendor's labels are not ours
/// to make, those of NVIDIA's are removed as well.
void add_vendor_labels(const Host& host, const GpuOptions& options, const Bus& bus, Observation& seen);

/// Whether a Windows host gives this Linux an NVIDIA GPU.
void add_wsl_facts(const Host& host, Features& features);

/// Order of addresses on the bus.
void sort_by_address(std::vector<Gpu>& gpus);

}  // namespace nodescout::gpu
