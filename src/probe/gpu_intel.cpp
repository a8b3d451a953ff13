#include <algorithm>

#include "probe/gpu_parts.h"

namespace nodescout::gpu {

namespace {

class MemoryOf {
 public:
  MemoryOf(Reading& reading, std::string device) : reading_(reading), device_(std::move(device)) {}

  IntelMemory of_xe() {
    each(device_, "tile", [&](const std::string& tile) {
      ++found_.tiles;
      found_.bytes += bytes_in(tile + "/physical_vram_size_bytes");
    });
    return found_;
  }

  IntelMemory of_i915() {
    each(device_ + "/drm", "card", [&](const std::string& card) {
      std::size_t gts = 0;
      each(card + "/gt", "gt", [&](const std::string& gt) {
        ++gts;
        found_.bytes += bytes_in(gt + "/addr_range");
      });
      if (found_.bytes == 0) found_.bytes = bytes_in(card + "/lmem_total_bytes") * std::max<std::size_t>(gts, 1);
      if (found_.bytes > 0) found_.tiles = gts;  // of an integrated GPU they are engines
    });
    return found_;
  }

 private:
  std::uint64_t bytes_in(const std::string& file) {
    const auto text = reading_.text(file);
    if (!text) return 0;
    const auto count = text->starts_with("0x") ? parse_hex(std::string_view(*text).substr(2))
                                               : std::optional<std::uint64_t>(parse_int(*text).value_or(0));
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
    return count && *count < kMost ? *count : 0;
  }

  template <class Visit>
  void each(const std::string& directory, std::string_view prefix, const Visit& visit) {
    if (const auto names = reading_.list(directory))
      for (const std::string& name : *names)
        if (name.starts_with(prefix)) visit(directory + "/" + name);
  }

  Reading& reading_;
  std::string device_;
  IntelMemory found_;
};

}  // namespace

IntelMemory intel_memory(Reading& reading, const std::string& device, std::string_view driver) {
  MemoryOf memory(reading, device);
  return driver == "xe" ? memory.of_xe() : memory.of_i915();
}

void observe_intel(const Host& host, Observation& seen, const std::vector<Gpu*>& gpus) {
  for (Gpu* gpu : gpus) {
    Reading reading(host, seen, "gpu.device");
    const IntelMemory memory = intel_memory(reading, "/sys/bus/pci/devices/" + gpu->address, gpu->driver);
    constexpr std::uint64_t kMib = 1 << 20;
    if (memory.bytes >= kMib) gpu->memory = static_cast<std::int64_t>(memory.bytes / kMib);
    if (memory.tiles > 0) gpu->attributes["tiles"] = std::to_string(memory.tiles);
  }
}

}  // namespace nodescout::gpu
