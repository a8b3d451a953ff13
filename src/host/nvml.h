// What NVIDIA's management library (NVML) reports about a machine, as plain values.
//
// The library runs in a child process, because a call into a hung driver never returns and because an open library
// keeps the driver from being unloaded. The child's answer is JSON of exactly these fields; `nodescout record` keeps it
// as DIR/nvml.json, so that a machine with GPUs replays anywhere.
//
// A value that is empty does not exist on this GPU or in this driver ("not supported", or a symbol that the library
// lacks). Everything else that goes wrong is in `failures`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nodescout/result.h"

namespace nodescout {

/// Codes that the program handles specially.
inline constexpr int kNvmlNotSupported = 3;
inline constexpr int kNvmlNoPermission = 4;
inline constexpr int kNvmlDriverNotLoaded = 9;
inline constexpr int kNvmlFunctionNotFound = 13;
inline constexpr int kNvmlGpuIsLost = 15;
inline constexpr int kNvmlVersionMismatch = 18;

using Number = std::optional<std::int64_t>;

/// A call that did not succeed: "nvmlDeviceGetName", 15, "GPU is lost".
struct NvmlFailure {
  std::string call;
  int code = 0;
  std::string what;
};

struct NvmlFabric {
  Number state;         // 0 not supported, 1 not started, 2 in progress, 3 completed
  Number status;        // code of the registration
  std::string cluster;  // 8-4-4-4-12 in lower case; empty if all its bytes are zero
  Number clique;
  Number health_mask;     // two-bit fields; only where the driver knows version 2
  Number health_summary;  // 1 healthy, 2 unhealthy, 3 limited capacity; only where it knows version 3
};

/// Where the GPU sits in its rack.
struct NvmlPlatform {
  std::string chassis_serial;
  Number slot, tray, host, module;
};

struct NvmlLink {
  Number remote_type;  // 0 GPU, 1 processor, 2 switch
  std::string remote;  // bus id
};

struct NvmlMig {
  Number index;
  std::string name;  // "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
  std::string uuid;
  Number gpu_profile, compute_profile;  // indices; empty where the driver does not let this process ask
  Number multiprocessors, copy_engines, decoders, encoders, jpeg_engines, ofa_engines, gpu_slices, compute_slices;
  Number memory;  // MiB
  std::vector<NvmlFailure> failures;
};

struct NvmlGpu {
  std::string bus_id;  // as sysfs spells it: "0000:3b:00.0"; empty if the driver could not even report that
  std::string name, uuid, serial, board_part, vbios;
  Number memory;  // bytes
  Number compute_major, compute_minor;
  Number mig, mig_pending;  // 0 off, 1 on; empty on a GPU that has no such mode
  Number ecc, ecc_pending;
  Number remap_pending, remap_failed;  // of memory rows
  Number memory_node;                  // NUMA node of its own memory, on coherent systems
  Number addressing;                   // 0 none, 1 HMM, 2 ATS
  Number virtualization;               // 0 none, 1 pass-through, 2 vGPU, 3 host of vGPUs
  Number persistence, compute_mode;
  Number power_limit;  // mW
  Number module_id;
  std::optional<NvmlFabric> fabric;
  std::optional<NvmlPlatform> platform;
  Number nvlink_version;
  std::vector<NvmlLink> links;  // the active ones
  std::vector<NvmlMig> migs;
  std::vector<NvmlFailure> failures;
};

struct NvmlConfidential {
  Number environment;  // 0 unavailable, 1 simulation, 2 production
  Number feature;      // 1 on
  Number devtools;     // 1 on
};

struct NvmlReport {
  std::string backend;      // "nvml", or "cuda" on a Tegra
  std::string loaded_from;  // path of the library
  int init = 0;             // code of nvmlInit
  std::string driver_version, driver_branch;
  Number cuda_version;  // 13000
  Number gpu_count;     // as the driver counts, sick ones included
  std::optional<NvmlConfidential> confidential;
  std::vector<NvmlGpu> gpus;  // in the driver's order; each counted one has an entry once the report is complete
  std::vector<NvmlFailure> failures;
  bool complete = false;
  /// The query is under way, outside the caller's loop: nothing is known yet.
  bool is_awaited = false;
  /// Why it is not complete: absent (no library), unsupported (a recording cannot be queried), timeout, unavailable
  /// (the library brought the child down), malformed (what the child wrote is not valid).
  std::optional<Error> error;
};

struct NvmlRequest {
  bool tegra = false;       // libcuda.so.1 instead of libnvidia-ml.so.1
  std::string driver_root;  // as this process sees it; empty: search
  std::chrono::milliseconds deadline{15'000};
};

}  // namespace nodescout
