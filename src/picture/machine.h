// A machine as it is drawn: NUMA nodes, the PCIe switches that are known, and GPUs, NICs and NVMe below them.
#pragma once

#include <string>
#include <vector>

#include "nodescout/features.h"

namespace nodescout::picture {

enum class Kind : unsigned char { gpu, nic, nvme };

struct Device {
  Kind kind = Kind::gpu;
  std::string address;    // PCI address, or gpu0, ... for a GPU on no bus
  std::string title;      // "GPU 0 h100-sxm5-80gb"
  std::string detail;     // "0000:17:00.0, 18 NVLinks"
  std::string link;       // "x8 of x16, 32.0 GT/s"; empty if unknown
  bool narrowed = false;  // its PCIe link uses fewer lanes than it could
  std::string trouble;    // "failed", "16 of 18 NVLinks"; empty if the device is healthy
  bool sick() const { return narrowed || !trouble.empty(); }
};

/// Devices below one PCIe switch, or those of which no switch is known.
struct Group {
  std::string title;  // "PCIe switch", "PCIe"
  std::vector<Device> devices;
};

struct NumaNode {
  std::string title;  // "NUMA node 0"
  std::vector<Group> groups;
};

struct Machine {
  std::string title;                 // the Node's name, or "this machine"
  std::string summary;               // "2 NUMA nodes, 8 GPUs, 8 NICs, 4 NVMe, 1 in trouble"
  std::vector<NumaNode> nodes;       // only those with devices
  std::vector<std::string> bridges;  // "NVLink joins GPU 0-7"
};

/// Switches are known where a GPU and an RDMA device are below one (`nic_distance` PIX): the features have no bridges.
/// A link that a slower slot limits is not narrowed, nor is one of a virtual function, which reports no lanes.
Machine machine_of(const Features& features);

}  // namespace nodescout::picture
