#include "gpu/gfd_text.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr std::int64_t kMib = 1 << 20;

std::optional<std::int64_t> mebibytes(const std::optional<std::string>& bytes) {
  const auto count = bytes ? parse_int(*bytes) : std::nullopt;
  return count && *count >= kMib ? std::optional<std::int64_t>(*count / kMib) : std::nullopt;
}

/// amdgpu puts its facts beside the device's own.
void add_amdgpu(Reading& reading, Gpu& gpu) {
  gpu.memory = mebibytes(reading.text("mem_info_vram_total"));
  if (auto name = reading.text("product_name")) gpu.product = *std::move(name);
  if (auto id = reading.text("unique_id"); id && !id->empty()) gpu.attributes["device_uuid"] = *std::move(id);
  // SPX, DPX, QPX, CPX: how many devices one GPU shows itself as; NPS1 ... NPS8: how its memory is divided.
  for (const auto& [name, file] :
       {std::pair{"compute_partition", "current_compute_partition"}, {"memory_partition", "current_memory_partition"}})
    if (auto mode = reading.text(file); mode && !mode->empty() && *mode != "UNKNOWN") {
      if (legal_label_value(*mode) == *mode)
        gpu.attributes[name] = *std::move(mode);
      else
        reading.note(
            {Errc::malformed, "/sys/bus/pci/devices/" + gpu.address + "/" + file, quote(*mode) + " is no mode"});
    }
}

/// xe tells the memory of each tile. The kernel's i915 tells none; Intel's own builds of it tell the card's, and where
/// a GPU may have several tiles each one's. (Sources: xe_tile_sysfs.c of the kernel; i915_sysfs.c and intel_gt_sysfs.c
/// of github.com/intel-gpu/intel-gpu-i915-backports.)
void add_intel(Reading& reading, const std::string& device, Gpu& gpu) {
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
  constexpr std::uint64_t kBytes = kMib;
  if (bytes >= kBytes) gpu.memory = static_cast<std::int64_t>(bytes / kBytes);
  if (tiles > 0) gpu.attributes["tiles"] = std::to_string(tiles);
}

}  // namespace

void add_drm_facts(const Host& host, Observation& seen, Gpu& gpu) {
  const std::size_t problems_before = seen.problems.size();
  Reading reading(host, seen, "gpu.device");
  const std::string device = "/sys/bus/pci/devices/" + gpu.address;
  reading.enter(device);
  if (gpu.vendor == GpuVendor::amd && gpu.driver == "amdgpu") add_amdgpu(reading, gpu);
  if (gpu.vendor == GpuVendor::intel && (gpu.driver == "i915" || gpu.driver == "xe")) add_intel(reading, device, gpu);
  if (seen.problems.size() == problems_before) return;
  seen.incomplete.emplace("gpu." + std::string(name_of(gpu.vendor)));
  seen.incomplete.emplace("gpu.model");
}

}  // namespace nodescout::gpu
