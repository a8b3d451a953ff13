// The part of NVML's binary interface that is used here, declared by hand: prototypes and layouts are facts of the
// library on 64-bit Linux, checked below. Every symbol is looked up separately, because drivers of ten years are in
// use and none of them has all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "host/nvml.h"
#include "system/shared_library.h"

namespace nodescout::nvml {

using Return = std::int32_t;
inline constexpr Return kSuccess = 0;
inline constexpr Return kInvalidArgument = 2;
inline constexpr Return kNotFound = 6;
inline constexpr Return kArgumentVersionMismatch = 25;

using Device = struct DeviceObject*;
using GpuInstance = struct GpuInstanceObject*;
using ComputeInstance = struct ComputeInstanceObject*;

inline constexpr unsigned kDriverVersionLength = 80;
inline constexpr unsigned kNameLength = 96;
inline constexpr unsigned kUuidLength = 96;
inline constexpr unsigned kSerialLength = 30;
inline constexpr unsigned kBoardPartLength = 80;
inline constexpr unsigned kVbiosLength = 32;
inline constexpr unsigned kMostLinks = 36;
inline constexpr unsigned kGpuInstanceProfiles = 18;
inline constexpr unsigned kComputeInstanceProfiles = 9;

struct PciInfo {
  char legacy_bus_id[16];
  std::uint32_t domain, bus, device, ids, subsystem_ids;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, domain) == 16 && offsetof(PciInfo, ids) == 28 &&
              offsetof(PciInfo, bus_id) == 36);

struct Memory {
  std::uint64_t total, free, used;
};
static_assert(sizeof(Memory) == 24);

struct DeviceAttributes {
  std::uint32_t multiprocessors, copy_engines, decoders, encoders, jpeg_engines, ofa_engines, gpu_slices,
      compute_slices;
  std::uint64_t memory;  // MiB
};
static_assert(sizeof(DeviceAttributes) == 40 && offsetof(DeviceAttributes, compute_slices) == 28 &&
              offsetof(DeviceAttributes, memory) == 32);

struct GpuInstanceInfo {
  Device device;
  std::uint32_t id, profile_id, start, size;
};
static_assert(sizeof(GpuInstanceInfo) == 24 && offsetof(GpuInstanceInfo, profile_id) == 12);

struct ComputeInstanceInfo {
  Device device;
  GpuInstance gpu_instance;
  std::uint32_t id, profile_id, start, size;
};
static_assert(sizeof(ComputeInstanceInfo) == 32 && offsetof(ComputeInstanceInfo, profile_id) == 20);

struct GpuInstanceProfileInfo {
  std::uint32_t id, others[9];
  std::uint64_t memory;  // MiB
};
static_assert(sizeof(GpuInstanceProfileInfo) == 48 && offsetof(GpuInstanceProfileInfo, memory) == 40);

struct ComputeInstanceProfileInfo {
  std::uint32_t id, others[8];
};
static_assert(sizeof(ComputeInstanceProfileInfo) == 36);

struct FabricInfo {
  unsigned char cluster[16];
  std::uint32_t status, clique;
  unsigned char state;
};
static_assert(sizeof(FabricInfo) == 28 && offsetof(FabricInfo, clique) == 20 && offsetof(FabricInfo, state) == 24);

/// Version 3; version 2 is the same without the last field.
struct FabricInfoV {
  std::uint32_t version;
  unsigned char cluster[16];
  std::uint32_t status, clique;
  unsigned char state;
  std::uint32_t health_mask;
  unsigned char health_summary;
};
inline constexpr std::uint32_t kFabricInfoV2 = 0x02000024;
inline constexpr std::uint32_t kFabricInfoV3 = 0x03000028;
static_assert(sizeof(FabricInfoV) == 40 && offsetof(FabricInfoV, status) == 20 && offsetof(FabricInfoV, state) == 28 &&
              offsetof(FabricInfoV, health_mask) == 32 && offsetof(FabricInfoV, health_summary) == 36);
static_assert((kFabricInfoV3 & 0xFFFFFF) == sizeof(FabricInfoV) && (kFabricInfoV2 & 0xFFFFFF) == 36);

struct DriverBranch {
  std::uint32_t version = 0x01000054;
  char text[80];
};
static_assert(sizeof(DriverBranch) == 84);

struct AddressingMode {
  std::uint32_t version = 0x01000008;
  std::uint32_t value;
};
static_assert(sizeof(AddressingMode) == 8);

struct PlatformInfo {
  std::uint32_t version = 0x0200002c;
  unsigned char ib_guid[16];
  char chassis_serial[16];
  unsigned char slot, tray, host, peer_type, module;
};
static_assert(sizeof(PlatformInfo) == 44 && offsetof(PlatformInfo, chassis_serial) == 20 &&
              offsetof(PlatformInfo, slot) == 36 && offsetof(PlatformInfo, module) == 40);

struct ConfComputeState {
  std::uint32_t environment, feature, devtools;
};
static_assert(sizeof(ConfComputeState) == 12);

/// A function that the library may lack. Calling a missing one returns what the library itself would.
template <class... P>
class Function {
 public:
  /// The first of these symbols that the library has.
  template <class... Names>
  explicit Function(const SharedLibrary& library, const char* name, Names... fallbacks) : name_(name) {
    for (const char* each : {name, fallbacks...})
      if (!address_ && (address_ = reinterpret_cast<Return (*)(P...)>(library.symbol(each)))) name_ = each;
  }
  Return operator()(P... arguments) const { return address_ ? address_(arguments...) : kNvmlFunctionNotFound; }
  const char* name() const { return name_; }
  explicit operator bool() const { return address_ != nullptr; }

