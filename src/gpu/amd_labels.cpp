#include "gpu/amd_labels.h"

#include <map>
#include <set>

#include "base/text.h"
#include "gpu/gfd_text.h"

namespace nodescout {
namespace {

constexpr std::size_t kLongestName = 63;

/// A single value is named; several only have their counts, so that none stands for the others.
class Counted {
 public:
  explicit Counted(std::string_view kind) : kind_(kind) {}

  void add(const std::string& value) {
    if (!value.empty() && legal_label_value(value) == value) ++counts_[value];
  }

  void put(Attributes& into) const {
    const std::string name = "gpu." + kind_;
    for (const auto& [value, count] : counts_) {
      const std::string counted = name + "." + value;
      if (counts_.size() == 1) {
        into["amd.com/" + name] = value;
        into["beta.amd.com/" + name] = value;
      }
      if (counted.size() > kLongestName) continue;
      if (counts_.size() > 1) into["amd.com/" + counted] = std::to_string(count);
      into["beta.amd.com/" + counted] = std::to_string(count);
    }
  }

 private:
  std::string kind_;
  std::map<std::string, std::size_t> counts_;
};

/// GiB of whole MiB, rounded to the nearest.
std::string vram_text(std::int64_t bytes) {
  const std::int64_t mebibytes = bytes / (1 << 20);
  return std::to_string((mebibytes + 512) / 1024) + "G";
}

std::string product_text(const std::string& product) {
  std::string text = replace_all(replace_all(product, " ", "_"), "/", "_");
  return replace_all(replace_all(text, "(", ""), ")", "");
}

}  // namespace

Attributes amd_labels(const AmdLabelInput& input) {
  Attributes labels;
  if (input.gpus.empty()) return labels;
  Counted family("family"), device("device-id"), product("product-name");
  Counted vram("vram"), simds("simd-count"), units("cu-count");
  std::set<std::string> partitions;
  for (const AmdLabelInput::Gpu& gpu : input.gpus) {
    family.add(gpu.family);
    device.add(gpu.device_id);
    product.add(product_text(gpu.product));
    if (!gpu.compute_partition.empty() && !gpu.memory_partition.empty())
      partitions.insert(lower_ascii(gpu.compute_partition) + "_" + lower_ascii(gpu.memory_partition));
  }
  for (const AmdLabelInput::Device& each : input.devices) {
    if (each.vram) vram.add(vram_text(*each.vram));
    simds.add(std::to_string(each.simds));
    if (each.simds_per_cu > 0) units.add(std::to_string(each.simds / each.simds_per_cu));
  }
  for (const Counted* kind : {&family, &device, &product, &vram, &simds, &units}) kind->put(labels);
  if (input.driver_version) labels["amd.com/gpu.driver-version"] = legal_label_value(*input.driver_version);
  if (input.driver_src_version) labels["amd.com/gpu.driver-src-version"] = legal_label_value(*input.driver_src_version);
  if (partitions.size() == 1 && legal_label_value(*partitions.begin()) == *partitions.begin())
    labels["amd.com/gpu.compute-memory-partition"] = *partitions.begin();
  const AmdLabelInput::Gpu& first = input.gpus.front();
  labels["amd.com/gpu.compute-partitioning-supported"] = first.has_compute_partitions ? "true" : "false";
  labels["amd.com/gpu.memory-partitioning-supported"] = first.has_memory_partitions ? "true" : "false";
  return labels;
}

}  // namespace nodescout
