#include "gpu/intel_labels.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"

namespace nodescout {
namespace {

constexpr std::string_view kPrefix = "gpu.intel.com/";
constexpr std::size_t kLongestValue = 63;

/// Products that the rules name; of several on one node the last one wins.
struct Named {
  std::string_view pci_class, device;
  const char* product;
};
constexpr Named kNamed[] = {{"0380", "0bda", "Max_1100"},
                            {"0380", "0bd5", "Max_1550"},
                            {"0380", "56c0", "Flex_170"},
                            {"0380", "56c1", "Flex_140"}};
constexpr std::string_view kMax[] = {"0bda", "0bd5", "0bd9", "0bdb", "0bd7", "0bd6", "0bd0"};
constexpr std::string_view kFlex[] = {"56c0", "56c1"};
constexpr std::string_view kArcA[] = {"5690", "5691", "5692", "5693", "5694", "5695", "5696", "5697",
                                      "56a0", "56a1", "56a2", "56a3", "56a4", "56a5", "56a6", "56b0",
                                      "56b1", "56b2", "56b3", "56ba", "56bb", "56bc", "56bd"};

void put(Attributes& into, const std::string& name, std::string value) {
  into[std::string(kPrefix) + name] = std::move(value);
}

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Of the rules: what is on the bus, whether a driver has it or not.
void add_rules(const std::vector<IntelLabelInput::Function>& functions, Attributes& labels) {
  const auto count = [&](std::string_view pci_class, const auto& devices) {
    return std::count_if(functions.begin(), functions.end(), [&](const auto& each) {
      return each.pci_class == pci_class &&
             std::find(std::begin(devices), std::end(devices), each.device_id) != std::end(devices);
    });
  };
  for (const std::string_view pci_class : {"0300", "0380"}) {
    const std::string* first = nullptr;
    std::size_t all = 0;
    for (const IntelLabelInput::Function& each : functions) {
      if (each.pci_class != pci_class) continue;
      put(labels, "device-id." + each.pci_class + "-" + each.device_id + ".present", "true");
      if (all++ == 0) first = &each.device_id;
    }
    // Intel's rule names the first device of the class and counts them all.
    if (first) put(labels, "device-id." + std::string(pci_class) + "-" + *first + ".count", std::to_string(all));
  }
  for (const Named& named : kNamed)
    if (const auto some = count(named.pci_class, std::array{named.device}); some > 0) {
      put(labels, "product", named.product);
      put(labels, "device.count", std::to_string(some));
    }
  if (count("0380", kMax) > 0) put(labels, "family", "Max_Series");
  if (count("0380", kFlex) > 0) put(labels, "family", "Flex_Series");
  if (count("0300", kArcA) > 0) put(labels, "family", "A_Series");
}

void put_split(Attributes& labels, const std::string& name, const std::string& value) {
  const std::vector<std::string> pieces = split_label_value(value);
  for (std::size_t i = 0; i < pieces.size(); ++i) put(labels, i == 0 ? name : name + std::to_string(i + 1), pieces[i]);
}

/// Of the plugin: what a driver offers.
void add_plugin(const std::vector<IntelLabelInput::Card>& cards, Attributes& labels) {
  if (cards.empty()) return;
  constexpr std::int64_t kMillicores = 1000;
  std::int64_t memory = 0, tiles = 0;
  std::vector<std::string> names, numbers;
  std::map<int, std::vector<std::string>> nodes;
  for (const IntelLabelInput::Card& card : cards) {
    memory += card.memory;
    tiles += std::max<std::int64_t>(card.tiles, 1);
    const std::string number = std::to_string(card.number);
    names.push_back("card" + number);
    numbers.push_back(number);
    if (card.numa_node) nodes[*card.numa_node].push_back(number);
  }
  put(labels, "millicores", std::to_string(kMillicores * std::ssize(cards)));
  put(labels, "memory.max", std::to_string(memory));
  put(labels, "tiles", std::to_string(tiles));
  std::string list = join(names, ".").substr(0, kLongestValue);
  while (!list.empty() && !is_alphanumeric(list.back())) list.pop_back();
  put(labels, "cards", list);
  put_split(labels, "gpu-numbers", join(numbers, "."));
  std::vector<std::string> map;
  for (const auto& [node, members] : nodes) map.push_back(std::to_string(node) + "-" + join(members, "."));
  if (!map.empty()) put_split(labels, "numa-gpu-map", join(map, "_"));
}

}  // namespace

std::vector<std::string> split_label_value(std::string_view value) {
  std::vector<std::string> pieces;
  std::string prefix;
  while (prefix.size() + value.size() > kLongestValue) {
    std::size_t length = kLongestValue - prefix.size();
    while (length > 0 && !is_alphanumeric(value[length - 1])) --length;
    if (length == 0) return {};  // nothing that a label could hold
    pieces.push_back(prefix + std::string(value.substr(0, length)));
    value.remove_prefix(length);
    prefix = "Z";
  }
  pieces.push_back(prefix + std::string(value));
  return pieces;
}

Attributes intel_labels(IntelLabelInput input) {
  // In the order of their names: card0, card1, card10, card2.
  std::sort(input.cards.begin(), input.cards.end(),
            [](const auto& a, const auto& b) { return std::to_string(a.number) < std::to_string(b.number); });
  Attributes labels;
  add_rules(input.functions, labels);
  add_plugin(input.cards, labels);
  return labels;
}

}  // namespace nodescout
