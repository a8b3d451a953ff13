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
    if (auto mode = reading.text(file); mode && !mode->empty() && *mode != "UNKNOWN")
      gpu.attributes[name] = *std::move(mode);
}

/// i915 tells the size of its memory beside the card, or for each tile; xe for each tile.
void add_intel(const Host& host, Reading& reading, const std::string& device, Gpu& gpu) {
  std::int64_t bytes = 0;
  std::size_t tiles = 0;
  const auto add = [&](const std::optional<std::string>& text) {
    if (!text) return;
    const auto count = text->starts_with("0x") ? parse_hex(std::string_view(*text).substr(2))
                                               : std::optional<std::uint64_t>(parse_int(*text).value_or(0));
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
    if (count && *count < kMost) bytes += static_cast<std::int64_t>(*count);
  };
  if (const auto names = host.files().list(device))
    for (const std::string& name : *names)
      if (name.starts_with("tile")) {
        ++tiles;
        add(reading.text(name + "/physical_vram_size_bytes"));
      }
  const auto cards = host.files().list(device + "/drm");
  if (cards)
    for (const std::string& card : *cards) {
      if (!card.starts_with("card")) continue;
      const std::string directory = device + "/drm/" + card;
      if (bytes == 0) add(reading.text(directory + "/lmem_total_bytes"));
      if (bytes == 0) add(reading.text(directory + "/prelim_lmem_total_bytes"));
      const auto gts = host.files().list(directory + "/gt");
      if (!gts) continue;
      const bool unknown = bytes == 0;
      std::size_t count = 0;
      for (const std::string& gt : *gts) {
        if (!gt.starts_with("gt")) continue;
        ++count;
        if (unknown) add(reading.text(directory + "/gt/" + gt + "/addr_range"));
      }
      if (tiles == 0) tiles = count;
    }
  if (bytes >= kMib) gpu.memory = bytes / kMib;
  if (tiles > 0) gpu.attributes["tiles"] = std::to_string(tiles);
}

}  // namespace

void add_drm_facts(const Host& host, Observation& seen, Gpu& gpu) {
  Reading reading(host, seen, "gpu.device");
  const std::string device = "/sys/bus/pci/devices/" + gpu.address;
  reading.enter(device);
  if (gpu.vendor == GpuVendor::amd && gpu.driver == "amdgpu") add_amdgpu(reading, gpu);
  if (gpu.vendor == GpuVendor::intel && (gpu.driver == "i915" || gpu.driver == "xe"))
    add_intel(host, reading, device, gpu);
}

}  // namespace nodescout::gpu
