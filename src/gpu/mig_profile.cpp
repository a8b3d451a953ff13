#include "gpu/mig_profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.h"

namespace nodescout {
namespace {

struct GpuProfile {
  int slices;
  const char* suffix;
};

/// By index, as nvmlDeviceGetGpuInstanceProfileInfo takes it.
constexpr GpuProfile kGpuProfiles[] = {
    {1, ""}, {2, ""},     {3, ""},     {4, ""},     {7, ""},    {8, ""},    {6, ""},        {1, ".me"},     {2, ".me"},
    {1, ""}, {1, ".gfx"}, {2, ".gfx"}, {4, ".gfx"}, {1, "-me"}, {2, "-me"}, {1, ".me.all"}, {2, ".me.all"}, {3, ".gfx"},
};

/// Slices by index of the compute profile.
constexpr int kComputeProfiles[] = {1, 2, 3, 4, 7, 8, 6, 1, 7};

/// The share of the GPU's memory in eighths, rounded up, times its whole gigabytes.
std::int64_t gigabytes(std::int64_t device_mib, std::int64_t gpu_bytes) {
  constexpr double kMib = 1u << 20;
  constexpr std::int64_t kGib = std::int64_t{1} << 30;
  const double fraction = std::ceil(static_cast<double>(device_mib) * kMib / static_cast<double>(gpu_bytes) * 8) / 8;
  const std::int64_t total = (gpu_bytes - 1) / kGib + 1;
  return std::llround(fraction * static_cast<double>(total));
}

}  // namespace

std::string mig_profile_name(std::int64_t gpu_profile, std::int64_t compute_profile, std::int64_t device_mib,
                             std::int64_t gpu_bytes) {
  constexpr std::int64_t kMostMib = 1 << 30;  // a petabyte: beyond it the numbers are junk, and would overflow
  if (gpu_profile < 0 || gpu_profile >= std::ssize(kGpuProfiles) || compute_profile < 0 ||
      compute_profile >= std::ssize(kComputeProfiles) || device_mib <= 0 || device_mib > kMostMib || gpu_bytes <= 0)
    return "";
  const GpuProfile& profile = kGpuProfiles[gpu_profile];
  const int compute_slices = kComputeProfiles[compute_profile];
  return (compute_slices == profile.slices ? "" : std::to_string(compute_slices) + "c.") +
         std::to_string(profile.slices) + "g." + std::to_string(gigabytes(device_mib, gpu_bytes)) + "gb" +
         profile.suffix;
}

std::string mig_profile_of_name(std::string_view device_name) {
  const std::size_t at = device_name.rfind(" MIG ");
  if (at == std::string_view::npos) return "";
  const std::string_view profile = device_name.substr(at + 5);
  const auto starts_with_number = [](std::string_view& text, std::string_view unit) {
    std::size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || !text.substr(digits).starts_with(unit)) return false;
    text.remove_prefix(digits + unit.size());
    return true;
  };
  std::string_view rest = profile;
  (void)starts_with_number(rest, "c.");
  if (!starts_with_number(rest, "g.") || !starts_with_number(rest, "gb")) return "";
  constexpr std::string_view kSuffixes[] = {"", "+me", "+gfx", "-me", "+me.all"};
  if (std::find(std::begin(kSuffixes), std::end(kSuffixes), rest) == std::end(kSuffixes)) return "";
  return replace_all(profile, "+", ".");
}

std::string mig_profile(const NvmlGpu& gpu, const NvmlMig& device) {
  std::string name;
  if (device.gpu_profile && device.compute_profile)
    name = mig_profile_name(*device.gpu_profile, *device.compute_profile, device.memory.value_or(0),
                            gpu.memory.value_or(0));
  return name.empty() ? mig_profile_of_name(device.name) : name;
}

}  // namespace nodescout
