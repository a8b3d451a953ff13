// MIG devices. NVML does not report their profile directly: the instance knows the id of its profile, and the GPU knows
// the id of each profile index, so the index is searched for; its number determines how many slices and which engines
// (mig_profile.h).
#include "host/nvml_scan.h"
#include "host/nvml_scan_parts.h"

namespace nodescout::nvml {
namespace {

/// This slot, this profile: not on this GPU.
bool is_no_such(Return code) { return code == kInvalidArgument || code == kNvmlNotSupported || code == kNotFound; }

/// Index of the profile whose id is `wanted`, by asking for each; empty if there is none.
template <class Info, class Ask>
Number profile_index(unsigned count, std::uint32_t wanted, const Ask& ask) {
  for (unsigned index = 0; index < count; ++index)
    if (Info info{}; ask(index, &info) == kSuccess && info.id == wanted) return index;
  return std::nullopt;
}

/// Both profiles of a MIG device, or a failure: without access to /proc/driver/nvidia/capabilities the driver says "no
/// permission".
void scan_profiles(const Api& api, Device gpu, Device device, NvmlMig& mig) {
  const Asking must{api, device, mig.failures, note_any};
  unsigned gpu_id = 0, compute_id = 0;
  if (!must(api.gpu_instance_id, &gpu_id) || !must(api.compute_instance_id, &compute_id)) return;
  const auto is_good = [&](const char* name, Return code) {
    if (code != kSuccess) note_any(api, mig.failures, name, code);
    return code == kSuccess;
  };
  GpuInstance gpu_instance = nullptr;
  ComputeInstance compute_instance = nullptr;
  GpuInstanceInfo gpu_info{};
  ComputeInstanceInfo compute_info{};
  if (!is_good(api.gpu_instance.name(), api.gpu_instance(gpu, gpu_id, &gpu_instance)) ||
      !is_good(api.compute_instance.name(), api.compute_instance(gpu_instance, compute_id, &compute_instance)) ||
      !is_good(api.gpu_instance_info.name(), api.gpu_instance_info(gpu_instance, &gpu_info)) ||
      !is_good(api.compute_instance_info.name(), api.compute_instance_info(compute_instance, &compute_info)))
    return;
  mig.gpu_profile = profile_index<GpuInstanceProfileInfo>(
      kGpuInstanceProfiles, gpu_info.profile_id,
      [&](unsigned index, GpuInstanceProfileInfo* info) { return api.gpu_profile(gpu, index, info); });
  mig.compute_profile = profile_index<ComputeInstanceProfileInfo>(
      kComputeInstanceProfiles, compute_info.profile_id, [&](unsigned index, ComputeInstanceProfileInfo* info) {
        constexpr unsigned kSharedEngines = 0;
        return api.compute_profile(gpu_instance, index, kSharedEngines, info);
      });
}

NvmlMig scan_mig(const Api& api, Device gpu, unsigned index, Device device) {
  NvmlMig mig;
  mig.index = index;
  const Asking must{api, device, mig.failures, note_any};
  mig.uuid = must.text<kUuidLength>(api.uuid);
  if (std::array<char, kNameLength> name{}; api.name(device, name.data(), kNameLength) == kSuccess)
    mig.name = text_of(name);
  if (DeviceAttributes attributes{}; must(api.attributes, &attributes)) {
    mig.multiprocessors = attributes.multiprocessors;
    mig.copy_engines = attributes.copy_engines;
    mig.decoders = attributes.decoders;
    mig.encoders = attributes.encoders;
    mig.jpeg_engines = attributes.jpeg_engines;
    mig.ofa_engines = attributes.ofa_engines;
    mig.gpu_slices = attributes.gpu_slices;
    mig.compute_slices = attributes.compute_slices;
    mig.memory = static_cast<std::int64_t>(attributes.memory);
  }
  scan_profiles(api, gpu, device, mig);
  return mig;
}

}  // namespace

void scan_migs(const Api& api, Device gpu, NvmlGpu& into) {
  unsigned count = 0;
  if (const Return code = api.most_migs(gpu, &count); code != kSuccess)
    return note_any(api, into.failures, api.most_migs.name(), code);
  constexpr unsigned kMostMigs = 64;
  for (unsigned index = 0; index < std::min(count, kMostMigs); ++index) {
    Device device = nullptr;
    const Return code = api.mig(gpu, index, &device);
    if (is_no_such(code)) continue;  // an empty slot
    if (code != kSuccess) {
      note_any(api, into.failures, api.mig.name(), code);
      if (code == kNvmlFunctionNotFound) return;  // nor is it there for the next one
      continue;
    }
    unsigned is_mig = 1;  // where the library lacks the function
    if (const Return checked = api.is_mig(device, &is_mig); checked != kSuccess && checked != kNvmlFunctionNotFound)
      note_any(api, into.failures, api.is_mig.name(), checked);
    else if (is_mig == 1)
      into.migs.push_back(scan_mig(api, gpu, index, device));
  }
}

}  // namespace nodescout::nvml
