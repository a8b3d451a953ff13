#include <algorithm>

#include "gpu/gfd_text.h"
#include "probe/gpu_parts.h"

namespace nodescout::gpu {
namespace {

std::optional<std::int64_t> mebibytes(std::string_view bytes) {
  constexpr std::int64_t kMib = 1 << 20;
  const auto count = parse_int(bytes);
  return count && *count >= kMib ? std::optional<std::int64_t>(*count / kMib) : std::nullopt;
}

void take(Reading& reading, const SysfsFact& fact, const std::string& device, Gpu& gpu) {
  const std::string file(fact.file);
  auto text = reading.text(file);
  if (!text || text->empty()) return;
  if (fact.kind == SysfsFact::Kind::mebibytes) {
    const auto size = mebibytes(*text);
    if (!size) return;
    if (fact.attribute == "memory") {
      gpu.memory = size;
      return;
    }
    text = std::to_string(*size);
  }
  if (fact.kind == SysfsFact::Kind::mode) {
    if (*text == "UNKNOWN") return;
    if (legal_label_value(*text) != *text)
      return reading.note({Errc::malformed, device + "/" + file, quote(*text) + " is not a mode"});
  }
  if (fact.attribute == "product")
    gpu.product = *std::move(text);
  else
    gpu.attributes.insert_or_assign(fact.attribute, *std::move(text));
}

/// "mi250", of "AMD Instinct MI250X / MI250".
bool is_one_of(std::string_view name, std::string_view products) {
  const std::vector<std::string_view> all = split(products, '/');
  return std::any_of(all.begin(), all.end(), [&](std::string_view each) { return model_of_product(each) == name; });
}

/// The board's own memory holds its name, so it overrides the table: one PCI id may be several products.
void take_name(Gpu& gpu) {
  std::string name = model_of_product(gpu.product);
  constexpr std::string_view kSayLess[] = {"radeon-graphics", "mi200", "unknown", "n-a"};  // a series, or nothing
  if (name.empty() || name == gpu.model.name ||
      std::find(std::begin(kSayLess), std::end(kSayLess), name) != std::end(kSayLess))
    return;
  if (!is_one_of(name, gpu.model.maker_name)) gpu.model.memory = {};  // that of another product
  gpu.own_name = std::move(name);
}

}  // namespace

void add_sysfs_facts(const Host& host, Observation& seen, std::vector<Gpu>& gpus) {
  for (const GpuVendor& vendor : kVendors) {
    const std::size_t problems_before = seen.problems.size();
    std::vector<Gpu*> working;
    for (Gpu& gpu : gpus)
      if (gpu.vendor == &vendor && has_working_driver(gpu)) working.push_back(&gpu);
    for (Gpu* gpu : working) {
      Reading reading(host, seen, "gpu.device");
      const std::string device = "/sys/bus/pci/devices/" + gpu->address;
      reading.enter(device);
      for (const SysfsFact& fact : vendor.facts) take(reading, fact, device, *gpu);
      take_name(*gpu);
    }
    if (vendor.observe && !working.empty()) vendor.observe(host, seen, working);
    if (seen.problems.size() == problems_before) continue;
    seen.incomplete.emplace(vendor.common.key);
    seen.incomplete.emplace("gpu.model");
  }
}

}  // namespace nodescout::gpu
