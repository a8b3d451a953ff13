#include "probe/gpu_parts.h"

namespace nodescout::gpu {

namespace {

/// xe tells the memory of each tile. The kernel's i915 tells none; Intel's own builds of it tell the card's, and where
/// a GPU may have several tiles each one's. (Sources: xe_tile_sysfs.c of the kernel; i915_sysfs.c and intel_gt_sysfs.c
/// of github.com/intel-gpu/intel-gpu-i915-backports.)
void observe_one(const Host& host, Observation& seen, const std::string& device, Gpu& gpu) {
  Reading reading(host, seen, "gpu.device");
  std::uint64_t bytes = 0;
  std::size_t tiles = 0;
  const auto add = [&](const std::string& file) {
    const auto text = reading.text(file);
    if (!text) return;
    const auto count = text->starts_with("0x") ? parse_hex(std::string_view(*text).substr(2))
                                               : std::optional<std::uint64_t>(parse_int(*text).value_or(0));
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
    if (count && *count < kMost) bytes += *count;
  };
  const auto each = [&](const std::string& directory, const char* prefix, const auto& visit) {
    if (const auto names = reading.list(directory))
      for (const std::string& name : *names)
        if (name.starts_with(prefix)) visit(directory + "/" + name);
  };
  if (gpu.driver == "xe") {
    each(device, "tile", [&](const std::string& tile) {
      ++tiles;
      add(tile + "/physical_vram_size_bytes");
    });
  } else {
    each(device + "/drm", "card", [&](const std::string& card) {
      std::size_t gts = 0;
      each(card + "/gt", "gt", [&](const std::string& gt) {
        ++gts;
        add(gt + "/addr_range");
      });
      if (bytes == 0) add(card + "/lmem_total_bytes");
      if (bytes > 0) tiles = gts;  // of an integrated GPU they are engines
    });
  }
  constexpr std::uint64_t kMib = 1 << 20;
  if (bytes >= kMib) gpu.memory = static_cast<std::int64_t>(bytes / kMib);
  if (tiles > 0) gpu.attributes["tiles"] = std::to_string(tiles);
}

}  // namespace

void observe_intel(const Host& host, Observation& seen, const std::vector<Gpu*>& gpus) {
  for (Gpu* gpu : gpus) observe_one(host, seen, "/sys/bus/pci/devices/" + gpu->address, *gpu);
}

}  // namespace nodescout::gpu
