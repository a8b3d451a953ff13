#include "cli/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/text.h"
#include "cli/gpu_rows.h"
#include "host/udev_libudev.h"

namespace nodescout::cli {
namespace {

constexpr std::size_t kIndent = 2;

/// Columns that the text takes; control characters and broken bytes are gone by then (printable).
std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    text.remove_prefix(static_cast<std::size_t>(decode_rune(text).length));
    ++width;
  }
  return width;
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t used = width_of(text);
  return used < width ? text + std::string(width - used, ' ') : text;
}

std::string shortened(const std::string& text, std::size_t width) {
  if (width_of(text) <= width || width < 4) return text;
  std::string out;
  std::string_view rest = text;
  for (std::size_t i = 0; i + 3 < width; ++i) {
    const auto length = static_cast<std::size_t>(decode_rune(rest).length);
    out += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return out + "...";
}

/// 1536 -> "1.5 KiB"; one decimal where it matters.
std::string bytes_text(std::string_view decimal) {
  const auto bytes = parse_int(decimal);
  if (!bytes || *bytes < 0) return std::string(decimal);
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double size = static_cast<double>(*bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < std::size(kUnits)) size /= 1024, ++unit;
  const long long tenths = std::llround(size * 10);
  std::string number = std::to_string(tenths / 10);
  if (tenths % 10 != 0 && tenths < 1000) number += "." + std::to_string(tenths % 10);
  return number + " " + kUnits[unit];
}

struct DeviceGroup {
  std::string id, vendor, device, driver, first_address, numa;
  std::size_t count = 0;
};

class Table {
 public:
  Table(const TableInput& input, const Style& style) : in_(input), style_(style) {}

  std::string print() {
    gpus();
    system();
    processor();
    memory();
    pci();
    rdma();
    network();
    block();
    usb();
    labels();
    others();
    problems();
    return std::move(out_);
  }

 private:
  // ---- pieces -------------------------------------------------------------------------------------------------------

  void heading(const std::string& text) { out_ += (out_.empty() ? "" : "\n") + style_.in(Colour::bold, text) + "\n"; }

  /// Columns are padded, except the last one.
  void line(const std::string& text) {
    out_ += std::string(kIndent, ' ') + text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }

  /// "name   words words", wrapped, with a hanging indent.
  void wrapped(const std::string& name, const std::vector<std::string>& words, std::size_t column,
               const char* separator = " ") {
    std::string current = padded(name, column);
    std::size_t used = kIndent + column;
    bool first = true;
    for (const std::string& word : words) {
      const std::string piece = (first ? "" : separator) + word;
      if (!first && used + width_of(piece) > style_.width) {
        line(current);
        current = std::string(column, ' ') + word;
        used = kIndent + column + width_of(word);
      } else {
        current += piece;
        used += width_of(piece);
      }
      first = false;
    }
    line(current);
  }

  std::string attribute(std::string_view set, std::string_view name) const {
    const std::string* value = find_attribute(in_.found.features, set, name);
    return value ? printable(*value) : "";
  }

  const Instances& instances(std::string_view set) const {
    static const Instances kNone;
    const auto at = in_.found.features.instances.find(set);
    return at == in_.found.features.instances.end() ? kNone : at->second;
  }

  static std::string value_in(const Attributes& attributes, std::string_view name) {
    const auto at = attributes.find(name);
    return at == attributes.end() ? "" : printable(at->second);
  }

  // ---- sections -----------------------------------------------------------------------------------------------------

  void system() {
    std::vector<std::string> parts;
    const auto add = [&](std::string text) {
      if (!text.empty()) parts.push_back(std::move(text));
    };
    const std::string pretty = attribute("system.osrelease", "PRETTY_NAME");
    add(pretty.empty() ? attribute("system.osrelease", "ID") : pretty);
    if (const std::string kernel = attribute("kernel.version", "full"); !kernel.empty()) add("kernel " + kernel);
    add(in_.host.architecture());
    std::string product = attribute("system.dmiid", "sys_vendor");
    if (const std::string name = attribute("system.dmiid", "product_name"); !name.empty())
      product += (product.empty() ? "" : " ") + name;
    std::vector<std::string> firmware;
    if (!product.empty()) firmware.push_back(product);
    if (const std::string bios = attribute("system.dmiid", "bios_version"); !bios.empty())
      firmware.push_back("firmware " + bios);
    if (parts.empty() && firmware.empty()) return;
    const std::string node = attribute("system.name", "nodename");
    heading(node.empty() ? "System" : "System: node " + node);
    if (!parts.empty()) wrapped("", parts, 0, ", ");
    if (!firmware.empty()) wrapped("", firmware, 0, ", ");
  }

  void processor() {
    std::vector<std::string> parts;
    const std::string vendor = attribute("cpu.model", "vendor_id");
    if (!vendor.empty())
      parts.push_back(vendor + " family " + attribute("cpu.model", "family") + " model " +
                      attribute("cpu.model", "id"));
    const auto counted = [&](const char* name, const char* unit) {
      const std::string count = attribute("cpu.topology", name);
      if (!count.empty()) parts.push_back(count + " " + unit + (count == "1" ? "" : "s"));
    };
    counted("socket_count", "socket");
    counted("core_count", "core");
    counted("thread_count", "thread");
    const auto flags = in_.found.features.flags.find("cpu.cpuid");
    if (flags != in_.found.features.flags.end())
      for (int level = 4; level > 0; --level)
        if (flags->second.contains("X86_64_V" + std::to_string(level))) {
          parts.push_back("x86-64-v" + std::to_string(level));
          break;
        }
    if (const std::string hypervisor = attribute("cpu.model", "hypervisor");
        !hypervisor.empty() && hypervisor != "none")
      parts.push_back("on " + hypervisor);
    std::vector<std::string> caches;
    for (const auto& [element, name] : {std::pair{"l1d", "L1d"}, {"l1i", "L1i"}, {"l2", "L2"}, {"l3", "L3"}})
      if (const std::string size = attribute("cpu.cache", element); !size.empty())
        caches.push_back(std::string(name) + " " + bytes_text(size));
    if (parts.empty()) return;
    heading("Processor");
    wrapped("", parts, 0, ", ");
    if (!caches.empty()) wrapped("", caches, 0, ", ");
  }

  void memory() {
    std::vector<std::string> parts;
    if (const std::string total = attribute("memory.size", "total"); !total.empty()) parts.push_back(bytes_text(total));
    if (const std::string nodes = attribute("memory.numa", "node_count"); !nodes.empty())
      parts.push_back(nodes + " NUMA node" + (nodes == "1" ? "" : "s"));
    if (const std::string swap = attribute("memory.swap", "enabled"); !swap.empty())
      parts.push_back(swap == "true" ? "swap on" : "swap off");
    const auto pages = in_.found.features.attributes.find("memory.hugepages");
    if (pages != in_.found.features.attributes.end())
      for (const auto& [name, count] : pages->second)
        if (name.starts_with("hugepages-") && count != "0" && !count.empty())
          parts.push_back(printable(count) + " huge pages of " + name.substr(10));
    if (const std::size_t count = instances("memory.nv").size(); count > 0)
      parts.push_back(std::to_string(count) + " non-volatile device" + (count == 1 ? "" : "s"));
    if (parts.empty()) return;
    heading("Memory");
    wrapped("", parts, 0, ", ");
  }

  /// One line each, or two: model, memory, MIG, driver, PCIe link, NUMA node, nearest NIC.
  void gpus() {
    const Instances& devices = instances("gpu.device");
    if (devices.empty()) return;
    std::string title = "GPUs: " + std::to_string(devices.size());
    if (const std::string version = attribute("gpu.driver", "version"); !version.empty())
      title += ", NVIDIA driver " + version + ", CUDA " + attribute("gpu.driver", "cuda");
    else if (const std::string state = attribute("gpu.driver", "state"); !state.empty())
      title += ", NVIDIA driver " + state;
    heading(shortened(title, style_.width));
    auto rows = gpu_rows(in_.found.features);
    std::vector<std::size_t> widths(rows[0].size());
    for (auto& row : rows)
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = printable(row[i]);
        widths[i] = std::max(widths[i], width_of(row[i]));
      }
    // The model gives way on a narrow terminal.
    std::size_t all = kIndent;
    for (const std::size_t width : widths) all += width + 2;
    constexpr std::size_t kModel = 1, kShortestModel = 16;
    const std::size_t full_model = widths[kModel];
    if (all > style_.width + 2)
      widths[kModel] -= std::min(all - style_.width - 2, widths[kModel] - std::min(widths[kModel], kShortestModel));
    // Columns that still do not fit go below their GPU.
    std::size_t shown = widths.size();
    const auto used = [&] {
      std::size_t sum = kIndent + 2 * (shown - 1);
      for (std::size_t i = 0; i < shown; ++i) sum += widths[i];
      return sum;
    };
    while (shown > kModel + 1 && used() > style_.width) --shown;
    widths[kModel] += std::min(full_model - widths[kModel], style_.width - std::min(used(), style_.width));
    const std::size_t below = widths[0] + 2;
    for (const auto& row : rows) {
      std::string text;
      for (std::size_t i = 0; i < shown; ++i)
        text += padded(i == kModel ? shortened(row[i], widths[i]) : row[i], widths[i] + (i + 1 < shown ? 2 : 0));
      const bool is_head = &row == rows.data();
      line(is_head ? style_.in(Colour::dim, std::string(trim_right(text))) : std::string(trim_right(text)));
      std::vector<std::string> rest;
      for (std::size_t i = shown; i < row.size() && !is_head; ++i)
        if (row[i] != "-") rest.push_back(shortened(rows[0][i] + " " + row[i], style_.width - kIndent - below));
      if (!rest.empty()) wrapped("", rest, below, ", ");
    }
  }

  /// Functions of one kind share a line; bridges and the chipset's own are only counted.
  void pci() {
    const Instances& devices = instances("pci.device");
    if (devices.empty()) return;
    std::vector<DeviceGroup> groups;
    std::map<std::tuple<std::string, std::string, std::string>, std::size_t> known;
    std::size_t plain = 0;
    for (const Attributes& device : devices) {
      const std::string id = value_in(device, "class");
      if (id.starts_with("06") || id.starts_with("08") || id.starts_with("05") || id.starts_with("11") ||
          id.starts_with("ff")) {
        ++plain;
        continue;
      }
      const std::string driver = value_in(device, "driver");
      const std::string ids = value_in(device, "vendor") + ":" + value_in(device, "device");
      const auto [at, is_new] = known.try_emplace({id, ids, driver}, groups.size());
      if (is_new)
        groups.push_back({id, value_in(device, "vendor"), value_in(device, "device"), driver,
                          value_in(device, "address"), value_in(device, "numa_node"), 0});
      DeviceGroup& group = groups[at->second];
      if (++group.count > 1 && group.numa != value_in(device, "numa_node")) group.numa = "*";
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const DeviceGroup& a, const DeviceGroup& b) { return rank(a.id) < rank(b.id); });
    heading("PCI devices: " + std::to_string(devices.size()));
    for (const DeviceGroup& group : groups) {
      const HardwareNames::Names names = names_.pci(group.vendor, group.device);
      const std::string name = printable(names.device.empty() ? names.vendor.empty() ? "unknown device" : names.vendor
                                                              : full_name(names.vendor, names.device));
      const std::string tail =
          group.driver + (group.numa.empty() ? "" : (group.driver.empty() ? "NUMA " : ", NUMA ") + group.numa);
      device_line(group.count, group.id + " " + group.vendor + ":" + group.device, name, tail);
    }
    if (plain > 0) line(padded("", 5) + style_.in(Colour::dim, std::to_string(plain) + " bridges and system devices"));
  }

  /// Accelerators, then displays, network, storage, and the rest.
  static int rank(const std::string& id) {
    if (id == "0302" || id.starts_with("12") || id == "0b40") return 0;
    if (id.starts_with("03")) return 1;
    if (id.starts_with("02")) return 2;
    if (id.starts_with("01")) return 3;
    return 4;
  }

  /// "Intel Corporation", "Ethernet Controller" -> "Intel Ethernet Controller": the first word identifies the
  /// vendor, and some device names begin with it.
  static std::string full_name(const std::string& vendor, const std::string& device) {
    const std::string brief = vendor.substr(0, vendor.find_first_of(" ,"));
    return device.starts_with(brief + " ") ? device : brief + " " + device;
  }

  void device_line(std::size_t count, const std::string& id, const std::string& name, const std::string& tail) {
    const std::string left =
        padded(count > 1 ? std::to_string(count) + "x" : "", 5) + style_.in(Colour::dim, padded(id, 15)) + " ";
    const std::size_t used = kIndent + 5 + 16;
    const std::size_t room = style_.width > used + tail.size() + 2 ? style_.width - used - tail.size() - 2 : 20;
    const std::string middle = shortened(name, room);
    line(left + (tail.empty() ? middle : padded(middle, room) + "  " + tail));
  }

  void rdma() {
    const Instances& devices = instances("rdma.device");
    if (devices.empty()) return;
    heading("RDMA ports: " + std::to_string(devices.size()));
    for (const Attributes& device : devices) {
      const std::string rate = value_in(device, "rate");
      const std::string netdev = value_in(device, "netdev");
      line(padded(value_in(device, "name") + "/" + value_in(device, "port"), 14) +
           padded(value_in(device, "link_layer"), 12) + padded(rate.empty() ? "" : rate + " Gb/s", 11) +
           padded(value_in(device, "state"), 8) + netdev);
    }
  }

  void network() {
    const Instances& devices = instances("network.device");
    if (devices.empty()) return;
    heading("Network interfaces: " + std::to_string(devices.size()));
    for (const Attributes& device : devices) {
      const std::string speed = value_in(device, "speed");
      const std::string functions = value_in(device, "sriov_totalvfs");
      std::string tail = speed.empty() || speed.starts_with('-') ? "" : speed + " Mbit/s";
      if (!functions.empty() && functions != "0")
        tail +=
            (tail.empty() ? "" : ", ") + value_in(device, "sriov_numvfs") + " of " + functions + " virtual functions";
      line(padded(value_in(device, "name"), 16) + padded(value_in(device, "operstate"), 9) +
           padded("mtu " + value_in(device, "mtu"), 11) + tail);
    }
  }

  void block() {
    std::vector<const Attributes*> real;
    for (const Attributes& device : instances("storage.block"))
      if (device.contains("transport")) real.push_back(&device);
    if (real.empty()) return;
    heading("Disks: " + std::to_string(real.size()));
    for (const Attributes* device : real) {
      const std::string rotational = value_in(*device, "rotational");
      line(padded(value_in(*device, "name"), 16) + padded(bytes_text(value_in(*device, "size")), 11) +
           padded(value_in(*device, "transport"), 8) +
           padded(rotational == "0"   ? "solid"
                  : rotational == "1" ? "rotating"
                                      : "",
                  10) +
           shortened(value_in(*device, "model"), style_.width - 47));
    }
  }

  void usb() {
    const Instances& devices = instances("usb.device");
    std::vector<DeviceGroup> groups;
    std::map<std::pair<std::string, std::string>, std::size_t> known;
    for (const Attributes& device : devices) {
      if (value_in(device, "class") == "09") continue;  // hubs
      const auto [at, is_new] =
          known.try_emplace({value_in(device, "vendor"), value_in(device, "device")}, groups.size());
      if (is_new)
        groups.push_back(
            {value_in(device, "class"), value_in(device, "vendor"), value_in(device, "device"), "", "", "", 0});
      else if (groups[at->second].id.find(value_in(device, "class")) == std::string::npos)
        groups[at->second].id += "," + value_in(device, "class");
    }
    if (groups.empty()) return;
    heading("USB devices: " + std::to_string(groups.size()));
    for (const DeviceGroup& group : groups) {
      const HardwareNames::Names names = names_.usb(group.vendor, group.device);
      const std::string name = printable(names.device.empty() ? names.vendor.empty() ? "unknown device" : names.vendor
                                                              : names.vendor + " " + names.device);
      device_line(1, group.vendor + ":" + group.device, name, "class " + group.id);
    }
  }

  // ---- what the Node would get --------------------------------------------------------------------------------------

  void labels() {
    const Attributes& labels = in_.desired.labels;
    heading("Labels: " + std::to_string(labels.size()));
    std::map<std::string, Attributes> by_namespace;
    for (const auto& [key, value] : labels) {
      const std::size_t slash = key.find('/');
      by_namespace[slash == std::string::npos ? "" : key.substr(0, slash + 1)].emplace(
          slash == std::string::npos ? key : key.substr(slash + 1), value);
    }
    for (const auto& [name_space, names] : by_namespace) {
      if (!name_space.empty()) line(style_.in(Colour::cyan, name_space));
      label_group(names);
    }
  }

  /// "cpu-cpuid.ADX=true", "cpu-cpuid.AVX=true", ... become one entry "cpu-cpuid." with a wrapped list.
  void label_group(const Attributes& names) {
    std::map<std::string, std::vector<std::string>> lists;
    for (const auto& [name, value] : names)
      if (const std::size_t dot = name.find('.'); value == "true" && dot != std::string::npos)
        lists[name.substr(0, dot + 1)].push_back(name.substr(dot + 1));
    std::erase_if(lists, [](const auto& list) { return list.second.size() < 4; });
    std::size_t column = 0;
    for (const auto& [name, value] : names) {
      const std::string stem = name.substr(0, name.find('.') + 1);
      column = std::max(column, lists.contains(stem) && value == "true" ? stem.size() : name.size());
    }
    column = std::min(column + 2, style_.width / 2);
    for (const auto& [name, value] : names) {
      const std::string stem = name.substr(0, name.find('.') + 1);
      const auto list = value == "true" ? lists.find(stem) : lists.end();
      if (list == lists.end()) {
        line("  " + padded(name, column) + value);
      } else if (name == stem + list->second.front()) {
        wrapped("  " + stem, list->second, column + 2);
      }
    }
  }

  void others() {
    const Desired& desired = in_.desired;
    const auto map = [&](const std::string& title, const Attributes& entries) {
      if (entries.empty()) return;
      heading(title + ": " + std::to_string(entries.size()));
      for (const auto& [key, value] : entries) line(key + " = " + printable(value));
    };
    map("Annotations", desired.annotations);
    map("Extended resources", desired.extended_resources);
    if (desired.taints.empty()) return;
    heading("Taints: " + std::to_string(desired.taints.size()));
    for (const Taint& taint : desired.taints) line(taint.text());
  }

  void problems() {
    if (in_.problems.empty()) return;
    heading("Problems: " + std::to_string(in_.problems.size()));
    constexpr std::size_t kMost = 20;
    for (std::size_t i = 0; i < std::min(in_.problems.size(), kMost); ++i) {
      const Problem& problem = in_.problems[i];
      line(style_.in(Colour::yellow, printable(problem.where)));
      std::vector<std::string> words;
      const std::string text =
          printable(problem.what) + (problem.todo.empty() ? "" : " (" + printable(problem.todo) + ")");
      for (const std::string_view word : fields(text)) words.emplace_back(word);
      wrapped("", words, 2);
    }
    if (in_.problems.size() > kMost)
      line("... and " + std::to_string(in_.problems.size() - kMost) + " more: see -o json");
  }

  const TableInput& in_;
  const Style& style_;
  HardwareNames names_;
  std::string out_;
};

}  // namespace

std::string table(const TableInput& input, const Style& style) { return Table(input, style).print(); }

}  // namespace nodescout::cli