 private:
  const char* name_;
  Return (*address_)(P...) = nullptr;
};

struct Api {
  explicit Api(const SharedLibrary& library) : from(library) {}

  const SharedLibrary& from;
  Function<> init{from, "nvmlInit_v2", "nvmlInit"};
  Function<> shutdown{from, "nvmlShutdown"};
  Function<char*, unsigned> driver_version{from, "nvmlSystemGetDriverVersion"};
  Function<DriverBranch*, unsigned> driver_branch{from, "nvmlSystemGetDriverBranch"};
  Function<int*> cuda_version{from, "nvmlSystemGetCudaDriverVersion"};
  Function<ConfComputeState*> conf_compute{from, "nvmlSystemGetConfComputeState"};
  Function<unsigned*> count{from, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"};
  Function<unsigned, Device*> handle{from, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"};

  Function<Device, char*, unsigned> name{from, "nvmlDeviceGetName"};
  Function<Device, char*, unsigned> uuid{from, "nvmlDeviceGetUUID"};
  Function<Device, char*, unsigned> serial{from, "nvmlDeviceGetSerial"};
  Function<Device, char*, unsigned> board_part{from, "nvmlDeviceGetBoardPartNumber"};
  Function<Device, char*, unsigned> vbios{from, "nvmlDeviceGetVbiosVersion"};
  /// The two older ones fill a shorter structure that ends before bus_id.
  Function<Device, PciInfo*> pci{from, "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"};
  Function<Device, Memory*> memory{from, "nvmlDeviceGetMemoryInfo"};
  Function<Device, int*, int*> compute_capability{from, "nvmlDeviceGetCudaComputeCapability"};
  Function<Device, unsigned*, unsigned*> mig_mode{from, "nvmlDeviceGetMigMode"};
  Function<Device, unsigned*, unsigned*> ecc_mode{from, "nvmlDeviceGetEccMode"};
  Function<Device, unsigned*, unsigned*, unsigned*, unsigned*> remapped_rows{from, "nvmlDeviceGetRemappedRows"};
  Function<Device, unsigned*> memory_node{from, "nvmlDeviceGetNumaNodeId"};
  Function<Device, AddressingMode*> addressing{from, "nvmlDeviceGetAddressingMode"};
  Function<Device, unsigned*> virtualization{from, "nvmlDeviceGetVirtualizationMode"};
  Function<Device, unsigned*> persistence{from, "nvmlDeviceGetPersistenceMode"};
  Function<Device, unsigned*> compute_mode{from, "nvmlDeviceGetComputeMode"};
  Function<Device, unsigned*> power_limit{from, "nvmlDeviceGetPowerManagementLimit"};
  Function<Device, unsigned*> module_id{from, "nvmlDeviceGetModuleId"};
  Function<Device, PlatformInfo*> platform{from, "nvmlDeviceGetPlatformInfo"};
  Function<Device, FabricInfoV*> fabric_v{from, "nvmlDeviceGetGpuFabricInfoV"};
  Function<Device, FabricInfo*> fabric{from, "nvmlDeviceGetGpuFabricInfo"};
  Function<Device, unsigned, unsigned*> link_state{from, "nvmlDeviceGetNvLinkState"};
  Function<Device, unsigned, unsigned*> link_version{from, "nvmlDeviceGetNvLinkVersion"};
  Function<Device, unsigned, unsigned*> link_remote_type{from, "nvmlDeviceGetNvLinkRemoteDeviceType"};
  Function<Device, unsigned, PciInfo*> link_remote{from, "nvmlDeviceGetNvLinkRemotePciInfo_v2"};

  Function<Device, unsigned*> most_migs{from, "nvmlDeviceGetMaxMigDeviceCount"};
  Function<Device, unsigned, Device*> mig{from, "nvmlDeviceGetMigDeviceHandleByIndex"};
  Function<Device, unsigned*> is_mig{from, "nvmlDeviceIsMigDeviceHandle"};
  Function<Device, DeviceAttributes*> attributes{from, "nvmlDeviceGetAttributes_v2"};
  Function<Device, unsigned*> gpu_instance_id{from, "nvmlDeviceGetGpuInstanceId"};
  Function<Device, unsigned*> compute_instance_id{from, "nvmlDeviceGetComputeInstanceId"};
  Function<Device, unsigned, GpuInstance*> gpu_instance{from, "nvmlDeviceGetGpuInstanceById"};
  Function<GpuInstance, unsigned, ComputeInstance*> compute_instance{from, "nvmlGpuInstanceGetComputeInstanceById"};
  Function<GpuInstance, GpuInstanceInfo*> gpu_instance_info{from, "nvmlGpuInstanceGetInfo"};
  Function<ComputeInstance, ComputeInstanceInfo*> compute_instance_info{from, "nvmlComputeInstanceGetInfo_v2"};
  Function<Device, unsigned, GpuInstanceProfileInfo*> gpu_profile{from, "nvmlDeviceGetGpuInstanceProfileInfo"};
  Function<GpuInstance, unsigned, unsigned, ComputeInstanceProfileInfo*> compute_profile{
      from, "nvmlGpuInstanceGetComputeInstanceProfileInfo"};

  /// The library's own words for a code.
  std::string words(Return code) const {
    const auto text = reinterpret_cast<const char* (*)(Return)>(from.symbol("nvmlErrorString"));
    const char* words = text ? text(code) : nullptr;
    constexpr std::size_t kLongest = 200;
    return words ? std::string(words, ::strnlen(words, kLongest)) : "code " + std::to_string(code);
  }
};

}  // namespace nodescout::nvml
