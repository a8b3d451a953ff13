#include "gpu/topology.h"

#include <algorithm>

#include "base/text.h"
#include "document/json.h"
#include "document/value.h"

namespace nodescout {
namespace {

/// "pci0000:17"
bool is_host_bridge(std::string_view component) {
  return component.size() > 6 && component.starts_with("pci") && component.find(':') != std::string_view::npos;
}

/// From the host bridge down to the device itself; empty if there is no host bridge.
std::vector<std::string_view> chain_of(std::string_view path) {
  std::vector<std::string_view> chain;
  for (const std::string_view component : split(path, '/')) {
    if (is_host_bridge(component)) chain.clear();
    if (is_host_bridge(component) || !chain.empty()) chain.push_back(component);
  }
  return chain;
}

Nearness by_numa(const PciPlace& a, const PciPlace& b) {
  if (!a.numa_node || !b.numa_node) return Nearness::unknown;
  return *a.numa_node == *b.numa_node ? Nearness::node : Nearness::system;
}

char letter_of(Nearness nearness) {
  return nearness == Nearness::unknown ? '?' : static_cast<char>('1' + static_cast<int>(nearness));
}

Value texts(const std::vector<std::string>& list) {
  Value out = Value::list();
  for (const std::string& text : list) out.items.push_back(Value::string(text));
  return out;
}

char letter_of(const ProximityGpu& gpu, const ProximityGpu& other) {
  if (gpu.joined.contains(other.address)) return gpu.letter;
  const Nearness nearness = pci_nearness(gpu.place, other.place);
  const bool is_hidden = gpu.vendor == other.vendor && (gpu.hides_links || other.hides_links);
  return letter_of(is_hidden && nearness >= Nearness::node ? Nearness::unknown : nearness);
}

std::string matrix_text(const std::vector<ProximityGpu>& gpus, const std::vector<ProximityNic>& nics, bool with_gpus,
                        std::size_t cut_nics) {
  std::vector<std::string> addresses, names, among_gpus, to_nics;
  for (const ProximityNic& nic : nics) names.push_back(nic.name);
  for (const ProximityGpu& gpu : gpus) {
    addresses.push_back(gpu.address);
    std::string& row = among_gpus.emplace_back();
    for (const ProximityGpu& other : gpus) row += &other == &gpu ? 'x' : letter_of(gpu, other);
    std::string& nic_row = to_nics.emplace_back();
    for (const ProximityNic& nic : nics) nic_row += letter_of(pci_nearness(gpu.place, nic.place));
  }
  Value matrix = Value::map();
  matrix.add("gpus", texts(addresses));
  if (with_gpus && gpus.size() > 1) matrix.add("gpu-gpu", texts(among_gpus));
  if (!nics.empty()) {
    matrix.add("nics", texts(names));
    matrix.add("gpu-nic", texts(to_nics));
  }
  Value cut = Value::map();
  if (!with_gpus && gpus.size() > 1) cut.add("gpu-gpu", Value::integer(std::ssize(gpus)));
  if (cut_nics > 0) cut.add("nics", Value::integer(static_cast<std::int64_t>(cut_nics)));
  if (!cut.members.empty()) matrix.add("cut", std::move(cut));
  return to_json(matrix);
}

/// Indices, those nearest to some GPU first.
std::vector<std::size_t> nics_by_nearness(const std::vector<ProximityGpu>& gpus,
                                          const std::vector<ProximityNic>& nics) {
  std::vector<std::pair<Nearness, std::size_t>> order;
  for (std::size_t i = 0; i < nics.size(); ++i) {
    Nearness best = Nearness::unknown;
    for (const ProximityGpu& gpu : gpus) best = std::min(best, pci_nearness(gpu.place, nics[i].place));
    order.emplace_back(best, i);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> out;
  for (const auto& [nearness, index] : order) out.push_back(index);
  return out;
}

}  // namespace

std::string_view name_of(Nearness nearness) {
  switch (nearness) {
    case Nearness::one_switch: return "PIX";
    case Nearness::switches: return "PXB";
    case Nearness::host_bridge: return "PHB";
    case Nearness::node: return "NODE";
    case Nearness::system: return "SYS";
    case Nearness::unknown: return "";
  }
  return "";
}

Nearness pci_nearness(const PciPlace& a, const PciPlace& b) {
  const auto left = chain_of(a.path);
  const auto right = chain_of(b.path);
  if (left.empty() || right.empty() || left.front() != right.front()) return by_numa(a, b);
  // Below one host bridge. The common part begins with it; what else is common are bridges on the way to both.
  const auto split_at = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  const auto common = split_at.first - left.begin();
  if (common < 2) return Nearness::host_bridge;
  constexpr std::ptrdiff_t kPortOfASwitchAndDevice = 2;
  const bool is_near = left.end() - split_at.first <= kPortOfASwitchAndDevice &&
                       right.end() - split_at.second <= kPortOfASwitchAndDevice;
  return is_near ? Nearness::one_switch : Nearness::switches;
}

std::string pcie_root(std::string_view path) {
  const auto chain = chain_of(path);
  return chain.empty() ? "" : std::string(chain.front());
}

std::string upstream_port(std::string_view path) {
  return chain_of(path).size() < 3 ? "" : std::string(path.substr(0, path.rfind('/')));
}

std::string proximity_matrix(const std::vector<ProximityGpu>& gpus, const std::vector<ProximityNic>& nics,
                             std::size_t most) {
  constexpr std::size_t kMostNics = 32;
  if (gpus.empty() || gpus.size() + nics.size() < 2) return "";
  // What is certainly too long is not computed: of thousands of GPUs there are millions of pairs.
  const bool is_square_short = gpus.size() * gpus.size() <= most;
  if (gpus.size() * gpus.front().address.size() > most || (nics.empty() && !is_square_short)) return "";
  if (nics.empty()) {
    std::string text = matrix_text(gpus, nics, true, 0);
    return text.size() <= most ? text : "";
  }
  const std::vector<std::size_t> by_nearness = nics_by_nearness(gpus, nics);
  const auto nearest = [&](std::size_t count) {
    std::vector<std::size_t> chosen(by_nearness.begin(), by_nearness.begin() + static_cast<std::ptrdiff_t>(count));
    std::sort(chosen.begin(), chosen.end());  // in the order of the bus again
    std::vector<ProximityNic> out;
    for (const std::size_t index : chosen) out.push_back(nics[index]);
    return out;
  };
  std::size_t shown = std::min(nics.size(), kMostNics);
  if (is_square_short)
    if (std::string text = matrix_text(gpus, nearest(shown), true, nics.size() - shown); text.size() <= most)
      return text;
  for (; shown > 0; --shown)
    if (std::string text = matrix_text(gpus, nearest(shown), false, nics.size() - shown); text.size() <= most)
      return text;
  return "";
}

NearestNics nearest_nics(const PciPlace& gpu, const std::vector<ProximityNic>& nics) {
  NearestNics best;
  for (const ProximityNic& nic : nics) {
    const Nearness nearness = pci_nearness(gpu, nic.place);
    if (nearness >= Nearness::system || nearness > best.nearness) continue;
    best.names = nearness == best.nearness ? best.names + "," + nic.name : nic.name;
    best.nearness = nearness;
  }
  return best;
}

}  // namespace nodescout
