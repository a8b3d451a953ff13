#include "picture/machine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"

namespace nodescout::picture {
namespace {

std::string value(const Attributes& element, std::string_view name) {
  const auto found = element.find(name);
  return found == element.end() ? "" : found->second;
}

std::int64_t number(const Attributes& element, std::string_view name) {
  return parse_int(value(element, name)).value_or(0);
}

const Instances& instances(const Features& features, std::string_view set) {
  static const Instances none;
  const auto found = features.instances.find(set);
  return found == features.instances.end() ? none : found->second;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string with_comma(std::string text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += ", ";
  return text + more;
}

/// "x8 of x16, 32.0 GT/s"
std::string link_text(std::int64_t lanes, std::int64_t most, const std::string& speed) {
  if (lanes <= 0) return "";
  std::string out = "x" + std::to_string(lanes);
  if (most > lanes) out += " of x" + std::to_string(most);
  return with_comma(out, speed.empty() ? "" : speed + " GT/s");
}

struct Placed {
  Device device;
  std::string node;      // number of its NUMA node; empty if unknown
  std::size_t home = 0;  // equal for devices below one switch
};

class Builder {
 public:
  explicit Builder(const Features& features) : features_(features) {}

  Machine build() {
    add_gpus();
    add_pci();
    join_switches();
    Machine machine;
    const std::string* name = find_attribute(features_, "system.name", "nodename");
    machine.title = name && !name->empty() ? *name : "this machine";
    machine.nodes = nodes();
    machine.bridges = bridges("NVLink", "nvlink_peers");
    for (std::string& each : bridges("xGMI", "xgmi_peers")) machine.bridges.push_back(std::move(each));
    machine.summary = summary();
    return machine;
  }

 private:
  void place(Device device, const Attributes& element) {
    std::string node = value(element, "numa_node");
    if (!node.empty() && node.front() == '-') node.clear();
    placed_.push_back({std::move(device), std::move(node), placed_.size()});
  }

  void add_gpus() {
    std::map<std::string, std::int64_t> most_links;  // by model
    const Instances& gpus = instances(features_, "gpu.device");
    for (const Attributes& gpu : gpus) {
      std::int64_t& most = most_links[value(gpu, "model")];
      most = std::max(most, number(gpu, "nvlink_links"));
    }
    for (std::size_t i = 0; i < gpus.size(); ++i) add_gpu(gpus[i], i, most_links[value(gpus[i], "model")]);
  }

  void add_gpu(const Attributes& gpu, std::size_t index, std::int64_t most_links) {
    Device device{.kind = Kind::gpu, .address = value(gpu, "address")};
    device.title = trim_right("GPU " + std::to_string(index) + " " + value(gpu, "model"));
    const std::int64_t lanes = number(gpu, "link_width");
    const std::int64_t links = number(gpu, "nvlink_links");
    device.link = link_text(lanes, number(gpu, "max_link_width"), value(gpu, "max_link_speed"));
    device.narrowed = value(gpu, "link_limit") == "width";
    const std::string health = value(gpu, "health");
    if (!health.empty() && health != "ok") device.trouble = health;
    device.detail = device.address;
    if (links > 0 && links == most_links)
      device.detail += ", " + counted(static_cast<std::size_t>(links), "NVLink", "NVLinks");
    // Without an answer of the driver (vfio-pci, missing) the links are unknown, not down.
    const bool answered = gpu.contains("nvlink_links") || gpu.contains("device_uuid");
    if (answered && links < most_links)
      device.trouble =
          with_comma(device.trouble, std::to_string(links) + " of " + std::to_string(most_links) + " NVLinks");
    of_address_.emplace(device.address, placed_.size());
    place(std::move(device), gpu);
  }

  void add_pci() {
    std::map<std::string, const Attributes*> rdma;
    for (const Attributes& port : instances(features_, "rdma.device")) rdma.emplace(value(port, "address"), &port);
    for (const Attributes& function : instances(features_, "pci.device")) {
      const std::string pci_class = value(function, "class");
      const bool nvme = pci_class == "0108";
      if (!nvme && !pci_class.starts_with("02")) continue;
      const std::string address = value(function, "address");
      if (of_address_.contains(address)) continue;
      const auto port = rdma.find(address);
      add_function(function, nvme ? Kind::nvme : Kind::nic, port == rdma.end() ? nullptr : port->second);
    }
  }

  void add_function(const Attributes& function, Kind kind, const Attributes* port) {
    Device device{.kind = kind, .address = value(function, "address")};
    const std::string ids = value(function, "vendor") + ":" + value(function, "device");
    const std::string name = port ? value(*port, "name") : "";
    device.title = std::string(kind == Kind::nvme ? "NVMe " : "NIC ") + (name.empty() ? ids : name);
    device.detail = device.address;
    if (port) {
      const std::string rate = value(*port, "rate");
      device.detail += ", " + value(*port, "link_layer") + (rate.empty() ? "" : " " + rate + " Gb/s");
      rdma_.emplace(name, placed_.size());
    }
    const std::int64_t lanes = number(function, "current_link_width");
    const std::int64_t most = number(function, "max_link_width");
    const std::string now = value(function, "current_link_speed");
    device.link = link_text(lanes, most, now.empty() ? value(function, "max_link_speed") : now);
    device.narrowed = lanes > 0 && lanes < most;
    place(std::move(device), function);
  }

  void join_switches() {
    for (const Attributes& gpu : instances(features_, "gpu.device")) {
      if (value(gpu, "nic_distance") != "PIX") continue;
      const auto at = of_address_.find(value(gpu, "address"));
      const std::string names = value(gpu, "nic");
      for (const std::string_view name : split(names, ','))
        if (const auto nic = rdma_.find(std::string(name)); nic != rdma_.end() && at != of_address_.end())
          join_homes(placed_[at->second].home, placed_[nic->second].home);
    }
  }

  void join_homes(std::size_t kept, std::size_t gone) {
    for (Placed& each : placed_)
      if (each.home == gone) each.home = kept;
    switches_.erase(gone);
    switches_.insert(kept);
  }

  std::vector<NumaNode> nodes() const {
    std::map<std::pair<std::int64_t, std::string>, std::vector<const Placed*>> by_node;  // unknown ones come last
    for (const Placed& each : placed_) by_node[{parse_int(each.node).value_or(INT64_MAX), each.node}].push_back(&each);
    std::vector<NumaNode> out;
    for (const auto& [key, devices] : by_node) {
      const bool only = by_node.size() == 1;
      const std::string title = key.second.empty() ? only ? "machine" : "NUMA node unknown" : "NUMA node " + key.second;
      out.push_back({title, groups(devices)});
    }
    return out;
  }

  std::vector<Group> groups(const std::vector<const Placed*>& devices) const {
    std::vector<std::pair<std::size_t, Group>> out;
    Group rest{"PCIe, no switch known", {}};
    for (const Placed* each : devices) {
      if (!switches_.contains(each->home)) {
        rest.devices.push_back(each->device);
        continue;
      }
      auto at = std::find_if(out.begin(), out.end(), [&](const auto& entry) { return entry.first == each->home; });
      if (at == out.end()) at = out.insert(out.end(), {each->home, Group{"PCIe switch", {}}});
      at->second.devices.push_back(each->device);
    }
    std::vector<Group> groups;
    for (auto& [home, group] : out) groups.push_back(std::move(group));
    if (!rest.devices.empty()) groups.push_back(std::move(rest));
    return groups;
  }

  /// "NVLink joins GPU 0-3, 6": one for each set of GPUs that reach each other.
  std::vector<std::string> bridges(std::string_view name, std::string_view peers_key) const {
    const Instances& gpus = instances(features_, "gpu.device");
    std::vector<std::size_t> set_of(gpus.size());
    for (std::size_t i = 0; i < gpus.size(); ++i) set_of[i] = i;
    for (std::size_t i = 0; i < gpus.size(); ++i) {
      const std::string peers = value(gpus[i], peers_key);
      for (const std::string_view peer : split(peers, ','))
        if (const auto at = of_address_.find(std::string(peer)); at != of_address_.end())
          std::replace(set_of.begin(), set_of.end(), std::size_t{set_of[at->second]}, std::size_t{set_of[i]});
    }
    std::map<std::size_t, std::vector<std::size_t>> sets;  // by their first GPU
    for (std::size_t i = 0; i < gpus.size(); ++i)
      sets[static_cast<std::size_t>(std::find(set_of.begin(), set_of.end(), set_of[i]) - set_of.begin())].push_back(i);
    std::vector<std::string> out;
    for (const auto& [first, members] : sets)
      if (members.size() > 1) out.push_back(std::string(name) + " joins GPU " + ranges(members));
    return out;
  }

  static std::string ranges(const std::vector<std::size_t>& numbers) {
    std::string out;
    for (std::size_t i = 0; i < numbers.size();) {
      std::size_t last = i;
      while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
      out = with_comma(out, std::to_string(numbers[i]) + (last > i ? "-" + std::to_string(numbers[last]) : ""));
      i = last + 1;
    }
    return out;
  }

  std::string summary() const {
    const auto count = [&](auto&& wanted) {
      return static_cast<std::size_t>(std::count_if(placed_.begin(), placed_.end(), wanted));
    };
    const auto of_kind = [&](Kind kind) {
      return count([kind](const Placed& each) { return each.device.kind == kind; });
    };
    std::string out;
    if (const std::string* nodes = find_attribute(features_, "memory.numa", "node_count"))
      out = *nodes + (*nodes == "1" ? " NUMA node" : " NUMA nodes");
    out = with_comma(out, counted(of_kind(Kind::gpu), "GPU", "GPUs"));
    out = with_comma(out, counted(of_kind(Kind::nic), "NIC", "NICs"));
    out = with_comma(out, counted(of_kind(Kind::nvme), "NVMe", "NVMe"));
    const std::size_t sick = count([](const Placed& each) { return each.device.sick(); });
    return sick == 0 ? out : out + ", " + std::to_string(sick) + " in trouble";
  }

  const Features& features_;
  std::vector<Placed> placed_;                     // GPUs first, so a GPU's place is its number
  std::map<std::string, std::size_t> of_address_;  // GPUs
  std::map<std::string, std::size_t> rdma_;        // by name
  std::set<std::size_t> switches_;                 // homes that are switches
};

}  // namespace

Machine machine_of(const Features& features) { return Builder(features).build(); }

}  // namespace nodescout::picture
