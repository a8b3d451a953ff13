// The labels of AMD's node labeller and of Intel's rules and GPU plugin.
#include <gtest/gtest.h>

#include "base/text.h"
#include "gpu/amd_labels.h"
#include "gpu/intel_labels.h"
#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

Attributes pairs(std::string_view text) {
  Attributes out;
  for (const std::string_view word : fields(text))
    out.emplace(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  return out;
}

constexpr std::int64_t kGib = std::int64_t{1} << 30;

AmdLabelInput::Gpu mi300x() { return {"AI", "74a1", "AMD Instinct MI300X", "SPX", "NPS1", true, true}; }

// ---- AMD ------------------------------------------------------------------------------------------------------------

TEST(AmdLabels, OfEightEqualGpus) {
  AmdLabelInput input;
  input.gpus.assign(8, mi300x());
  input.devices.assign(8, {192 * kGib, 1216, 4});
  input.driver_version = "6.12.12";
  input.driver_src_version = "B2B2A2F0E1E7C0DE1234567";
  EXPECT_EQ(amd_labels(input), pairs("amd.com/gpu.family=AI beta.amd.com/gpu.family=AI beta.amd.com/gpu.family.AI=8 "
                                     "amd.com/gpu.device-id=74a1 beta.amd.com/gpu.device-id=74a1 "
                                     "beta.amd.com/gpu.device-id.74a1=8 "
                                     "amd.com/gpu.product-name=AMD_Instinct_MI300X "
                                     "beta.amd.com/gpu.product-name=AMD_Instinct_MI300X "
                                     "beta.amd.com/gpu.product-name.AMD_Instinct_MI300X=8 "
                                     "amd.com/gpu.vram=192G beta.amd.com/gpu.vram=192G beta.amd.com/gpu.vram.192G=8 "
                                     "amd.com/gpu.simd-count=1216 beta.amd.com/gpu.simd-count=1216 "
                                     "beta.amd.com/gpu.simd-count.1216=8 "
                                     "amd.com/gpu.cu-count=304 beta.amd.com/gpu.cu-count=304 "
                                     "beta.amd.com/gpu.cu-count.304=8 "
                                     "amd.com/gpu.driver-version=6.12.12 "
                                     "amd.com/gpu.driver-src-version=B2B2A2F0E1E7C0DE1234567 "
                                     "amd.com/gpu.compute-memory-partition=spx_nps1 "
                                     "amd.com/gpu.compute-partitioning-supported=true "
                                     "amd.com/gpu.memory-partitioning-supported=true"));
}

TEST(AmdLabels, OfPartitionsAreCountedBesideTheirGpu) {
  AmdLabelInput input;
  input.gpus = {mi300x()};
  input.gpus[0].compute_partition = "CPX";
  input.devices.assign(8, {24 * kGib, 152, 4});
  const Attributes labels = amd_labels(input);
  EXPECT_EQ(labels.at("beta.amd.com/gpu.device-id.74a1"), "1");
  EXPECT_EQ(labels.at("beta.amd.com/gpu.cu-count.38"), "8");
  EXPECT_EQ(labels.at("beta.amd.com/gpu.vram.24G"), "8");
  EXPECT_EQ(labels.at("amd.com/gpu.compute-memory-partition"), "cpx_nps1");
}

TEST(AmdLabels, OfDifferentGpusAreCountsAlone) {
  AmdLabelInput input;
  input.gpus = {mi300x(), mi300x(), {"GC_11_0_0", "744c", "", "", "", false, false}};
  input.devices = {{192 * kGib, 1216, 4}, {192 * kGib, 1216, 4}, {24 * kGib, 192, 2}};
  const Attributes labels = amd_labels(input);
  EXPECT_FALSE(labels.contains("amd.com/gpu.family"));
  EXPECT_EQ(labels.at("amd.com/gpu.family.AI"), "2");
  EXPECT_EQ(labels.at("beta.amd.com/gpu.family.GC_11_0_0"), "1");
  EXPECT_EQ(labels.at("amd.com/gpu.vram.24G"), "1");
  // Only some have a name or modes: that name, and the modes of those.
  EXPECT_EQ(labels.at("amd.com/gpu.product-name"), "AMD_Instinct_MI300X");
  EXPECT_EQ(labels.at("beta.amd.com/gpu.product-name.AMD_Instinct_MI300X"), "2");
  EXPECT_EQ(labels.at("amd.com/gpu.compute-memory-partition"), "spx_nps1");
}

TEST(AmdLabels, RoundAndSpellAsAmdDoes) {
  AmdLabelInput input;
  input.gpus = {{"AI", "740c", "AMD Instinct MI250X / MI250 (OAM)", "", "", false, false}};
  input.devices = {{512 * kGib / 1024, 4, 0}};
  input.driver_version = "";
  Attributes labels = amd_labels(input);
  EXPECT_EQ(labels.at("amd.com/gpu.product-name"), "AMD_Instinct_MI250X___MI250_OAM");
  EXPECT_EQ(labels.at("amd.com/gpu.vram"), "1G");
  EXPECT_FALSE(labels.contains("amd.com/gpu.cu-count")) << "a division by zero";
  EXPECT_EQ(labels.at("amd.com/gpu.driver-version"), "") << "amdgpu of the kernel has no version";
  EXPECT_FALSE(labels.contains("amd.com/gpu.driver-src-version")) << "it could not be read";
  EXPECT_EQ(labels.at("amd.com/gpu.compute-partitioning-supported"), "false");
  input.devices[0].vram = 256 * kGib / 1024;
  EXPECT_EQ(amd_labels(input).at("amd.com/gpu.vram"), "0G");
  input.gpus[0].product = "Radeon\xff";
  EXPECT_FALSE(amd_labels(input).contains("amd.com/gpu.product-name")) << "one illegal label loses AMD's labeller all";
  EXPECT_TRUE(amd_labels({}).empty());
}

/// One MI300X in CPX, with as many KFD nodes as it has partitions; node 0 is the processor.
void add_mi300x(TempHost& host, int bus, int partitions, int first_node) {
  char address[16];
  std::snprintf(address, sizeof address, "0000:%02x:00.0", bus);
  add_function(host, {.address = address,
                      .vendor = "0x1002",
                      .device = "0x74a1",
                      .pci_class = "0x120000",
                      .driver = "amdgpu",
                      .numa_node = 0});
  const std::string own = std::string("/sys/devices/pci0000:00/") + address + "/";
  host.write(own + "product_name", "AMD Instinct MI300X\n");
  host.write(own + "current_compute_partition", partitions == 1 ? "SPX\n" : "CPX\n");
  host.write(own + "current_memory_partition", "NPS4\n");
  host.write(own + "available_compute_partition", "SPX, DPX, QPX, CPX\n");
  for (int i = 0; i < partitions; ++i) {
    const std::string node = "/sys/class/kfd/kfd/topology/nodes/" + std::to_string(first_node + i);
    host.write(node + "/properties", "cpu_cores_count 0\nsimd_count " + std::to_string(1216 / partitions) +
                                         "\nsimd_per_cu 4\ndomain 0\nlocation_id " + std::to_string((bus << 8) + i) +
                                         "\ndrm_render_minor " + std::to_string(128 + i) + "\n");
    host.write(node + "/mem_banks/0/properties",
               "heap_type 1\nsize_in_bytes " + std::to_string(192 * kGib / partitions) + "\n");
  }
}

TEST(AmdLabels, CountWhatProgramsSeeOfABoardInCpx) {
  TempHost host;
  host.write("/sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 96\nsimd_count 0\n");
  for (int i = 0; i < 8; ++i) add_mi300x(host, 0x10 + i, 8, 1 + 8 * i);
  host.write("/sys/module/amdgpu/version", "6.12.12\n");
  const Observation seen = look_at_gpus(host);
  EXPECT_TRUE(seen.problems.empty());
  const Attributes own = labels_below(seen.features, "feature.node.kubernetes.io/gpu-amd.");
  EXPECT_EQ(own.at("count"), "8");
  EXPECT_EQ(own.at("compute_partition"), "CPX");
  EXPECT_EQ(own.at("logical_devices"), "64");
  EXPECT_EQ(seen.features.instances.at("gpu.device")[0].at("logical_devices"), "8");
  const Attributes amd = labels_below(seen.features, "amd.com/gpu.");
  EXPECT_EQ(amd.at("vram"), "24G");
  EXPECT_EQ(amd.at("cu-count"), "38");
  EXPECT_EQ(amd.at("family"), "AI");
  EXPECT_EQ(amd.at("driver-version"), "6.12.12");
  EXPECT_EQ(amd.at("compute-memory-partition"), "cpx_nps4");
  EXPECT_EQ(amd.at("compute-partitioning-supported"), "true");
  EXPECT_EQ(amd.at("memory-partitioning-supported"), "false");
  EXPECT_EQ(labels_below(seen.features, "beta.amd.com/gpu.").at("vram.24G"), "64");
}

TEST(AmdLabels, ABoardWithoutANameHasLibdrms) {
  const auto product = [](const char* device, const char* revision, const char* product_name) {
    TempHost host;
    add_function(host, {.address = "0000:0c:00.0", .vendor = "0x1002", .device = device, .driver = "amdgpu"});
    const std::string own = "/sys/devices/pci0000:00/0000:0c:00.0/";
    host.write(own + "revision", std::string(revision) + "\n");
    if (product_name) host.write(own + "product_name", std::string(product_name) + "\n");
    const Attributes labels = labels_below(look_at_gpus(host).features, "amd.com/gpu.");
    const auto at = labels.find("product-name");
    return at == labels.end() ? "" : at->second;
  };
  EXPECT_EQ(product("0x74b5", "0x00", nullptr), "AMD_Instinct_MI300X_VF") << "a guest, which sees no board";
  EXPECT_EQ(product("0x74a1", "0x00", ""), "AMD_Instinct_MI300X");
  EXPECT_EQ(product("0x740c", "0x01", nullptr), "AMD_Instinct_MI250X___MI250");
  EXPECT_EQ(product("0x7551", "0xc0", nullptr), "AMD_Radeon_AI_PRO_R9700");
  EXPECT_EQ(product("0x7551", "0xff", nullptr), "") << "a revision that libdrm does not know";
  EXPECT_EQ(product("0x740c", "0x01", "AMD INSTINCT MI250 (MCM) OAM AC MBA"), "AMD_INSTINCT_MI250_MCM_OAM_AC_MBA");
  EXPECT_EQ(product("0xfff1", "0x00", nullptr), "");
}

TEST(AmdLabels, AGpuThatIsNotPartitionedIsOneDevice) {
  TempHost host;
  add_mi300x(host, 0x10, 1, 1);
  const Features features = look_at_gpus(host).features;
  EXPECT_EQ(labels_below(features, "feature.node.kubernetes.io/gpu-amd.").at("logical_devices"), "1");
  EXPECT_FALSE(features.instances.at("gpu.device")[0].contains("logical_devices"));
}

TEST(AmdLabels, TheDriversVersionIsEmptyWhereItHasNoneAndLeftOutWhereItCannotBeRead) {
  const auto look = [](const char* path, const char* content) {
    TempHost host;
    add_mi300x(host, 0x10, 1, 1);
    if (*content != '\0')
      host.write(path, content);
    else
      host.write(std::string(path) + "/", "dir");
    return look_at_gpus(host);
  };
  Observation seen = look("/sys/module/amdgpu/version", "6.12.12\n");
  EXPECT_EQ(labels_below(seen.features, "amd.com/gpu.").at("driver-version"), "6.12.12");
  EXPECT_EQ(labels_below(seen.features, "amd.com/gpu.").at("driver-src-version"), "") << "there is no such file";
  EXPECT_FALSE(seen.incomplete.contains("gpu.amd_labels"));
  seen = look("/sys/module/amdgpu/version", "");
  EXPECT_FALSE(labels_below(seen.features, "amd.com/gpu.").contains("driver-version"));
  EXPECT_TRUE(seen.incomplete.contains("gpu.amd_labels")) << "what the Node has is kept";
}

TEST(VendorLabels, CanBeSwitchedOff) {
  TempHost host;
  add_mi300x(host, 0x10, 1, 1);
  add_function(
      host,
      {.address = "0000:20:00.0", .vendor = "0x8086", .device = "0x56c0", .pci_class = "0x038000", .driver = "i915"});
  GpuOptions options;
  EXPECT_FALSE(labels_below(look_at_gpus(host, options).features, "amd.com/").empty());
  EXPECT_FALSE(labels_below(look_at_gpus(host, options).features, "gpu.intel.com/").empty());
  EXPECT_EQ(options.shared_labels().size(), 2u);
  options.labellers["amd"] = GpuOptions::Labeller::off;
  options.labellers["intel"] = GpuOptions::Labeller::on;
  const Features features = look_at_gpus(host, options).features;
  EXPECT_TRUE(labels_below(features, "amd.com/").empty());
  EXPECT_TRUE(labels_below(features, "beta.amd.com/").empty());
  EXPECT_FALSE(labels_below(features, "gpu.intel.com/").empty());
  EXPECT_FALSE(labels_below(features, "feature.node.kubernetes.io/gpu-amd.").empty()) << "our own labels stay";
  EXPECT_TRUE(options.shared_labels().empty()) << "neither is left to another program";
}

TEST(VendorLabels, GfdsCanBeSwitchedOffAndGo) {
  TempHost host;
  add_function(host, {.address = "0000:18:00.0"});
  record_answer(host, driver_report({h100("0000:18:00.0")}));
  GpuOptions options;
  EXPECT_TRUE(labels_below(look_at_gpus(host, options).features, "nvidia.com/").contains("gpu.product"));
  options.labellers["nvidia"] = GpuOptions::Labeller::off;
  const Observation seen = look_at_gpus(host, options);
  EXPECT_TRUE(labels_below(seen.features, "nvidia.com/").empty());
  EXPECT_FALSE(seen.incomplete.contains("gpu.gfd")) << "they would be held for ever";
}

// ---- Intel ----------------------------------------------------------------------------------------------------------

TEST(IntelLabels, OfIntelsRules) {
  EXPECT_EQ(intel_labels({{{"0380", "56c0"}, {"0380", "56c0"}}, {}}),
            pairs("gpu.intel.com/device-id.0380-56c0.present=true gpu.intel.com/device-id.0380-56c0.count=2 "
                  "gpu.intel.com/product=Flex_170 gpu.intel.com/family=Flex_Series gpu.intel.com/device.count=2"));
  EXPECT_EQ(intel_labels({{{"0380", "0bda"}}, {}}),
            pairs("gpu.intel.com/device-id.0380-0bda.present=true gpu.intel.com/device-id.0380-0bda.count=1 "
                  "gpu.intel.com/product=Max_1100 gpu.intel.com/family=Max_Series gpu.intel.com/device.count=1"));
  // A family without a product; and the count of a class is that of all, under the name of the first.
  EXPECT_EQ(intel_labels({{{"0300", "4680"}, {"0300", "56a1"}}, {}}),
            pairs("gpu.intel.com/device-id.0300-4680.present=true gpu.intel.com/device-id.0300-56a1.present=true "
                  "gpu.intel.com/device-id.0300-4680.count=2 gpu.intel.com/family=A_Series"));
  EXPECT_FALSE(intel_labels({{{"0380", "0bd7"}}, {}}).contains("gpu.intel.com/product"));
  EXPECT_EQ(intel_labels({{{"0300", "e211"}, {"0300", "e223"}}, {}}),
            pairs("gpu.intel.com/device-id.0300-e211.present=true gpu.intel.com/device-id.0300-e223.present=true "
                  "gpu.intel.com/device-id.0300-e211.count=2"))
      << "the rules do not name the B series";
  EXPECT_TRUE(intel_labels({}).empty());
}

TEST(IntelLabels, OfIntelsPlugin) {
  EXPECT_EQ(intel_labels({{}, {{0, 48 * kGib, 1, 0}, {1, 48 * kGib, 2, 0}, {2, 0, 0, 1}, {10, 0, 1, {}}}}),
            pairs("gpu.intel.com/millicores=4000 gpu.intel.com/memory.max=103079215104 gpu.intel.com/tiles=5 "
                  "gpu.intel.com/cards=card0.card1.card10.card2 gpu.intel.com/gpu-numbers=0.1.10.2 "
                  "gpu.intel.com/numa-gpu-map=0-0.1_1-2"));
}

TEST(IntelLabels, LongValuesAreSplit) {
  IntelLabelInput input;
  for (int i = 100; i < 132; ++i) input.cards.push_back({i, 0, 1, 0});
  const Attributes labels = intel_labels(input);
  EXPECT_EQ(labels.at("gpu.intel.com/cards"), "card100.card101.card102.card103.card104.card105.card106.card107");
  std::string joined;
  for (const char* key : {"gpu-numbers", "gpu-numbers2", "gpu-numbers3"}) {
    const std::string piece = labels.at(std::string("gpu.intel.com/") + key);
    EXPECT_LE(piece.size(), 63u);
    EXPECT_NE(piece.back(), '.');
    joined += piece.front() == 'Z' ? piece.substr(1) : piece;
  }
  EXPECT_TRUE(joined.starts_with("100.101.")) << joined;
  EXPECT_TRUE(joined.ends_with(".130.131")) << joined;
  EXPECT_EQ(joined.size(), 32u * 4 - 1);
  EXPECT_EQ(split_label_value(std::string(63, 'a')).size(), 1u);
  EXPECT_EQ(split_label_value(std::string(64, 'a')), (std::vector<std::string>{std::string(63, 'a'), "Za"}));
  EXPECT_TRUE(split_label_value(std::string(64, '.')).empty());
}

TEST(IntelLabels, AreMadeOfTheBusAndOfItsCards) {
  TempHost host;
  for (const auto& [address, card] : {std::pair{"0000:4d:00.0", "card0"}, {"0000:4e:00.0", "card1"}}) {
    add_function(host, {.address = address,
                        .vendor = "0x8086",
                        .device = "0x56c0",
                        .pci_class = "0x038000",
                        .driver = "i915",
                        .numa_node = 1});
    const std::string own = std::string("/sys/devices/pci0000:00/") + address + "/drm/" + card;
    host.write(own + "/lmem_total_bytes", "17179869184\n");
    host.write(own + "/gt/gt0/id", "0\n");
  }
  Attributes labels = labels_below(look_at_gpus(host).features, "gpu.intel.com/");
  EXPECT_EQ(labels, pairs("device-id.0380-56c0.present=true device-id.0380-56c0.count=2 product=Flex_170 "
                          "family=Flex_Series device.count=2 millicores=2000 memory.max=34359738368 tiles=2 "
                          "cards=card0.card1 gpu-numbers=0.1 numa-gpu-map=1-0.1"));
  // A card that is divided among guests is not the plugin's, but it is on the bus.
  host.write("/sys/devices/pci0000:00/0000:4e:00.0/sriov_numvfs", "4\n");
  labels = labels_below(look_at_gpus(host).features, "gpu.intel.com/");
  EXPECT_EQ(labels.at("cards"), "card0");
  EXPECT_EQ(labels.at("device.count"), "2");
}

TEST(IntelLabels, CountTheMemoryOfAllTiles) {
  for (const char* driver : {"i915", "xe"}) {
    TempHost host;
    add_function(
        host,
        {.address = "0000:4d:00.0", .vendor = "0x8086", .device = "0x0bd5", .pci_class = "0x038000", .driver = driver});
    const std::string own = "/sys/devices/pci0000:00/0000:4d:00.0/";
    host.write(own + "drm/card0/dev", "226:0\n");
    if (std::string_view(driver) == "i915") {
      host.write(own + "drm/card0/lmem_total_bytes", "68719476736\n");
      for (const char* gt : {"gt0", "gt1"}) host.write(own + "drm/card0/gt/" + gt + "/id", "0\n");
    } else {
      for (const char* tile : {"tile0", "tile1"}) host.write(own + tile + "/physical_vram_size_bytes", "68719476736\n");
    }
    const Attributes labels = labels_below(look_at_gpus(host).features, "gpu.intel.com/");
    EXPECT_EQ(labels.at("memory.max"), "137438953472") << driver;
    EXPECT_EQ(labels.at("tiles"), "2") << driver;
    EXPECT_FALSE(labels.contains("numa-gpu-map")) << driver;
  }
}

TEST(IntelLabels, CountVirtualFunctionsInPlaceOfTheirCard) {
  TempHost host;
  for (int i = 0; i < 3; ++i) {
    const std::string address = "0000:4d:00." + std::to_string(i);
    add_function(host, {.address = address,
                        .vendor = "0x8086",
                        .device = "0x56c0",
                        .pci_class = "0x038000",
                        .driver = i == 2 ? "vfio-pci" : "i915",
                        .numa_node = 1});
    const std::string own = "/sys/devices/pci0000:00/" + address + "/";
    if (i > 0) host.write(own + "physfn", "-> ../0000:4d:00.0");
    if (i == 0) host.write(own + "sriov_numvfs", "2\n");
    if (i < 2) host.write(own + "drm/card" + std::to_string(i) + "/lmem_total_bytes", "4294967296\n");
  }
  const Observation seen = look_at_gpus(host);
  const Attributes labels = labels_below(seen.features, "gpu.intel.com/");
  EXPECT_EQ(labels.at("memory.max"), "4294967296");
  EXPECT_EQ(labels.at("cards"), "card1");
  EXPECT_EQ(labels.at("millicores"), "1000");
  EXPECT_EQ(labels.at("numa-gpu-map"), "1-1");
  EXPECT_EQ(labels_below(seen.features, "feature.node.kubernetes.io/gpu-intel.").at("count"), "1");
}

TEST(IntelLabels, AnNpuWhoseDriverIsBuiltInHasOne) {
  for (const char* set : {"kernel.loadedmodule", "kernel.enabledmodule", "none"}) {
    Features features;
    features.instances["pci.device"] = {{{"vendor", "8086"}, {"class", "1200"}, {"device", "643e"}}};
    features.flags[set] = {"intel_vpu"};
    EXPECT_EQ(labels_below(features, "intel.feature.node.kubernetes.io/").contains("npu"),
              std::string_view(set) != "none")
        << set;
  }
}

}  // namespace
}  // namespace nodescout
