// xGMI: which of AMD's GPUs are joined without PCIe, as the kernel's compute driver (KFD) has it.
#include <map>
#include <set>

#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

constexpr const char* kNodes = "/sys/class/kfd/kfd/topology/nodes";

using Properties = std::map<std::string, std::int64_t, std::less<>>;

/// "name value" lines. Empty where nobody may look: in a container the kernel refuses what belongs to the GPUs of
/// others, which is no mistake.
Properties properties_of(const Host& host, const std::string& directory) {
  Properties out;
  const auto text = host.files().read(directory + "/properties");
  if (!text) return out;
  for (const std::string_view line : split(*text, '\n'))
    if (const auto words = fields(line); words.size() == 2)
      if (const auto number = parse_int(words[1])) out.insert_or_assign(std::string(words[0]), *number);
  return out;
}

std::int64_t number_in(const Properties& properties, std::string_view name) {
  const auto at = properties.find(name);
  return at == properties.end() ? 0 : at->second;
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

}  // namespace

void observe_amd(const Host& host, Observation&, const std::vector<Gpu*>& gpus) {
  constexpr std::int64_t kXgmi = 11;
  const auto names = host.files().list(kNodes);
  if (!names) return;
  std::map<std::int64_t, Gpu*> by_node;
  for (const std::string& name : *names)
    if (const auto number = parse_int(name))
      if (Gpu* gpu = gpu_of(properties_of(host, std::string(kNodes) + "/" + name), gpus)) by_node[*number] = gpu;
  std::map<Gpu*, std::set<std::string>> peers;
  for (const auto& [number, gpu] : by_node) {
    const std::string directory = std::string(kNodes) + "/" + std::to_string(number) + "/io_links";
    const auto links = host.files().list(directory);
    if (!links) continue;
    gpu->tells_links = true;
    for (const std::string& link : *links) {
      const Properties properties = properties_of(host, directory + "/" + link);
      const auto other = by_node.find(number_in(properties, "node_to"));
      // To a processor, and between the partitions of one GPU, it is no link between GPUs.
      if (number_in(properties, "type") == kXgmi && other != by_node.end() && other->second != gpu)
        peers[gpu].insert(other->second->address);
    }
  }
  for (const auto& [gpu, joined] : peers) gpu->attributes["xgmi_peers"] = join({joined.begin(), joined.end()}, ",");
}

}  // namespace nodescout::gpu
