// The distance between two PCI devices, by the bridges between them, and a matrix of distances that is small enough for
// an annotation.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nodescout {

/// As `nvidia-smi topo` names them: from one PCIe switch to two sockets. Ordered, nearest first.
enum class Nearness : unsigned char { one_switch, switches, host_bridge, node, system, unknown };

/// "PIX", "PXB", "PHB", "NODE", "SYS"; empty for unknown.
std::string_view name_of(Nearness nearness);

struct PciPlace {
  std::string path;              // canonical in sysfs: "/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0"
  std::optional<int> numa_node;  // empty where the kernel does not know
};

/// Unknown where neither the bridges nor both NUMA nodes are.
Nearness pci_nearness(const PciPlace& a, const PciPlace& b);

/// "pci0000:17", the host bridge; empty if the path has none.
std::string pcie_root(std::string_view path);

/// Path of the bridge right above the device; empty if it sits on the host bridge itself.
std::string upstream_port(std::string_view path);

struct ProximityGpu {
  std::string address;
  PciPlace place;
  std::set<std::string> joined;  // addresses of GPUs that it is joined with besides PCIe, also through switches
  char letter = 'n';             // of that link: n NVLink, g xGMI
  std::string vendor = {};
  bool hides_links = false;  // how it is joined with GPUs of its vendor is not known
};

struct ProximityNic {
  std::string name;  // "mlx5_0"
  PciPlace place;
};

/// {"gpus":["0000:18:00.0",...],"gpu-gpu":["xn12","nx21",...],"nics":["mlx5_0",...],"gpu-nic":["15","51",...]}: one
/// text for each GPU, one character for each partner: x itself, n NVLink, g xGMI, 1 PIX, 2 PXB, 3 PHB, 4 NODE, 5 SYS, ?
/// unknown. At most 32 NICs are shown, those nearest to a GPU. Longer than `most` bytes: without the GPUs among
/// themselves; still longer: with fewer NICs. "cut":{"gpu-gpu":8,"nics":4} says how many GPUs' and NICs' distances were
/// left out. Empty without any pair, and if not even one NIC fits.
std::string proximity_matrix(const std::vector<ProximityGpu>& gpus, const std::vector<ProximityNic>& nics,
                             std::size_t most);

/// The nearest of them, joined by commas where several are, and how near; nothing if they are only as near as every
/// device of the machine.
struct NearestNics {
  std::string names;
  Nearness nearness = Nearness::unknown;
};
NearestNics nearest_nics(const PciPlace& gpu, const std::vector<ProximityNic>& nics);

}  // namespace nodescout
