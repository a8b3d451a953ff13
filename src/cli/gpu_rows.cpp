#include "cli/gpu_rows.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "probe/gpu_vendors.h"

namespace nodescout::cli {
namespace {

const Instances& instances_of(const Features& features, std::string_view set) {
  static const Instances kNone;
  const auto at = features.instances.find(set);
  return at == features.instances.end() ? kNone : at->second;
}

std::string value_in(const Attributes& attributes, std::string_view name) {
  const auto at = attributes.find(name);
  return at == attributes.end() ? "" : at->second;
}

/// "7 parts" for a GPU in MIG mode, "off", or the compute partition of an AMD GPU.
std::string partitions(const Attributes& device, const Instances& migs) {
  const std::string mig = value_in(device, "mig");
  if (mig.empty()) return value_in(device, "compute_partition");
  if (mig != "on") return mig;
  const auto parts = std::count_if(migs.begin(), migs.end(), [&](const Attributes& each) {
    return value_in(each, "parent") == value_in(device, "address");
  });
  return std::to_string(parts) + (parts == 1 ? " part" : " parts");
}

/// "gen5 x16", "gen5 x8/16", "gen5 x16 slow" (the slot): what the GPU can do, and what keeps it from it.
std::string link(const Attributes& device) {
  constexpr std::pair<std::string_view, std::string_view> kGenerations[] = {
      {"2.5", "gen1"}, {"5.0", "gen2"}, {"8.0", "gen3"}, {"16.0", "gen4"}, {"32.0", "gen5"}, {"64.0", "gen6"}};
  std::string text = value_in(device, "max_link_speed");
  for (const auto& [speed, generation] : kGenerations)
    if (text == speed) text = generation;
  const std::string width = value_in(device, "link_width");
  if (!width.empty()) text += (text.empty() ? "x" : " x") + width;
  const std::string limit = value_in(device, "link_limit");
  if (limit.find("width") != std::string::npos) text += "/" + value_in(device, "max_link_width");
  if (limit.find("speed") != std::string::npos) text += " slow";
  return text;
}

/// 81559 MiB -> "79.6 GiB"
std::string memory(const Attributes& device) {
  const auto mib = parse_int(value_in(device, "memory"));
  const std::string gb = value_in(device, "memory_gb");
  if (!mib || *mib < 0) return gb.empty() ? "" : gb + " GB";
  const std::int64_t tenths = *mib / 1024 * 10 + (*mib % 1024 * 10 + 512) / 1024;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " GiB";
}

std::vector<std::string> row(const Attributes& device, const Instances& migs) {
  std::string model = value_in(device, "product");
  if (model.empty()) model = value_in(device, "model");
  for (const gpu::GpuVendor& vendor : gpu::kVendors)
    if (const std::string maker = std::string(vendor.people) + " "; model.starts_with(maker))
      model.erase(0, maker.size());
  std::string driver = value_in(device, "driver");
  if (const std::string health = value_in(device, "health"); health != "ok")
    driver += (driver.empty() ? "" : " ") + health;
  std::string nic = value_in(device, "nic");
  if (!nic.empty()) nic += " " + value_in(device, "nic_distance");
  return {value_in(device, "address"),   model, memory(device), partitions(device, migs), driver, link(device),
          value_in(device, "numa_node"), nic};
}

}  // namespace

std::vector<std::vector<std::string>> gpu_rows(const Features& features) {
  std::vector<std::vector<std::string>> rows{{"address", "model", "memory", "MIG", "driver", "PCIe", "NUMA", "NIC"}};
  for (const Attributes& device : instances_of(features, "gpu.device"))
    rows.push_back(row(device, instances_of(features, "gpu.mig")));
  // Few machines have more than one PCI domain.
  constexpr std::string_view kDomain = "0000:";
  if (std::all_of(rows.begin() + 1, rows.end(), [&](const auto& cells) { return cells[0].starts_with(kDomain); }))
    std::for_each(rows.begin() + 1, rows.end(), [&](auto& cells) { cells[0].erase(0, kDomain.size()); });
  for (std::size_t i = rows[0].size(); i-- > 0;) {
    if (std::all_of(rows.begin() + 1, rows.end(), [&](const auto& cells) { return cells[i].empty(); })) {
      for (auto& cells : rows) cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    for (auto& cells : rows)
      if (cells[i].empty()) cells[i] = "-";
  }
  return rows;
}

}  // namespace nodescout::cli
