// xGMI: which of AMD's GPUs are joined without PCIe, as the kernel's compute driver (KFD) reports it.
#include <algorithm>
#include <map>
#include <set>

#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr const char* kNodes = "/sys/class/kfd/kfd/topology/nodes";

/// Numbers, as the kernel prints them: some have 64 bits without a sign.
using Properties = std::map<std::string, std::string, std::less<>>;

/// "name value" lines. Empty where reading is denied: in a container the kernel hides the GPUs of others, which is not
/// a failure.
Properties properties_of(const Host& host, const std::string& directory) {
  Properties out;
  const auto text = host.files().read(directory + "/properties");
  if (!text) return out;
  for (const std::string_view line : split(*text, '\n'))
    if (const auto words = fields(line); words.size() == 2)
      out.insert_or_assign(std::string(words[0]), std::string(words[1]));
  return out;
}

std::optional<std::int64_t> number_if_any(const Properties& properties, std::string_view name) {
  const auto at = properties.find(name);
  return at == properties.end() ? std::nullopt : parse_int(at->second);
}

std::int64_t number_in(const Properties& properties, std::string_view name) {
  return number_if_any(properties, name).value_or(0);
}

std::string address_of(std::int64_t domain, std::int64_t location, std::int64_t function) {
  char text[32];
  std::snprintf(text, sizeof text, "%04llx:%02llx:%02llx.%llx", static_cast<unsigned long long>(domain),
                static_cast<unsigned long long>(location >> 8 & 0xFF),
                static_cast<unsigned long long>(location >> 3 & 0x1F), static_cast<unsigned long long>(function));
  return text;
}

/// The GPU of a node. The partitions of one GPU number themselves in the place of the function.
Gpu* gpu_of(const Properties& node, const std::vector<Gpu*>& gpus) {
  const std::int64_t location = number_in(node, "location_id");
  if (number_in(node, "simd_count") <= 0) return nullptr;  // a processor
  for (const std::int64_t function : {location & 7, std::int64_t{0}}) {
    const std::string address = address_of(number_in(node, "domain"), location, function);
    for (Gpu* gpu : gpus)
      if (gpu->address == address) return gpu;
  }
  return nullptr;
}

std::optional<std::int64_t> memory_of(const Host& host, std::int64_t node) {
  const Properties bank = properties_of(host, std::string(kNodes) + "/" + std::to_string(node) + "/mem_banks/0");
  const auto size = number_if_any(bank, "size_in_bytes");
  return size && *size < 0 ? std::nullopt : size;
}

/// The GPUs that share memory by xGMI; empty without.
std::string hive_of(const Properties& node) {
  const auto at = node.find("hive_id");
  return at == node.end() || at->second == "0" ? "" : at->second;
}

/// xGMI links of a node, to whatever they lead.
std::vector<Properties> xgmi_links(const Host& host, const std::string& directory,
                                   const std::vector<std::string>& links) {
  constexpr std::int64_t kXgmi = 11;
  std::vector<Properties> found;
  for (const std::string& link : links)
    if (Properties properties = properties_of(host, directory + "/" + link); number_in(properties, "type") == kXgmi)
      found.push_back(std::move(properties));
  return found;
}

/// The kernel lists a link to each GPU of the hive. Those without a direct link have a weight of 15 for each hop, and
/// no bandwidth where the others have some.
bool is_direct(const Properties& link, const std::vector<Properties>& all) {
  constexpr std::int64_t kOneHop = 15;
  const auto has_bandwidth = [](const Properties& each) { return number_in(each, "max_bandwidth") > 0; };
  return number_in(link, "weight") <= kOneHop &&
         (has_bandwidth(link) || std::none_of(all.begin(), all.end(), has_bandwidth));
}

}  // namespace

void observe_amd(const Host& host, Observation&, const std::vector<Gpu*>& gpus) {
  const auto names = host.files().list(kNodes);
  if (!names) return;
  std::map<std::int64_t, Gpu*> by_node;
  std::map<std::int64_t, Properties> nodes;  // by number: partitions of a GPU in their order
  for (const std::string& name : *names)
    if (const auto number = parse_int(name)) nodes[*number] = properties_of(host, std::string(kNodes) + "/" + name);
  for (const auto& [number, node] : nodes)
    if (Gpu* gpu = gpu_of(node, gpus)) {
      by_node[number] = gpu;
      gpu->logical_devices.push_back(
          {memory_of(host, number), number_in(node, "simd_count"), number_in(node, "simd_per_cu")});
    }
  for (Gpu* gpu : gpus)
    if (gpu->logical_devices.size() > 1)
      gpu->attributes["logical_devices"] = std::to_string(gpu->logical_devices.size());
  std::map<Gpu*, std::set<std::string>> peers;
  for (const auto& [number, gpu] : by_node) {
    const std::string directory = std::string(kNodes) + "/" + std::to_string(number) + "/io_links";
    const auto links = host.files().list(directory);
    if (!links) continue;
    gpu->reports_links = true;
    const std::vector<Properties> all = xgmi_links(host, directory, *links);
    for (const Properties& link : all) {
      const auto other = by_node.find(number_in(link, "node_to"));
      // To a processor, and between the partitions of one GPU, it is not a link between GPUs.
      if (other == by_node.end() || other->second == gpu) continue;
      const bool is_partitioned = gpu->logical_devices.size() > 1 || other->second->logical_devices.size() > 1;
      // Links of partitions have neither weight nor bandwidth of the wire.
      const std::string hive = hive_of(nodes[number]);
      if (is_partitioned ? !hive.empty() && hive == hive_of(nodes[other->first]) : is_direct(link, all))
        peers[gpu].insert(other->second->address);
    }
  }
  for (const auto& [gpu, joined] : peers) gpu->attributes["xgmi_peers"] = join({joined.begin(), joined.end()}, ",");
}

}  // namespace nodescout::gpu
