#include "probe/catalog.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

constexpr ElementSpec kNuma[] = {{"is_numa", "/sys/bus/node/devices", "more than one NUMA node", false, "true|false"},
                                 {"node_count", "/sys/bus/node/devices", "NUMA nodes", false, "[0-9]+"}};
constexpr ElementSpec kSwap[] = {{"enabled", "/proc/swaps", "any swap area is in use", false, "true|false"}};
constexpr ElementSpec kHugepages[] = {
    {"enabled", "/sys/kernel/mm/hugepages", "any huge page is reserved", false, "true|false"},
    {"hugepages-<size>", "/sys/kernel/mm/hugepages/hugepages-*/nr_hugepages",
     "reserved pages of that size (2Mi, 1Gi)"}};
constexpr ElementSpec kNonVolatile[] = {{"name", "/sys/bus/nd/devices", "device of the non-volatile memory bus"},
                                        {"devtype", "/sys/bus/nd/devices/*/devtype", "nd_dax, nd_namespace_pmem, ..."},
                                        {"mode", "/sys/bus/nd/devices/*/mode", "fsdax, devdax, raw, ..."}};
constexpr ElementSpec kSize[] = {{"total", "/proc/meminfo", "bytes of memory that the kernel can use", true, "[0-9]+"}};

using enum FeatureSpec::Kind;
constexpr FeatureSpec kProduces[] = {
    {"memory.numa", attribute, "/sys/bus/node/devices", "NUMA", kNuma},
    {"memory.swap", attribute, "/proc/swaps", "swap", kSwap},
    {"memory.hugepages", attribute, "/sys/kernel/mm", "huge pages", kHugepages, false, true},
    {"memory.nv", instance, "/sys/bus", "non-volatile memory", kNonVolatile},
    {"memory.size", attribute, "/proc/meminfo", "installed memory", kSize, true, true},
};

/// "hugepages-2048kB" -> "2Mi": the largest binary unit that divides the size.
std::optional<std::string> hugepage_size(std::string_view directory) {
  constexpr std::string_view kPrefix = "hugepages-";
  if (directory.starts_with(kPrefix)) directory.remove_prefix(kPrefix.size());
  while (directory.ends_with('k') || directory.ends_with('B')) directory.remove_suffix(1);
  const auto kibibytes = parse_int(directory);
  if (!kibibytes || *kibibytes < 0) return std::nullopt;
  std::int64_t size = *kibibytes;
  std::size_t unit = 0;
  constexpr std::string_view kUnits[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  while (size != 0 && size % 1024 == 0 && unit + 1 < std::size(kUnits)) size /= 1024, ++unit;
  if (size == 0) return "0";
  return std::to_string(size) + std::string(kUnits[unit]);
}

void observe_hugepages(const Host& host, Observation& seen) {
  Reading reading(host, seen, "memory.hugepages");
  const auto directories = host.files().list("/sys/kernel/mm/hugepages");
  if (!directories && directories.error().code != Errc::absent) return reading.note(directories.error());
  Attributes& pages = seen.features.attributes["memory.hugepages"];
  pages["enabled"] = "false";
  if (!directories) return;
  for (const std::string& directory : *directories) {
    const std::string path = "/sys/kernel/mm/hugepages/" + directory;
    const auto status = host.files().status(path);
    if (!status || status->type != Root::FileType::directory || host.files().link(path)) continue;
    const auto size = hugepage_size(directory);
    if (!size) {
      reading.note({Errc::malformed, path, "this name contains no huge page size"});
      continue;
    }
    const std::string count = reading.text(path + "/nr_hugepages").value_or("");
    if (const auto number = parse_int(count); number && *number > 0) pages["enabled"] = "true";
    pages["hugepages-" + *size] = count;
  }
}

constexpr std::string_view kSubsystems[] = {"node", "memory", "nd"};

Observation run(const Host& host, const ProbeConfig& config, const Moment&) {
  Observation seen;
  Features& features = seen.features;

  if (const auto nodes = Reading(host, seen, "memory.numa").list("/sys/bus/node/devices"))
    features.attributes["memory.numa"] = {{"is_numa", nodes->size() > 1 ? "true" : "false"},
                                          {"node_count", std::to_string(nodes->size())}};

  if (const auto swaps = Reading(host, seen, "memory.swap").raw("/proc/swaps")) {
    int lines = 0;
    for (const std::string_view line : split(*swaps, '\n')) lines += trim(line).empty() ? 0 : 1;
    features.attributes["memory.swap"]["enabled"] = lines > 1 ? "true" : "false";
  }

  if (config.wanted.has("memory.hugepages")) observe_hugepages(host, seen);

  Reading nv(host, seen, "memory.nv");
  const auto devices = host.files().list("/sys/bus/nd/devices");
  if (devices || devices.error().code == Errc::absent) {
    Instances& list = features.instances["memory.nv"];
    if (devices) {
      for (const std::string& name : *devices) {
        Attributes& device = list.emplace_back(Attributes{{"name", name}});
        nv.attribute(device, "devtype", "/sys/bus/nd/devices/" + name + "/devtype");
        nv.attribute(device, "mode", "/sys/bus/nd/devices/" + name + "/mode");
      }
    }
  } else {
    nv.note(devices.error());
  }

  if (!config.nfd_compat && config.wanted.has("memory.size")) {
    if (const auto meminfo = Reading(host, seen, "memory.size").raw("/proc/meminfo")) {
      for (const std::string_view line : split(*meminfo, '\n')) {
        const std::vector<std::string_view> words = fields(line);
        if (words.size() != 3 || words[0] != "MemTotal:" || words[2] != "kB") continue;
        if (const auto kibibytes = parse_int(words[1]))
          features.attributes["memory.size"]["total"] = std::to_string(*kibibytes * 1024);
        break;
      }
    }
  }
  return seen;
}

}  // namespace

namespace probe {
constinit const Probe memory{.name = "memory",
                             .summary = "NUMA, swap, huge pages, non-volatile and total memory",
                             .produces = kProduces,
                             .wakes = {.subsystems = kSubsystems},
                             .run = run};
}  // namespace probe

}  // namespace nodescout
