#include "cli/gpu_rows.h"

#include <algorithm>

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

/// "32.0 GT/s x16", "32.0 GT/s x8 of 16", "32.0 GT/s x16, slow slot"
std::string link(const Attributes& device) {
  std::string text = value_in(device, "max_link_speed");
  if (!text.empty()) text += " GT/s";
  const std::string width = value_in(device, "link_width");
  if (!width.empty()) text += (text.empty() ? "x" : " x") + width;
  const std::string limit = value_in(device, "link_limit");
  if (limit.find("width") != std::string::npos) text += " of " + value_in(device, "max_link_width");
  if (limit.find("speed") != std::string::npos) text += ", slow slot";
  return text;
}

std::vector<std::string> row(const Attributes& device, const Instances& migs) {
  std::string model = value_in(device, "product");
  if (model.empty()) model = value_in(device, "model");
  const std::string mib = value_in(device, "memory");
  const std::string gb = value_in(device, "memory_gb");
  std::string driver = value_in(device, "driver");
  if (const std::string health = value_in(device, "health"); health != "ok")
    driver += (driver.empty() ? "" : " ") + health;
  std::string nic = value_in(device, "nic");
  if (!nic.empty()) nic += " " + value_in(device, "nic_distance");
  return {value_in(device, "address"),   model,  !mib.empty() ? mib + " MiB" : gb.empty() ? "" : gb + " GB",
          partitions(device, migs),      driver, link(device),
          value_in(device, "numa_node"), nic};
}

}  // namespace

std::vector<std::vector<std::string>> gpu_rows(const Features& features) {
  std::vector<std::vector<std::string>> rows{{"address", "model", "memory", "MIG", "driver", "PCIe", "NUMA", "NIC"}};
  for (const Attributes& device : instances_of(features, "gpu.device"))
    rows.push_back(row(device, instances_of(features, "gpu.mig")));
  for (auto& cells : rows)
    for (std::string& cell : cells)
      if (cell.empty()) cell = "-";
  return rows;
}

}  // namespace nodescout::cli
