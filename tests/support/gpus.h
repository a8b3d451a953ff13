// Machines with GPUs for tests: what their bus shows, and what a driver would say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/nvml.h"
#include "nodescout/features.h"
#include "nodescout/gpu.h"
#include "nodescout/probes.h"
#include "support/temp_host.h"

namespace nodescout::test {

// ---- what the driver says
// ---------------------------------------------------------------------------------------------

/// Driver 580.65.06 with CUDA 13.0, complete, without any GPU.
NvmlReport driver_report(std::vector<NvmlGpu> gpus = {});

NvmlGpu h100(const std::string& bus_id);
NvmlGpu h200(const std::string& bus_id);
NvmlGpu a100(const std::string& bus_id);
NvmlGpu t4(const std::string& bus_id);
NvmlGpu l40s(const std::string& bus_id);
NvmlGpu gb200(const std::string& bus_id, const std::string& cluster, std::int64_t clique);
NvmlGpu gb10(const std::string& bus_id);

/// 1g.5gb of an A100 with 40 GB.
NvmlMig mig_1g5gb(std::int64_t index);
/// Any profile, by its two indices and its memory.
NvmlMig mig_device(std::int64_t index, std::int64_t gpu_profile, std::int64_t compute_profile, std::int64_t memory);

/// In MIG mode, with these devices.
NvmlGpu in_mig_mode(NvmlGpu gpu, std::vector<NvmlMig> migs);

// ---- what the bus shows
// -----------------------------------------------------------------------------------------------

struct BusFunction {
  std::string address;  // "0000:3b:00.0"
  std::string vendor = "0x10de";
  std::string device = "0x2330";
  std::string pci_class = "0x030200";
  std::string driver = "nvidia";      // empty: none
  std::string parent = "pci0000:00";  // below /sys/devices: "pci0000:17/0000:17:01.0"
  int numa_node = -1;
};

/// The function below its parent, with its link in /sys/bus/pci/devices.
void add_function(TempHost& host, const BusFunction& function);
/// An RDMA device of that name, on a function that is added as well.
void add_nic(TempHost& host, const std::string& name, BusFunction function);
/// NVIDIA's kernel driver is loaded.
void load_nvidia_driver(TempHost& host);
/// What the driver says, as a recording keeps it.
void record_answer(TempHost& host, const NvmlReport& report);

/// The GPU probe alone.
Observation look_at_gpus(const Host& host, const GpuOptions& options = {});

/// Labels below this prefix ("nvidia.com/") that the shipped rules make of these features; the prefix is cut off.
Attributes labels_below(const Features& features, const std::string& prefix);
Attributes annotations_of(const Features& features);

}  // namespace nodescout::test
