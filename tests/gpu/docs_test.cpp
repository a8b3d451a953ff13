// docs/gpu.md names each label of GPUs and accelerators that the program can make, and a selector for it.
#include <gtest/gtest.h>

#include <fstream>

#include "base/text.h"
#include "gpu/amd_labels.h"
#include "gpu/intel_labels.h"
#include "probe/accelerators.h"
#include "probe/gpu_schema.h"
#include "rule/pattern.h"
#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

/// A name of the page as a pattern for keys.
std::string pattern_of(std::string name) {
  if (name.starts_with("F/")) name = "feature.node.kubernetes.io/" + name.substr(2);
  if (name.starts_with("N/")) name = "nvidia.com/" + name.substr(2);
  name = replace_all(name, ".", "\\.");
  for (const auto& [word, pattern] : {std::pair{"*", ".+"},
                                      {"VENDOR", "[a-z]+"},
                                      {"NAME", "[a-z0-9]+"},
                                      {"MODEL", ".+"},
                                      {"PROFILE", "[^/]+"},
                                      {"KIND", "[a-z-]+"},
                                      {"VALUE", ".+"}})
    name = replace_all(name, word, pattern);
  return name;
}

bool fits(const std::string& key, const std::string& name) {
  return Pattern::compile("^(?:" + name + ")$")->found_in(key);
}

/// The first column of the table, as patterns. "`N/gpu.count`, `.memory`" are N/gpu.count and N/gpu.memory,
/// "`a/gpu`, `.../npu`" are a/gpu and a/npu.
std::vector<std::string> names_on_the_page() {
  std::ifstream page(NODESCOUT_SOURCE_DIR "/docs/gpu.md");
  std::vector<std::string> names;
  bool is_table = false;
  for (std::string line; std::getline(page, line);) {
    is_table = line.starts_with("| Label | NVIDIA device plugin") || (is_table && line.starts_with("|"));
    if (!is_table) continue;
    const std::vector<std::string_view> cells = split(line, '|');
    EXPECT_EQ(cells.size(), 8u) << line;
    EXPECT_NE(trim(cells[6]), "-") << "no selector: " << line;
    std::string full;
    const std::vector<std::string_view> parts = split(cells[1], '`');
    for (std::size_t i = 1; i < parts.size(); i += 2) {
      std::string name(parts[i]);
      if (name.starts_with(".../"))
        name = full.substr(0, full.find('/')) + name.substr(3);
      else if (name.starts_with("."))
        name = full.substr(0, full.find('.', full.find('/'))) + name;
      else
        full = name;
      names.push_back(pattern_of(name));
    }
  }
  return names;
}

/// Each fact that rules can make labels of, with some value.
Features everything() {
  Features features;
  for (const FeatureSpec& spec : gpu::schema::kProduces) {
    if (spec.kind != FeatureSpec::Kind::attribute || spec.elements.front().name.starts_with("<")) continue;
    for (const ElementSpec& element : spec.elements)
      features.attributes[std::string(spec.key)][std::string(element.name)] = "1";
  }
  for (const char* link : {"nvlink", "xgmi"}) features.attributes["gpu.topology"][link] = "all";
  features.attributes["gpu.wsl"]["nvidia"] = "true";
  for (const gpu::GpuVendor& vendor : gpu::kVendors)
    features.instances["gpu.model"].push_back(
        {{"vendor", std::string(vendor.name)}, {"name", "x-100"}, {"count", "1"}});
  for (const gpu::AcceleratorVendor& vendor : gpu::kAccelerators)
    features.instances["accelerator.kind"].push_back(
        {{"vendor", std::string(vendor.vendor)}, {"name", std::string(vendor.name)}, {"count", "1"}, {"model", "x"}});
  features.flags["kernel.loadedmodule"] = {"i915", "intel_vpu", "habanalabs", "gdrdrv", "nvidia_fs", "nvidia_peermem"};
  for (const auto& [vendor, pci_class, device] : {std::tuple{"10de", "0302", "2330"},
                                                  {"10de", "0300", "2684"},
                                                  {"1002", "0300", "744c"},
                                                  {"1002", "1200", "74a1"},
                                                  {"1002", "1200", "740f"},
                                                  {"1002", "1200", "74b5"},
                                                  {"8086", "0380", "56c0"},
                                                  {"8086", "1200", "643e"},
                                                  {"1da3", "1200", "1060"},
                                                  {"1ac1", "0880", "089a"},
                                                  {"19e5", "1200", "d802"}})
    features.instances["pci.device"].push_back({{"vendor", vendor}, {"class", pci_class}, {"device", device}});
  features.attributes["gpu.amd_labels"] = amd_labels(
      {{{"AI", "74a1", "AMD Instinct MI300X", "CPX", "NPS4", true, true}, {"NV", "73bf", "", "", "", false, false}},
       {{std::int64_t{1} << 34, 8, 4}},
       "6.12",
       "abc"});
  features.attributes["gpu.intel_labels"] =
      intel_labels({{{"0380", "56c0"}, {"0300", "56a0"}}, {{0, std::int64_t{1} << 34, 1, 0}}});
  return features;
}

/// As NVIDIA's driver tells of GPUs with MIG devices that are shared, in a fabric.
Attributes gfd_of_everything() {
  TempHost host;
  NvmlGpu gpu = in_mig_mode(gb200("0000:18:00.0", "7b000000-0000-0000-0000-000000000001", 7), {mig_1g5gb(0)});
  add_function(host, {.address = gpu.bus_id, .device = "0x2941"});
  record_answer(host, driver_report({gpu}));
  Attributes labels;
  Moment moment;
  moment.configured_at = 1'760'000'000;
  for (const MigStrategy strategy : {MigStrategy::none, MigStrategy::single, MigStrategy::mixed}) {
    GpuOptions options;
    options.mig_strategy = strategy;
    const Features features = look_at_gpus(host, options, moment).features;
    for (const auto& [name, value] : features.attributes.at("gpu.gfd")) labels.insert_or_assign(name, value);
  }
  return labels;
}

TEST(GpuDocs, NameEachLabelAndASelectorForIt) {
  Features features = everything();
  features.attributes["gpu.gfd"] = gfd_of_everything();
  const std::vector<std::string> names = names_on_the_page();
  ASSERT_GT(names.size(), 40u);
  const Attributes labels = labels_below(features, "");
  EXPECT_GT(labels.size(), 120u);
  for (const auto& [key, value] : labels) {
    if (key.find("/pci-") != std::string::npos || key.find("/fake-") != std::string::npos) continue;  // NFD's
    EXPECT_TRUE(
        std::any_of(names.begin(), names.end(), [&, &of = key](const std::string& name) { return fits(of, name); }))
        << key << " is not in the table of docs/gpu.md, Who reads which label";
  }
  // And nothing that no rule makes.
  for (const std::string& name : names)
    EXPECT_TRUE(std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return fits(label.first, name); }))
        << name << " of docs/gpu.md is not a label that is made";
}

}  // namespace
}  // namespace nodescout
