// What a PCI device id says about a GPU before any driver is there.
//
// The table holds facts that help to choose a node: NVIDIA's data-center, workstation, desktop and laptop GPUs (laptops
// since Pascal), AMD's and Intel's, those in processors included. Its names ("h100-sxm5-80gb") are our own, in lower
// case, so that they are not taken for what a driver calls the GPU ("NVIDIA-H100-80GB-HBM3"). pci_table/make.py makes
// it from pci.ids: docs/hacking.md.
#pragma once

#include <string>
#include <string_view>

namespace nodescout {

struct GpuModel {
  std::string_view name;         // "h100-sxm5-80gb"; of a virtual function "mi300x-vf"; empty for an unnamed sample
  std::string_view family;       // "hopper", "cdna3", "xe-hpc"
  std::string_view memory;       // "80" (GB, as it is sold); empty where one id has several sizes, or none of its own
  std::string_view form_factor;  // "sxm", "pcie", "oam", "mxm", "superchip", "soc" (in a processor), "display" (a board
                                 // that only drives the screen, beside the GPUs); empty if unknown
  std::string_view driver_family;  // AMD's alone, as amdgpu reports it: "AI", "NV", "GC_11_0_0"
  std::string_view maker_name;  // NVIDIA's as in pci.ids, "GH100 [H100 SXM5 80GB]"; AMD's as in libdrm, "AMD Instinct
                                // MI300X"; empty if unknown
};

/// All in hexadecimal digits, lower case, no 0x.
struct PciIds {
  std::string_view vendor;     // "10de"
  std::string_view device;     // "25b6"
  std::string_view subsystem;  // vendor and device: "10de14a9"; empty if unknown
  std::string_view revision;   // "c0"; empty if unknown
};

/// Empty texts if the table does not have the device. Where one device id is several products, the subsystem or the
/// revision shows which; without them the name holds them all ("a2-a16"), or is the chip's ("navi-33").
GpuModel gpu_model(const PciIds& ids);

/// A name like those of the table, of what a driver calls the GPU: "AMD Radeon RX 7900 XTX" -> "rx-7900-xtx".
std::string model_of_product(std::string_view product);

}  // namespace nodescout
