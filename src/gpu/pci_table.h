// What a PCI device id says about a GPU before any driver is there.
//
// The table holds facts that are of use for choosing a node: NVIDIA's data-center, workstation and desktop GPUs since
// Kepler, AMD's since Vega, Intel's discrete ones. Its names ("h100-sxm5-80gb") are of our own making, in lower case,
// so that nobody takes them for what a driver would call the GPU ("NVIDIA-H100-80GB-HBM3").
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

struct GpuModel {
  std::string_view name;         // "h100-sxm5-80gb"; of a virtual function "mi300x-vf"
  std::string_view family;       // "hopper", "cdna3", "xe-hpc"
  std::string_view memory;       // "80" (GB, as it is sold); empty where one id has several sizes, or none of its own
  std::string_view form_factor;  // "sxm", "pcie", "oam", "mxm", "superchip", "soc"; empty if unknown
  std::string_view pci_name;     // as pci.ids has it, NVIDIA's alone: "GH100 [H100 SXM5 80GB]"
};

/// Both are four hex digits in lower case. Empty texts if the table does not have it.
GpuModel gpu_model(std::string_view pci_vendor, std::string_view device);

}  // namespace nodescout
