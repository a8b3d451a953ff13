#include <set>

#include "probe/cpu_parts.h"
#include "probe/reading.h"

namespace nodescout {
namespace {

/// "32K" -> 32768, "8M", "1024".
std::optional<std::int64_t> parse_cache_size(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('K')) unit = 1 << 10;
  if (text.ends_with('M')) unit = 1 << 20;
  if (text.ends_with('G')) unit = 1 << 30;
  const auto number = parse_int(unit == 1 ? text : text.substr(0, text.size() - 1));
  if (!number || *number < 0 || *number > INT64_MAX / unit) return std::nullopt;
  return *number * unit;
}

void observe_caches(const CpuContext& cpu, const std::string& processor) {
  Attributes& caches = cpu.seen.features.attributes["cpu.cache"];
  Reading reading(cpu.host, cpu.seen, "cpu.cache");
  const std::string directory = "/sys/devices/system/cpu/" + processor + "/cache";
  const auto entries = reading.list(directory);
  if (!entries) return;
  reading.enter(directory);
  for (const std::string& entry : *entries) {
    if (!entry.starts_with("index")) continue;
    const auto level = reading.text(entry + "/level");
    const auto type = reading.text(entry + "/type");
    const auto size = reading.text(entry + "/size");
    if (!level || !type || !size) continue;
    const auto bytes = parse_cache_size(*size);
    if (!bytes) continue;
    if (*level == "1") caches[*type == "Instruction" ? "l1i" : "l1d"] = std::to_string(*bytes);
    if (*level == "2" || *level == "3") caches["l" + *level] = std::to_string(*bytes);
  }
}

}  // namespace

void observe_topology(const CpuContext& cpu) {
  Attributes& topology = cpu.seen.features.attributes["cpu.topology"];
  const bool nfd = cpu.config.nfd_compat;
  const bool wants_caches = !nfd && cpu.config.wanted.has("cpu.cache");
  if (wants_caches) cpu.seen.features.attributes["cpu.cache"];
  Reading reading(cpu.host, cpu.seen, "cpu.topology");
  const auto processors = reading.list("/sys/bus/cpu/devices");
  if (!processors) return;

  bool multithreading = false;
  std::set<std::string> packages;
  std::set<std::string> cores;
  std::string first;
  std::size_t threads = 0;
  for (const std::string& processor : *processors) {
    reading.enter("/sys/bus/cpu/devices/" + processor + "/topology");
    const auto siblings = reading.text("thread_siblings_list");
    const auto package = reading.text("physical_package_id");
    if (!siblings || !package) {
      if (nfd) return;  // one processor that is offline, and NFD knows nothing of any
      continue;
    }
    if (siblings->find_first_of(",-") != std::string::npos) multithreading = true;
    packages.insert(*package);
    cores.insert(*siblings);
    if (first.empty()) first = processor;
    ++threads;
  }
  if (threads == 0 && !nfd) return;
  topology["hardware_multithreading"] = multithreading ? "true" : "false";
  topology["socket_count"] = std::to_string(packages.size());
  if (nfd) return;
  topology["core_count"] = std::to_string(cores.size());
  topology["thread_count"] = std::to_string(threads);
  if (wants_caches) observe_caches(cpu, first);
}

}  // namespace nodescout
