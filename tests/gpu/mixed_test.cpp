// Nodes with different GPUs: counts for each model, in whatever order they are listed; and how near GPUs,
// NICs and NUMA nodes are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "gpu/topology.h"
#include "support/gpus.h"

namespace nodescout {
namespace {

using namespace test;

struct Model {
  int count;
  const char* vendor;  // "0x10de", "0x1002", "0x8086"
  const char* device;
  const char* pci_class;
  const char* driver;
  const char* name = "";  // the driver's; of NVIDIA's GPUs, which it lists by it. Empty: it does not list them
  int major = 8, minor = 0;
};

constexpr const char* kNv = "0x10de";
constexpr const char* kAmd = "0x1002";
constexpr const char* kIntel = "0x8086";
constexpr const char* k3d = "0x030200";
constexpr const char* kVga = "0x030000";
constexpr const char* kAcc = "0x120000";

struct Fixture {
  const char* name;
  std::vector<Model> models;  // in the order of the bus
  const char* own;            // labels below feature.node.kubernetes.io/gpu- that matter, without the prefix
  const char* gfd;            // below nvidia.com/
};

const Fixture kFixtures[] = {
    {"l40s and a100",
     {{4, kNv, "0x26b9", k3d, "nvidia", "NVIDIA L40S", 8, 9},
      {4, kNv, "0x20b0", k3d, "nvidia", "NVIDIA A100-SXM4-40GB"}},
     "nvidia.count=8 nvidia.count.l40s=4 nvidia.count.a100-sxm4-40gb=4",
     "gpu.product=NVIDIA-L40S gpu.count=4 gpu.family=ada-lovelace"},
    {"a100 and l40s, the other way round",
     {{4, kNv, "0x20b0", k3d, "nvidia", "NVIDIA A100-SXM4-40GB"},
      {4, kNv, "0x26b9", k3d, "nvidia", "NVIDIA L40S", 8, 9}},
     "nvidia.count=8 nvidia.count.l40s=4 nvidia.count.a100-sxm4-40gb=4",
     "gpu.product=NVIDIA-A100-SXM4-40GB gpu.count=4 gpu.family=ampere"},
    {"two 3090 and one 4090",
     {{1, kNv, "0x2684", kVga, "nvidia", "NVIDIA GeForce RTX 4090", 8, 9},
      {2, kNv, "0x2204", kVga, "nvidia", "NVIDIA GeForce RTX 3090", 8, 6}},
     "nvidia.count=3 nvidia.count.rtx-4090=1 nvidia.count.rtx-3090=2 nvidia.memory_gb=24 nvidia.form_factor=pcie",
     "gpu.product=NVIDIA-GeForce-RTX-3090 gpu.count=2 gpu.mode=graphics"},
    {"h100 and h200",
     {{4, kNv, "0x2330", k3d, "nvidia", "NVIDIA H100 80GB HBM3", 9},
      {4, kNv, "0x2335", k3d, "nvidia", "NVIDIA H200", 9}},
     "nvidia.count=8 nvidia.count.h100-sxm5-80gb=4 nvidia.count.h200-sxm5-141gb=4 nvidia.family=hopper "
     "nvidia.form_factor=sxm",
     "gpu.product=NVIDIA-H100-80GB-HBM3 gpu.count=4"},
    {"h100 on two boards",
     {{2, kNv, "0x2331", k3d, "nvidia", "NVIDIA H100 PCIe", 9},
      {3, kNv, "0x2330", k3d, "nvidia", "NVIDIA H100 80GB HBM3", 9}},
     "nvidia.count=5 nvidia.count.h100-pcie-80gb=2 nvidia.count.h100-sxm5-80gb=3 nvidia.memory_gb=80",
     "gpu.product=NVIDIA-H100-80GB-HBM3 gpu.count=3"},
    {"a100 of two sizes",
     {{1, kNv, "0x20b0", k3d, "nvidia", "NVIDIA A100-SXM4-40GB"},
      {1, kNv, "0x20b2", k3d, "nvidia", "NVIDIA A100-SXM4-80GB"}},
     "nvidia.count=2 nvidia.count.a100-sxm4-40gb=1 nvidia.count.a100-sxm4-80gb=1 nvidia.family=ampere",
     "gpu.product=NVIDIA-A100-SXM4-40GB gpu.count=1"},
    {"v100 of two sizes",
     {{4, kNv, "0x1db1", k3d, "nvidia", "Tesla V100-SXM2-16GB", 7},
      {4, kNv, "0x1db5", k3d, "nvidia", "Tesla V100-SXM2-32GB", 7}},
     "nvidia.count.v100-sxm2-16gb=4 nvidia.count.v100-sxm2-32gb=4 nvidia.family=volta",
     "gpu.product=Tesla-V100-SXM2-16GB gpu.count=4 gpu.family=volta"},
    {"a30 and a10",
     {{2, kNv, "0x20b7", k3d, "nvidia", "NVIDIA A30"}, {1, kNv, "0x2236", k3d, "nvidia", "NVIDIA A10", 8, 6}},
     "nvidia.count=3 nvidia.count.a30=2 nvidia.count.a10=1 nvidia.memory_gb=24",
     "gpu.product=NVIDIA-A30 gpu.count=2"},
    {"l4 and t4",
     {{3, kNv, "0x27b8", k3d, "nvidia", "NVIDIA L4", 8, 9}, {1, kNv, "0x1eb8", k3d, "nvidia", "Tesla T4", 7, 5}},
     "nvidia.count=4 nvidia.count.l4=3 nvidia.count.t4=1",
     "gpu.product=NVIDIA-L4 gpu.count=3 gpu.family=ada-lovelace"},
    {"one that nobody knows",
     {{1, kNv, "0xfff1", k3d, "nvidia", "NVIDIA Z900", 99},
      {2, kNv, "0x2330", k3d, "nvidia", "NVIDIA H100 80GB HBM3", 9}},
     "nvidia.count=3 nvidia.count.z900=1 nvidia.count.h100-sxm5-80gb=2",
     "gpu.product=NVIDIA-H100-80GB-HBM3 gpu.count=2"},
    {"half of them given to virtual machines",
     {{2, kNv, "0x20b0", k3d, "vfio-pci"}, {2, kNv, "0x20b0", k3d, "nvidia", "NVIDIA A100-SXM4-40GB"}},
     "nvidia.count=4 nvidia.count.a100-sxm4-40gb=4 nvidia.product=a100-sxm4-40gb",
     "gpu.product=NVIDIA-A100-SXM4-40GB gpu.count=2"},
    {"no driver yet",
     {{8, kNv, "0x2330", k3d, ""}},
     "nvidia.count=8 nvidia.count.h100-sxm5-80gb=8 nvidia.product=h100-sxm5-80gb nvidia.family=hopper "
     "nvidia.memory_gb=80 nvidia.form_factor=sxm nvidia.driver.state=absent",
     "vgpu.present=false"},
    {"mi300x and mi210",
     {{4, kAmd, "0x74a1", kAcc, "amdgpu"}, {2, kAmd, "0x740f", "0x038000", "amdgpu"}},
     "amd.count=6 amd.count.mi300x=4 amd.count.mi210=2",
     ""},
    {"mi300x alone",
     {{8, kAmd, "0x74a1", kAcc, "amdgpu"}},
     "amd.count=8 amd.count.mi300x=8 amd.product=mi300x amd.family=cdna3 amd.memory_gb=192 amd.form_factor=oam",
     ""},
    {"mi300x and a100",
     {{4, kAmd, "0x74a1", kAcc, "amdgpu"}, {2, kNv, "0x20b0", k3d, "nvidia", "NVIDIA A100-SXM4-40GB"}},
     "amd.count=4 amd.product=mi300x nvidia.count=2 nvidia.product=a100-sxm4-40gb",
     "gpu.product=NVIDIA-A100-SXM4-40GB gpu.count=2"},
    {"w7900 and rtx 6000",
     {{1, kAmd, "0x7448", kVga, "amdgpu"}, {1, kNv, "0x26b1", kVga, "nvidia", "NVIDIA RTX 6000 Ada Generation", 8, 9}},
     "amd.count.radeon-pro-w7900=1 nvidia.count.rtx-6000-ada=1 amd.memory_gb=48 nvidia.memory_gb=48",
     "gpu.product=NVIDIA-RTX-6000-Ada-Generation gpu.count=1"},
    {"flex of two kinds",
     {{2, kIntel, "0x56c0", "0x038000", "i915"}, {2, kIntel, "0x56c1", "0x038000", "i915"}},
     "intel.count=4 intel.count.flex-170=2 intel.count.flex-140=2 intel.family=xe-hpg",
     ""},
    {"max 1550 and t4",
     {{4, kIntel, "0x0bd5", "0x038000", "xe"}, {1, kNv, "0x1eb8", k3d, "nvidia", "Tesla T4", 7, 5}},
     "intel.count=4 intel.product=max-1550 intel.memory_gb=128 intel.form_factor=oam nvidia.product=t4",
     "gpu.product=Tesla-T4 gpu.count=1"},
    {"all three vendors",
     {{2, kNv, "0x1eb8", k3d, "nvidia", "Tesla T4", 7, 5},
      {1, kAmd, "0x740f", "0x038000", "amdgpu"},
      {3, kIntel, "0x56c0", "0x038000", "xe"}},
     "nvidia.count=2 amd.count=1 intel.count=3 nvidia.product=t4 amd.product=mi210 intel.product=flex-170",
     "gpu.product=Tesla-T4 gpu.count=2"},
    {"a desktop with everything",
     {{1, kIntel, "0x56a1", kVga, "xe"},
      {1, kIntel, "0x56a5", kVga, "i915"},
      {1, kAmd, "0x744c", kVga, "amdgpu"},
      {1, kNv, "0x26b9", k3d, "nvidia", "NVIDIA L40S", 8, 9}},
     "intel.count=2 intel.count.arc-a750=1 intel.count.arc-a380=1 amd.count.rx-7900=1 nvidia.count.l40s=1",
     "gpu.product=NVIDIA-L40S gpu.count=1"},
};

Attributes pairs(std::string_view text) {
  Attributes out;
  for (const std::string_view word : fields(text))
    out.emplace(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  return out;
}

/// Puts the machine's GPUs on the bus and returns what the driver says of its own.
std::vector<NvmlGpu> build(TempHost& host, const Fixture& fixture) {
  std::vector<NvmlGpu> reported;
  int bus = 0x10;
  for (const Model& model : fixture.models)
    for (int i = 0; i < model.count; ++i, ++bus) {
      char address[16];
      std::snprintf(address, sizeof address, "0000:%02x:00.0", bus);
      add_function(host, {.address = address,
                          .vendor = model.vendor,
                          .device = model.device,
                          .pci_class = model.pci_class,
                          .driver = model.driver,
                          .parent = bus % 2 == 0 ? "pci0000:00" : "pci0000:80",
                          .numa_node = bus % 2});
      if (!*model.name) continue;
      NvmlGpu gpu = a100(address);
      gpu.name = model.name;
      gpu.compute_major = model.major;
      gpu.compute_minor = model.minor;
      gpu.memory = gpu.memory.value() + static_cast<std::int64_t>(gpu.name.size()) * (1 << 20);
      reported.push_back(gpu);
    }
  return reported;
}

class MixedGpus : public ::testing::TestWithParam<Fixture> {};

TEST_P(MixedGpus, TheTruthInAnyOrder) {
  const Fixture& fixture = GetParam();
  TempHost host;
  std::vector<NvmlGpu> reported = build(host, fixture);
  if (!reported.empty()) record_answer(host, driver_report(reported));
  const Observation seen = look_at_gpus(host);
  EXPECT_TRUE(seen.problems.empty());
  const Attributes own = labels_below(seen.features, "feature.node.kubernetes.io/gpu-");
  for (const auto& [key, value] : pairs(fixture.own)) {
    ASSERT_TRUE(own.contains(key)) << key;
    EXPECT_EQ(own.at(key), value) << key;
  }
  // Each model has its count, and nothing else has one.
  int models = 0, counted = 0, all = 0;
  for (const auto& [key, value] : own)
    if (key.find(".count.") != std::string::npos) ++models, counted += std::stoi(value);
  std::set<std::string> ids;
  for (const Model& model : fixture.models) ids.insert(model.device), all += model.count;
  EXPECT_EQ(models, static_cast<int>(ids.size()));
  EXPECT_EQ(counted, all);
  const Attributes gfd = labels_below(seen.features, "nvidia.com/");
  for (const auto& [key, value] : pairs(fixture.gfd)) {
    ASSERT_TRUE(gfd.contains(key)) << key;
    EXPECT_EQ(gfd.at(key), value) << key;
  }
  EXPECT_EQ(gfd.empty(), std::string_view(fixture.gfd).empty());

  if (reported.size() < 2) return;  // only the driver has an order of its own
  std::minstd_rand random(42);
  for (int i = 0; i < 100; ++i) {
    std::shuffle(reported.begin(), reported.end(), random);
    record_answer(host, driver_report(reported));
    ASSERT_EQ(look_at_gpus(host), seen) << "shuffle " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, MixedGpus, ::testing::ValuesIn(kFixtures),
                         [](const ::testing::TestParamInfo<Fixture>& fixture) {
                           return replace_all(replace_all(fixture.param.name, " ", "_"), ",", "");
                         });

TEST(MixedGpuFixtures, ThereAreTwenty) { EXPECT_EQ(std::size(kFixtures), 20u); }

// ---- drivers of AMD and Intel ---------------------------------------------------------------------------------------

const std::string kDevices = "/sys/bus/pci/devices/";

TEST(DrmGpus, WhatAmdgpuTells) {
  TempHost host;
  add_function(host,
               {.address = "0000:0c:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"});
  const std::string own = "/sys/devices/pci0000:00/0000:0c:00.0/";
  host.write(own + "mem_info_vram_total", "206141652992\n");
  host.write(own + "product_name", "AMD Instinct MI300X\n");
  host.write(own + "current_compute_partition", "CPX\n");
  host.write(own + "current_memory_partition", "NPS4\n");
  host.write(own + "unique_id", "a1b2c3d4e5f60718\n");
  const Features features = look_at_gpus(host).features;
  const Attributes& gpu = features.instances.at("gpu.device")[0];
  EXPECT_EQ(gpu.at("memory"), "196592");
  EXPECT_EQ(gpu.at("product"), "AMD Instinct MI300X");
  EXPECT_EQ(gpu.at("compute_partition"), "CPX");
  const Attributes made = labels_below(features, "feature.node.kubernetes.io/gpu-amd.");
  EXPECT_EQ(made.at("memory"), "196592");
  EXPECT_EQ(made.at("compute_partition"), "CPX");
  EXPECT_EQ(made.at("memory_partition"), "NPS4");
}

TEST(DrmGpus, ABoardsOwnNameAndItsIdsDecideBetweenProducts) {
  const auto look_at = [](const char* device, std::initializer_list<std::pair<const char*, const char*>> files) {
    TempHost host;
    add_function(host,
                 {.address = "0000:0c:00.0", .vendor = kAmd, .device = device, .pci_class = kVga, .driver = "amdgpu"});
    for (const auto& [file, content] : files)
      host.write(std::string("/sys/devices/pci0000:00/0000:0c:00.0/") + file, content);
    return look_at_gpus(host).features.instances.at("gpu.device")[0];
  };
  EXPECT_EQ(look_at("0x73bf", {}).at("model"), "rx-6800-6800-xt-6900-xt");
  EXPECT_EQ(look_at("0x73bf", {{"revision", "0xc1\n"}}).at("model"), "rx-6800-xt");
  EXPECT_EQ(look_at("0x740c", {{"product_name", "AMD INSTINCT MI250\n"}}).at("model"), "mi250");
  // Boards hold more than the name of the product; both of this id have as much memory.
  for (const auto& [product, model] : {std::pair{"AMD INSTINCT MI250 (MCM) OAM AC MBA\n", "mi250"},
                                       {"AMD INSTINCT MI250X (MCM) OAM AC MBA MSFT\n", "mi250x"},
                                       {"AMD INSTINCT MI200 (MCM) OAM LC MBA HPE C2\n", "mi250x-mi250"},
                                       {"N/A\n", "mi250x-mi250"},
                                       {"Unknown\n", "mi250x-mi250"}}) {
    const Attributes gpu = look_at("0x740c", {{"product_name", product}});
    EXPECT_EQ(gpu.at("model"), model);
    EXPECT_EQ(gpu.at("memory_gb"), "64") << product;
    EXPECT_EQ(gpu.at("form_factor"), "oam") << product;
  }
  EXPECT_FALSE(
      look_at("0x7550", {{"revision", "0xc0\n"}, {"product_name", "AMD Radeon RX 9070\n"}}).contains("memory_gb"));
  // The memory in the table is that of the table's product.
  const Attributes pro = look_at("0x66a1", {{"revision", "0x06\n"}, {"product_name", "AMD Instinct MI50\n"}});
  EXPECT_EQ(pro.at("model"), "mi50");
  EXPECT_EQ(pro.at("family"), "gcn5");
  EXPECT_FALSE(pro.contains("memory_gb"));
  EXPECT_EQ(look_at("0x66a1", {{"revision", "0x06\n"}}).at("memory_gb"), "16");
  EXPECT_EQ(look_at("0x1586", {{"product_name", "AMD Radeon Graphics\n"}}).at("model"), "strix-halo");
}

TEST(DrmGpus, TheSubsystemDecidesBetweenBoards) {
  TempHost host;
  for (const char* address : {"0000:0c:00.0", "0000:0d:00.0"})
    add_function(host, {.address = address, .device = "0x25b6", .driver = ""});
  host.write("/sys/devices/pci0000:00/0000:0d:00.0/subsystem_vendor", "0x10de\n");
  host.write("/sys/devices/pci0000:00/0000:0d:00.0/subsystem_device", "0x157e\n");
  const Instances gpus = look_at_gpus(host).features.instances.at("gpu.device");
  EXPECT_EQ(gpus[0].at("model"), "a2-a16");
  EXPECT_EQ(gpus[1].at("model"), "a2");
}

Attributes intel_gpu(const char* driver, std::initializer_list<std::pair<const char*, const char*>> files) {
  TempHost host;
  add_function(
      host,
      {.address = "0000:4d:00.0", .vendor = kIntel, .device = "0x56c0", .pci_class = "0x038000", .driver = driver});
  for (const auto& [file, content] : files)
    host.write(std::string("/sys/devices/pci0000:00/0000:4d:00.0/") + file, content);
  return look_at_gpus(host).features.instances.at("gpu.device")[0];
}

TEST(DrmGpus, WhatI915AndXeTell) {
  // Intel's own builds of i915: the card's memory, or each tile's where there may be several.
  Attributes gpu = intel_gpu("i915", {{"drm/card1/lmem_total_bytes", "17179869184\n"},
                                      {"drm/card1/gt/gt0/id", "0\n"},
                                      {"drm/renderD128/dev", "226:128\n"}});
  EXPECT_EQ(gpu.at("memory"), "16384");
  EXPECT_EQ(gpu.at("tiles"), "1");
  gpu = intel_gpu("i915", {{"drm/card0/lmem_total_bytes", "68719476736\n"},
                           {"drm/card0/gt/gt0/addr_range", "0x0000001000000000\n"},
                           {"drm/card0/gt/gt1/addr_range", "0x0000001000000000\n"}});
  EXPECT_EQ(gpu.at("memory"), "131072");
  EXPECT_EQ(gpu.at("tiles"), "2");
  gpu = intel_gpu("i915", {{"drm/card0/lmem_total_bytes", "68719476736\n"},
                           {"drm/card0/gt/gt0/id", "0\n"},
                           {"drm/card0/gt/gt1/id", "1\n"}});
  EXPECT_EQ(gpu.at("memory"), "131072") << "that of each tile, said once";
  // The kernel's i915 tells no memory, and the second GT of an integrated GPU is its media engine, no tile.
  gpu = intel_gpu("i915", {{"drm/card0/gt/gt0/id", "0\n"}, {"drm/card0/gt/gt1/id", "1\n"}});
  EXPECT_FALSE(gpu.contains("memory"));
  EXPECT_FALSE(gpu.contains("tiles"));
  gpu = intel_gpu(
      "xe", {{"tile0/physical_vram_size_bytes", "68719476736\n"}, {"tile1/physical_vram_size_bytes", "68719476736\n"}});
  EXPECT_EQ(gpu.at("memory"), "131072");
  EXPECT_EQ(gpu.at("tiles"), "2");
}

TEST(DrmGpus, AWordIsOneWord) {
  TempHost host;
  add_function(host,
               {.address = "0000:0c:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"});
  host.write("/sys/devices/pci0000:00/0000:0c:00.0/current_compute_partition", "SPX\nnvidia.com/gpu.count=8\n");
  const Observation seen = look_at_gpus(host);
  EXPECT_TRUE(labels_below(seen.features, "nvidia.com/").empty());
  EXPECT_FALSE(seen.features.attributes.at("gpu.amd").contains("compute_partition"));
  EXPECT_EQ(seen.problems.size(), 1u);
}

TEST(DrmGpus, AReadThatFailsTakesNoLabel) {
  const auto doubted = [](BusFunction function, const std::string& unreadable) {
    TempHost host;
    function.address = "0000:0c:00.0";
    add_function(host, function);
    host.write("/sys/devices/pci0000:00/0000:0c:00.0/" + unreadable, unreadable.ends_with("/") ? "dir" : "");
    const Observation seen = look_at_gpus(host);
    EXPECT_EQ(seen.problems.size(), 1u) << unreadable;
    return seen.incomplete;
  };
  // A directory in place of a file cannot be read, and neither can a file in place of a directory.
  const BusFunction amd{.vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"};
  for (const char* file : {"mem_info_vram_total/", "current_compute_partition/"}) {
    const auto sets = doubted(amd, file);
    for (const char* set : {"gpu.device", "gpu.amd", "gpu.model"}) EXPECT_TRUE(sets.contains(set)) << file << set;
    EXPECT_FALSE(sets.contains("gpu.nvidia"));
  }
  const BusFunction i915{.vendor = kIntel, .device = "0x56c0", .pci_class = "0x038000", .driver = "i915"};
  EXPECT_TRUE(doubted(i915, "drm/card0/lmem_total_bytes/").contains("gpu.intel"));
  EXPECT_TRUE(doubted(i915, "drm").contains("gpu.intel"));
}

TEST(DrmGpus, AFunctionThatCannotBeReadLeavesTheCountsAlone) {
  TempHost host;
  add_function(host, {.address = "0000:18:00.0", .driver = ""});
  add_function(host, {.address = "0000:2a:00.0", .driver = ""});
  std::filesystem::remove(host.path() / "sys/devices/pci0000:00/0000:2a:00.0/vendor");
  host.write("/sys/devices/pci0000:00/0000:2a:00.0/vendor/", "dir");
  const Observation seen = look_at_gpus(host);
  // "1 GPU" is what was seen, and no reason to say so of a node that is known to have two.
  for (const char* set : {"gpu.nvidia", "gpu.model", "gpu.device", "gpu.vgpu"}) {
    EXPECT_TRUE(seen.incomplete.contains(set)) << set;
    EXPECT_TRUE(seen.unsettled.contains(set)) << set;
  }
}

TEST(DrmGpus, GuestsFunctionsAreNotCounted) {
  TempHost host;
  add_function(host,
               {.address = "0000:0c:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"});
  add_function(
      host, {.address = "0000:0c:02.0", .vendor = kAmd, .device = "0x74b5", .pci_class = kAcc, .driver = "vfio-pci"});
  host.write("/sys/devices/pci0000:00/0000:0c:02.0/physfn", "-> ../0000:0c:00.0");
  EXPECT_EQ(look_at_gpus(host).features.attributes.at("gpu.amd").at("count"), "1");
}

// ---- expected, and below capability ---------------------------------------------------------------------------------

TEST(GpuHealth, ExpectedAndPresent) {
  TempHost host;
  add_function(host,
               {.address = "0000:18:00.0", .vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"});
  GpuOptions options;
  options.expected = {{"amd", 8}, {"nvidia", 0}};
  const Observation seen = look_at_gpus(host, options);
  EXPECT_EQ(seen.features.attributes.at("gpu.amd").at("missing"), "7");
  EXPECT_EQ(labels_below(seen.features, "feature.node.kubernetes.io/").at("gpu-amd.missing"), "7");
  ASSERT_EQ(seen.problems.size(), 1u);
  EXPECT_EQ(seen.problems[0].code, "gpu-missing");
  EXPECT_FALSE(seen.features.attributes.contains("gpu.nvidia"));
  options.expected = {{"amd", 1}};
  EXPECT_TRUE(look_at_gpus(host, options).problems.empty());
}

TEST(GpuHealth, LinksBelowTheirCapability) {
  const auto limit = [](const char* width, const char* max_width, const char* speed, const char* port_speed) {
    TempHost host;
    host.write("/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 0 0\n");  // no guest
    add_function(host, {.address = "0000:18:00.0", .driver = "", .parent = "pci0000:17/0000:17:01.0"});
    const std::string own = "/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0/";
    host.write(own + "current_link_width", width);
    host.write(own + "max_link_width", max_width);
    host.write(own + "max_link_speed", speed);
    host.write(own + "current_link_speed", "2.5 GT/s PCIe\n");  // idle: that is nothing
    host.write("/sys/devices/pci0000:17/0000:17:01.0/max_link_speed", port_speed);
    host.write("/sys/devices/pci0000:17/0000:17:01.0/max_link_width", "16\n");
    const Features features = look_at_gpus(host).features;
    const Attributes& gpu = features.instances.at("gpu.device")[0];
    const std::string found = gpu.contains("link_limit") ? gpu.at("link_limit") : "";
    EXPECT_EQ(features.attributes.at("gpu.nvidia").at("link_limited"), found.starts_with("width") ? "1" : "0");
    return found;
  };
  EXPECT_EQ(limit("16\n", "16\n", "32.0 GT/s PCIe\n", "32.0 GT/s PCIe\n"), "");
  EXPECT_EQ(limit("8\n", "16\n", "32.0 GT/s PCIe\n", "32.0 GT/s PCIe\n"), "width");
  EXPECT_EQ(limit("16\n", "16\n", "32.0 GT/s PCIe\n", "16.0 GT/s PCIe\n"), "speed");
  EXPECT_EQ(limit("4\n", "16\n", "32.0 GT/s PCIe\n", "8.0 GT/s PCIe\n"), "width,speed");
  EXPECT_EQ(limit("0\n", "255\n", "Unknown\n", "Unknown\n"), "");
  for (const auto& [vendor, key] : {std::pair{kNv, "gpu-nvidia"}, {kAmd, "gpu-amd"}, {kIntel, "gpu-intel"}}) {
    TempHost host{{"/cpuid.txt", "0 0 1 0 0 0\n1 0 0 0 0 0\n"}};
    add_function(host,
                 {.address = "0000:18:00.0", .vendor = vendor, .driver = "", .parent = "pci0000:17/0000:17:01.0"});
    const std::string port = "/sys/devices/pci0000:17/0000:17:01.0/";
    host.write(port + "max_link_width", "16\n");
    host.write(port + "0000:18:00.0/max_link_speed", "16.0 GT/s PCIe\n");
    host.write(port + "0000:18:00.0/current_link_width", "8\n");
    host.write(port + "0000:18:00.0/max_link_width", "16\n");
    const Attributes made = labels_below(look_at_gpus(host).features, "feature.node.kubernetes.io/");
    EXPECT_TRUE(made.contains(std::string(key) + ".link_limited")) << key;
  }
}

// ---- topology -------------------------------------------------------------------------------------------------------

TEST(GpuTopology, Nearness) {
  const PciPlace gpu{"/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0/0000:19:00.0/0000:1a:00.0", 0};
  const auto to = [&](const char* path, std::optional<int> node = {}) {
    return std::string(name_of(pci_nearness(gpu, {path, node})));
  };
  EXPECT_EQ(to("/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0/0000:19:04.0/0000:1b:00.0"), "PIX");
  EXPECT_EQ(to("/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0/0000:19:08.0/0000:1c:00.0/0000:1d:00.0/0000:1e:00.0"),
            "PXB");
  EXPECT_EQ(to("/sys/devices/pci0000:17/0000:17:03.0/0000:2a:00.0", 0), "PHB");
  EXPECT_EQ(to("/sys/devices/pci0000:3a/0000:3a:01.0/0000:3b:00.0", 0), "NODE");
  EXPECT_EQ(to("/sys/devices/pci0000:97/0000:97:01.0/0000:98:00.0", 1), "SYS");
  EXPECT_EQ(to("/sys/devices/pci0000:97/0000:97:01.0/0000:98:00.0"), "");
  EXPECT_EQ(to("", 0), "NODE");
  EXPECT_EQ(pcie_root(gpu.path), "pci0000:17");
  EXPECT_EQ(pcie_root("/sys/devices/LNXSYSTM:00/VMBUS:01/47505500-0001-0000-3130-444531303039/pci0001:00/0001:00:00.0"),
            "pci0001:00");
  EXPECT_EQ(pcie_root("/sys/bus/pci/devices/0000:1a:00.0"), "");
}

/// Two sockets, on each a switch with two GPUs and a NIC.
void two_sockets(TempHost& host, std::vector<NvmlGpu>& reported) {
  for (int socket = 0; socket < 2; ++socket) {
    const std::string root = socket == 0 ? "1" : "9";
    const std::string upstream =
        "pci0000:" + root + "7/0000:" + root + "7:01.0/0000:" + root + "8:00.0/0000:" + root + "9:";
    for (int i = 0; i < 3; ++i) {
      const std::string address = "0000:" + root + std::string(1, static_cast<char>('a' + i)) + ":00.0";
      const BusFunction function{
          .address = address, .parent = upstream + "0" + std::to_string(i) + ".0", .numa_node = socket};
      if (i == 2) {
        add_nic(host, "mlx5_" + std::to_string(socket), function);
      } else {
        add_function(host, function);
        reported.push_back(h100(address));
      }
    }
  }
}

TEST(GpuTopology, NearestNicAndMatrix) {
  std::vector<NvmlGpu> reported;
  TempHost host;
  two_sockets(host, reported);
  // The two of one socket are bridged.
  for (std::size_t i = 0; i < reported.size(); ++i) reported[i].links = {{0, reported[i ^ 1].bus_id}};
  record_answer(host, driver_report(reported));
  const Features features = look_at_gpus(host).features;
  const Instances& gpus = features.instances.at("gpu.device");
  ASSERT_EQ(gpus.size(), 4u);
  EXPECT_EQ(gpus[0].at("nic"), "mlx5_0");
  EXPECT_EQ(gpus[0].at("nic_distance"), "PIX");
  EXPECT_EQ(gpus[3].at("nic"), "mlx5_1");
  EXPECT_EQ(gpus[3].at("numa_node"), "1");
  EXPECT_EQ(gpus[3].at("pcie_root"), "pci0000:97");
  EXPECT_EQ(gpus[0].at("nvlink_peers"), "0000:1b:00.0");
  const Attributes& topology = features.attributes.at("gpu.topology");
  EXPECT_EQ(topology.at("nvlink"), "some");
  EXPECT_EQ(topology.at("numa_nodes"), "0,1");
  EXPECT_EQ(topology.at("nic_pairs"), "4");
  const std::string matrix =
      R"({"gpus":["0000:1a:00.0","0000:1b:00.0","0000:9a:00.0","0000:9b:00.0"],"gpu-gpu":["xn55","nx55","55xn","55nx"],)"
      R"("nics":["mlx5_0","mlx5_1"],"gpu-nic":["15","15","51","51"]})";
  EXPECT_EQ(topology.at("matrix"), matrix);
  EXPECT_EQ(annotations_of(features).at("feature.node.kubernetes.io/gpu.topology"), matrix);
  EXPECT_EQ(labels_below(features, "feature.node.kubernetes.io/").at("gpu.nvlink"), "some");
}

TEST(GpuTopology, NvlinkIsBetweenThoseThatTell) {
  std::vector<NvmlGpu> reported;
  TempHost host;
  two_sockets(host, reported);
  for (NvmlGpu& gpu : reported) gpu.links = {{2, "0000:b0:00.0"}};
  // The one in the mainboard, and one that was given to a guest.
  add_function(host,
               {.address = "0000:00:02.0", .vendor = kIntel, .device = "0x4680", .pci_class = kVga, .driver = "i915"});
  add_function(host, {.address = "0000:c1:00.0", .driver = "vfio-pci"});
  record_answer(host, driver_report(reported));
  EXPECT_EQ(look_at_gpus(host).features.attributes.at("gpu.topology").at("nvlink"), "all");
  // AMD's unique_id says nothing of NVLink.
  TempHost amd;
  for (const char* address : {"0000:0c:00.0", "0000:0d:00.0"}) {
    add_function(amd, {.address = address, .vendor = kAmd, .device = "0x74a1", .pci_class = kAcc, .driver = "amdgpu"});
    amd.write(std::string("/sys/devices/pci0000:00/") + address + "/unique_id", "a1b2c3d4e5f60718\n");
  }
  EXPECT_FALSE(look_at_gpus(amd).features.attributes.at("gpu.topology").contains("nvlink"));
}

TEST(GpuTopology, TheMatrixStaysSmall) {
  std::vector<ProximityGpu> gpus;
  std::vector<ProximityNic> nics;
  for (int i = 0; i < 16; ++i) gpus.push_back({"0000:" + std::to_string(10 + i) + ":00.0", {"", i / 8}, {}});
  for (int i = 0; i < 10; ++i) nics.push_back({"mlx5_" + std::to_string(i), {"", i / 5}});
  const std::string all = proximity_matrix(gpus, nics, 1024);
  EXPECT_LE(all.size(), 1024u);
  EXPECT_NE(all.find("gpu-gpu"), std::string::npos) << "16 GPUs and 10 NICs fit";
  const std::string less = proximity_matrix(gpus, nics, 700);
  EXPECT_FALSE(less.empty());
  EXPECT_EQ(less.find("\"gpu-gpu\":["), std::string::npos);
  EXPECT_NE(less.find("\"cut\":{\"gpu-gpu\":16}"), std::string::npos) << less;
  EXPECT_EQ(proximity_matrix(gpus, nics, 100), "");
  EXPECT_EQ(proximity_matrix({gpus[0]}, {}, 1024), "");
  // What cannot fit is not computed: these have 10,000 million pairs.
  const std::vector<ProximityGpu> many(100'000, gpus[0]);
  EXPECT_EQ(proximity_matrix(many, {}, 1024), "");
  EXPECT_EQ(proximity_matrix(many, nics, 1024), "");
}

}  // namespace
}  // namespace nodescout
